import type { WorkspaceId } from "../domain/id.ts";
import type { EventLog, LogEvent, Position } from "../store/event-log.ts";
import { CursorExpired, Feed, type Subject } from "./feed.ts";

export interface FollowOptions {
  /** Where to resume: everything later is given; null for what comes from now on. */
  readonly after: Position | null;
  /** What every event that is wanted concerns: narrows down for what the reader is woken. */
  readonly subject?: Subject;
  readonly wants: (event: LogEvent) => boolean;
}

/** Who hears what: feeds subscriptions, web chat streams and whatever else follows the log of a workspace. */
export interface Hub {
  /**
   * Follows the log from a position, first what is there already and then live, in order, nothing lost or repeated at
   * the seam. Resolves once the place to start is fixed, so that whatever is committed afterwards is heard. Throws
   * `CursorExpired`, here or later, where the log was pruned past the reader.
   */
  follow(workspaceId: WorkspaceId, options: FollowOptions): Promise<AsyncIterableIterator<LogEvent>>;
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
  /** How often, in milliseconds, the log is looked at without a hint: what other instances commit is seen by that. */
  readonly pollEvery?: number;
}

export function createHub({ log, onError, pollEvery = 250 }: HubOptions): Hub {
  const feeds = new Map<WorkspaceId, Feed>();
  const readers = new Set<Reader>();
  let stopped = false;
  const poll = setInterval(() => {
    for (const feed of feeds.values()) feed.hint();
  }, pollEvery);

  return { follow, head, offer, hint, stop };

  async function follow(
    workspaceId: WorkspaceId,
    { after, subject = "everything", wants }: FollowOptions,
  ): Promise<AsyncIterableIterator<LogEvent>> {
    const { position, prunedTo } = await log.bounds(workspaceId);
    if (after !== null && after < prunedTo) throw new CursorExpired();
    const feed = feeds.get(workspaceId) ?? new Feed(workspaceId, position, log, onError);
    feeds.set(workspaceId, feed);
    feed.readers += 1;
    const reader = new Reader(feed, after ?? position, { subject, wants }, () => {
      readers.delete(reader);
      feed.readers -= 1;
      if (feed.readers === 0) feeds.delete(workspaceId);
    });
    readers.add(reader);
    await feed.reach(position);
    if (stopped) await reader.return();
    return reader;
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

  async function stop(): Promise<void> {
    stopped = true;
    clearInterval(poll);
    for (const reader of [...readers]) await reader.return();
  }
}

/** One subscriber's place in the log. */
class Reader implements AsyncIterableIterator<LogEvent> {
  readonly #feed: Feed;
  readonly #subject: Subject;
  readonly #wants: (event: LogEvent) => boolean;
  readonly #onEnd: () => void;
  #position: Position;
  #page: readonly LogEvent[] = [];
  #ended = false;
  #wake: (() => void) | null = null;

  constructor(
    feed: Feed,
    position: Position,
    { subject, wants }: { readonly subject: Subject; readonly wants: (event: LogEvent) => boolean },
    onEnd: () => void,
  ) {
    this.#feed = feed;
    this.#position = position;
    this.#subject = subject;
    this.#wants = wants;
    this.#onEnd = onEnd;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<LogEvent, undefined>> {
    try {
      while (!this.#ended) {
        if (this.#position >= this.#feed.head) {
          await this.#news();
          continue;
        }
        const event = this.#feed.recent(this.#position + 1) ?? (await this.#fromLog(this.#position + 1));
        this.#position += 1;
        if (this.#wants(event) && !this.#ended) return { done: false, value: event };
      }
    } catch (error) {
      this.#end();
      throw error;
    }
    return { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<LogEvent, undefined>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#page = [];
    this.#wake?.();
    this.#onEnd();
  }

  /** For one that is behind the tail: it resumes, or was not fetched from for long. */
  async #fromLog(position: Position): Promise<LogEvent> {
    const known = this.#page[position - (this.#page[0]?.position ?? 0)];
    if (known !== undefined) return known;
    this.#page = await this.#feed.read(position - 1);
    const [first] = this.#page;
    if (first?.position !== position) throw new CursorExpired();
    return first;
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#feed.onNews(this.#subject, (event) => {
        // Whatever came while it slept did not concern it, or it would have been woken.
        this.#position = Math.max(this.#position, event.position - 1);
        resolve();
      });
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
