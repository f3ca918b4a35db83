import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import type { SharedResult } from "../execution/shared-operation.ts";
import type { Subscription } from "../execution/subscription.ts";
import { closeSlowClient, watchStalled } from "./slow-client.ts";
import { type Message, textFrames } from "./websocket-frame.ts";

/** Unsent bytes of a socket above which delivery pauses. */
const HIGH_WATER_MARK = 64 * 1_024;

const CLOSING_BRACE = Buffer.from("}");

/**
 * Sends the results of a subscription over a WebSocket. A result is serialized once for all subscribers; only the
 * message header with the operation's id differs. To graphql-ws it is a subscription that yields nothing until it ends.
 */
export class SocketDelivery implements AsyncIterableIterator<never, undefined> {
  readonly #socket: WebSocket;
  readonly #wire: Duplex;
  readonly #head: Uint8Array;
  readonly #subscription: Subscription;
  /** Resolves when the operating system has taken the unsent data; null below the high-water mark. */
  #draining: Promise<void> | null = null;

  /**
   * `wire` is the connection under the WebSocket. Frames can be written to it directly, because they are not
   * compressed.
   */
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
        while (this.#isOpen && this.#send([known]) === 0) await this.#drained();
      }
      if (this.#isOpen) await subscription.live((results) => this.#send(results));
      await this.#drained();
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

  /** Sends results up to the high-water mark and returns how many were sent. */
  #send(results: readonly SharedResult[]): number {
    if (!this.#isOpen || this.#draining !== null) return 0;
    const messages: Message[] = [];
    let unsent = this.#socket.bufferedAmount;
    for (const { bytes } of results) {
      if (unsent > HIGH_WATER_MARK) break;
      messages.push([this.#head, bytes, CLOSING_BRACE]);
      unsent += bytes.length;
    }
    const frames = textFrames(messages);
    if (unsent <= HIGH_WATER_MARK) this.#wire.write(frames);
    else this.#writeAndDrain(frames);
    return messages.length;
  }

  #writeAndDrain(frames: Buffer): void {
    this.#draining = new Promise((resolve) => {
      // Errors need no handling: a socket that fails to send closes, and that ends the subscription.
      this.#wire.write(frames, () => {
        this.#draining = null;
        resolve();
      });
    });
  }

  /** Waits until the client has read. Meanwhile no events are read for it. */
  async #drained(): Promise<void> {
    if (this.#draining === null) return;
    const stopWatching = watchStalled(
      () => this.#subscription.head,
      () => closeSlowClient(this.#socket),
    );
    await this.#draining;
    stopWatching();
  }
}
