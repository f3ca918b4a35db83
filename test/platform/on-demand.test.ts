import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { OnDemand } from "../../src/platform/on-demand.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A task whose runs the test completes, and their outcomes. */
function controlled() {
  const runs: { end: () => void; fail: (error: unknown) => void }[] = [];
  const errors: unknown[] = [];
  const task = new OnDemand(
    () => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      runs.push({ end: resolve, fail: reject });
      return promise;
    },
    (error) => errors.push(error),
  );
  return { task, runs, errors };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

test("requests during a run cause one more run afterwards", async () => {
  const { task, runs } = controlled();
  task.request();
  for (let i = 0; i < 5; i++) task.request();
  expect(runs).toHaveLength(1);
  runs[0]?.end();
  await settle();
  expect(runs).toHaveLength(2);
  runs[1]?.end();
  await settle();
  expect(runs).toHaveLength(2);
  task.request();
  expect(runs).toHaveLength(3);
});

test("a failed run is reported and repeated a second later", async () => {
  const { task, runs, errors } = controlled();
  task.request();
  runs[0]?.fail("why");
  await vi.advanceTimersByTimeAsync(999);
  expect([runs.length, errors]).toEqual([1, ["why"]]);
  await vi.advanceTimersByTimeAsync(1);
  expect(runs).toHaveLength(2);
});

test("stopping waits for the current run and prevents further ones", async () => {
  const { task, runs } = controlled();
  task.request();
  task.request();
  let stopped = false;
  void task.stop().then(() => {
    stopped = true;
  });
  await settle();
  expect(stopped).toBe(false);
  runs[0]?.fail("why");
  await settle();
  expect(stopped).toBe(true);
  task.request();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(runs).toHaveLength(1);
});
