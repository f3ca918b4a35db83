import { describe, expect, test } from "vitest";
import { dueAt } from "../../src/domain/contact-channel.ts";
import { type ConversationStatus, ongoingStatuses } from "../../src/domain/conversation.ts";
import { ada, ben, cyd, must, partner, seconds, system } from "./cast.ts";
import { greeting, guide, prices } from "./flows.ts";
import { contactChannel, type Desk, deskIn } from "./support.ts";

describe("C1: a message with no ongoing conversation starts one", () => {
  test.each([
    ["no flows", [], "WAITING"],
    ["an auto-reply", [greeting], "WAITING"],
    ["a keyword", [prices], "WAITING"],
    ["a chatbot", [guide], "BOT"],
    ["a chatbot beside auto-replies", [greeting, prices, guide], "BOT"],
  ] as const)("with %s: %s", (_, flows, status) => {
    expect(contactChannel({ flows }).inbound("price?").statuses).toEqual([status]);
  });

  test("the message is part of it, and the first one again after an end", () => {
    const desk = contactChannel({ flows: [greeting] })
      .inbound("hi")
      .end(ada)
      .inbound("one more thing");
    expect(desk.timeline).toEqual([
      "#1 contact: hi",
      "#1 flow-greeting: Welcome!",
      "#2 contact: one more thing",
      "#2 flow-greeting: Welcome!",
    ]);
  });

  test.each(ongoingStatuses)("with an ongoing one, a message joins it: %s", (status) => {
    const desk = deskIn[status]().wait(500).inbound("one more thing");
    expect(desk.statuses).toEqual([status]);
    expect(desk.messages.findLast((each) => each.direction === "INBOUND")?.conversationId).toBe(desk.conversation.id);
    expect(desk.state.conversation?.lastActivityAt).toBe(500);
  });

  test.each(["follow", "postback", "order.paid"])("other events start none: %s", (event) => {
    const nowhere = contactChannel({ flows: [greeting, guide] }).event(event);
    expect(nowhere.timeline).toEqual([`- contact: [${event}]`]);
    expect(nowhere.conversations).toEqual([]);
    expect(deskIn.ENDED().event(event).timeline.at(-1)).toBe(`#1 contact: [${event}]`);
    expect(deskIn.ENDED().start(ada).event(event).timeline.at(-1)).toBe(`#2 contact: [${event}]`);
  });

  test("a postback in a BOT conversation is a bot turn, elsewhere it is none", () => {
    const postback = (desk: Desk) => desk.event("postback", { payload: { data: "human" } });
    expect(postback(deskIn.BOT()).statuses).toEqual(["WAITING"]);
    expect(postback(contactChannel({ flows: [prices] }).inbound("hi")).emittedTypes).toEqual(["MessageRecorded"]);
    expect(deskIn.BOT().event("order.paid", { payload: { data: "human" } }).statuses).toEqual(["BOT"]);
  });
});

test("C2: at most one conversation goes on, at most one block holds", () => {
  const desk = contactChannel().start(ada);
  expect(desk.start(ada).answer).toEqual({ type: "InvalidTransition", from: "ACTIVE", to: "ACTIVE" });
  expect(desk.inbound("hi").statuses).toEqual(["ACTIVE"]);
  expect(desk.block().block().block({ by: ben }).blockIds).toHaveLength(1);
});

describe("C3: every command in every status", () => {
  // ada has or had it, ben is offered it where it is ASSIGNING; the block has been lifted. A dash: an invalid transition.
  const table = `
                        | BOT    | WAITING   | ASSIGNING | ACTIVE    | ENDED | BLOCKED
    ben takes           | ACTIVE | ACTIVE    | ACTIVE    | ACTIVE    | -     | -
    offer to cyd        | -      | ASSIGNING | -         | -         | -     | -
    ben accepts         | -      | -         | ACTIVE    | -         | -     | -
    ada accepts         | -      | -         | -         | -         | -     | -
    ben declines        | -      | -         | WAITING   | -         | -     | -
    ada declines        | -      | -         | -         | -         | -     | -
    transfer to cyd     | -      | -         | -         | ASSIGNING | -     | -
    transfer to queue   | -      | -         | -         | WAITING   | -     | -
    ben ends            | ENDED  | ENDED     | ENDED     | ENDED     | -     | -
    partner ends        | ENDED  | ENDED     | ENDED     | ENDED     | -     | -
    ben replies         | ACTIVE | ACTIVE    | ACTIVE    | ACTIVE    | -     | -
    partner replies     | BOT    | WAITING   | ASSIGNING | ACTIVE    | -     | -`;
  const commands: Record<string, { readonly act: (desk: Desk) => Desk; readonly to: ConversationStatus }> = {
    "ben takes": { act: (desk) => desk.take(ben), to: "ACTIVE" },
    "offer to cyd": { act: (desk) => desk.offer(cyd), to: "ASSIGNING" },
    "ben accepts": { act: (desk) => desk.accept(ben), to: "ACTIVE" },
    "ada accepts": { act: (desk) => desk.accept(ada), to: "ACTIVE" },
    "ben declines": { act: (desk) => desk.decline(ben), to: "WAITING" },
    "ada declines": { act: (desk) => desk.decline(ada), to: "WAITING" },
    "transfer to cyd": { act: (desk) => desk.transfer(cyd), to: "ASSIGNING" },
    "transfer to queue": { act: (desk) => desk.transfer(null), to: "WAITING" },
    "ben ends": { act: (desk) => desk.end(ben), to: "ENDED" },
    "partner ends": { act: (desk) => desk.end(partner), to: "ENDED" },
    "ben replies": { act: (desk) => desk.reply(ben), to: "ACTIVE" },
    "partner replies": { act: (desk) => desk.reply(partner), to: "ACTIVE" },
  };
  const columns = ["BOT", "WAITING", "ASSIGNING", "ACTIVE", "ENDED", "BLOCKED"] as const;
  const rows = table.trim().split("\n").slice(1);
  const cells = rows.flatMap((row) => {
    const [command = "", ...results] = row.split("|").map((cell) => cell.trim());
    return columns.map((from, index) => ({ command, from, result: results[index] ?? "" }));
  });

  test.each(cells)("$command, $from: $result", ({ command, from, result }) => {
    const { act, to } = must(commands[command]);
    const seed = deskIn[from]();
    const desk = act(from === "BLOCKED" ? seed.unblock() : seed);
    if (result === "-") {
      expect(desk.answer).toEqual({ type: "InvalidTransition", from, to });
      expect(desk.emitted).toEqual([]);
      expect(desk.statuses).toEqual([from]);
    } else {
      expect(desk.answer).toMatchObject({ type: "Accepted", changed: true, conversationId: desk.conversation.id });
      expect(desk.statuses).toEqual([result]);
    }
  });

  test.each(columns)("start, %s", (from) => {
    const desk = deskIn[from]().unblock().start(ben);
    if (from === "ENDED" || from === "BLOCKED") expect(desk.statuses).toEqual([from, "ACTIVE"]);
    else expect(desk.answer).toEqual({ type: "InvalidTransition", from, to: "ACTIVE" });
  });
});

describe("C3: what comes with a change", () => {
  test("taking what one already has changes nothing", () => {
    const desk = deskIn.ACTIVE().take(ada);
    expect(desk.answer).toMatchObject({ type: "Accepted", changed: false, conversationId: desk.conversation.id });
    expect(desk.emitted).toEqual([]);
  });

  test("taking from another agent, or from under an offer, ends their claim", () => {
    expect(deskIn.ACTIVE().take(ben).conversation).toMatchObject({ assigneeId: "ben" });
    expect(deskIn.ASSIGNING().take(cyd).conversation).toMatchObject({ assigneeId: "cyd", offeredTo: null });
    expect(deskIn.ASSIGNING().take(cyd).emittedOf("ConversationChanged")).toMatchObject([{ agents: ["ben", "cyd"] }]);
  });

  test("an offer has one agent and 60 seconds, and nobody has the conversation meanwhile", () => {
    const open = { assigneeId: null, offeredTo: "ben", offerExpiresAt: 60_500 };
    expect(deskIn.WAITING().at(500).offer(ben).conversation).toMatchObject(open);
    expect(deskIn.ACTIVE().at(500).transfer(ben).conversation).toMatchObject(open);
    expect(dueAt(deskIn.WAITING().at(500).offer(ben).state)).toBe(60_500);
  });

  test.each([
    ["taken up", (desk: Desk) => desk.accept(ben), { status: "ACTIVE", assigneeId: "ben" }],
    ["declined", (desk: Desk) => desk.decline(ben), { status: "WAITING", assigneeId: null }],
  ])("an offer that is %s is over", (_, act, after) => {
    const desk = act(deskIn.ASSIGNING());
    expect(desk.conversation).toMatchObject({ ...after, offeredTo: null, offerExpiresAt: null });
    expect(dueAt(desk.state)).toBeNull();
  });

  test.each([
    [59_999, "ACTIVE", { type: "Accepted", changed: true }],
    [60_000, "WAITING", { type: "InvalidTransition", from: "WAITING", to: "ACTIVE" }],
    [60_001, "WAITING", { type: "InvalidTransition", from: "WAITING", to: "ACTIVE" }],
  ])("accepting after %i ms: %s", (ms, status, answer) => {
    const desk = deskIn.ASSIGNING().at(ms).accept(ben);
    expect(desk.statuses).toEqual([status]);
    expect(desk.answer).toMatchObject(answer);
  });

  test("an offer without answer lapses at its deadline, by System, however late that is noticed, and once", () => {
    const desk = deskIn.ASSIGNING().at(seconds(3600)).runDue();
    expect(desk.emitted).toMatchObject([
      { type: "ConversationChanged", actor: system, occurredAt: 60_000, from: "ASSIGNING", agents: ["ben"] },
    ]);
    expect(desk.conversation).toMatchObject({ status: "WAITING", assigneeId: null, offeredTo: null });
    expect(desk.answer).toMatchObject({ changed: false });
    expect(desk.runDue().emitted).toEqual([]);
  });

  test("a block that finds a lapsed offer ends what was WAITING by then", () => {
    const desk = deskIn.ASSIGNING().at(60_000).block();
    expect(desk.conversation.statusBeforeEnd).toBe("WAITING");
  });

  test("an end tells who, when and why, and keeps the assignee; nothing is left of a chatbot", () => {
    expect(deskIn.ACTIVE().at(500).end(ben).conversation).toMatchObject({
      status: "ENDED",
      endedAt: 500,
      endedBy: ben,
      endReason: "RESOLVED",
      statusBeforeEnd: "ACTIVE",
      endedByBlockId: null,
      assigneeId: "ada",
    });
    expect(deskIn.BOT().end(ada).state).toMatchObject({ conversation: null, botSession: null });
  });
});

test("C1: whatever either side writes in it is its last activity; whose it is, is none", () => {
  const desk = deskIn.WAITING();
  const lastActivityAt = (after: Desk) => after.state.conversation?.lastActivityAt;
  expect(lastActivityAt(desk.at(100).inbound("hello?"))).toBe(100);
  expect(lastActivityAt(desk.at(200).event("postback"))).toBe(200);
  expect(lastActivityAt(desk.at(300).take(ada))).toBe(200);
  expect(lastActivityAt(desk.at(400).reply(ada))).toBe(400);
});

describe("C4: whose a conversation is", () => {
  test.each([
    ["ada's message to a BOT one", () => deskIn.BOT().reply(ada), "ACTIVE", "ada"],
    ["ada's message to a WAITING one", () => deskIn.WAITING().reply(ada), "ACTIVE", "ada"],
    ["ada's message to one that ben is offered", () => deskIn.ASSIGNING().reply(ada), "ACTIVE", "ada"],
    ["ben's message to ada's", () => deskIn.ACTIVE().reply(ben), "ACTIVE", "ada"],
    ["a partner's message to a BOT one", () => deskIn.BOT().reply(partner), "BOT", null],
    ["a partner's message to a WAITING one", () => deskIn.WAITING().reply(partner), "WAITING", null],
    ["a partner's message to ada's", () => deskIn.ACTIVE().reply(partner), "ACTIVE", "ada"],
    ["ada's start", () => contactChannel().start(ada), "ACTIVE", "ada"],
    ["a partner's start", () => contactChannel().start(partner), "ACTIVE", null],
    ["ben's message to what a partner started", () => contactChannel().start(partner).reply(ben), "ACTIVE", "ben"],
  ])("%s: %s, of %s", (_, seed, status, assigneeId) => {
    expect(seed().conversation).toMatchObject({ status, assigneeId });
  });

  test("a partner's message leaves an offer open", () => {
    expect(deskIn.ASSIGNING().reply(partner).conversation).toMatchObject({ offeredTo: "ben", offerExpiresAt: 60_000 });
  });

  test("a bot's message changes neither status nor assignee", () => {
    const desk = contactChannel({ flows: [greeting] }).inbound("hi");
    expect(desk.conversation).toMatchObject({ status: "WAITING", assigneeId: null });
    expect(desk.emittedTypes.slice(-2)).toEqual(["MessageRecorded", "MessageRecorded"]);
  });
});

describe("C5: of several refusals, the first", () => {
  const blocked = (desk: Desk) => ({ type: "ContactBlocked", blockId: desk.blockIds[0] });

  test("invalid input before contact blocked: an expiry in the past, to a contact who is blocked already", () => {
    expect(contactChannel().block().block({ until: 0 }).answer).toMatchObject({ type: "InvalidInput" });
  });

  test.each([
    ["a reply to an ended conversation", () => deskIn.ENDED().block().reply(ada)],
    ["a take of an ended conversation", () => deskIn.ENDED().block().take(ada)],
    ["an offer of what was ACTIVE", () => deskIn.ACTIVE().block().offer(ben)],
    ["an accept by who was not offered it", () => deskIn.ASSIGNING().block().accept(cyd)],
    ["a transfer of what was WAITING", () => deskIn.WAITING().block().transfer(null)],
  ])("contact blocked before invalid transition: %s", (_, seed) => {
    const desk = seed();
    expect(desk.answer).toEqual(blocked(desk));
  });

  test.each([
    ["declining after a block", () => deskIn.ASSIGNING().block().decline(ben), "BLOCKED", "WAITING"],
    ["ending after a block", () => deskIn.ACTIVE().block().end(ada), "BLOCKED", "ENDED"],
    ["ending what had ended before the block", () => deskIn.ENDED().block().end(ada), "ENDED", "ENDED"],
    [
      "ending the old one while another goes on",
      () => deskIn.ENDED().start(ada).end(ada, { conversation: 1 }),
      "ENDED",
      "ENDED",
    ],
    [
      "replying to the old one while another goes on",
      () => deskIn.ENDED().start(ada).reply(ada, "", { conversation: 1 }),
      "ENDED",
      "ACTIVE",
    ],
  ])("invalid transition: %s", (_, seed, from, to) => {
    expect(seed().answer).toEqual({ type: "InvalidTransition", from, to });
  });
});
