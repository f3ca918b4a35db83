/** Longest notes of a block, in code points (rule B5). */
export const MAX_NOTES = 2_000;
/** Longest text of a message, in code points: what LINE takes in one message. */
export const MAX_TEXT = 5_000;

/** Checks text from an API caller: PostgreSQL cannot keep NUL, and a lone surrogate is no character (rule O4). Null means fine. */
export function faultOfText(text: string, max: number): string | null {
  if (text.includes("\0")) return "Must not contain the NUL character (U+0000).";
  if (!text.isWellFormed()) return "Must not contain lone surrogates: the text is not valid Unicode.";
  if (isLongerThan(text, max)) return `Must be at most ${max.toLocaleString("en")} characters long.`;
  return null;
}

/** Makes text of a provider storable instead of refusing it: nothing that a person wrote is lost (rule O4). */
export function toStorable(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}

/** Trims notes; empty means none (rule B5). */
export function trimNotes(notes: string | null | undefined): string | null {
  const trimmed = notes?.trim();
  return trimmed === undefined || trimmed === "" ? null : trimmed;
}

function isLongerThan(text: string, codePoints: number): boolean {
  if (text.length <= codePoints) return false;
  let count = 0;
  for (const _ of text) if (++count > codePoints) return true;
  return false;
}
