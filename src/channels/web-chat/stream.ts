import type { ServerResponse } from "node:http";

/** One event of a stream. */
export interface ChatEvent {
  /** What the client gives back as `Last-Event-ID`. */
  readonly id: string;
  /** JSON, so one line. */
  readonly data: string;
}

type Headers = Readonly<Record<string, number | string | string[] | undefined>>;

/**
 * One open `text/event-stream`. What it holds for a client that does not read is bounded, in bytes and in time: beyond
 * that it closes, and the client resumes by `Last-Event-ID`.
 */
export class ChatStream {
  /** Resolves when nothing more can be sent, whoever closed it. */
  readonly ended: Promise<void>;
  readonly #response: ServerResponse;
  readonly #end: () => void;
  /** Settle the writes that the socket has not taken yet. */
  readonly #untaken = new Set<(taken: boolean) => void>();
  #stall: NodeJS.Timeout | undefined;
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
    // With the first bytes the headers go out, so that the client knows it is connected.
    void this.#write(`retry: ${RETRY_AFTER}\n\n`);
  }

  get open(): boolean {
    return this.#open;
  }

  /** Resolves to whether the socket took it: false for a stream that is closed, or gets closed before that. */
  send({ id, data }: ChatEvent): Promise<boolean> {
    return this.#write(`id: ${id}\nevent: message\ndata: ${data}\n\n`);
  }

  /** A comment: it keeps proxies from ending a silent connection, and shows a dead one. */
  beat(): void {
    void this.#write(":\n\n");
  }

  /** Ends in good order: what was sent before still reaches a client that reads. */
  finish(): void {
    if (!this.#open) return;
    this.#response.end();
    const patience = setTimeout(() => this.#response.destroy(), MAX_FAREWELL);
    this.#response.once("close", () => clearTimeout(patience));
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
      this.#untaken.delete(settle);
      clearTimeout(this.#stall);
      this.#stall = this.#untaken.size === 0 ? undefined : this.#expectReading();
      resolve(taken);
    };
    this.#untaken.add(settle);
    this.#stall ??= this.#expectReading();
    this.#response.write(frame, (error) => settle(!error));
    return promise;
  }

  #expectReading(): NodeJS.Timeout {
    return setTimeout(() => this.destroy(), MAX_STALL);
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const settle of [...this.#untaken]) settle(false);
    this.#end();
  }
}

/** How long a client that lost its stream waits before it connects again, in milliseconds. */
const RETRY_AFTER = 3_000;
/** How long the client may leave what was written unread, in milliseconds: well below the 30 s after which a lease counts as lost. */
const MAX_STALL = 10_000;
/** How long the last words may take to reach the client, in milliseconds. */
const MAX_FAREWELL = 1_000;
/** In bytes, near enough. */
const MAX_BUFFERED = 256 * 1_024;
