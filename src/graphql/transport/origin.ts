import type { GraphQLError } from "graphql";
import { isOwnOrigin } from "../../platform/own-origin.ts";
import { requestError } from "../errors.ts";

/** Decides which web pages may use the API from a browser. */
export interface Origins {
  /**
   * Whether a request is allowed. `host` is its Host header: our own pages are always allowed, as are requests without
   * an origin.
   */
  allow(origin: string | undefined, host: string | undefined): boolean;
}

/** @param allowed origins such as `https://desk.example`; null allows all */
export function origins(allowed: readonly string[] | null): Origins {
  return {
    allow: (origin, host) =>
      origin === undefined || allowed === null || allowed.includes(origin) || isOwnOrigin(origin, host),
  };
}

/** The error for a page of an origin that is not allowed. */
export function originError(): GraphQLError {
  return requestError("ORIGIN_NOT_ALLOWED", "This origin is not allowed. ALLOWED_ORIGINS lists the allowed origins.");
}
