import type { Logger } from "pino";
import type { Clock } from "../platform/clock.ts";
import { type PeriodicJob, periodicJob } from "../platform/periodic.ts";
import type { EventLog } from "../store/event-log.ts";

const EVERY = 60 * 60 * 1_000;

/** Keeps the event log from growing for ever; a cursor older than what is kept is answered with `CURSOR_EXPIRED`. */
export function retentionJob(options: {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In milliseconds. */
  readonly keepFor: number;
}): PeriodicJob {
  const { log, clock, logger, keepFor } = options;
  return periodicJob("retention", EVERY, () => log.prune(clock.now() - keepFor), logger);
}
