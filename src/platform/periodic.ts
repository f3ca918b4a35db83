import type { Logger } from "pino";

/** A job that runs on start and then repeatedly. */
export interface PeriodicJob {
  runOnce(): Promise<void>;
  start(): void;
  /** Resolves when the current run has ended; no other run starts. */
  stop(): Promise<void>;
}

/** Runs `runOnce` with a pause of `every` milliseconds between runs. A failure is logged, and the job goes on. */
export function periodicJob(name: string, every: number, runOnce: () => Promise<void>, logger: Logger): PeriodicJob {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;

  function start(): void {
    running = runOnce()
      .catch((error: unknown) => logger.error({ err: error, job: name }, "job failed; retrying after its usual pause"))
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
