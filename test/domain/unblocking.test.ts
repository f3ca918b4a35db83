import { describe, expect, test } from "vitest";
import { ongoingStatuses } from "../../src/domain/conversation.ts";
import { ada, ben, seconds } from "./cast.ts";
import { greeting, guide, hours, prices } from "./flows.ts";
import { contactChannel, deskIn } from "./support.ts";

const menu = "What is it about?\n1. An offer\n2. I have time\n3. A human";

describe("U1: unblocking lifts the block and does nothing else", () => {
  test.each(ongoingStatuses)("the conversation that was %s stays BLOCKED", (status) => {
    const desk = deskIn[status]().block().inbound("hello?");
    const { conversations, messages } = desk;
    const before = [...conversations];
    const recorded = messages.length;
    desk.wait(500).unblock({ by: ben, notes: "sorry" });
    expect(desk.emitted).toMatchObject([
      { type: "BlockLifted", cause: "UNBLOCKED", actor: ben, liftedAt: 500, occurredAt: 500, liftNotes: "sorry" },
    ]);
    expect(desk.result).toMatchObject({ changed: true, blockId: desk.blockIds[0] });
    expect([desk.conversations, desk.messages.length]).toEqual([before, recorded]);
    expect(desk.runDue().emitted).toEqual([]);
  });
});

describe("U2: the first new message triggers the default flows, once", () => {
  test("an auto-reply, in a new conversation", () => {
    const desk = contactChannel({ flows: [greeting] })
      .inbound("hi")
      .block()
      .inbound("hello?")
      .unblock();
    desk.inbound("it is me").inbound("me again");
    expect(desk.timeline).toEqual([
      "#1 contact: hi",
      "#1 flow-greeting: Welcome!",
      "#1 contact: hello? *",
      "#2 contact: it is me",
      "#2 flow-greeting: Welcome!",
      "#2 contact: me again",
    ]);
    expect(desk.statuses).toEqual(["BLOCKED", "WAITING"]);
  });

  test("a chatbot, from its beginning: the old session never resumes", () => {
    const desk = contactChannel({ flows: [guide] })
      .inbound("hi")
      .inbound("1")
      .wait(seconds(5))
      .runDue();
    desk.block().unblock().inbound("yes");
    expect(desk.timeline.slice(-2)).toEqual(["#2 contact: yes", `#2 flow-guide: ${menu}`]);
    expect(desk.statuses).toEqual(["BLOCKED", "BOT"]);
  });

  test.each(["unblocked", "expired"])("also if the block %s", (how) => {
    const desk = contactChannel({ flows: [greeting] }).block({ until: 1_000 });
    (how === "expired" ? desk.at(1_000) : desk.at(500).unblock()).inbound("it is me");
    expect(desk.outbox).toEqual(["Welcome!: QUEUED"]);
  });

  test("messages that the contact sent while blocked are not answered then", () => {
    const desk = contactChannel({ flows: [prices] })
      .block()
      .inbound("price?")
      .unblock()
      .inbound("hi");
    expect(desk.outbox).toEqual([]);
  });

  test("a message that joins an agent's conversation triggers nothing, and counts as the first", () => {
    const desk = contactChannel({ flows: [greeting, prices] })
      .block()
      .unblock()
      .start(ada)
      .transfer(null);
    expect(desk.inbound("what is the price?").emittedTypes).toEqual(["MessageRecorded"]);
    expect(desk.inbound("the price, please").emittedTypes).toEqual(["MessageRecorded", "MessageRecorded"]);
    expect(desk.statuses).toEqual(["WAITING"]);
  });

  test("if the agent's conversation has ended by then, it is a first message like any other", () => {
    const desk = contactChannel({ flows: [greeting] })
      .block()
      .unblock()
      .start(ada)
      .end(ada)
      .inbound("hi");
    expect(desk.timeline.slice(-2)).toEqual(["#2 contact: hi", "#2 flow-greeting: Welcome!"]);
  });
});

describe("U3: other events between the unblock and the first message", () => {
  test.each(["follow", "postback", "order.paid"])(
    "%s: recorded in the most recent conversation, triggers nothing",
    (event) => {
      const desk = contactChannel({ flows: [guide] })
        .inbound("hi")
        .block()
        .unblock();
      desk.event(event, { payload: { data: "1" } });
      expect(desk.timeline.at(-1)).toBe(`#1 contact: [${event}]`);
      expect(desk.emittedOf("ConversationChanged")).toEqual([]);
      expect(desk.emittedOf("MessageRecorded")).toHaveLength(1);
      expect(desk.inbound("hi").statuses).toEqual(["BLOCKED", "BOT"]);
    },
  );

  test("do not count as the first message", () => {
    const desk = contactChannel({ flows: [prices] })
      .block()
      .unblock()
      .start(ada)
      .transfer(null)
      .event("follow");
    expect(desk.inbound("price?").emittedTypes).toEqual(["MessageRecorded"]);
  });
});

describe("U4: messages sent before the end of the latest block that arrive later", () => {
  // Blocked from 100 to 200 and from 300 to 400; conversation #1 was the most recent one during the second block.
  const blockedTwice = () =>
    contactChannel({ flows: [greeting] })
      .inbound("hi")
      .at(100)
      .block()
      .at(200)
      .unblock()
      .at(300)
      .block()
      .at(400)
      .unblock();

  test.each([
    // Sent at, recorded in, while blocked, counted.
    [50, "#1", false, [0, 0]],
    [99, "#1", false, [0, 0]],
    [100, "#1", true, [1, 0]],
    [199, "#1", true, [1, 0]],
    [200, "#1", false, [0, 0]],
    [299, "#1", false, [0, 0]],
    [300, "#1", true, [0, 1]],
    [399, "#1", true, [0, 1]],
    [400, "#2", false, [0, 0]],
    [401, "#2", false, [0, 0]],
    [999, "#2", false, [0, 0]],
  ])("sent at %i: recorded in %s, while blocked: %j, counted: %j", (sentAt, where, whileBlocked, counted) => {
    const desk = blockedTwice().at(500).inbound("it is me", { sentAt });
    const line = `${where} contact: it is me${whileBlocked ? " *" : ""}`;
    const isNew = where === "#2";
    expect(desk.timeline.slice(2)).toEqual(isNew ? [line, "#2 flow-greeting: Welcome!"] : [line]);
    expect(desk.suppressed).toEqual(counted);
    expect(desk.state.awaitingFirstMessage).toBe(!isNew);
  });

  test("are not the first new message, which still triggers", () => {
    const desk = blockedTwice().at(500).inbound("late", { sentAt: 350 }).inbound("new", { sentAt: 450 });
    expect(desk.timeline.slice(2)).toEqual(["#1 contact: late *", "#2 contact: new", "#2 flow-greeting: Welcome!"]);
  });

  test("go to the old conversation even if a new one is ongoing, which does not change", () => {
    const desk = blockedTwice().at(500).inbound("new").at(600).inbound("late", { sentAt: 350 });
    expect(desk.timeline.at(-1)).toBe("#1 contact: late *");
    expect(desk.emittedOf("MessageRecorded")).toMatchObject([{ activity: false }]);
    expect(desk.state.conversation?.lastActivityAt).toBe(500);
  });

  test("stay outside of conversations if there was none during the block", () => {
    const desk = contactChannel().at(100).block().at(200).unblock().start(ada).inbound("late", { sentAt: 150 });
    expect(desk.timeline.at(-1)).toBe("- contact: late *");
  });

  test("are addressed to the agent who had the old conversation", () => {
    const desk = deskIn.ACTIVE().block().at(100).unblock().start(ben).inbound("late", { sentAt: 50 });
    expect(desk.emittedOf("MessageRecorded")).toMatchObject([{ agents: ["ada"] }]);
  });

  test("are neither answers to a chatbot nor keywords", () => {
    const desk = contactChannel({ flows: [guide] })
      .at(100)
      .block()
      .at(200)
      .unblock()
      .inbound("hi");
    expect(desk.inbound("1", { sentAt: 150 }).emittedTypes).toEqual(["MessageRecorded"]);
    expect(desk.event("postback", { payload: { data: "offer" }, sentAt: 150 }).emittedTypes).toEqual([
      "MessageRecorded",
    ]);
    const waiting = contactChannel({ flows: [hours] })
      .at(100)
      .block()
      .at(200)
      .unblock()
      .inbound("hi");
    expect(waiting.inbound("open?", { sentAt: 150 }).emittedTypes).toEqual(["MessageRecorded"]);
  });

  test("U7: while a block is in force, every message is received while blocked and counts for it", () => {
    const desk = blockedTwice().at(500).block().at(600);
    for (const sentAt of [50, 150, 250, 350, 450, 550]) desk.inbound("?", { sentAt });
    expect(desk.timeline.slice(2)).toEqual(Array(6).fill("#1 contact: ? *"));
    expect(desk.suppressed).toEqual([0, 0, 6]);
  });

  test("an expired block ends at its expiry, not when that is recorded", () => {
    const desk = contactChannel().inbound("hi").at(100).block({ until: 200 });
    expect(desk.at(900).inbound("late", { sentAt: 199 }).inbound("new", { sentAt: 200 }).timeline).toEqual([
      "#1 contact: hi",
      "#1 contact: late *",
      "#2 contact: new",
    ]);
  });

  test("without a signed source, messages count as sent on arrival", () => {
    const desk = contactChannel().at(100).block().at(200).unblock().inbound("new");
    expect(desk.lastMessage).toMatchObject({ sentAt: 200, receivedWhileBlocked: false });
  });
});

describe("U5", () => {
  test("unblocking a contact who is not blocked: no change, no event", () => {
    const desk = deskIn.ACTIVE().unblock();
    expect(desk.result).toMatchObject({ type: "Accepted", changed: false, blockId: null });
    expect(desk.emitted).toEqual([]);
  });

  test("unblocking after an expiry: only the expiry is recorded", () => {
    const desk = contactChannel().block({ until: 1_000 }).at(1_000).unblock();
    expect(desk.result).toMatchObject({ changed: false });
    expect(desk.emitted).toMatchObject([{ type: "BlockLifted", cause: "EXPIRED" }]);
  });

  test("block, unblock, block before any message: nothing is triggered", () => {
    const desk = contactChannel({ flows: [greeting] })
      .block()
      .unblock()
      .block()
      .inbound("hello?")
      .unblock();
    expect(desk.timeline).toEqual(["- contact: hello? *"]);
  });
});

test("U6: after unblocking, an agent can start a conversation", () => {
  const desk = deskIn.ACTIVE().block().unblock().start(ben, "Let us begin again");
  expect(desk.result).toMatchObject({ type: "Accepted", changed: true, conversationId: desk.conversation.id });
  expect(desk.statuses).toEqual(["BLOCKED", "ACTIVE"]);
  expect(desk.conversation.assigneeId).toBe("ben");
  expect(desk.outbox).toEqual(["Let us begin again: QUEUED"]);
});
