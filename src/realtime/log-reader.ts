import type { LogEvent, Position } from "../store/log-event.ts";
import { CursorExpired, type Feed, type Subject } from "./feed.ts";

/** Selects the events of a reader. */
export interface Interest<Event extends LogEvent> {
  /** The subject of all wanted events. The reader is woken only by events that concern it. */
  readonly subject: Subject;
  readonly wants: (event: LogEvent) => event is Event;
}

/** Keeps track of open readers. */
export interface LogReaderHost {
  opened(reader: LogReader<LogEvent>): void;
  ended(reader: LogReader<LogEvent>): void;
}

/**
 * A position in the log of a workspace. Events are pulled, so an idle reader costs nothing. As an
 * iterator it yields the events that are already in the log, then waits for new ones.
 */
export class LogReader<Event extends LogEvent> implements AsyncIterableIterator<Event> {
  readonly #feed: Feed;
  readonly #interest: Interest<Event>;
  readonly #host: LogReaderHost;
  #position: Position;
  #page: readonly LogEvent[] = [];
  #ended = false;
  #wake: (() => void) | null = null;

  constructor(feed: Feed, position: Position, interest: Interest<Event>, host: LogReaderHost) {
    this.#feed = feed;
    this.#position = position;
    this.#interest = interest;
    this.#host = host;
    host.opened(this);
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  /** Whether the log, as far as this instance knows it, extends beyond this reader's position. */
  get isBehind(): boolean {
    return this.#position < this.#feed.head;
  }

  /** The position up to which all wanted events were read. */
  get position(): Position {
    return this.#position;
  }

  /** The last position of the log that this instance knows. */
  get head(): Position {
    return this.#feed.head;
  }

  /** Opens another reader with the same interest at the same position. */
  fork(): LogReader<Event> {
    return new LogReader(this.#feed, this.#position, this.#interest, this.#host);
  }

  /** Moves forward to this position: events up to it were delivered in another way or are not wanted. */
  skipTo(position: Position): void {
    this.#position = Math.max(this.#position, position);
  }

  /**
   * The next wanted event that is already in the log; null if there is none or the reader has ended.
   *
   * @throws CursorExpired if the log was pruned past this reader
   */
  async nextKnown(): Promise<Event | null> {
    try {
      while (!this.#ended && this.isBehind) {
        const event = this.#feed.recent(this.#position + 1) ?? (await this.#fromLog(this.#position + 1));
        this.#position += 1;
        if (this.#interest.wants(event) && !this.#ended) return event;
      }
      return null;
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /** Resolves when there may be an event to read or the reader has ended. */
  waitForEvents(): Promise<void> {
    if (this.#ended || this.isBehind) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#feed.wakeOn(this.#interest.subject, (event) => {
        // No earlier event concerned this reader; it would have been woken.
        if (event !== null) this.skipTo(event.position - 1);
        resolve();
      });
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  async next(): Promise<IteratorResult<Event, undefined>> {
    while (!this.#ended) {
      const value = await this.nextKnown();
      if (value !== null) return { done: false, value };
      await this.waitForEvents();
    }
    return { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<Event, undefined>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#page = [];
    this.#wake?.();
    this.#host.ended(this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Reads an event that is no longer in the tail: the reader has just resumed or has been idle. */
  async #fromLog(position: Position): Promise<LogEvent> {
    const known = this.#page[position - (this.#page[0]?.position ?? 0)];
    if (known !== undefined) return known;
    this.#page = await this.#feed.read(position - 1);
    const [first] = this.#page;
    if (first?.position !== position) throw new CursorExpired();
    return first;
  }
}
