/**
 * Runs a task on request, never concurrently. One run serves all requests made before it starts; requests made during a
 * run cause one more. A failed run is retried after a second.
 */
export class OnDemand {
  readonly #task: () => Promise<void>;
  readonly #onError: (error: unknown) => void;
  #requested = false;
  #running: Promise<void> | null = null;
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(task: () => Promise<void>, onError: (error: unknown) => void) {
    this.#task = task;
    this.#onError = onError;
  }

  request(): void {
    if (this.#stopped) return;
    this.#requested = true;
    this.#running ??= this.#run();
  }

  /** Resolves when the current run has ended; no other run starts. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#requested && !this.#stopped) {
      this.#requested = false;
      try {
        await this.#task();
      } catch (error) {
        this.#onError(error);
        clearTimeout(this.#retry);
        this.#retry = setTimeout(() => this.request(), RETRY_AFTER);
      }
    }
    this.#running = null;
  }
}

/** In milliseconds. */
const RETRY_AFTER = 1_000;
