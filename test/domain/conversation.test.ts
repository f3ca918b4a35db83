import { describe, expect, test } from "vitest";
import { dueAt } from "../../src/domain/contact-channel.ts";
import { type ConversationStatus, ongoingStatuses } from "../../src/domain/conversation.ts";
import { ada, ben, cyd, must, partner, seconds, system } from "./cast.ts";
import { greeting, guide, prices } from "./flows.ts";
import { contactChannel, type Desk, deskIn } from "./support.ts";

describe("C1: a message without an ongoing conversation starts one", () => {
  test.each([
    ["no flows", [], "WAITING"],
    ["an auto-reply", [greeting], "WAITING"],
    ["a keyword", [prices], "WAITING"],
    ["a chatbot", [guide], "BOT"],
    ["a chatbot next to auto-replies", [greeting, prices, guide], "BOT"],
  ] as const)("with %s: %s", (_, flows, status) => {
    expect(contactChannel({ flows }).inbound("price?").statuses).toEqual([status]);
  });

  test("the message is part of it, and after its end the next message is a first one again", () => {
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

  test.each(ongoingStatuses)("a message joins an ongoing conversation: %s", (status) => {
    const desk = deskIn[status]().wait(500).inbound("one more thing");
    expect(desk.statuses).toEqual([status]);
    expect(desk.messages.findLast((each) => each.direction === "INBOUND")?.conversationId).toBe(desk.conversation.id);
    expect(desk.state.conversation?.lastActivityAt).toBe(500);
  });

  test.each(["follow", "postback", "order.paid"])("other events start no conversation: %s", (event) => {
    const nowhere = contactChannel({ flows: [greeting, guide] }).event(event);
    expect(nowhere.timeline).toEqual([`- contact: [${event}]`]);
    expect(nowhere.conversations).toEqual([]);
    expect(deskIn.ENDED().event(event).timeline.at(-1)).toBe(`#1 contact: [${event}]`);
    expect(deskIn.ENDED().start(ada).event(event).timeline.at(-1)).toBe(`#2 contact: [${event}]`);
  });

  test("a postback is a bot turn in a BOT conversation only", () => {
    const postback = (desk: Desk) => desk.event("postback", { payload: { data: "human" } });
    expect(postback(deskIn.BOT()).statuses).toEqual(["WAITING"]);
    expect(postback(contactChannel({ flows: [prices] }).inbound("hi")).emittedTypes).toEqual(["MessageRecorded"]);
    expect(deskIn.BOT().event("order.paid", { payload: { data: "human" } }).statuses).toEqual(["BOT"]);
  });
});

test("C2: there is at most one ongoing conversation, and at most one block in force", () => {
  const desk = contactChannel().start(ada);
  expect(desk.start(ada).result).toEqual({ type: "InvalidTransition", from: "ACTIVE", to: "ACTIVE" });
  expect(desk.inbound("hi").statuses).toEqual(["ACTIVE"]);
  expect(desk.block().block().block({ by: ben }).blockIds).toHaveLength(1);
});

describe("C3: every command in every status", () => {
  // ada is or was the assignee, ben has the offer if ASSIGNING; the block has been lifted. A dash: an invalid transition.
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
      expect(desk.result).toEqual({ type: "InvalidTransition", from, to });
      expect(desk.emitted).toEqual([]);
      expect(desk.statuses).toEqual([from]);
    } else {
      expect(desk.result).toMatchObject({ type: "Accepted", changed: true, conversationId: desk.conversation.id });
      expect(desk.statuses).toEqual([result]);
    }
  });

  test.each(columns)("start, %s", (from) => {
    const desk = deskIn[from]().unblock().start(ben);
    if (from === "ENDED" || from === "BLOCKED") expect(desk.statuses).toEqual([from, "ACTIVE"]);
    else expect(desk.result).toEqual({ type: "InvalidTransition", from, to: "ACTIVE" });
  });
});

describe("C3: effects of a transition", () => {
  test("taking a conversation from oneself changes nothing", () => {
    const desk = deskIn.ACTIVE().take(ada);
    expect(desk.result).toMatchObject({ type: "Accepted", changed: false, conversationId: desk.conversation.id });
    expect(desk.emitted).toEqual([]);
  });

  test("taking it from another agent, or while it is offered, ends their claim", () => {
    expect(deskIn.ACTIVE().take(ben).conversation).toMatchObject({ assigneeId: "ben" });
    expect(deskIn.ASSIGNING().take(cyd).conversation).toMatchObject({ assigneeId: "cyd", offeredTo: null });
    expect(deskIn.ASSIGNING().take(cyd).emittedOf("ConversationChanged")).toMatchObject([{ agents: ["ben", "cyd"] }]);
  });

  test("an offer has one agent and 60 seconds, and the conversation has no assignee in the meantime", () => {
    const open = { assigneeId: null, offeredTo: "ben", offerExpiresAt: 60_500 };
    expect(deskIn.WAITING().at(500).offer(ben).conversation).toMatchObject(open);
    expect(deskIn.ACTIVE().at(500).transfer(ben).conversation).toMatchObject(open);
    expect(dueAt(deskIn.WAITING().at(500).offer(ben).state)).toBe(60_500);
  });

  test.each([
    ["accepted", (desk: Desk) => desk.accept(ben), { status: "ACTIVE", assigneeId: "ben" }],
    ["declined", (desk: Desk) => desk.decline(ben), { status: "WAITING", assigneeId: null }],
  ])("an offer that is %s is closed", (_, act, after) => {
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
    expect(desk.result).toMatchObject(answer);
  });

  test("an unanswered offer lapses at its deadline, by System, however late that is found, and once", () => {
    const desk = deskIn.ASSIGNING().at(seconds(3600)).runDue();
    expect(desk.emitted).toMatchObject([
      { type: "ConversationChanged", actor: system, occurredAt: 60_000, from: "ASSIGNING", agents: ["ben"] },
    ]);
    expect(desk.conversation).toMatchObject({ status: "WAITING", assigneeId: null, offeredTo: null });
    expect(desk.result).toMatchObject({ changed: false });
    expect(desk.runDue().emitted).toEqual([]);
  });

  test("a block that finds a lapsed offer ends a conversation that was WAITING by then", () => {
    const desk = deskIn.ASSIGNING().at(60_000).block();
    expect(desk.conversation.statusBeforeEnd).toBe("WAITING");
  });

  test("an end has actor, time and reason, keeps the assignee, and closes the chatbot session", () => {
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

test("C1: messages of both sides count as last activity; a change of assignee does not", () => {
  const desk = deskIn.WAITING();
  const lastActivityAt = (after: Desk) => after.state.conversation?.lastActivityAt;
  expect(lastActivityAt(desk.at(100).inbound("hello?"))).toBe(100);
  expect(lastActivityAt(desk.at(200).event("postback"))).toBe(200);
  expect(lastActivityAt(desk.at(300).take(ada))).toBe(200);
  expect(lastActivityAt(desk.at(400).reply(ada))).toBe(400);
});

describe("C4: the assignee of a conversation", () => {
  test.each([
    ["ada's message in a BOT conversation", () => deskIn.BOT().reply(ada), "ACTIVE", "ada"],
    ["ada's message in a WAITING conversation", () => deskIn.WAITING().reply(ada), "ACTIVE", "ada"],
    ["ada's message in a conversation offered to ben", () => deskIn.ASSIGNING().reply(ada), "ACTIVE", "ada"],
    ["ben's message in ada's conversation", () => deskIn.ACTIVE().reply(ben), "ACTIVE", "ada"],
    ["a partner's message in a BOT conversation", () => deskIn.BOT().reply(partner), "BOT", null],
    ["a partner's message in a WAITING conversation", () => deskIn.WAITING().reply(partner), "WAITING", null],
    ["a partner's message in ada's conversation", () => deskIn.ACTIVE().reply(partner), "ACTIVE", "ada"],
    ["ada's start", () => contactChannel().start(ada), "ACTIVE", "ada"],
    ["a partner's start", () => contactChannel().start(partner), "ACTIVE", null],
    [
      "ben's message in a conversation started by a partner",
      () => contactChannel().start(partner).reply(ben),
      "ACTIVE",
      "ben",
    ],
  ])("%s: %s, assigned to %s", (_, seed, status, assigneeId) => {
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

describe("C5: the order of refusals", () => {
  const blocked = (desk: Desk) => ({ type: "ContactBlocked", blockId: desk.blockIds[0] });

  test("invalid input before contact blocked: an expiry in the past, for a contact who is already blocked", () => {
    expect(contactChannel().block().block({ until: 0 }).result).toMatchObject({ type: "InvalidInput" });
  });

  test.each([
    ["a reply in an ended conversation", () => deskIn.ENDED().block().reply(ada)],
    ["a take of an ended conversation", () => deskIn.ENDED().block().take(ada)],
    ["an offer of an ACTIVE conversation", () => deskIn.ACTIVE().block().offer(ben)],
    ["an accept by an agent without the offer", () => deskIn.ASSIGNING().block().accept(cyd)],
    ["a transfer of a WAITING conversation", () => deskIn.WAITING().block().transfer(null)],
  ])("contact blocked before invalid transition: %s", (_, seed) => {
    const desk = seed();
    expect(desk.result).toEqual(blocked(desk));
  });

  test.each([
    ["declining after a block", () => deskIn.ASSIGNING().block().decline(ben), "BLOCKED", "WAITING"],
    ["ending after a block", () => deskIn.ACTIVE().block().end(ada), "BLOCKED", "ENDED"],
    ["ending a conversation that ended before the block", () => deskIn.ENDED().block().end(ada), "ENDED", "ENDED"],
    [
      "ending the old conversation while another is ongoing",
      () => deskIn.ENDED().start(ada).end(ada, { conversation: 1 }),
      "ENDED",
      "ENDED",
    ],
    [
      "replying in the old conversation while another is ongoing",
      () => deskIn.ENDED().start(ada).reply(ada, "", { conversation: 1 }),
      "ENDED",
      "ACTIVE",
    ],
  ])("invalid transition: %s", (_, seed, from, to) => {
    expect(seed().result).toEqual({ type: "InvalidTransition", from, to });
  });
});
