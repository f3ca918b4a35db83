import type { WebSocket } from "ws";
import { giveUp } from "./slow-client.ts";

/** How often a socket is asked whether it is still there, in milliseconds. */
const ASK_EVERY = 12_000;
/** In how many groups they are asked, one after another: thousands at once would hold up everything else. */
const GROUPS = 24;

/** Cuts off clients that do not answer, which are also those that have stopped reading. */
export class Heartbeat {
  readonly #groups = Array.from({ length: GROUPS }, () => new Map<WebSocket, { answered: boolean }>());
  readonly #timer: NodeJS.Timeout;
  #joined = 0;
  #turn = 0;

  constructor() {
    this.#timer = setInterval(() => this.#ask(), ASK_EVERY / GROUPS);
  }

  /** Asks this socket until it closes. */
  watch(socket: WebSocket): void {
    const group = this.#groups[this.#joined++ % GROUPS];
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

  #ask(): void {
    for (const [socket, state] of this.#groups[this.#turn++ % GROUPS] ?? []) {
      if (state.answered) {
        state.answered = false;
        socket.ping();
      } else if (socket.bufferedAmount > 0) {
        giveUp(socket);
      } else {
        socket.terminate();
      }
    }
  }
}
