import { describe, expect, test } from "vitest";
import { dueAt } from "../../src/domain/contact-channel.ts";
import type { Chatbot, ChatbotStep } from "../../src/domain/flow.ts";
import { idOf } from "../../src/domain/id.ts";
import { ada, seconds } from "./cast.ts";
import { delayedStart, greeting, guide, hours, prices } from "./flows.ts";
import { contactChannel, type Desk } from "./support.ts";

const menu = "What is it about?\n1. An offer\n2. I have time\n3. A human";
const anythingElse = "Anything else?\n1. Yes\n2. No";

describe("auto-replies", () => {
  const flows = [greeting, prices, hours];

  test.each([
    ["hi", ["Welcome!"]],
    ["PRICE?", ["From 10 €."]],
    ["what does it cost", ["From 10 €."]],
    ["are you open, and the price?", ["From 10 €."]],
    ["are you open?", ["9 to 5."]],
  ])("a first message %j gets one reply, and a keyword takes precedence over the greeting", (text, replies) => {
    expect(botTexts(contactChannel({ flows }).inbound(text))).toEqual(replies);
  });

  test("greet the first message of a conversation only; keywords are answered while it is WAITING", () => {
    const desk = contactChannel({ flows })
      .inbound("hi")
      .inbound("hello?")
      .inbound("price?")
      .take(ada)
      .inbound("price?");
    expect(botTexts(desk)).toEqual(["Welcome!", "From 10 €."]);
  });

  test("do not answer messages without text", () => {
    expect(botTexts(contactChannel({ flows: [prices] }).receive({ kind: "IMAGE" }))).toEqual([]);
  });
});

describe("a chatbot", () => {
  test.each([["1"], [" An OFFER "], ["offer"]])("accepts the answer %j: by number, label or id", (answer) => {
    const desk = contactChannel({ flows: [guide] })
      .inbound("hi")
      .inbound(answer);
    expect(botTexts(desk)).toEqual([menu, "Everything is 10 €."]);
  });

  test.each(["4", "0", "hello?", ""])("repeats its menu after %j", (answer) => {
    const desk = contactChannel({ flows: [guide] })
      .inbound("hi")
      .inbound(answer);
    expect(botTexts(desk)).toEqual([menu, menu]);
    expect(desk.statuses).toEqual(["BOT"]);
  });

  test.each([
    ["its data", { payload: { data: "human" }, text: "1" }],
    ["its text, if the payload has no data", { payload: { other: "1" }, text: "human" }],
    ["its text, if the data is not a string", { payload: { data: 1 }, text: "human" }],
    ["its text, if the payload is not an object", { payload: "1", text: "human" }],
    ["its text, if there is no payload", { payload: null, text: "human" }],
  ])("interprets a postback by %s", (_, postback) => {
    const desk = contactChannel({ flows: [guide] }).inbound("hi");
    expect(desk.receive({ kind: "EVENT", eventType: "postback", ...postback }).statuses).toEqual(["WAITING"]);
  });

  test("sends a delayed step when it is due, and nothing until then", () => {
    const desk = contactChannel({ flows: [guide] })
      .inbound("hi")
      .inbound("1");
    expect(dueAt(desk.state)).toBe(5_000);
    expect(botTexts(desk.at(4_999).runDue().inbound("hello?"))).toEqual([menu, "Everything is 10 €."]);
    expect(botTexts(desk.at(5_000).runDue())).toEqual([menu, "Everything is 10 €.", anythingElse]);
    expect(desk.result).toMatchObject({ type: "Accepted", changed: true });
    expect(desk.runDue().emitted).toEqual([]);
  });

  test("can begin with a delayed step, and each delay counts from when the previous step was sent", () => {
    const desk = contactChannel({ flows: [delayedStart] }).inbound("hi");
    expect(botTexts(desk.at(10_500).runDue())).toEqual(["Still there?"]);
    expect(dueAt(desk.state)).toBe(11_500);
    expect(botTexts(desk.at(11_500).runDue())).toEqual(["Still there?", "A colleague comes."]);
    expect(desk.statuses).toEqual(["WAITING"]);
  });

  test("waits also at a menu with one option, and for a delay of one millisecond", () => {
    const options = [{ id: "go", label: "Go on", next: "b" }];
    const desk = contactChannel({
      flows: [
        chatbot([
          { id: "a", text: "A", options },
          { id: "b", text: "B", delay: 1 },
        ]),
      ],
    });
    expect(botTexts(desk.inbound("hi"))).toEqual(["A\n1. Go on"]);
    expect(botTexts(desk.inbound("go"))).toEqual(["A\n1. Go on"]);
    expect(botTexts(desk.wait(1).runDue())).toEqual(["A\n1. Go on", "B"]);
  });

  test("hands over if a path says so, ends, leads to an unknown step or loops", () => {
    const human = contactChannel({ flows: [guide] })
      .inbound("hi")
      .inbound("3");
    expect(human.emittedTypes).toEqual(["MessageRecorded", "BotSessionChanged", "ConversationChanged"]);
    expect(human.state).toMatchObject({ botSession: null, conversation: { status: "WAITING" } });

    const paths: [ChatbotStep[], string[]][] = [
      [[], []],
      [[{ id: "a", text: "A" }], ["A"]],
      [[{ id: "a", text: "A", next: "HANDOVER" }], ["A"]],
      [[{ id: "a", text: "A", next: "nowhere" }], ["A"]],
      [
        [
          { id: "a", text: "A", next: "b" },
          { id: "b", text: "B", next: "a" },
        ],
        ["A", "B"],
      ],
      [
        [
          { id: "a", text: "A", options: [], next: "b" },
          { id: "b", text: "B" },
        ],
        ["A", "B"],
      ],
    ];
    for (const [steps, texts] of paths) {
      const desk = contactChannel({ flows: [chatbot(steps)] }).inbound("hi");
      expect(botTexts(desk)).toEqual(texts);
      expect(desk.statuses).toEqual(["WAITING"]);
    }
  });

  describe("sends at most 10 messages a turn [C1]", () => {
    const chain = (length: number, rest: (index: number) => object = () => ({})): Chatbot =>
      chatbot(Array.from({ length }, (_, n) => ({ id: `${n}`, text: `${n}`, next: `${n + 1}`, ...rest(n) })));
    const upTo = (length: number) => Array.from({ length }, (_, n) => `${n}`);

    test("and then hands over, also in a chain of 800 steps that was stored earlier", () => {
      const desk = contactChannel({ flows: [chain(800)] }).inbound("hi");
      expect(botTexts(desk)).toEqual(upTo(10));
      expect(desk.state).toMatchObject({ botSession: null, conversation: { status: "WAITING" } });
    });

    test("and a menu as the tenth still waits for its answer", () => {
      const options = [{ id: "go", label: "Go", next: "0" }];
      const desk = contactChannel({ flows: [chain(10, (n) => (n === 9 ? { options } : {}))] }).inbound("hi");
      expect(botTexts(desk)).toEqual([...upTo(9), "9\n1. Go"]);
      expect(desk.statuses).toEqual(["BOT"]);
    });

    test("and a delay begins a new turn", () => {
      const desk = contactChannel({ flows: [chain(25, (n) => (n === 10 ? { delay: 1 } : {}))] }).inbound("hi");
      expect(desk.statuses).toEqual(["BOT"]);
      expect(botTexts(desk.wait(1).runDue())).toEqual(upTo(20));
      expect(desk.statuses).toEqual(["WAITING"]);
    });
  });

  test.each([
    ["an agent takes it", (desk: Desk) => desk.take(ada)],
    ["an agent answers", (desk: Desk) => desk.reply(ada)],
    ["it is ended", (desk: Desk) => desk.end(ada)],
  ])("ends its session once %s", (_, act) => {
    const desk = act(
      contactChannel({ flows: [guide] })
        .inbound("hi")
        .inbound("1"),
    );
    const before = botTexts(desk);
    expect(desk.state.botSession).toBeNull();
    expect(botTexts(desk.wait(seconds(5)).runDue())).toEqual(before);
  });

  test.each([
    ["switched off", []],
    ["changed so that its step no longer exists", [chatbot([{ id: "other", text: "Other" }], guide.id)]],
  ])("that was %s in the meantime hands over, at an answer or when a step is due", (_, flows) => {
    const answered = contactChannel({ flows: [guide] }).inbound("hi");
    answered.flows = flows;
    expect(answered.inbound("1").statuses).toEqual(["WAITING"]);
    const delayed = contactChannel({ flows: [guide] })
      .inbound("hi")
      .inbound("1")
      .wait(seconds(5));
    delayed.flows = flows;
    expect(delayed.runDue().statuses).toEqual(["WAITING"]);
    expect(botTexts(delayed)).toEqual([menu, "Everything is 10 €."]);
  });
});

describe("in standby mode, when another party replies", () => {
  test("a message is recorded, and starts a conversation without flows", () => {
    const desk = contactChannel({ flows: [greeting, guide] }).inbound("hi", { standby: true });
    expect(desk.timeline).toEqual(["#1 contact: hi"]);
    expect(desk.statuses).toEqual(["WAITING"]);
  });

  test("there are no bot turns and no keyword replies", () => {
    const bot = contactChannel({ flows: [guide] }).inbound("hi");
    expect(bot.inbound("1", { standby: true }).emittedTypes).toEqual(["MessageRecorded"]);
    const postback = bot.event("postback", { payload: { data: "offer" }, standby: true });
    expect(postback.emittedTypes).toEqual(["MessageRecorded"]);
    const waiting = contactChannel({ flows: [prices] })
      .inbound("hi")
      .inbound("price?", { standby: true });
    expect(waiting.emittedTypes).toEqual(["MessageRecorded"]);
  });
});

function botTexts(desk: Desk): readonly (string | null)[] {
  return desk.messages.filter((message) => message.author.type === "Bot").map((message) => message.text);
}

function chatbot(steps: readonly ChatbotStep[], id = idOf<"Flow">("flow-test")): Chatbot {
  return { id, kind: "CHATBOT", steps };
}
