/** Runs what it is given, but no more than `most` at once: the others wait for their turn, in order. */
export function atMost(most: number): <Result>(run: () => Promise<Result>) => Promise<Result> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (run) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      // Who waits takes the place that is left.
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
