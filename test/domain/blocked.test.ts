import { describe, expect, test } from "vitest";
import { ongoingStatuses } from "../../src/domain/conversation.ts";
import { ada, ben, partner, seconds } from "./cast.ts";
import { greeting, guide, prices } from "./flows.ts";
import { contactChannel, type Desk, deskIn } from "./support.ts";

describe("D1: an inbound entry is recorded in the most recent conversation while blocked", () => {
  test.each(ongoingStatuses)("that was %s: its status, end, assignee and last activity do not change", (status) => {
    const desk = deskIn[status]().wait(500).block();
    const before = desk.conversation;
    desk
      .wait(500)
      .inbound("still here")
      .event("postback", { payload: { data: "1" } });
    expect(desk.conversation).toBe(before);
    expect(desk.timeline.slice(-2)).toEqual(["#1 contact: still here *", "#1 contact: [postback] *"]);
    expect(desk.emittedOf("MessageRecorded")).toMatchObject([{ activity: false }]);
  });

  test("even if that conversation ended long before, or the block is the second one", () => {
    const desk = deskIn.ENDED().block().inbound("one").unblock().block().inbound("two");
    expect(desk.timeline).toEqual(["#1 contact: hi", "#1 contact: one *", "#1 contact: two *"]);
  });

  test("the most recent conversation is the one that started last, not the one with the last entry", () => {
    const desk = deskIn.ENDED().start(ben).end(ben).block().inbound("still here");
    expect(desk.timeline.at(-1)).toBe("#2 contact: still here *");
  });

  test("once per event id", () => {
    const desk = deskIn
      .WAITING()
      .block()
      .inbound("still here", { eventId: "e" })
      .inbound("still here", { eventId: "e" });
    expect(desk.result).toMatchObject({ type: "Accepted", changed: false, messageId: desk.lastMessage.id });
    expect(desk.timeline).toEqual(["#1 contact: hi", "#1 contact: still here *"]);
  });

  test("the block counts messages, not events", () => {
    const desk = deskIn.WAITING().block().inbound("one").event("follow").receive({ kind: "STICKER" });
    expect(desk.suppressed).toEqual([2]);
  });

  test("in recording order, regardless of their own times", () => {
    const desk = contactChannel().at(100).block().inbound("second", { sentAt: 90 }).inbound("first", { sentAt: 80 });
    expect(desk.messages.map(({ seq, text, sentAt }) => [seq, text, sentAt])).toEqual([
      [1, "second", 90],
      [2, "first", 80],
    ]);
  });
});

test("D2: no conversation is created; without one, the message is recorded in the timeline only", () => {
  const desk = contactChannel({ flows: [greeting] })
    .block()
    .inbound("hello?")
    .event("follow")
    .inbound("anyone?");
  expect(desk.conversations).toEqual([]);
  expect(desk.timeline).toEqual(["- contact: hello? *", "- contact: [follow] *", "- contact: anyone? *"]);
  expect(desk.lastMessage.conversationId).toBeNull();
});

describe("D3: nothing is triggered", () => {
  const flows = [greeting, prices, guide];
  test.each([
    ["a first message", () => contactChannel({ flows }).block().inbound("hi")],
    [
      "a keyword",
      () =>
        contactChannel({ flows: [prices] })
          .inbound("hi")
          .block()
          .inbound("price?"),
    ],
    ["an answer to the menu", () => contactChannel({ flows }).inbound("hi").block().inbound("1")],
    [
      "a postback",
      () =>
        contactChannel({ flows })
          .inbound("hi")
          .block()
          .event("postback", { payload: { data: "offer" } }),
    ],
    ["another message after an ended conversation", () => deskIn.ENDED().block().inbound("hi")],
  ])("by %s", (_, seed) => {
    expect(seed().emittedTypes).toEqual(["MessageRecorded"]);
  });
});

test("D4: the event is addressed to the agent who had the conversation", () => {
  const desk = deskIn.ACTIVE().block().inbound("still here");
  expect(desk.emittedOf("MessageRecorded")).toMatchObject([
    { agents: ["ada"], message: { receivedWhileBlocked: true } },
  ]);
});

describe("D5: every path to the contact is refused with the block", () => {
  test.each([
    ["an agent's message", () => deskIn.ACTIVE().block().reply(ada)],
    ["a partner's message", () => deskIn.ACTIVE().block().reply(partner)],
    ["an agent's start", () => contactChannel().block().start(ada)],
    ["a partner's start", () => contactChannel().block().start(partner)],
    ["take", () => deskIn.WAITING().block().take(ada)],
    ["take by the assignee", () => deskIn.ACTIVE().block().take(ada)],
    ["offer", () => deskIn.WAITING().block().offer(ben)],
    ["accept", () => deskIn.ASSIGNING().block().accept(ben)],
    ["transfer to an agent", () => deskIn.ACTIVE().block().transfer(ben)],
    ["transfer to the queue", () => deskIn.ACTIVE().block().transfer(null)],
    ["hand-over to a provider", () => deskIn.ACTIVE().reply(ada).block().lease()],
  ])("%s", (_, seed) => {
    const desk = seed();
    expect(desk.result).toEqual({ type: "ContactBlocked", blockId: desk.blockIds[0] });
    expect(desk.emitted).toEqual([]);
  });

  test("a chatbot's delayed step is not sent", () => {
    const desk = contactChannel({ flows: [guide] })
      .inbound("hi")
      .inbound("2")
      .block()
      .wait(seconds(30))
      .runDue();
    expect(desk.emitted).toEqual([]);
  });

  test("updateBlock is allowed", () => {
    expect(contactChannel().block().updateBlock({ notes: "spam" }).result).toMatchObject({ type: "Accepted" });
  });
});

describe("D6: being blocked by the contact is independent of our block", () => {
  test("follow and unfollow set reachable, and do not affect the block", () => {
    const desk = contactChannel().block().event("unfollow");
    expect(desk.state).toMatchObject({ reachable: false, block: { id: desk.blockIds[0] } });
    desk.event("follow", { payload: { isUnblocked: true } });
    expect(desk.state).toMatchObject({ reachable: true, block: { id: desk.blockIds[0] } });
  });

  test("an unfollow blocks nobody", () => {
    const desk = deskIn.ACTIVE().event("unfollow");
    expect(desk.state).toMatchObject({ reachable: false, block: null, conversation: { status: "ACTIVE" } });
    expect(desk.reply(ada).result).toMatchObject({ type: "Accepted" });
  });

  test.each([
    ["unfollow, follow", [1, false], [2, true], true],
    ["follow after a later unfollow", [2, false], [1, true], false],
    ["both at the same time: the one recorded last counts", [1, false], [1, true], true],
  ] as const)("late events do not undo later ones: %s", (_, first, second, reachable) => {
    const desk = contactChannel().at(9);
    for (const [sentAt, follows] of [first, second]) desk.event(follows ? "follow" : "unfollow", { sentAt });
    expect(desk.state.reachable).toBe(reachable);
  });
});

describe("D7: a message that was leased but not written before the block is canceled", () => {
  test.each([
    ["while the block is in force", (desk: Desk) => desk],
    ["after it was lifted", (desk: Desk) => desk.unblock()],
    ["after it expired", (desk: Desk) => desk.wait(seconds(60))],
    ["after another one", (desk: Desk) => desk.unblock().block().unblock()],
  ])("settled %s", (_, then) => {
    const desk = then(
      deskIn
        .ACTIVE()
        .reply(ada, "hello")
        .lease()
        .block({ until: seconds(60) }),
    );
    expect(desk.settle("NOT_BEGUN").outbox).toEqual(["hello: CANCELED"]);
    expect(desk.state.pending).toEqual([]);
  });

  test("a message leased after the block goes back to the queue as usual", () => {
    const desk = deskIn.ACTIVE().block().unblock().start(ada, "hello again").lease().settle("NOT_BEGUN");
    expect(desk.outbox).toEqual(["hello again: QUEUED"]);
  });
});
