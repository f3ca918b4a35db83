import type { Instant } from "../domain/id.ts";

/** Our own time, injected so that tests can move it (rule O5). */
export interface Clock {
  now(): Instant;
}

export const systemClock: Clock = { now: () => Date.now() };
