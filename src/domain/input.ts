import type { Instant } from "./id.ts";
import type { JsonValue } from "./message.ts";
import type { InvalidField, Refusal } from "./refusal.ts";
import { faultOfText, MAX_NOTES, MAX_TEXT, trimNotes } from "./text.ts";

/** Maximum length of a name, key or id, in code points. */
const MAX_NAME = 255;
/** Maximum nesting depth of a JSON payload. */
const MAX_NESTING = 100;

/** Combines validation errors into one refusal; null if there are none. */
export function faultsOf(...faults: readonly (InvalidField | null)[]): Refusal | null {
  const fields = faults.filter((fault) => fault !== null);
  return fields.length === 0 ? null : { type: "InvalidInput", fields };
}

/** Validates the text of an outbound message; null if valid. */
export function textFault(path: string, text: string): InvalidField | null {
  if (text.trim() === "") return { path, message: "Must not be empty." };
  return field(path, faultOfText(text, MAX_TEXT));
}

/** Validates the notes of a block after trimming them (rule B5); null if valid. */
export function notesFault(path: string, notes: string | null | undefined): InvalidField | null {
  return field(path, faultOfText(trimNotes(notes) ?? "", MAX_NOTES));
}

/** Validates an id or key that an external system assigns: non-empty text of at most 255 code points. */
export function keyFault(path: string, key: string | null | undefined): InvalidField | null {
  if (key === null || key === undefined) return null;
  if (key === "") return { path, message: "Must not be empty." };
  return field(path, faultOfText(key, MAX_NAME));
}

/** Validates a human-readable name. */
export function nameFault(path: string, name: string | null | undefined): InvalidField | null {
  if (name === null || name === undefined) return null;
  if (name.trim() === "") return { path, message: "Must not be empty." };
  return field(path, faultOfText(name.trim(), MAX_NAME));
}

/** Validates text written by a partner's contact: any text that PostgreSQL can store, of any length. */
export function inboundTextFault(path: string, text: string | null | undefined): InvalidField | null {
  return text === null || text === undefined ? null : field(path, faultOfText(text, Number.POSITIVE_INFINITY));
}

/** Validates that PostgreSQL can store a JSON value unchanged; null if it can. */
export function jsonFault(path: string, value: unknown): InvalidField | null {
  const pending: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value: current, depth } = next;
    if (depth > MAX_NESTING) return { path, message: `Must not be nested more than ${MAX_NESTING} levels deep.` };
    if (typeof current === "string") {
      const fault = faultOfText(current, Number.POSITIVE_INFINITY);
      if (fault !== null) return { path, message: fault };
    } else if (typeof current === "number" && !Number.isFinite(current)) {
      return { path, message: "Must not contain numbers outside the range of a double-precision float." };
    } else if (typeof current === "object" && current !== null) {
      for (const [key, inner] of Object.entries(current)) {
        if (!Array.isArray(current)) pending.push({ value: key, depth });
        pending.push({ value: inner, depth: depth + 1 });
      }
    }
  }
  return null;
}

/** Narrows a value that `jsonFault` accepted to `JsonValue`. */
export function asJson(value: unknown): JsonValue {
  return isJson(value) ? value : null;
}

function isJson(value: unknown): value is JsonValue {
  return value !== undefined;
}

export function instantOf(date: Date): Instant;
export function instantOf(date: Date | null | undefined): Instant | null;
export function instantOf(date: Date | null | undefined): Instant | null {
  return date?.getTime() ?? null;
}

function field(path: string, message: string | null): InvalidField | null {
  return message === null ? null : { path, message };
}
