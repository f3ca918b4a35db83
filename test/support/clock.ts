import type { Clock } from "../../src/platform/clock.ts";

/** A clock that advances only by hand. */
export interface TestClock extends Clock {
  advance(milliseconds: number): void;
}

export function testClock(start = Date.parse("2026-01-01T00:00:00Z")): TestClock {
  let now = start;
  return {
    now: () => now,
    advance: (milliseconds) => {
      now += milliseconds;
    },
  };
}

/** The time this many milliseconds from now by this clock, as a DateTime of the API. */
export function inMs({ clock }: { readonly clock: Clock }, milliseconds: number): string {
  return new Date(clock.now() + milliseconds).toISOString();
}
