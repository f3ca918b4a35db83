import type { Instant } from "./id.ts";
import type { JsonValue } from "./message.ts";
import type { InvalidField, Refusal } from "./refusal.ts";
import { faultOfText, MAX_NOTES, MAX_TEXT, trimNotes } from "./text.ts";

/** Longest name, key or id that somebody may give something. */
const MAX_NAME = 255;
/** Deepest nesting of a payload. */
const MAX_NESTING = 100;

/** What is wrong with an input; null if nothing is. */
export function faultsOf(...faults: readonly (InvalidField | null)[]): Refusal | null {
  const fields = faults.filter((fault) => fault !== null);
  return fields.length === 0 ? null : { type: "InvalidInput", fields };
}

/** A text towards a contact. */
export function textFault(path: string, text: string): InvalidField | null {
  if (text.trim() === "") return { path, message: "Must not be empty." };
  return field(path, faultOfText(text, MAX_TEXT));
}

/** Notes of a block, before or after trimming (rule B5). */
export function notesFault(path: string, notes: string | null | undefined): InvalidField | null {
  return field(path, faultOfText(trimNotes(notes) ?? "", MAX_NOTES));
}

/** An id or key that somebody else gives out: any text, but not empty. */
export function keyFault(path: string, key: string | null | undefined): InvalidField | null {
  if (key === null || key === undefined) return null;
  if (key === "") return { path, message: "Must not be empty." };
  return field(path, faultOfText(key, MAX_NAME));
}

/** The name of something, for people. */
export function nameFault(path: string, name: string | null | undefined): InvalidField | null {
  if (name === null || name === undefined) return null;
  if (name.trim() === "") return { path, message: "Must not be empty." };
  return field(path, faultOfText(name.trim(), MAX_NAME));
}

/** Text as a partner's contact wrote it: whatever it is, as long as it can be kept. */
export function inboundTextFault(path: string, text: string | null | undefined): InvalidField | null {
  return text === null || text === undefined ? null : field(path, faultOfText(text, Number.POSITIVE_INFINITY));
}

/** Any JSON, as long as it can be kept as it is. */
export function jsonFault(path: string, value: unknown): InvalidField | null {
  const waiting: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value: current, depth } = next;
    if (depth > MAX_NESTING) return { path, message: `Must not be nested more than ${MAX_NESTING} levels deep.` };
    if (typeof current === "string") {
      const fault = faultOfText(current, Number.POSITIVE_INFINITY);
      if (fault !== null) return { path, message: fault };
    } else if (typeof current === "number" && !Number.isFinite(current)) {
      return { path, message: "Must not contain numbers that are too large to keep." };
    } else if (typeof current === "object" && current !== null) {
      for (const [key, inner] of Object.entries(current)) {
        if (!Array.isArray(current)) waiting.push({ value: key, depth });
        waiting.push({ value: inner, depth: depth + 1 });
      }
    }
  }
  return null;
}

/** A JSON value that `jsonFault` found nothing wrong with. */
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
