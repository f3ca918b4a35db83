import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import type { SharedResult } from "../execution/shared-operation.ts";
import type { Subscription } from "../execution/subscription.ts";
import { giveUp, patience } from "./slow-client.ts";
import { type Message, textFrames } from "./websocket-frame.ts";

/** How much may be on its way to a client before the next event waits, in bytes. */
const MAX_AHEAD = 64 * 1_024;

const CLOSING_BRACE = Buffer.from("}");

/**
 * Sends the results of a subscription as they are shared: serialised once for all, with only the operation's id of its
 * own. For graphql-ws it is a subscription that gives nothing until it ends.
 */
export class SocketDelivery implements AsyncIterableIterator<never, undefined> {
  readonly #socket: WebSocket;
  readonly #wire: Duplex;
  readonly #head: Uint8Array;
  readonly #subscription: Subscription;
  /** Resolves when the system has taken what is on its way; null while there is room for more. */
  #full: Promise<void> | null = null;

  /** `wire` is the connection below the socket, which is not compressed: between two frames of ours there is room for one. */
  constructor(socket: WebSocket, wire: Duplex, id: string, subscription: Subscription) {
    this.#socket = socket;
    this.#wire = wire;
    this.#head = Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`);
    this.#subscription = subscription;
  }

  async next(): Promise<IteratorResult<never, undefined>> {
    const subscription = this.#subscription;
    while (!subscription.isOver && this.#isOpen) {
      for (let known = await subscription.nextKnown(); known !== null; known = await subscription.nextKnown()) {
        while (this.#isOpen && this.#send([known]) === 0) await this.#room();
      }
      if (this.#isOpen) await subscription.live((results) => this.#send(results));
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

  /** Sends as many as there is room for, and answers how many these were. */
  #send(results: readonly SharedResult[]): number {
    if (!this.#isOpen || this.#full !== null) return 0;
    const messages: Message[] = [];
    let ahead = this.#socket.bufferedAmount;
    for (const { bytes } of results) {
      if (ahead > MAX_AHEAD) break;
      messages.push([this.#head, bytes, CLOSING_BRACE]);
      ahead += bytes.length;
    }
    const frames = textFrames(messages);
    if (ahead <= MAX_AHEAD) this.#wire.write(frames);
    else this.#fill(frames);
    return messages.length;
  }

  #fill(frames: Buffer): void {
    this.#full = new Promise((resolve) => {
      // A socket that fails to send closes, and that ends the subscription.
      this.#wire.write(frames, () => {
        this.#full = null;
        resolve();
      });
    });
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
  }
}
