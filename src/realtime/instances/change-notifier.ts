import type { Logger } from "pino";
import type { WorkspaceId } from "../../domain/id.ts";
import type { LogEvent } from "../../store/log-event.ts";

/**
 * Notifies other instances that logs have grown. A notification is only a hint: lost, duplicated, late or reordered
 * ones cost time and nothing else, because every instance also polls the log.
 */
export interface ChangeNotifier {
  /** Notifies the other instances of a commit. Neither throws nor blocks, because it is called in the write path. */
  notify(workspaceId: WorkspaceId, events: readonly LogEvent[]): void;
  stop(): Promise<void>;
}

/**
 * Receives a notification from another instance: the events of one commit in order, or null if they must be read from
 * the log.
 */
export type OnChange = (workspaceId: WorkspaceId, events: readonly LogEvent[] | null) => void;

/** What one commit added to the log of a workspace. */
export interface Commit {
  readonly workspaceId: WorkspaceId;
  readonly events: readonly LogEvent[];
}

/** Commits beyond this many are not announced; the other instances find them by polling. */
const MAX_WAITING = 1_000;

/**
 * Sends at once while no send is in progress. Commits made during a send are sent together `pause` milliseconds after
 * it, so a busy instance sends larger notifications rather than more of them.
 */
export function coalesce(
  send: (commits: readonly Commit[]) => Promise<void>,
  pause: number,
): (workspaceId: WorkspaceId, events: readonly LogEvent[]) => void {
  let waiting: Commit[] = [];
  let busy = false;

  return (workspaceId, events) => {
    if (waiting.length < MAX_WAITING) waiting.push({ workspaceId, events });
    if (!busy) next();
  };

  function next(): void {
    const commits = waiting;
    waiting = [];
    busy = commits.length > 0;
    if (busy) void send(commits).finally(() => setTimeout(next, pause));
  }
}

/** Logs once when change notifications stop, and once when they resume. */
export function outageLog(logger: Logger, via: string): { up(): void; down(error: unknown): void } {
  let isDown = false;
  return {
    up: () => {
      if (isDown) logger.info({ via }, "change notifications from other instances have resumed");
      isDown = false;
    },
    down: (error) => {
      if (!isDown) logger.warn({ err: error, via }, "no change notifications from other instances; the log is polled");
      isDown = true;
    },
  };
}
