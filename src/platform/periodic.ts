import type { Logger } from "pino";

/** A job that runs at once, and then again and again. */
export interface PeriodicJob {
  runOnce(): Promise<void>;
  start(): void;
  /** Resolves when a run that is under way has ended. */
  stop(): Promise<void>;
}

/** Runs `runOnce` with a pause of `every` milliseconds; what fails is logged and tried again after the next pause. */
export function periodicJob(name: string, every: number, runOnce: () => Promise<void>, logger: Logger): PeriodicJob {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;

  function start(): void {
    running = runOnce()
      .catch((error: unknown) => logger.error({ err: error, job: name }, "a job failed; it is tried again"))
      .finally(() => {
        if (!stopped) timer = setTimeout(start, every);
      });
  }

  async function stop(): Promise<void> {
    stopped = true;
    clearTimeout(timer);
    await running;
  }

  return { runOnce, start, stop };
}
