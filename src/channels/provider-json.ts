import { createHash } from "node:crypto";
import type { JsonValue } from "../domain/message.ts";
import { toStorable } from "../domain/text.ts";

/** A JSON object whose members are not yet validated. */
export type Json = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Copies parsed JSON into a form that PostgreSQL can store: NUL and lone surrogates in strings and keys become U+FFFD
 * (rule O4). Members whose keys are in `without` are left out at every depth.
 */
export function storableJson(value: unknown, without: ReadonlySet<string> = none, depth = 0): JsonValue {
  switch (typeof value) {
    case "string":
      return toStorable(value);
    case "number":
      // 1e999 is valid JSON but parses to Infinity.
      return Number.isFinite(value) ? value : null;
    case "boolean":
      return value;
    case "object": {
      if (value === null) return null;
      // Real events are never nested this deeply; deeper JSON could overflow our stack or PostgreSQL's.
      if (depth === MAX_DEPTH) return "\uFFFD";
      if (Array.isArray(value)) return value.map((item) => storableJson(item, without, depth + 1));
      // `fromEntries`, because assigning to the key "__proto__" would set the prototype.
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

/**
 * Reads an id of a provider; null if it is not a non-empty string. An id too long for an index is replaced by its
 * digest.
 */
export function storableId(id: unknown): string | null {
  if (typeof id !== "string" || id === "") return null;
  const storable = toStorable(id);
  return storable.length <= MAX_ID ? storable : `sha256:${createHash("sha256").update(storable).digest("hex")}`;
}

const none: ReadonlySet<string> = new Set();
const MAX_DEPTH = 64;
const MAX_ID = 255;
