import type { WorkspaceId } from "../domain/id.ts";
import type { EventLog } from "../store/event-log.ts";
import type { LogEvent, Position } from "../store/log-event.ts";
import { CursorExpired, Feed, type Subject } from "./feed.ts";
import { LogReader, type LogReaderHost } from "./log-reader.ts";

export interface ReaderOptions<Event extends LogEvent> {
  /** Position to resume after; null starts at the current end of the log. */
  readonly after: Position | null;
  /** The subject of all wanted events. The reader is woken only by events that concern it. */
  readonly subject?: Subject;
  readonly wants: (event: LogEvent) => event is Event;
}

/** Distributes the events of workspaces' logs to readers, such as subscriptions and web chat streams. */
export interface Hub {
  /**
   * Opens a reader at a position: it replays logged events, then goes on live, in order, with nothing lost or repeated
   * at the transition. Resolves once the start position is fixed, so that no later commit is missed.
   *
   * @throws CursorExpired if the log was pruned past `after`; reading throws it if the log is pruned past the reader
   */
  openReader<Event extends LogEvent>(
    workspaceId: WorkspaceId,
    options: ReaderOptions<Event>,
  ): Promise<LogReader<Event>>;
  /**
   * The last position that this instance knows: at least the end of the log when the workspace's newest reader was
   * opened.
   */
  head(workspaceId: WorkspaceId): Position;
  /** Delivers committed events, in order, to readers without reading the log. */
  offer(workspaceId: WorkspaceId, events: readonly LogEvent[]): void;
  /** Hints that the workspace's log may have grown. */
  hint(workspaceId: WorkspaceId): void;
  /** Ends all readers; readers opened later end at once. */
  stop(): Promise<void>;
}

export interface HubOptions {
  readonly log: EventLog;
  readonly onError: (error: unknown) => void;
  /** Milliseconds between polls. Polling finds the commits of other instances when no change notification arrives. */
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
    await feed.catchUp(position);
    if (stopped) reader.end();
    return reader;
  }

  /** Keeps a feed while it has readers. */
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

  /** Checks with one query whether any log that is read here has grown. */
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
