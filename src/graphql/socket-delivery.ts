import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import { giveUp, patience } from "./patience.ts";
import type { SharedResult } from "./shared-operation.ts";
import type { Subscription } from "./subscription.ts";

/** How much may be on its way to a client before the next event waits, in bytes. */
const MAX_AHEAD = 64 * 1_024;

/**
 * Sends the results of a subscription as they are shared: serialised once for all, with only the operation's id of its
 * own. For graphql-ws it is a subscription that gives nothing until it ends.
 */
export class SocketDelivery implements AsyncIterableIterator<never, undefined> {
  readonly #socket: WebSocket;
  readonly #wire: Duplex;
  readonly #head: string;
  readonly #subscription: Subscription;
  /** Resolves when the system has taken what is on its way; null while there is room for more. */
  #full: Promise<void> | null = null;

  /** `wire` is the connection below the socket. */
  constructor(socket: WebSocket, wire: Duplex, id: string, subscription: Subscription) {
    this.#socket = socket;
    this.#wire = wire;
    this.#head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
    this.#subscription = subscription;
  }

  async next(): Promise<IteratorResult<never, undefined>> {
    const subscription = this.#subscription;
    while (!subscription.isOver && this.#isOpen) {
      for (let known = await subscription.nextKnown(); known !== null; known = await subscription.nextKnown()) {
        if (!this.#send(known)) await this.#room();
      }
      if (this.#isOpen) await subscription.live((shared) => this.#send(shared));
      await this.#room();
    }
    await subscription.return();
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<never, undefined>> {
    await this.#subscription.return();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  get #isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Answers whether there is room for more. */
  #send({ json }: SharedResult): boolean {
    if (!this.#isOpen) return false;
    const frame = `${this.#head}${json}}`;
    this.#cork();
    if (this.#socket.bufferedAmount + frame.length <= MAX_AHEAD) {
      this.#socket.send(frame);
      return true;
    }
    // A socket that fails to send closes, and that ends the subscription.
    this.#full = new Promise((resolve) => this.#socket.send(frame, () => resolve()));
    return false;
  }

  /** What is sent in one turn goes out in one write: the system call is most of what a delivery costs. */
  #cork(): void {
    if (this.#wire.writableCorked > 0) return;
    this.#wire.cork();
    process.nextTick(uncork, this.#wire);
  }

  /** Nothing more is fetched for a client that lags behind. */
  async #room(): Promise<void> {
    if (this.#full === null) return;
    const stopWaiting = patience(
      () => this.#subscription.head,
      () => giveUp(this.#socket),
    );
    await this.#full;
    stopWaiting();
    this.#full = null;
  }
}

function uncork(wire: Duplex): void {
  wire.uncork();
}
