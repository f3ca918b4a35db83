import { expect, onTestFinished, test } from "vitest";
import { killingRun } from "../../bench/killing.ts";
import { freshDatabase } from "../support/database.ts";
import { randomFrom } from "../support/random.ts";

/** `npm run soak` runs it for two minutes. */
test("S1 to S6: three processes, of which one is killed every 3 s, send everything once, in order, and nothing after a block", async () => {
  const database = await freshDatabase();
  onTestFinished(database.drop);
  const { violations, ...report } = await killingRun({
    databaseUrl: database.url,
    contacts: 40,
    duration: 10_000,
    killEvery: 3_000,
    drain: 30_000,
    leaseTimeout: 5_000,
    random: randomFrom(1),
  });
  expect(violations).toEqual([]);
  expect(report.messages.SENT).toBeGreaterThan(50);
  expect(report.kills).toBeGreaterThanOrEqual(2);
  expect(report.blocks).toBeGreaterThan(0);
}, 120_000);
