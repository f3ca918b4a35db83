import { describe, expect, test } from "vitest";
import { type Page, pages } from "./pages.ts";

/** Something that holds for the docs. */
export interface Check {
  readonly name: string;
  /** What is wrong with these pages. */
  refuseInvalid(these: readonly Page[]): readonly string[];
  /** Changes to the pages, each of which the check has to find. */
  readonly violations: readonly ((these: readonly Page[]) => readonly Page[])[];
}

/** Runs each check on the docs, and on docs that violate it. */
export function runChecks(subject: string, checks: readonly Check[]): void {
  describe(subject, () => {
    test.each(checks)("$name", ({ refuseInvalid }) => {
      expect(refuseInvalid(pages)).toEqual([]);
    });

    test.each(checks)("control: $name", ({ refuseInvalid, violations }) => {
      expect(violations.length).toBeGreaterThan(0);
      for (const violate of violations) expect(refuseInvalid(violate(pages))).not.toEqual([]);
    });
  });
}

/** Adds a paragraph to the tour, or to the page with this path. */
export function adding(text: string, path = "docs/tour.md"): Check["violations"][number] {
  return (these) => these.map((page) => (page.path === path ? { ...page, text: `${page.text}\n${text}\n` } : page));
}

/** Replaces a text wherever it is. */
export function replacing(from: string, to: string): Check["violations"][number] {
  return (these) => {
    if (!these.some(({ text }) => text.includes(from))) throw new Error(`No page has the text ${from}.`);
    return these.map((page) => ({ ...page, text: page.text.replaceAll(from, to) }));
  };
}
