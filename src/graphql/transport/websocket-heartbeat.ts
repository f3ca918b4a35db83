import type { WebSocket } from "ws";
import { closeSlowClient } from "./slow-client.ts";

/** Milliseconds between two pings of a socket. */
const PING_INTERVAL = 12_000;
/** Sockets are pinged in this many groups, because pinging thousands at once would block the event loop. */
const GROUPS = 24;

/** Closes sockets that do not answer pings: dead connections, and clients that have stopped reading. */
export class Heartbeat {
  readonly #groups = Array.from({ length: GROUPS }, () => new Map<WebSocket, { answered: boolean }>());
  readonly #timer: NodeJS.Timeout;
  #watched = 0;
  #nextGroup = 0;

  constructor() {
    this.#timer = setInterval(() => this.#pingNext(), PING_INTERVAL / GROUPS);
  }

  /** Pings this socket until it closes. */
  watch(socket: WebSocket): void {
    const group = this.#groups[this.#watched++ % GROUPS];
    const state = { answered: true };
    group?.set(socket, state);
    socket.on("pong", () => {
      state.answered = true;
    });
    socket.once("close", () => group?.delete(socket));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #pingNext(): void {
    for (const [socket, state] of this.#groups[this.#nextGroup++ % GROUPS] ?? []) {
      if (state.answered) {
        state.answered = false;
        socket.ping();
      } else if (socket.bufferedAmount > 0) {
        closeSlowClient(socket);
      } else {
        socket.terminate();
      }
    }
  }
}
