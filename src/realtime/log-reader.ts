import type { LogEvent, Position } from "../store/log-event.ts";
import { CursorExpired, type Feed, type Subject } from "./feed.ts";

/** What a reader is there for. */
export interface Interest<Event extends LogEvent> {
  /** What every event that is wanted concerns: narrows down for what the reader is woken. */
  readonly subject: Subject;
  readonly wants: (event: LogEvent) => event is Event;
}

/** Who keeps count of readers. */
export interface LogReaderHost {
  opened(reader: LogReader<LogEvent>): void;
  ended(reader: LogReader<LogEvent>): void;
}

/**
 * One place in the log of a workspace: whoever reads pulls, and one who does not costs nothing. Read as an iterator, it
 * gives what is in the log already and then waits for what comes.
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

  /** Whether the log, as far as it is known here, goes further than this reader has read. */
  get isBehind(): boolean {
    return this.#position < this.#feed.head;
  }

  /** Up to where nothing that is wanted is still to be read here. */
  get position(): Position {
    return this.#position;
  }

  /** How far the log is known here. */
  get head(): Position {
    return this.#feed.head;
  }

  /** Another reader with the same interest, at the same place. */
  fork(): LogReader<Event> {
    return new LogReader(this.#feed, this.#position, this.#interest, this.#host);
  }

  /** Goes on after this position: what lies before it has been heard of in another way. */
  skipTo(position: Position): void {
    this.#position = Math.max(this.#position, position);
  }

  /** The next event of those already in the log; null where there is none, or the reader has ended. Throws `CursorExpired`. */
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

  /** Resolves when there may be an event to read, or the reader has ended. */
  waitForEvents(): Promise<void> {
    if (this.#ended || this.isBehind) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#feed.wakeOn(this.#interest.subject, (event) => {
        // Whatever came while it slept did not concern it, or it would have been woken.
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

  /** For one that is behind the tail: it resumes, or was not fetched from for long. */
  async #fromLog(position: Position): Promise<LogEvent> {
    const known = this.#page[position - (this.#page[0]?.position ?? 0)];
    if (known !== undefined) return known;
    this.#page = await this.#feed.read(position - 1);
    const [first] = this.#page;
    if (first?.position !== position) throw new CursorExpired();
    return first;
  }
}
