import { describe, expect, test } from "vitest";
import { at, listAt, nodesAt, textAt } from "../support/answers.ts";
import { bootDesk } from "../support/app.ts";
import type { Answer } from "../support/client.ts";

const desk = await bootDesk();

const SHOWN = "flow { id name kind enabled definition channel { id } }";

function create(kind: string, definition: unknown, channelId = desk.custom): Promise<Answer> {
  return desk.ada.attempt("createFlow", { channelId, name: "A flow", kind, definition }, SHOWN);
}

test("a new flow takes effect at once, and no longer once it is disabled", async () => {
  const channel = await desk.channel("LINE", []);
  const flow = await create("AUTO_REPLY_KEYWORD", { keywords: ["price"], text: "It is free." }, channel);
  expect(at(flow, "flow")).toMatchObject({ kind: "AUTO_REPLY_KEYWORD", enabled: true, channel: { id: channel } });
  const flowId = textAt(flow, "flow.id");

  const repliesTo = async (eventId: string, text: string): Promise<number> => {
    await desk.lineWebhook(
      [
        {
          type: "message",
          mode: "active",
          timestamp: desk.clock.now(),
          webhookEventId: eventId,
          deliveryContext: { isRedelivery: false },
          source: { type: "user", userId: "asker" },
          message: { type: "text", id: eventId, text },
        },
      ],
      { channel },
    );
    const { data } = await desk.ada.graphql(`{ conversations(filter: { channelId: "${channel}" }) { edges { node {
          messages { edges { node { direction text author { ... on Bot { flow { id } } } } } } } } } }`);
    const messages = nodesAt(nodesAt(data, "conversations").at(0), "messages");
    return messages.filter((each) => at(each, "author.flow.id") === flowId).length;
  };
  expect(await repliesTo("1", "What is the PRICE?")).toBe(1);

  const off = await desk.ada.attempt(
    "updateFlow",
    { flowId, enabled: false, name: " Prices " },
    "flow { name enabled definition }",
  );
  expect(off.flow).toEqual({
    name: "Prices",
    enabled: false,
    definition: { keywords: ["price"], text: "It is free." },
  });
  expect(await repliesTo("2", "price?")).toBe(1);
  await desk.ada.updateFlow({ flowId, enabled: true, definition: { keywords: ["fee"], text: "None." } });
  expect(await repliesTo("3", "price?")).toBe(1);
  expect(await repliesTo("4", "fee?")).toBe(2);

  const { data } = await desk.ada.graphql("{ flows { id name } }");
  expect(listAt(data, "flows")).toContainEqual({ id: flowId, name: "Prices" });
});

const step = (id: string, rest: object = {}) => ({ id, text: `Step ${id}`, ...rest });
const option = (id: string, next: string) => ({ id, label: id, next });

describe("a chatbot's paths", () => {
  test.each([
    [
      "a menu that leads onward, back and to a handover",
      [
        step("a", { options: [option("1", "b"), option("2", "HANDOVER"), option("3", "a")] }),
        step("b", { next: "a", delay: 1_000 }),
      ],
    ],
    ["a last step without next", [step("a")]],
  ])("accepted: %s", async (_name, steps) => {
    expect(await create("CHATBOT", { steps })).toMatchObject({ __typename: "CreateFlowSuccess" });
  });

  test.each([
    ["two steps with the same id", [step("a"), step("a")], "definition.steps.1.id"],
    ["a next step that does not exist", [step("a", { next: "b" })], "definition.steps.0.next"],
    [
      "an option that leads to an unknown step",
      [step("a", { options: [option("1", "x")] })],
      "definition.steps.0.options.0.next",
    ],
    [
      "two options with the same id",
      [step("a", { options: [option("1", "a"), option("1", "a")] })],
      "definition.steps.0.options.1.id",
    ],
    ["a step that follows itself", [step("a", { next: "a" })], "definition.steps.0.next"],
    [
      "a loop without a question",
      [step("x", { next: "a" }), step("a", { next: "b" }), step("b", { next: "a" })],
      "definition.steps.1.next",
    ],
    ["201 steps", Array.from({ length: 201 }, (_, n) => step(`${n}`)), "definition.steps"],
    ["a delay of a month", [step("a", { delay: 31 * 24 * 3_600_000 })], "definition.steps.0.delay"],
    ["a negative delay", [step("a", { delay: -1 })], "definition.steps.0.delay"],
    ["an empty text", [step("a", { text: "" })], "definition.steps.0.text"],
    ["a text that is too long", [step("a", { text: "x".repeat(5_001) })], "definition.steps.0.text"],
    ["no steps", [], "definition.steps"],
  ])("refused: %s", async (_name, steps, path) => {
    const answer = await create("CHATBOT", { steps });
    expect(listAt(answer, "fields").map((field) => at(field, "path"))).toContain(path);
  });

  test.each([
    ["AUTO_REPLY_FIRST_MESSAGE", { text: "" }, "definition.text"],
    ["AUTO_REPLY_FIRST_MESSAGE", { text: "a\0" }, "definition"],
    ["AUTO_REPLY_KEYWORD", { text: "x", keywords: [] }, "definition.keywords"],
    ["AUTO_REPLY_KEYWORD", "text", "definition"],
    ["AUTO_REPLY_KEYWORD", { text: "x", keywords: ["ok", "x".repeat(101)] }, "definition.keywords.1"],
    ["AUTO_REPLY_KEYWORD", { text: "x", keywords: Array(201).fill("x") }, "definition.keywords"],
    ["CHATBOT", { text: "x" }, "definition.steps"],
  ])("%s refuses %o", async (kind, definition, path) => {
    expect(await create(kind, definition)).toMatchObject({ fields: [{ path }] });
  });
});

test("a chatbot whose steps only meet in a loop is refused at the steps of the loop alone", async () => {
  const answer = await create("CHATBOT", {
    steps: [step("in", { next: "a" }), step("a", { next: "b" }), step("b", { next: "a" }), step("too", { next: "b" })],
  });
  expect(listAt(answer, "fields").map((field) => at(field, "path"))).toEqual([
    "definition.steps.1.next",
    "definition.steps.2.next",
  ]);
});

test("talksForEver: a chatbot of 1,600 steps is refused, and says what to do", async () => {
  const steps = Array.from({ length: 1_600 }, (_, n) => step(`${n}`, { next: `${n + 1}` }));
  const message = "There are 1600, and a chatbot has at most 200: remove some, or hand over earlier.";
  expect(await create("CHATBOT", { steps })).toMatchObject({ fields: [{ path: "definition.steps", message }] });
});
