import { expect } from "vitest";

/** Equals the value, except that "…" in a string stands for any text. */
export function asMatcher(expected: unknown): unknown {
  if (typeof expected === "string")
    return expected.includes("…") ? expect.stringMatching(asPattern(expected)) : expected;
  if (Array.isArray(expected)) return expected.map(asMatcher);
  if (typeof expected !== "object" || expected === null) return expected;
  return Object.fromEntries(Object.entries(expected).map(([key, value]) => [key, asMatcher(value)]));
}

/** The whole text, with any text on one line for each "…". */
export function asPattern(text: string): RegExp {
  return new RegExp(`^${text.trim().split("…").map(RegExp.escape).join(".+")}$`);
}

/** Without the comments of event streams, which carry no data, and without the blank lines that they leave. */
export function tidy(output: string): string {
  return output
    .replaceAll(/^:.*\n/gm, "")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim();
}

/** On one line, as a program prints a document that a page shows on several. */
export function onOneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
