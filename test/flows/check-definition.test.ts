import { expect, test } from "vitest";
import type { ChatbotStep } from "../../src/domain/flow.ts";
import { checkDefinition, stepsInLoops } from "../../src/flows/check-definition.ts";
import { fencesOf, read } from "../docs/pages.ts";

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

test("checkDefinition: the chatbot that the docs show is accepted as it is", () => {
  const page = { path: "docs/api.md", text: read("docs/api.md") };
  const shown = fencesOf(page).flatMap(({ text }) => (text.includes('"steps"') ? [JSON.parse(text)] : []));
  expect(shown.map((definition) => checkDefinition("CHATBOT", definition))).toEqual([
    { definition: shown[0], keywords: 0, invalid: [] },
  ]);
});
