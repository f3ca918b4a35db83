import type { Logger } from "pino";
import type { Executor } from "../commands/executor.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database } from "../store/database.ts";

/** The needs of a job that finds what is due in the database and executes a command for each. */
export interface ExecutingJobOptions {
  readonly database: Database;
  readonly executor: Executor;
  readonly clock: Clock;
  readonly logger: Logger;
}
