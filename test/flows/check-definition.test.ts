import { expect, test } from "vitest";
import type { ChatbotStep } from "../../src/domain/flow.ts";
import { stepsInLoops } from "../../src/flows/check-definition.ts";

const chain = (length: number, last: Partial<ChatbotStep> = {}): readonly ChatbotStep[] =>
  Array.from({ length }, (_, n) => ({ id: `${n}`, text: "x", next: `${n + 1}`, ...(n === length - 1 ? last : {}) }));

// A walk from each step would make 10 billion moves, and the test would not end in time.
test("talksForEver: the loops of 100,000 steps are found in linear time", () => {
  expect(stepsInLoops(chain(100_000)).size).toBe(0);
  expect(stepsInLoops(chain(100_000, { next: "40000" })).size).toBe(60_000);
});

test("talksForEver: a menu in a loop ends it", () => {
  expect(stepsInLoops(chain(3, { next: "0", options: [{ id: "a", label: "A", next: "0" }] })).size).toBe(0);
});
