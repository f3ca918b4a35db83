import { requestError } from "../errors.ts";

/** Blocks in force at `now`: not lifted and not expired (rule B8). */
export function inForceAt(now: Date) {
  return { liftedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] };
}

/** Blocks no longer in force at `now`: lifted or expired (rule B8). */
export function notInForceAt(now: Date) {
  return { OR: [{ liftedAt: { not: null } }, { expiresAt: { lte: now } }] };
}

/** Selects the block in force. All fields use this same selection, so that one query serves them all. */
export function selectInForce(now: Date) {
  return { where: inForceAt(now), take: 1, select: { id: true, expiresAt: true } } as const;
}

/**
 * Case-insensitive substring match; `%` and `_` are literal.
 *
 * @throws GraphQLError `INVALID_INPUT` if the text has NUL or lone surrogates
 */
export function containsText(search: string) {
  if (search.includes("\0") || !search.isWellFormed()) {
    throw requestError("INVALID_INPUT", "search must not contain NUL or lone surrogates.");
  }
  return { contains: search.replaceAll(/[\\%_]/g, "\\$&"), mode: "insensitive" } as const;
}
