import type { Position } from "../store/event-log.ts";

/** A place in the log, as clients see it. */
export function toCursor(position: Position): string {
  return Buffer.from(`log:${position}`).toString("base64url");
}

/** Null for what is no cursor. */
export function fromCursor(cursor: string): Position | null {
  const digits = /^log:(\d{1,15})$/.exec(Buffer.from(cursor, "base64url").toString())?.[1];
  return digits === undefined ? null : Number(digits);
}
