import { requestError } from "../errors.ts";

/** Matches any part, whatever the case; `%` and `_` mean themselves. */
export function anyPart(search: string) {
  if (search.includes("\0") || !search.isWellFormed()) {
    throw requestError("INVALID_INPUT", "search must not contain NUL or lone surrogates.");
  }
  return { contains: search.replaceAll(/[\\%_]/g, "\\$&"), mode: "insensitive" } as const;
}
