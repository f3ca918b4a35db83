import type { Logger } from "pino";
import type { Clock } from "../platform/clock.ts";
import { type PeriodicJob, periodicJob } from "../platform/periodic.ts";
import type { Database } from "../store/database.ts";
import { forgetCalls } from "../store/idempotency.ts";

const EVERY = 60_000;

/** Deletes remembered calls whose idempotency key is no longer honoured. */
export function forgetCallsJob(options: {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
}): PeriodicJob {
  const { database, clock, logger } = options;
  return periodicJob("forget-calls", EVERY, () => forgetCalls(database.pool, clock.now()), logger);
}
