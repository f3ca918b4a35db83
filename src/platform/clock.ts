import type { Instant } from "../domain/id.ts";

/** The server's time, injected so that tests can control it (rule O5). */
export interface Clock {
  now(): Instant;
}

export const systemClock: Clock = { now: () => Date.now() };
