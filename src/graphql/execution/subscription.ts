import type { ExecutionResult } from "graphql";
import type { Session } from "../../auth/session.ts";
import type { Reader } from "../../realtime/reader.ts";
import type { LogEvent, Position } from "../../store/log-event.ts";
import { type Mask, requestError } from "../errors.ts";
import {
  type Listener,
  type News,
  type SharedOperation,
  type SharedResult,
  serialisedOnce,
} from "./shared-operation.ts";

type Take = (results: readonly SharedResult[]) => number;

export interface SubscriptionOptions {
  /** Where this subscriber is in the log. */
  readonly reader: Reader<LogEvent>;
  readonly operation: SharedOperation;
  readonly session: Session;
  readonly mask: Mask;
}

/**
 * One subscriber's results, one for each event. What is in the log already is pulled; from then on results may be taken
 * as they come. A failure is its last result, so that the client hears of it. Unlike a generator's, its `return` acts at
 * once, also while the next event is awaited.
 */
export class Subscription implements AsyncGenerator<ExecutionResult, void, void>, Listener {
  readonly #reader: Reader<LogEvent>;
  readonly #operation: SharedOperation;
  readonly #session: Session;
  readonly #mask: Mask;
  readonly #stopHearing: () => void;
  #over = false;
  #last: SharedResult | null = null;
  #take: Take | null = null;
  #stopTaking: (() => void) | null = null;

  constructor({ reader, operation, session, mask }: SubscriptionOptions) {
    this.#reader = reader;
    this.#operation = operation;
    this.#session = session;
    this.#mask = mask;
    this.#stopHearing = session.onEnd(() => {
      this.fail(
        requestError("UNAUTHENTICATED", "The token is no longer valid, or its owner's permissions have changed."),
      );
    });
  }

  get isOver(): boolean {
    return this.#over && this.#last === null;
  }

  /** How far the log is known here. */
  get head(): Position {
    return this.#reader.head;
  }

  /** The next result of what is in the log already, null where there is none. */
  async nextKnown(): Promise<SharedResult | null> {
    try {
      const event = await this.#reader.nextKnown();
      if (event !== null && this.#session.isOpen()) {
        const shared = await this.#operation.resultAt(event, this.#reader.head);
        if (!isTold(shared)) this.#end(shared);
        else if (!this.#over) return shared;
      }
    } catch (error) {
      this.fail(error);
    }
    return this.#takeLast();
  }

  /**
   * Gives results as they come; `take` answers how many of them it took. Resolves when it took less than there were, when
   * there is something in the log that must be pulled first, and when the subscription is over.
   */
  live(take: Take): Promise<void> {
    if (this.#reader.isEnded) this.finish();
    if (this.#over || this.#reader.isBehind) return Promise.resolve();
    return new Promise((resolve) => {
      this.#take = take;
      this.#stopTaking = () => {
        this.#operation.forget(this);
        this.#take = null;
        this.#stopTaking = null;
        resolve();
      };
      this.#operation.listen(this, this.#reader);
    });
  }

  hear(news: readonly News[]): void {
    const { position } = this.#reader;
    // One that joined meanwhile may have heard of some already.
    const unheard = news.filter((each) => each.position > position);
    const [first] = unheard;
    if (first === undefined || this.#take === null || !this.#session.isOpen()) return;
    const failed = unheard.findIndex(({ shared }) => !isTold(shared));
    const told = failed === -1 ? unheard : unheard.slice(0, failed);
    const taken = told.length === 0 ? 0 : this.#take(told.map(({ shared }) => shared));
    // Whatever lies before the first concerns others: it is not read again, were there hours of it.
    this.#reader.skipTo(told[taken - 1]?.position ?? first.position - 1);
    // What was not taken, or has failed, is pulled.
    if (taken < unheard.length) this.#stopTaking?.();
  }

  fail(error: unknown): void {
    if (this.#over) return;
    this.#end(serialisedOnce({ errors: [this.#mask(error)] }));
  }

  finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopHearing();
    this.#stopTaking?.();
    this.#operation.leave();
    this.#reader.end();
  }

  async next(): Promise<IteratorResult<ExecutionResult, void>> {
    while (!this.isOver) {
      const shared = await this.nextKnown();
      if (shared !== null) return { done: false, value: shared.result };
      if (this.#reader.isEnded) this.finish();
      else await this.#reader.news();
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

/** Without data there is no cursor either: going on would lose the event to a client that resumes after the next one. */
function isTold({ result }: SharedResult): boolean {
  return result.data != null;
}

const DONE = { done: true, value: undefined } as const;
