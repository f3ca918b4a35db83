import type { ExecutionResult } from "graphql";
import type { Mask } from "./errors.ts";
import { type SharedResult, serialisedOnce } from "./shared-execution.ts";

export interface SubscriptionResultsOptions {
  readonly events: AsyncIterator<unknown>;
  readonly results: (event: unknown) => Promise<SharedResult>;
  readonly mask: Mask;
  readonly onEnd: () => void;
}

/**
 * The results of a subscription, one for each event. Unlike a generator's, its `return` acts at once, also while the next
 * event is awaited; and a failure is its last result, so that the client hears of it.
 */
export class SubscriptionResults implements AsyncGenerator<ExecutionResult, void, void> {
  readonly #options: SubscriptionResultsOptions;
  #ended = false;

  constructor(options: SubscriptionResultsOptions) {
    this.#options = options;
  }

  /** The next result as it is shared, null at the end. */
  async nextShared(): Promise<SharedResult | null> {
    if (this.#ended) return null;
    const { events, results, mask } = this.#options;
    try {
      const step = await events.next();
      if (step.done === true || this.#ended) {
        await this.return();
        return null;
      }
      const shared = await results(step.value);
      return this.#ended ? null : shared;
    } catch (error) {
      await this.return();
      return serialisedOnce({ errors: [mask(error)] });
    }
  }

  async next(): Promise<IteratorResult<ExecutionResult, void>> {
    const shared = await this.nextShared();
    return shared === null ? DONE : { done: false, value: shared.result };
  }

  async return(): Promise<IteratorResult<ExecutionResult, void>> {
    if (this.#ended) return DONE;
    this.#ended = true;
    this.#options.onEnd();
    await this.#options.events.return?.();
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
}

const DONE = { done: true, value: undefined } as const;
