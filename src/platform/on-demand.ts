/**
 * A task that is run whenever there may be something to do: once for all requests made before it starts, again if one is
 * made while it runs, never twice at once, and again in a second after it failed.
 */
export class OnDemand {
  readonly #task: () => Promise<void>;
  readonly #onError: (error: unknown) => void;
  #wanted = false;
  #running: Promise<void> | null = null;
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(task: () => Promise<void>, onError: (error: unknown) => void) {
    this.#task = task;
    this.#onError = onError;
  }

  request(): void {
    if (this.#stopped) return;
    this.#wanted = true;
    this.#running ??= this.#run();
  }

  /** Resolves when the run that is under way is over; no other follows. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#wanted && !this.#stopped) {
      this.#wanted = false;
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
