import { createHash } from "node:crypto";
import type { JsonValue } from "../domain/message.ts";
import { toStorable } from "../domain/text.ts";

/** A JSON object of which nothing is known yet. */
export type Json = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * A copy of parsed JSON that PostgreSQL can keep: in every text, keys included, NUL and lone surrogates become U+FFFD
 * (rule O4). Members whose keys are in `without` are left out, however deep.
 */
export function storableJson(value: unknown, without: ReadonlySet<string> = none, depth = 0): JsonValue {
  switch (typeof value) {
    case "string":
      return toStorable(value);
    case "number":
      // 1e999 is valid JSON and no number.
      return Number.isFinite(value) ? value : null;
    case "boolean":
      return value;
    case "object": {
      if (value === null) return null;
      // Nothing that a person sends is nested so deep; what is could exhaust the stack, ours or PostgreSQL's.
      if (depth === MAX_DEPTH) return "\uFFFD";
      if (Array.isArray(value)) return value.map((item) => storableJson(item, without, depth + 1));
      // `fromEntries`, because a plain assignment would take the key "__proto__" for something else.
      return Object.fromEntries(
        Object.entries(value)
          .filter(([key]) => !without.has(key))
          .map(([key, member]) => [toStorable(key), storableJson(member, without, depth + 1)]),
      );
    }
    default:
      return null;
  }
}

/** An id that a provider gave: null if it is none; one that an index could not hold becomes its digest. */
export function storableId(id: unknown): string | null {
  if (typeof id !== "string" || id === "") return null;
  const storable = toStorable(id);
  return storable.length <= MAX_ID ? storable : `sha256:${createHash("sha256").update(storable).digest("hex")}`;
}

const none: ReadonlySet<string> = new Set();
const MAX_DEPTH = 64;
const MAX_ID = 255;
