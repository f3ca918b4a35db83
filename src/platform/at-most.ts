/** Returns a function that runs tasks, at most `limit` at a time; further tasks wait in order of arrival. */
export function atMost(limit: number): <Result>(run: () => Promise<Result>) => Promise<Result> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (run) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      // The next task takes over the slot, so the count stays the same.
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
