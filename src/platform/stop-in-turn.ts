import type { Logger } from "pino";

/** A step of a shutdown. */
export interface StopStep {
  /** For the log. */
  readonly name: string;
  readonly stop: () => Promise<unknown>;
}

/** Time limits of a shutdown, in milliseconds. */
export interface StopLimits {
  /** For all steps together. */
  readonly total: number;
  /** For one step. */
  readonly step: number;
  /** What every step has at least, however long those before it took. */
  readonly reserve: number;
}

/**
 * Runs the steps one after another. One that fails or that exceeds its time is logged and left behind, so that the next
 * one always runs.
 */
export async function stopInTurn(steps: readonly StopStep[], limits: StopLimits, logger: Logger): Promise<void> {
  const endsAt = performance.now() + limits.total;
  for (const [index, { name, stop }] of steps.entries()) {
    const stepsAfter = steps.length - index - 1;
    const left = endsAt - performance.now() - limits.reserve * stepsAfter;
    const within = Math.min(limits.step, Math.max(limits.reserve, left));
    try {
      if (!(await endsWithin(stop(), within))) {
        logger.error(
          { component: name, ms: Math.round(within) },
          "a component did not stop in time; stopping the others",
        );
      }
    } catch (error) {
      logger.error({ err: error, component: name }, "a component failed to stop; stopping the others");
    }
  }
}

/** Whether the work has ended within this time. Rejects if it fails by then; what happens later is ignored. */
async function endsWithin(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, milliseconds, false);
  });
  try {
    return await Promise.race([work.then(() => true), timeUp]);
  } finally {
    clearTimeout(timer);
  }
}
