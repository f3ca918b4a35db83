import { DELIVERY_TIMEOUT } from "../domain/outbox.ts";
import { type PeriodicJob, periodicJob } from "../platform/periodic.ts";
import { findExpiredOutbound, forgetReplyTokens } from "../store/outbound-due.ts";
import type { ExecutingJobOptions } from "./executing-job.ts";

/** In milliseconds. */
const INTERVAL = 1_000;
const PAGE = 500;
/** Age in milliseconds after which a reply token is of no use to anybody. */
const REPLY_TOKEN_LIFETIME = 90_000;

/**
 * Ends what delivery waits for in vain: leases of processes that died (rule S2), messages that no sender takes, for
 * want of an access token for example (rule S4), and dead reply tokens.
 */
export function expireOutboundJob({ database, executor, clock, logger }: ExecutingJobOptions): PeriodicJob {
  return periodicJob("expire-outbound", INTERVAL, runOnce, logger);

  async function runOnce(): Promise<void> {
    const now = clock.now();
    const expired = await findExpiredOutbound(database.pool, now, now - DELIVERY_TIMEOUT, PAGE);
    await Promise.all(
      expired.map(({ workspaceId, id }) =>
        executor.execute({ workspaceId, steps: [{ contactChannel: id, command: { type: "ExpireOutbound" } }] }),
      ),
    );
    await forgetReplyTokens(database.pool, now - REPLY_TOKEN_LIFETIME);
  }
}
