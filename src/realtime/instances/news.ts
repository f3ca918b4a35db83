import type { Logger } from "pino";
import type { WorkspaceId } from "../../domain/id.ts";
import type { LogEvent } from "../../store/log-event.ts";

/**
 * Word between instances that logs have grown. It is only ever a hint: lost, doubled, late or reordered it costs time and
 * nothing else, because every instance also looks at the log by itself.
 */
export interface News {
  /** Tells the other instances what was committed here. Never throws and never waits: nothing of it is in the write path. */
  tell(workspaceId: WorkspaceId, events: readonly LogEvent[]): void;
  stop(): Promise<void>;
}

/** Takes what another instance tells: the events of one commit, in order, or null where only the log can say what they are. */
export type Hear = (workspaceId: WorkspaceId, events: readonly LogEvent[] | null) => void;

/** What one commit added to the log of a workspace. */
export interface Commit {
  readonly workspaceId: WorkspaceId;
  readonly events: readonly LogEvent[];
}

/** Beyond this, what is not told is found by the others when they look at the log. */
const MOST_WAITING = 1_000;

/**
 * Sends at once what comes while nothing is under way, and together, `pause` milliseconds later, what comes meanwhile: so
 * a busy instance sends larger pieces, not more of them.
 */
export function coalesce(
  send: (commits: readonly Commit[]) => Promise<void>,
  pause: number,
): (workspaceId: WorkspaceId, events: readonly LogEvent[]) => void {
  let waiting: Commit[] = [];
  let busy = false;

  return (workspaceId, events) => {
    if (waiting.length < MOST_WAITING) waiting.push({ workspaceId, events });
    if (!busy) next();
  };

  function next(): void {
    const commits = waiting;
    waiting = [];
    busy = commits.length > 0;
    if (busy) void send(commits).finally(() => setTimeout(next, pause));
  }
}

/** Logs once when word from other instances stops coming, and once when it comes again. */
export function lineState(logger: Logger, via: string): { up(): void; down(error: unknown): void } {
  let isDown = false;
  return {
    up: () => {
      if (isDown) logger.info({ via }, "word from other instances comes again");
      isDown = false;
    },
    down: (error) => {
      if (!isDown) logger.warn({ err: error, via }, "no word from other instances; the log is looked at all the same");
      isDown = true;
    },
  };
}
