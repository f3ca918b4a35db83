import type { Instant } from "./id.ts";
import type { JsonValue } from "./message.ts";
import type { InvalidField, Refusal } from "./refusal.ts";
import { MAX_NOTES, MAX_TEXT, textError, trimNotes } from "./text.ts";

/** Maximum length of a name, key or id, in code points. */
const MAX_NAME = 255;
/** Maximum nesting depth of a JSON payload. */
const MAX_NESTING = 100;

/** Combines validation errors into one refusal; null if there are none. */
export function refuseInvalid(...checked: readonly (InvalidField | null)[]): Refusal | null {
  const fields = checked.filter((field) => field !== null);
  return fields.length === 0 ? null : { type: "InvalidInput", fields };
}

/** Validates the text of an outbound message; null if valid. */
export function checkText(path: string, text: string): InvalidField | null {
  if (text.trim() === "") return { path, message: "Must not be empty." };
  return field(path, textError(text, MAX_TEXT));
}

/** Validates the notes of a block after trimming them (rule B5); null if valid. */
export function checkNotes(path: string, notes: string | null | undefined): InvalidField | null {
  return field(path, textError(trimNotes(notes) ?? "", MAX_NOTES));
}

/** Validates an id or key that an external system assigns: non-empty text of at most 255 code points. */
export function checkKey(path: string, key: string | null | undefined): InvalidField | null {
  if (key === null || key === undefined) return null;
  if (key === "") return { path, message: "Must not be empty." };
  return field(path, textError(key, MAX_NAME));
}

/** Validates a human-readable name. */
export function checkName(path: string, name: string | null | undefined): InvalidField | null {
  if (name === null || name === undefined) return null;
  if (name.trim() === "") return { path, message: "Must not be empty." };
  return field(path, textError(name.trim(), MAX_NAME));
}

/** Validates text written by a partner's contact: any text that PostgreSQL can store, of any length. */
export function checkInboundText(path: string, text: string | null | undefined): InvalidField | null {
  return text === null || text === undefined ? null : field(path, textError(text, Number.POSITIVE_INFINITY));
}

/** Validates that PostgreSQL can store a JSON value unchanged; null if it can. */
export function checkJson(path: string, value: unknown): InvalidField | null {
  const pending: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value: current, depth } = next;
    if (depth > MAX_NESTING) return { path, message: `Must not be nested more than ${MAX_NESTING} levels deep.` };
    if (typeof current === "string") {
      const message = textError(current, Number.POSITIVE_INFINITY);
      if (message !== null) return { path, message };
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

/** Narrows a value that `checkJson` accepted to `JsonValue`. */
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
