import { type PeriodicJob, periodicJob } from "../platform/periodic.ts";
import { findDue } from "../store/due.ts";
import type { ExecutingJobOptions } from "./executing-job.ts";

/** In milliseconds; well within the 5 s that rule B8 allows. */
const INTERVAL = 1_000;
const PAGE = 500;

/** Runs what becomes due with time: block expiries (rule B8), unanswered offers (rule C3), delayed flow steps. */
export function dueJob({ database, executor, clock, logger }: ExecutingJobOptions): PeriodicJob {
  return periodicJob("due", INTERVAL, runOnce, logger);

  async function runOnce(): Promise<void> {
    const now = clock.now();
    for (;;) {
      const due = await findDue(database.pool, now, PAGE);
      await Promise.all(
        due.map(({ workspaceId, id }) =>
          executor.execute({ workspaceId, steps: [{ contactChannel: id, command: { type: "RunDue" } }] }),
        ),
      );
      if (due.length < PAGE) return;
    }
  }
}
