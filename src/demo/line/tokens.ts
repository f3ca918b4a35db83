import { randomBytes } from "node:crypto";
import type { Instant } from "../../domain/id.ts";
import type { Clock } from "../../platform/clock.ts";

/** Things that are given out under an unguessable token and forgotten after some time. */
export interface Tokens<Thing> {
  /** Returns a new token. */
  issue(thing: Thing): string;
  /** Undefined for an unknown token, and for one that is too old. */
  find(token: string): Thing | undefined;
}

/** @param lifetime in milliseconds */
export function createTokens<Thing>(clock: Clock, lifetime: number): Tokens<Thing> {
  const issued = new Map<string, { readonly thing: Thing; readonly until: Instant }>();
  return {
    issue: (thing) => {
      forgetOld();
      const token = randomBytes(24).toString("base64url");
      issued.set(token, { thing, until: clock.now() + lifetime });
      return token;
    },
    find: (token) => {
      const found = issued.get(token);
      return found !== undefined && clock.now() < found.until ? found.thing : undefined;
    },
  };

  /** All live equally long, so the oldest are the first in the map. */
  function forgetOld(): void {
    for (const [token, { until }] of issued) {
      if (clock.now() < until) return;
      issued.delete(token);
    }
  }
}
