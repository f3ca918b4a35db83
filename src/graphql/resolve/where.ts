import { requestError } from "../errors.ts";

/** The blocks that hold at `now` (rule B8): nobody lifted them, and their end has not come. */
export function inForceAt(now: Date) {
  return { liftedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] };
}

/** The blocks that no longer hold at `now`. */
export function overAt(now: Date) {
  return { OR: [{ liftedAt: { not: null } }, { expiresAt: { lte: now } }] };
}

/** Selects whether a block is in force: the same query wherever it is asked, so that one statement answers all. */
export function selectInForce(now: Date) {
  return { where: inForceAt(now), take: 1, select: { id: true } } as const;
}

/** Matches any part, whatever the case; `%` and `_` mean themselves. */
export function anyPart(search: string) {
  if (search.includes("\0") || !search.isWellFormed()) {
    throw requestError("INVALID_INPUT", "search must not contain NUL or lone surrogates.");
  }
  return { contains: search.replaceAll(/[\\%_]/g, "\\$&"), mode: "insensitive" } as const;
}
