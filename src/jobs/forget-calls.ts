import type { Logger } from "pino";
import type { Clock } from "../platform/clock.ts";
import { type PeriodicJob, periodicJob } from "../platform/periodic.ts";
import type { Database } from "../store/database.ts";
import { forgetCalls } from "../store/idempotency.ts";

/** In milliseconds. */
const INTERVAL = 60_000;

/** Deletes the stored results of mutations whose idempotency keys have expired. */
export function forgetCallsJob(options: {
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
}): PeriodicJob {
  const { database, clock, logger } = options;
  return periodicJob("forget-calls", INTERVAL, () => forgetCalls(database.pool, clock.now()), logger);
}
