import type { GraphQLError } from "graphql";
import type { WebSocket } from "ws";
import type { Clock } from "../../platform/clock.ts";
import { requestError } from "../errors.ts";

/** Operations in progress per socket; a subscription counts until it ends. */
const MAX_OPERATIONS = 100;
/** Sustained rate at which a socket may start operations. */
const OPERATIONS_PER_SECOND = 50;
/** Operations that a socket may start at once: a console that reconnects restarts all its subscriptions. */
const BURST = 200;
/** Maximum length of an operation id, in characters: it is kept in memory and sent with every result. */
const MAX_ID_LENGTH = 255;

/** Limits the operations of one socket: a token bucket for their rate, and a maximum in progress. */
export class SocketLimits {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  #tokens = BURST;
  #refilledAt: number;

  constructor(socket: WebSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    this.#refilledAt = clock.now();
  }

  /**
   * Checks a new operation; null if it may start. `inProgress` includes it. Closes a socket that keeps exceeding the
   * rate limit with 1008.
   */
  check(id: string, inProgress: number): GraphQLError | null {
    const left = this.#takeToken();
    if (left < -BURST) this.#socket.close(1008, "Too many operations");
    if (left < 0) {
      return requestError("RATE_LIMITED", `A socket may start at most ${OPERATIONS_PER_SECOND} operations per second.`);
    }
    if (inProgress > MAX_OPERATIONS) {
      return requestError(
        "TOO_MANY_SUBSCRIPTIONS",
        `A socket may have at most ${MAX_OPERATIONS} operations in progress.`,
      );
    }
    return id.length > MAX_ID_LENGTH
      ? requestError("BAD_REQUEST", `An operation id may have at most ${MAX_ID_LENGTH} characters.`)
      : null;
  }

  /** Takes one token and returns how many are left; negative when over the limit, as refused operations count too. */
  #takeToken(): number {
    const now = this.#clock.now();
    const refill = (Math.max(0, now - this.#refilledAt) / 1_000) * OPERATIONS_PER_SECOND;
    this.#refilledAt = now;
    this.#tokens = Math.min(BURST, this.#tokens + refill) - 1;
    return this.#tokens;
  }
}
