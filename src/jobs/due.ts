import type { Logger } from "pino";
import type { Executor } from "../commands/executor.ts";
import type { Command } from "../domain/command.ts";
import { idOf } from "../domain/id.ts";
import type { Clock } from "../platform/clock.ts";
import { type PeriodicJob, periodicJob } from "../platform/periodic.ts";
import type { Database } from "../store/database.ts";
import { REMEMBER_FOR } from "../store/idempotency.ts";

export interface DueJobOptions {
  readonly database: Database;
  readonly executor: Executor;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Pause between two looks, in milliseconds: well within the 5 s that rule B8 allows. */
const EVERY = 1_000;
const PAGE = 500;
/** A lease that old belongs to a process that died between taking and settling it. */
const LEASE_LOST_AFTER = 30_000;

/** Looks after what falls due without anybody asking: expiries (rule B8), offers (rule C3), delayed steps, lost leases. */
export function dueJob({ database, executor, clock, logger }: DueJobOptions): PeriodicJob {
  return periodicJob("due", EVERY, runOnce, logger);

  async function runOnce(): Promise<void> {
    const now = new Date(clock.now());
    await runDue(now);
    await returnLostLeases(now);
    await database.pool.query("DELETE FROM idempotency_key WHERE created_at <= $1", [
      new Date(now.getTime() - REMEMBER_FOR),
    ]);
  }

  async function runDue(now: Date): Promise<void> {
    for (;;) {
      const { rows } = await database.pool.query<{ id: string; workspace_id: string }>(
        "SELECT id, workspace_id FROM contact_channel WHERE due_at <= $1 ORDER BY due_at LIMIT $2",
        [now, PAGE],
      );
      await Promise.all(rows.map((row) => execute(row.workspace_id, row.id, { type: "RunDue" })));
      if (rows.length < PAGE) return;
    }
  }

  async function returnLostLeases(now: Date): Promise<void> {
    const { rows } = await database.pool.query<{ id: string; workspace_id: string; contact_channel_id: string }>(
      `SELECT id, workspace_id, contact_channel_id FROM message
       WHERE delivery_status = 'SENDING' AND leased_at <= $1 LIMIT $2`,
      [new Date(now.getTime() - LEASE_LOST_AFTER), PAGE],
    );
    await Promise.all(
      rows.map((row) =>
        execute(row.workspace_id, row.contact_channel_id, {
          type: "SettleOutbound",
          messageId: idOf(row.id),
          result: "NOT_BEGUN",
        }),
      ),
    );
  }

  async function execute(workspaceId: string, contactChannelId: string, command: Command): Promise<void> {
    await executor.execute({
      workspaceId: idOf(workspaceId),
      steps: [{ target: idOf<"ContactChannel">(contactChannelId), command }],
    });
  }
}
