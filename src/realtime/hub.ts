import type { WorkspaceId } from "../domain/id.ts";
import type { EventLog } from "../store/event-log.ts";
import type { LogEvent, Position } from "../store/log-event.ts";
import { CursorExpired, Feed, type Subject } from "./feed.ts";
import { LogReader, type LogReaderHost } from "./log-reader.ts";

export interface ReaderOptions<Event extends LogEvent> {
  /** Where to resume: everything later is given; null for what comes from now on. */
  readonly after: Position | null;
  /** What every event that is wanted concerns: narrows down for what the reader is woken. */
  readonly subject?: Subject;
  readonly wants: (event: LogEvent) => event is Event;
}

/** Who hears what: feeds subscriptions, web chat streams and whatever else follows the log of a workspace. */
export interface Hub {
  /**
   * Follows the log from a position, first what is there already and then live, in order, nothing lost or repeated at
   * the seam. Resolves once the place to start is fixed, so that whatever is committed afterwards is heard. Throws
   * `CursorExpired`, here or later, where the log was pruned past the reader.
   */
  openReader<Event extends LogEvent>(
    workspaceId: WorkspaceId,
    options: ReaderOptions<Event>,
  ): Promise<LogReader<Event>>;
  /** How far the log is known here; at least as far as it went when the last reader of the workspace began. */
  head(workspaceId: WorkspaceId): Position;
  /** Tells of events that are committed, in order: they are heard without reading the log again. */
  offer(workspaceId: WorkspaceId, events: readonly LogEvent[]): void;
  /** Tells that this workspace's log may have grown. */
  hint(workspaceId: WorkspaceId): void;
  /** Ends every reader; one that comes later is at its end already. */
  stop(): Promise<void>;
}

export interface HubOptions {
  readonly log: EventLog;
  readonly onError: (error: unknown) => void;
  /** How often, in milliseconds, the logs are looked at without a hint: what other instances commit is seen at least by that. */
  readonly pollEvery?: number;
}

export function createHub({ log, onError, pollEvery = 250 }: HubOptions): Hub {
  const feeds = new Map<WorkspaceId, Feed>();
  const readers = new Set<LogReader<LogEvent>>();
  let stopped = false;
  let polling: Promise<void> | null = null;
  const timer = setInterval(() => {
    if (feeds.size > 0) polling ??= poll().finally(() => (polling = null));
  }, pollEvery);

  return { openReader, head, offer, hint, stop };

  async function openReader<Event extends LogEvent>(
    workspaceId: WorkspaceId,
    { after, subject = "everything", wants }: ReaderOptions<Event>,
  ): Promise<LogReader<Event>> {
    const { position, prunedTo } = await log.bounds(workspaceId);
    if (after !== null && after < prunedTo) throw new CursorExpired();
    const feed = feeds.get(workspaceId) ?? new Feed(workspaceId, position, log, onError);
    feeds.set(workspaceId, feed);
    const reader = new LogReader(feed, after ?? position, { subject, wants }, hostOf(feed));
    await feed.reach(position);
    if (stopped) reader.end();
    return reader;
  }

  /** A feed is kept for as long as somebody reads it. */
  function hostOf(feed: Feed): LogReaderHost {
    return {
      opened: (reader) => {
        readers.add(reader);
        feed.readers += 1;
      },
      ended: (reader) => {
        readers.delete(reader);
        feed.readers -= 1;
        if (feed.readers === 0) feeds.delete(feed.workspaceId);
      },
    };
  }

  function head(workspaceId: WorkspaceId): Position {
    return feeds.get(workspaceId)?.head ?? 0;
  }

  function offer(workspaceId: WorkspaceId, events: readonly LogEvent[]): void {
    feeds.get(workspaceId)?.offer(events);
  }

  function hint(workspaceId: WorkspaceId): void {
    feeds.get(workspaceId)?.hint();
  }

  /** One look at all logs that somebody reads here. */
  async function poll(): Promise<void> {
    try {
      for (const [workspaceId, position] of await log.heads([...feeds.keys()])) {
        if (position > head(workspaceId)) hint(workspaceId);
      }
    } catch (error) {
      onError(error);
    }
  }

  async function stop(): Promise<void> {
    stopped = true;
    clearInterval(timer);
    for (const reader of readers) reader.end();
    await polling;
  }
}
