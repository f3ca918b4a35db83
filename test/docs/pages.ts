import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");

/** A page of the documentation. */
export interface Page {
  /** From the root of the project: `README.md`, `docs/tour.md`. */
  readonly path: string;
  readonly text: string;
}

/** A fenced block, with the comment above it that says what the tests do with it. */
export interface Fence {
  readonly marker: string | null;
  readonly language: string;
  readonly text: string;
}

/** A block that is run, with what it has to print and its exit code. */
export interface Example {
  readonly name: string;
  readonly language: string;
  readonly script: string;
  readonly prints: Fence | null;
  readonly exit: number;
}

/** All pages in the order in which a reader runs their commands: the README and the tour first. */
export const pages: readonly Page[] = [
  "README.md",
  "docs/tour.md",
  ...filesUnder("docs").filter((path) => path !== "docs/tour.md"),
].map((path) => ({ path, text: read(path) }));

export function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** The files under a folder, at any depth, as paths from the root. */
export function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

export function fencesOf({ text }: Page): readonly Fence[] {
  return [...text.matchAll(/(?:<!-- (.+?) -->\n\n)?```(\w+)\n([\s\S]*?)```/g)].map(
    ([, marker = null, language = "", body = ""]) => ({ marker, language, text: body }),
  );
}

/** The blocks marked `run: <name>` or `run: <name>, exit <code>`. */
export function examplesOf(page: Page): readonly Example[] {
  const fences = fencesOf(page);
  return fences.flatMap(({ marker, language, text }, index) => {
    const [, name, exit = "0"] = /^run: (.+?)(?:, exit (\d+))?$/.exec(marker ?? "") ?? [];
    const next = fences[index + 1];
    if (name === undefined) return [];
    return [{ name, language, script: text, prints: next?.marker === "prints" ? next : null, exit: Number(exit) }];
  });
}

/** The page without its fenced blocks. */
export function proseOf({ text }: Page): string {
  return text.replaceAll(/```[\s\S]*?```/g, "");
}

/** Everything in code style outside fenced blocks. */
export function codeInProse(page: Page): readonly string[] {
  return [...proseOf(page).matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
}

/** The anchors that GitHub gives the page's headings. */
export function anchorsOf(page: Page): readonly string[] {
  return [...proseOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );
}

/** The links of the page to other pages, to files and to its own headings. */
export function linksOf(page: Page): readonly string[] {
  return [...proseOf(page).matchAll(/\]\((?!https?:)(\S+?)\)/g)].map(([, target = ""]) => target);
}

/** The rows of the only table with these headings. */
export function tableUnder(among: readonly Page[], ...headings: readonly string[]): string[][] {
  const tables = among
    .flatMap(({ text }) => text.split(/\n{2,}/))
    .filter((paragraph) => paragraph.startsWith("|"))
    .map((table) => table.trim().split("\n").map(cellsOf));
  const [table, ...others] = tables.filter(([first]) => first?.join() === headings.join());
  if (table === undefined || others.length > 0) {
    throw new Error(`There must be exactly one table with the headings ${headings.join(", ")}.`);
  }
  return table.slice(2);
}

function cellsOf(row: string): string[] {
  return row
    .slice(1, -1)
    .split("|")
    .map((cell) => cell.trim());
}
