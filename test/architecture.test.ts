import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { describe, expect, test } from "vitest";

/** From the top down: a room may import from itself and from what is below it, never from above or from beside it. */
const floors: readonly (readonly string[])[] = [
  ["main.ts"],
  ["app.ts"],
  ["programs"],
  ["demo"],
  ["channels"],
  ["delivery", "partners"],
  ["graphql", "http", "jobs"],
  ["relay"],
  ["commands", "realtime"],
  ["store"],
  ["embedded-postgres"],
  ["auth"],
  ["platform", "flows"],
  ["config.ts"],
  ["domain"],
];

const src = join(import.meta.dirname, "../src");

const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter(
  (file) => file.endsWith(".ts") && !file.includes("generated"),
);

describe("the direction of imports", () => {
  test("every file belongs to a room", () => {
    expect(files.filter((file) => floorOf(file) === -1)).toEqual([]);
  });

  test.each(files)("%s imports only from its own room and from below", (file) => {
    const wrong = importsOf(file).filter(
      (imported) => room(imported) !== room(file) && floorOf(imported) <= floorOf(file),
    );
    expect(wrong).toEqual([]);
  });

  test("the ground imports nothing outside itself: no library, no Node API", () => {
    const outside = files
      .filter((file) => room(file) === "domain")
      .flatMap((file) => specifiersOf(file).filter((specifier) => !specifier.startsWith(".")));
    expect(outside).toEqual([]);
  });

  test("there are no circles", () => {
    expect(findCircle()).toBeNull();
  });
});

function room(file: string): string {
  return file.split("/")[0] ?? file;
}

function floorOf(file: string): number {
  return floors.findIndex((rooms) => rooms.includes(room(file)));
}

function importsOf(file: string): string[] {
  return specifiersOf(file)
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => relative(src, normalize(join(src, dirname(file), specifier))))
    .filter((imported) => !imported.includes("generated"));
}

function specifiersOf(file: string): string[] {
  const source = readFileSync(join(src, file), "utf8");
  return [...source.matchAll(/^(?:import|export)\b[^;]*?from "([^"]+)"|\bimport\("([^"]+)"\)|^import "([^"]+)"/gm)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? "",
  );
}

function findCircle(): string[] | null {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    for (const imported of importsOf(file)) {
      const circle = visit(imported, [...path, file]);
      if (circle !== null) return circle;
    }
    done.add(file);
    return null;
  };
  for (const file of files) {
    const circle = visit(file, []);
    if (circle !== null) return circle;
  }
  return null;
}
