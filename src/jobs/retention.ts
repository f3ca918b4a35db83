import type { Logger } from "pino";
import type { Clock } from "../platform/clock.ts";
import { type PeriodicJob, periodicJob } from "../platform/periodic.ts";
import type { EventLog } from "../store/event-log.ts";

/** In milliseconds. */
const INTERVAL = 60 * 60 * 1_000;

/** Bounds the event log by pruning events older than the retention. Cursors before them fail with `CURSOR_EXPIRED`. */
export function retentionJob(options: {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In milliseconds. */
  readonly keepFor: number;
}): PeriodicJob {
  const { log, clock, logger, keepFor } = options;
  return periodicJob("retention", INTERVAL, () => log.prune(clock.now() - keepFor), logger);
}
