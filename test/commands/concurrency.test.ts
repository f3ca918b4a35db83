import { expect, test } from "vitest";
import type { AggregateStore } from "../../src/commands/commit-batch.ts";
import { loadContactChannels, lockContactChannels } from "../../src/store/contact-channels.ts";
import { saveDecisions } from "../../src/store/save-decisions.ts";
import { storm } from "./storm.ts";

const store: AggregateStore = { lock: lockContactChannels, load: loadContactChannels, save: saveDecisions };
const withoutLock: AggregateStore = { ...store, lock: async () => {} };

test("B3, C2, O1, O2: under concurrent load no blocked contact has a conversation, and nothing is lost, duplicated or sent", async () => {
  const report = await storm({ store, milliseconds: 5_000, workers: 24 });

  expect(report.violations).toEqual([]);
  expect(report.commands).toBeGreaterThan(500);
  expect(report.snapshots).toBeGreaterThan(50);
});

test("O1: without the row lock the same load breaks these rules, so the test above can fail", async () => {
  const report = await storm({ store: withoutLock, milliseconds: 20_000, workers: 24, untilViolated: true });

  expect(report.violations).not.toEqual([]);
});
