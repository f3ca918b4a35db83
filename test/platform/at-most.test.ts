import { expect, test } from "vitest";
import { atMost } from "../../src/platform/at-most.ts";

test("at most this many run at once, in order, even if some fail", async () => {
  const limit = atMost(2);
  const started: number[] = [];
  const ends = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const all = ends.map(({ promise }, n) =>
    limit(async () => {
      started.push(n);
      await promise;
      if (n === 0) throw new Error("The task fails.");
      return n;
    }),
  );
  const outcomes = Promise.allSettled(all);
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  await settled();
  expect(started).toEqual([0, 1]);
  for (const [n, { resolve }] of ends.entries()) {
    resolve();
    await settled();
    expect(started).toEqual([0, 1, 2, 3, 4].slice(0, n + 3));
  }
  expect((await outcomes).map(({ status }) => status)).toEqual([
    "rejected",
    ...Array.from({ length: 4 }, () => "fulfilled"),
  ]);
  expect(await limit(async () => "free again")).toBe("free again");
});
