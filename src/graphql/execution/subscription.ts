import type { ExecutionResult } from "graphql";
import type { Session } from "../../auth/session.ts";
import type { LogReader } from "../../realtime/log-reader.ts";
import type { LogEvent, Position } from "../../store/log-event.ts";
import { type Mask, requestError } from "../errors.ts";
import {
  type Delivery,
  type Listener,
  type SharedOperation,
  type SharedResult,
  serializeOnce,
} from "./shared-operation.ts";

type Take = (results: readonly SharedResult[]) => number;

export interface SubscriptionOptions {
  /** This subscriber's position in the log. */
  readonly reader: LogReader<LogEvent>;
  readonly operation: SharedOperation;
  readonly session: Session;
  readonly mask: Mask;
}

/**
 * The results of one subscriber, one per event. Events that are already in the log are pulled; after that, results are
 * pushed as they become ready. A failure is delivered as the last result. Unlike a generator's, its `return` takes
 * effect immediately, even while the next event is awaited.
 */
export class Subscription implements AsyncGenerator<ExecutionResult, void, void>, Listener {
  readonly #reader: LogReader<LogEvent>;
  readonly #operation: SharedOperation;
  readonly #session: Session;
  readonly #mask: Mask;
  readonly #stopListening: () => void;
  #over = false;
  #last: SharedResult | null = null;
  #take: Take | null = null;
  #stopTaking: (() => void) | null = null;

  constructor({ reader, operation, session, mask }: SubscriptionOptions) {
    this.#reader = reader;
    this.#operation = operation;
    this.#session = session;
    this.#mask = mask;
    this.#stopListening = session.onEnd(() => {
      this.fail(
        requestError("UNAUTHENTICATED", "The token is no longer valid, or its owner's permissions have changed."),
      );
    });
  }

  get isOver(): boolean {
    return this.#over && this.#last === null;
  }

  /** The end of the log, as far as this instance knows it. */
  get head(): Position {
    return this.#reader.head;
  }

  /** The next result of an event that is already in the log; null if there is none. */
  async nextKnown(): Promise<SharedResult | null> {
    try {
      const event = await this.#reader.nextKnown();
      if (event !== null && this.#session.isOpen()) {
        const shared = await this.#operation.resultAt(event, this.#reader.head);
        if (!isDeliverable(shared)) this.#end(shared);
        else if (!this.#over) return shared;
      }
    } catch (error) {
      this.fail(error);
    }
    return this.#takeLast();
  }

  /**
   * Pushes results as they become ready; `take` returns how many it accepted. Resolves when `take` accepts fewer than
   * it was given, when events in the log must be pulled first, and when the subscription is over.
   */
  live(take: Take): Promise<void> {
    if (this.#reader.isEnded) this.finish();
    if (this.#over || this.#reader.isBehind) return Promise.resolve();
    return new Promise((resolve) => {
      this.#take = take;
      this.#stopTaking = () => {
        this.#operation.unlisten(this);
        this.#take = null;
        this.#stopTaking = null;
        resolve();
      };
      this.#operation.listen(this, this.#reader);
    });
  }

  deliver(deliveries: readonly Delivery[]): void {
    const { position } = this.#reader;
    // A subscriber that joined a running operation may have some of these already.
    const due = deliveries.filter((each) => each.position > position);
    const [first] = due;
    if (first === undefined || this.#take === null || !this.#session.isOpen()) return;
    const failed = due.findIndex(({ shared }) => !isDeliverable(shared));
    const deliverable = failed === -1 ? due : due.slice(0, failed);
    const taken = deliverable.length === 0 ? 0 : this.#take(deliverable.map(({ shared }) => shared));
    // Events before the first do not match this subscription, so they need not be read again.
    this.#reader.skipTo(deliverable[taken - 1]?.position ?? first.position - 1);
    // Failed results, and results that were not taken, are pulled next.
    if (taken < due.length) this.#stopTaking?.();
  }

  fail(error: unknown): void {
    if (this.#over) return;
    this.#end(serializeOnce({ errors: [this.#mask(error)] }));
  }

  finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopListening();
    this.#stopTaking?.();
    this.#operation.leave();
    this.#reader.end();
  }

  async next(): Promise<IteratorResult<ExecutionResult, void>> {
    while (!this.isOver) {
      const shared = await this.nextKnown();
      if (shared !== null) return { done: false, value: shared.result };
      if (this.#reader.isEnded) this.finish();
      else await this.#reader.waitForEvents();
    }
    return DONE;
  }

  async return(): Promise<IteratorResult<ExecutionResult, void>> {
    this.#last = null;
    this.finish();
    return DONE;
  }

  async throw(error: unknown): Promise<IteratorResult<ExecutionResult, void>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #end(last: SharedResult): void {
    if (this.#over) return;
    this.#last = last;
    this.finish();
  }

  #takeLast(): SharedResult | null {
    const last = this.#last;
    this.#last = null;
    return last;
  }
}

/**
 * A result without data has no cursor. If delivery continued, a client that resumes after the next event would lose
 * this one.
 */
function isDeliverable({ result }: SharedResult): boolean {
  return result.data != null;
}

const DONE = { done: true, value: undefined } as const;
