/** Maximum length of the notes of a block, in code points (rule B5). */
export const MAX_NOTES = 2_000;
/** Maximum length of a message's text, in code points: LINE's limit for one message. */
export const MAX_TEXT = 5_000;

/**
 * Validates text from an API caller: PostgreSQL cannot store NUL, and a lone surrogate is not valid Unicode (rule O4).
 * Returns the error message, or null if the text is valid.
 */
export function textError(text: string, max: number): string | null {
  if (text.includes("\0")) return "Must not contain the NUL character (U+0000).";
  if (!text.isWellFormed()) return "Must not contain lone surrogates: the text is not valid Unicode.";
  if (isLongerThan(text, max)) return `Must be at most ${max.toLocaleString("en")} characters long.`;
  return null;
}

/** Replaces NUL and lone surrogates with U+FFFD: a provider's text is repaired, not refused (rule O4). */
export function toStorable(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}

/** Trims notes; null if nothing remains (rule B5). */
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
