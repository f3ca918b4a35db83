import type { ServerResponse } from "node:http";

/** One event of a stream. */
export interface ChatEvent {
  /** The client sends it back as `Last-Event-ID`. */
  readonly id: string;
  /** JSON, so it has no line breaks. */
  readonly data: string;
}

type Headers = Readonly<Record<string, number | string | string[] | undefined>>;

/**
 * One open `text/event-stream`. It closes when a slow client exceeds a limit of unread bytes or of time; the client
 * resumes with `Last-Event-ID`.
 */
export class ChatStream {
  /** Resolves when the stream is closed by either side. */
  readonly ended: Promise<void>;
  readonly #response: ServerResponse;
  readonly #end: () => void;
  /** Settle the writes that the socket has not taken yet. */
  readonly #pending = new Set<(taken: boolean) => void>();
  #stallTimer: NodeJS.Timeout | undefined;
  #open = true;

  constructor(response: ServerResponse, headers: Headers) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
    this.#response = response;
    response.once("close", () => this.#close());
    response.on("error", () => this.destroy());
    if (response.destroyed) {
      this.#close();
      return;
    }
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value);
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      // Asks proxies such as nginx to pass each event on at once.
      "x-accel-buffering": "no",
    });
    // The first bytes flush the headers, so that the client knows that it is connected.
    void this.#write(`retry: ${RETRY_AFTER}\n\n`);
  }

  get open(): boolean {
    return this.#open;
  }

  /** Resolves to true when the socket has taken the event; to false if the stream is closed, now or before that. */
  send({ id, data }: ChatEvent): Promise<boolean> {
    return this.#write(`id: ${id}\nevent: message\ndata: ${data}\n\n`);
  }

  /** Sends a comment, which keeps proxies from closing an idle connection and detects a dead one. */
  sendHeartbeat(): void {
    void this.#write(":\n\n");
  }

  /** Ends gracefully: a client that reads still receives what was sent before. */
  finish(): void {
    if (!this.#open) return;
    this.#response.end();
    const timer = setTimeout(() => this.#response.destroy(), END_TIMEOUT);
    this.#response.once("close", () => clearTimeout(timer));
    this.#close();
  }

  destroy(): void {
    this.#response.destroy();
    this.#close();
  }

  #write(frame: string): Promise<boolean> {
    if (!this.#open) return Promise.resolve(false);
    if (this.#response.writableLength + frame.length > MAX_BUFFERED) {
      this.destroy();
      return Promise.resolve(false);
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const settle = (taken: boolean): void => {
      this.#pending.delete(settle);
      clearTimeout(this.#stallTimer);
      this.#stallTimer = this.#pending.size === 0 ? undefined : this.#startStallTimer();
      resolve(taken);
    };
    this.#pending.add(settle);
    this.#stallTimer ??= this.#startStallTimer();
    this.#response.write(frame, (error) => settle(!error));
    return promise;
  }

  #startStallTimer(): NodeJS.Timeout {
    return setTimeout(() => this.destroy(), MAX_STALL);
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const settle of [...this.#pending]) settle(false);
    this.#end();
  }
}

/** Milliseconds that a client waits before it reconnects. */
const RETRY_AFTER = 3_000;
/** Milliseconds for which a client may read nothing: well below the 30 s after which a lease is lost. */
const MAX_STALL = 10_000;
/** Milliseconds for the client to read the end of the stream. */
const END_TIMEOUT = 1_000;
/** Maximum number of unread bytes, approximately. */
const MAX_BUFFERED = 256 * 1_024;
