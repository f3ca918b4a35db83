import { type PeriodicJob, periodicJob } from "../platform/periodic.ts";
import { findLostLeases } from "../store/due.ts";
import type { ExecutingJobOptions } from "./executing-job.ts";

/** In milliseconds. */
const INTERVAL = 1_000;
const PAGE = 500;
/** Age in milliseconds after which a lease counts as lost because its process died. */
const LOST_AFTER = 30_000;

/** Settles lost leases, so that their messages are queued again. */
export function lostLeasesJob({ database, executor, clock, logger }: ExecutingJobOptions): PeriodicJob {
  return periodicJob("lost-leases", INTERVAL, runOnce, logger);

  async function runOnce(): Promise<void> {
    const lost = await findLostLeases(database.pool, clock.now() - LOST_AFTER, PAGE);
    await Promise.all(
      lost.map(({ workspaceId, contactChannelId, messageId }) =>
        executor.execute({
          workspaceId,
          steps: [
            { contactChannel: contactChannelId, command: { type: "SettleOutbound", messageId, result: "NOT_BEGUN" } },
          ],
        }),
      ),
    );
  }
}
