import type { ChannelId, ContactChannelId } from "../domain/id.ts";
import type { Clock } from "../platform/clock.ts";
import { type ClosingChannel, findClosing, findOpen, markClosed } from "../store/archived-channels.ts";
import type { Database } from "../store/database.ts";
import type { Executor } from "./executor.ts";

/** Ends what is open on archived channels: on this one, or on all that are not closed yet. May run at any time. */
export type CloseArchived = (id?: ChannelId) => Promise<void>;

export function createCloseArchived(options: {
  readonly database: Database;
  readonly executor: Executor;
  readonly clock: Clock;
}): CloseArchived {
  const { database, executor, clock } = options;

  return async (id) => {
    const failures: unknown[] = [];
    for (const channel of await findClosing(database.pool, id)) {
      // A channel that fails must not keep the others open.
      await close(channel).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures);
  };

  async function close({ id, workspaceId, archivedAt, archivedBy: actor }: ClosingChannel): Promise<void> {
    const startedAt = clock.now();
    let wasOpen = false;
    let after: ContactChannelId | null = null;
    const failures: unknown[] = [];
    for (;;) {
      const page: readonly ContactChannelId[] = await findOpen(database.pool, id, after, PAGE);
      const outcomes = await Promise.allSettled(
        page.map((contactChannel) =>
          executor.execute({ workspaceId, steps: [{ contactChannel, command: { type: "CloseArchived", actor } }] }),
        ),
      );
      wasOpen ||= page.length > 0;
      after = page.at(-1) ?? null;
      // One that fails must not keep the others open; the next run finds it again.
      for (const outcome of outcomes) if (outcome.status === "rejected") failures.push(outcome.reason);
      if (page.length < PAGE) break;
    }
    if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures);
    // A transaction that began before the channel was archived may still open something, until it must have ended.
    if (!wasOpen && startedAt - archivedAt >= LONGEST_TRANSACTION) await markClosed(database.pool, id, clock.now());
  }
}

const PAGE = 500;
/** In milliseconds; well above the time limits of a connection (src/store/database.ts). */
const LONGEST_TRANSACTION = 120_000;
