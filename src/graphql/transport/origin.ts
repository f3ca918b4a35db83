import type { GraphQLError } from "graphql";
import { requestError } from "../errors.ts";

/** Whose pages may use the API from a browser. */
export interface Origins {
  /** `host` is the request's own; our own pages always may. Without an origin it is no page that asks. */
  allow(origin: string | undefined, host: string | undefined): boolean;
}

/** `allowed` are origins such as `https://desk.example`; null is everybody's. */
export function origins(allowed: readonly string[] | null): Origins {
  return {
    allow: (origin, host) =>
      origin === undefined ||
      allowed === null ||
      allowed.includes(origin) ||
      // The scheme may differ: a proxy ends TLS before us.
      (host !== undefined && URL.parse(origin)?.host === host),
  };
}

/** What pages of other origins are told. */
export function originFault(): GraphQLError {
  return requestError(
    "ORIGIN_NOT_ALLOWED",
    "Pages of this origin may not use the API. ALLOWED_ORIGINS says which may.",
  );
}
