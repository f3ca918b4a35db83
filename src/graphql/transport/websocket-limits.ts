import type { GraphQLError } from "graphql";
import type { WebSocket } from "ws";
import type { Clock } from "../../platform/clock.ts";
import { requestError } from "../errors.ts";

/** Operations that one socket may have under way; subscriptions count for as long as they last. */
const MAX_OPERATIONS = 100;
/** Operations that a socket may begin in a second, over time. */
const A_SECOND = 50;
/** And at once: a console that connects again begins all its own again. */
const AT_ONCE = 200;
/** Longest id of an operation, in characters: it is kept, and is sent with each of its results. */
const MAX_ID = 255;

/** How many operations a socket begins, and how fast. */
export class SocketLimits {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  #left = AT_ONCE;
  #countedAt: number;

  constructor(socket: WebSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    this.#countedAt = clock.now();
  }

  /** What speaks against one more operation; `underWay` counts it. Who goes on all the same is closed, with 1008. */
  faultOf(id: string, underWay: number): GraphQLError | null {
    const left = this.#count();
    if (left < -AT_ONCE) this.#socket.close(1008, "Too many operations");
    if (left < 0) return requestError("RATE_LIMITED", `A socket may begin ${A_SECOND} operations a second.`);
    if (underWay > MAX_OPERATIONS) {
      return requestError("TOO_MANY_SUBSCRIPTIONS", `A socket may have ${MAX_OPERATIONS} operations under way.`);
    }
    return id.length > MAX_ID ? requestError("BAD_REQUEST", `An id may have ${MAX_ID} characters.`) : null;
  }

  /** Takes one from what is left; what is refused counts too, and makes a debt. */
  #count(): number {
    const now = this.#clock.now();
    const gained = (Math.max(0, now - this.#countedAt) / 1_000) * A_SECOND;
    this.#countedAt = now;
    this.#left = Math.min(AT_ONCE, this.#left + gained) - 1;
    return this.#left;
  }
}
