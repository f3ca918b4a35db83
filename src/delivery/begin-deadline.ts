import type { Instant } from "../domain/id.ts";
import { BEGIN_WITHIN } from "../domain/outbox.ts";
import type { Clock } from "../platform/clock.ts";

/**
 * The time, as `performance.now()` tells it, after which the call of a lease must not begin (rule S6). If the clock was set
 * back since the grant, the lease is taken to be as old as its request, which was made at `requestedAt`.
 */
export function beginDeadline(clock: Clock, grantedAt: Instant, requestedAt: number): number {
  const now = performance.now();
  const age = clock.now() - grantedAt;
  return now + BEGIN_WITHIN - (age < 0 ? now - requestedAt : age);
}
