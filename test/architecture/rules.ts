import { dirname, join } from "node:path/posix";

/** Source files by their path from the project's root. */
export type Sources = ReadonlyMap<string, string>;

/**
 * The rooms of src/ from the top down. A file may import from its own room and from the rooms below, never from above or
 * from a room beside it. The longest matching path decides which room a file is in.
 */
export const floors: readonly (readonly string[])[] = [
  ["main.ts"],
  ["app.ts"],
  ["programs"],
  ["demo"],
  ["channels/line", "channels/web-chat", "channels/custom"],
  ["channels"],
  ["partners"],
  ["delivery"],
  ["graphql/server.ts", "http", "jobs"],
  ["graphql/transport"],
  ["graphql/execution"],
  ["graphql/schema"],
  ["graphql/resolve"],
  ["graphql"],
  ["relay"],
  ["commands", "realtime/instances"],
  ["realtime"],
  ["store"],
  ["embedded-postgres"],
  ["auth"],
  ["platform", "flows"],
  ["config.ts"],
  ["domain"],
];

/** Pages in a browser: they talk to the API only, and nothing on the server imports them. */
const pages = ["console", "widget"];

export interface Rule {
  readonly name: string;
  /** One line for each violation; empty if the sources keep the rule. */
  readonly check: (sources: Sources) => string[];
}

export const rules: readonly Rule[] = [
  {
    name: "every file of src/ is in a room",
    check: (sources) => inSrc(sources).filter((file) => roomOf(file) === null && pageOf(file) === null),
  },
  {
    name: "imports point down",
    check: (sources) =>
      importsOf(sources).flatMap(([file, imported]) => {
        const from = roomOf(file);
        const to = roomOf(imported);
        if (from === null || to === null || from === to || floorOf(to) > floorOf(from)) return [];
        return [`${file} -> ${imported}`];
      }),
  },
  {
    name: "pages import nothing of the server, and nothing imports them",
    check: (sources) =>
      importsOf(sources).flatMap(([file, imported]) =>
        pageOf(file) === pageOf(imported) ? [] : [`${file} -> ${imported}`],
      ),
  },
  {
    name: "src/ imports nothing of tests, benches and examples",
    check: (sources) =>
      importsOf(sources).flatMap(([file, imported]) =>
        file.startsWith("src/") && !imported.startsWith("src/") ? [`${file} -> ${imported}`] : [],
      ),
  },
  { name: "there is no import cycle", check: cycles },
  {
    name: "domain/ imports nothing outside itself: no library, no Node API",
    check: (sources) =>
      inSrc(sources)
        .filter((file) => file.startsWith("src/domain/"))
        .flatMap((file) =>
          specifiersIn(sources.get(file) ?? "")
            .filter((specifier) => !specifier.startsWith("."))
            .map((specifier) => `${file} -> ${specifier}`),
        ),
  },
  {
    name: "domain/ reads no clock, no randomness and no global of Node",
    check: (sources) =>
      inSrc(sources).filter(
        (file) => file.startsWith("src/domain/") && IMPURE.test(withoutComments(sources.get(file) ?? "")),
      ),
  },
  {
    name: "SQL stands in store/ and embedded-postgres/ only",
    check: (sources) =>
      inSrc(sources).filter(
        (file) => !/^src\/(store|embedded-postgres)\//.test(file) && SQL.test(withoutComments(sources.get(file) ?? "")),
      ),
  },
  {
    name: "prom-client is used in platform/metrics.ts only",
    check: (sources) =>
      inSrc(sources).filter(
        (file) => file !== "src/platform/metrics.ts" && specifiersIn(sources.get(file) ?? "").includes("prom-client"),
      ),
  },
];

const IMPURE =
  /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\b(process|performance|crypto)\.|\bBuffer\b|\bset(Timeout|Interval|Immediate)\b|\bfetch\(/;

/** A statement, or a call that sends one. */
const SQL =
  /\bSELECT\s[^"`]*\bFROM\b|\bINSERT\s+INTO\b|\bUPDATE\s+\w+\s+(\w+\s+)?SET\b|\bDELETE\s+FROM\b|\b(CREATE|ALTER|DROP)\s+(TABLE|INDEX|DATABASE|ROLE)\b|\bpg_notify\b|\bLISTEN\s|\.\$(query|execute)Raw\b|\b(pool|client|connection|tx|session)\??\.query\b/;

function inSrc(sources: Sources): string[] {
  return [...sources.keys()].filter((file) => file.startsWith("src/"));
}

function roomOf(file: string): string | null {
  const path = file.replace(/^src\//, "");
  if (path === file) return null;
  const rooms = floors.flat().filter((room) => path === room || path.startsWith(`${room}/`));
  return rooms.toSorted((a, b) => b.length - a.length)[0] ?? null;
}

function floorOf(room: string): number {
  return floors.findIndex((rooms) => rooms.includes(room));
}

function pageOf(file: string): string | null {
  return pages.find((page) => file.startsWith(`src/${page}/`)) ?? null;
}

/** Whether a tool wrote the file: Prisma's client, or what relay-compiler writes. */
export function isGenerated(path: string): boolean {
  return /\/(generated|__generated__)\//.test(path);
}

/** All imports of one source file by another. Generated code and libraries are left out. */
function importsOf(sources: Sources): [file: string, imported: string][] {
  return [...sources].flatMap(([file, source]) =>
    specifiersIn(source)
      .filter((specifier) => specifier.startsWith("."))
      .map((specifier): [string, string] => [file, join(dirname(file), specifier)])
      .filter(([, imported]) => !isGenerated(imported) && /\.tsx?$/.test(imported)),
  );
}

function specifiersIn(source: string): string[] {
  const imports = /^(?:import|export)\b[^;]*?from "([^"]+)"|\bimport\("([^"]+)"\)|^import "([^"]+)"/gm;
  return [...source.matchAll(imports)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
}

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
}

/** Each cycle once, from its first file in reading order. */
function cycles(sources: Sources): string[] {
  const imports = Map.groupBy(importsOf(sources), ([file]) => file);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) found.push([...path.slice(path.indexOf(file)), file].join(" -> "));
    if (path.includes(file) || done.has(file)) return;
    for (const [, imported] of imports.get(file) ?? []) visit(imported, [...path, file]);
    done.add(file);
  };
  for (const file of sources.keys()) visit(file, []);
  return found;
}
