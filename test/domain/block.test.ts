import { describe, expect, test } from "vitest";
import { dueAt } from "../../src/domain/contact-channel.ts";
import { ongoingStatuses, terminalStatuses } from "../../src/domain/conversation.ts";
import { holds } from "../../src/domain/episode.ts";
import { MAX_NOTES, textError, trimNotes } from "../../src/domain/text.ts";
import { ada, ben, partner, seconds, system } from "./cast.ts";
import { greeting, guide } from "./flows.ts";
import { contactChannel, deskIn } from "./support.ts";

test("B1: the same person's ContactChannel on another channel does not change", () => {
  const line = contactChannel({ flows: [greeting] }).inbound("hi on LINE");
  const web = contactChannel({ flows: [greeting] }).inbound("hi on the web");
  line.block();
  expect(line.statuses).toEqual(["BLOCKED"]);
  expect(web.reply(ada).result).toMatchObject({ type: "Accepted" });
  expect(web.statuses).toEqual(["ACTIVE"]);
});

test("B2: of several ContactChannels, those not yet blocked are blocked; the others do not change", () => {
  const contactChannels = [contactChannel(), contactChannel().inbound("hi"), contactChannel().inbound("hi").block()];
  expect(contactChannels.map((desk) => desk.block().result)).toMatchObject([
    { changed: true },
    { changed: true },
    { changed: false },
  ]);
  expect(contactChannels.map((desk) => desk.blockIds.length)).toEqual([1, 1, 1]);
});

describe("B3: blocking ends the ongoing conversation in the same decision", () => {
  test.each(ongoingStatuses)("%s becomes BLOCKED, and keeps statusBeforeEnd", (status) => {
    const desk = deskIn[status]().at(500).block({ by: partner });
    const { assigneeId } = deskIn[status]().conversation;
    expect(desk.conversation).toMatchObject({
      status: "BLOCKED",
      endReason: "BLOCKED",
      endedAt: 500,
      endedBy: partner,
      statusBeforeEnd: status,
      endedByBlockId: desk.blockIds[0],
      assigneeId,
    });
    expect(desk.state).toMatchObject({ conversation: null, block: { id: desk.blockIds[0], blockedAt: 500 } });
    expect(desk.result).toMatchObject({ changed: true, conversationId: desk.conversation.id });
  });

  test.each(terminalStatuses)("%s does not change", (status) => {
    const desk = deskIn[status]().unblock();
    const before = desk.conversation;
    desk.wait(500).block({ by: partner });
    expect(desk.emittedTypes).toEqual(["ContactBlocked"]);
    expect(desk.conversation).toBe(before);
  });

  test("the event has the agent who had the conversation, and the one who was offered it", () => {
    expect(deskIn.ACTIVE().block().emittedOf("ConversationChanged")).toMatchObject([
      { from: "ACTIVE", agents: ["ada"] },
    ]);
    expect(deskIn.ASSIGNING().block().emittedOf("ConversationChanged")).toMatchObject([
      { from: "ASSIGNING", agents: ["ben"] },
    ]);
  });
});

describe("B4: blocking cancels everything that is pending", () => {
  test("the chatbot's session", () => {
    const desk = contactChannel({ flows: [guide] })
      .inbound("hi")
      .block();
    expect(desk.emittedTypes).toEqual([
      "ContactBlocked",
      "DeliveryChanged",
      "BotSessionChanged",
      "ConversationChanged",
    ]);
    expect(desk.state.botSession).toBeNull();
  });

  test("its delayed step: it is not sent during the block or after", () => {
    const desk = contactChannel({ flows: [guide] })
      .inbound("hi")
      .inbound("I have time")
      .block();
    expect(dueAt(desk.state)).toBeNull();
    expect(desk.wait(seconds(30)).runDue().emitted).toEqual([]);
    expect(desk.unblock().runDue().emitted).toEqual([]);
  });

  test("an offer: it can neither be accepted nor lapse", () => {
    const desk = deskIn.ASSIGNING().block();
    expect(desk.conversation).toMatchObject({ offeredTo: null, offerExpiresAt: null });
    expect(desk.accept(ben).result).toMatchObject({ type: "ContactBlocked" });
    expect(desk.wait(seconds(60)).runDue().emitted).toEqual([]);
  });

  test("QUEUED messages, but not those that are being sent or were sent", () => {
    const desk = deskIn.ACTIVE().reply(ada, "one").lease().settle("SENT").reply(ada, "two").lease().reply(ada, "three");
    desk.block();
    expect(desk.outbox).toEqual(["one: SENT", "two: SENDING", "three: CANCELED"]);
    expect(desk.settle("SENT").outbox).toEqual(["one: SENT", "two: SENT", "three: CANCELED"]);
  });

  test("no lease is granted while blocked, nor afterwards for canceled messages", () => {
    const desk = deskIn.ACTIVE().reply(ada, "late").block();
    expect(desk.lease().result).toEqual({ type: "ContactBlocked", blockId: desk.blockIds[0] });
    expect(desk.unblock().lease().result).toMatchObject({ type: "Accepted", changed: false });
    expect(desk.outbox).toEqual(["late: CANCELED"]);
  });

  test("a lease is granted once, and released if the call was not started", () => {
    const desk = deskIn.ACTIVE().reply(ada, "hello");
    expect(desk.lease().result).toMatchObject({ changed: true });
    expect(desk.lease().result).toMatchObject({ changed: false });
    expect(desk.settle("NOT_BEGUN").outbox).toEqual(["hello: QUEUED"]);
    expect(desk.lease().settle("SENT").outbox).toEqual(["hello: SENT"]);
    expect(desk.settle("SENT").result).toMatchObject({ changed: false });
    expect(desk.state.pending).toEqual([]);
  });
});

describe("B5: notes", () => {
  test.each([
    ["  rude \n", "rude"],
    ["two\nlines", "two\nlines"],
    [" \t\n", null],
    ["", null],
    [null, null],
    [undefined, null],
  ])("%j is stored as %j", (given, kept) => {
    expect(trimNotes(given)).toBe(kept);
  });

  test.each([
    ["2,000 characters", "x".repeat(2_000), null],
    ["2,001 characters", "x".repeat(2_001), "Must be at most 2,000 characters long."],
    ["2,000 emoji, of two code units each", "🙂".repeat(2_000), null],
    ["2,001 emoji", "🙂".repeat(2_001), "Must be at most 2,000 characters long."],
    ["any text", "'; DROP TABLE block; --\n<b>اردو</b>", null],
  ])("%s", (_, notes, message) => {
    expect(textError(notes, MAX_NOTES)).toBe(message);
  });

  test("are stored with the block, and are optional", () => {
    expect(contactChannel().block({ notes: "spam" }).state.block).toMatchObject({ notes: "spam", blockedBy: ada });
    expect(contactChannel().block().state.block).toMatchObject({ notes: null });
  });
});

describe("B6: one block at a time", () => {
  test("blocking a blocked contact changes nothing, emits nothing, and returns the block in force", () => {
    const desk = contactChannel().inbound("hi").block({ by: ada, notes: "spam" });
    const before = desk.state;
    desk.wait(1).block({ by: ben, notes: "rude", until: seconds(60) });
    expect(desk.result).toMatchObject({ type: "Accepted", changed: false, blockId: desk.blockIds[0] });
    expect(desk.emitted).toEqual([]);
    expect(desk.state).toEqual({ ...before, clock: 1 });
  });

  test("notes and expiry change through updateBlock: absent fields stay, null clears them", () => {
    const desk = contactChannel().block({ notes: "spam" }).updateBlock({ expiresAt: 900 });
    expect(desk.emittedTypes).toEqual(["BlockUpdated"]);
    expect(desk.state.block).toMatchObject({ notes: "spam", expiresAt: 900 });
    expect(desk.updateBlock({ notes: "rude" }).state.block).toMatchObject({ notes: "rude", expiresAt: 900 });
    expect(desk.updateBlock({ notes: null, expiresAt: null }).state.block).toMatchObject({
      notes: null,
      expiresAt: null,
    });
  });

  test("an update to the current values changes nothing", () => {
    const desk = contactChannel().block({ notes: "spam", until: 900 }).updateBlock({ notes: "spam", expiresAt: 900 });
    expect(desk.result).toMatchObject({ type: "Accepted", changed: false, blockId: desk.blockIds[0] });
    expect(desk.emitted).toEqual([]);
  });

  test("only the block in force can be updated", () => {
    const desk = contactChannel().block().unblock().block();
    expect(desk.updateBlock({ block: 1, notes: "rude" }).result).toMatchObject({
      type: "InvalidInput",
      fields: [{ path: "blockId" }],
    });
    expect(desk.unblock().updateBlock({ block: 2, notes: "rude" }).result).toMatchObject({ type: "InvalidInput" });
  });
});

test("B7: a ContactChannel is BLOCKED from the start to the end of its block, regardless of its conversation", () => {
  const desk = contactChannel();
  const isBlocked = () => desk.state.block !== null && holds(desk.state.block, desk.now);
  expect(isBlocked()).toBe(false);
  desk.block({ until: 500 });
  expect(isBlocked()).toBe(true);
  desk.at(499);
  expect(isBlocked()).toBe(true);
  desk.at(500);
  expect(isBlocked()).toBe(false);
});

describe("B8: a block with an expiry", () => {
  test.each([
    [999, { type: "ContactBlocked" }, []],
    [1_000, { type: "Accepted", changed: true }, ["BlockLifted", "ConversationChanged", "MessageRecorded"]],
    [1_001, { type: "Accepted", changed: true }, ["BlockLifted", "ConversationChanged", "MessageRecorded"]],
  ])("a block until 1000 and a start at %i: %o", (now, answer, events) => {
    const desk = contactChannel().block({ until: 1_000 }).at(now).start(ada);
    expect(desk.result).toMatchObject(answer);
    expect(desk.emittedTypes).toEqual(events);
  });

  test("is recorded as ended at its expiry, by System, however late it is found, and once", () => {
    const desk = contactChannel().block({ until: 1_000 }).at(seconds(3600)).runDue();
    expect(desk.emitted).toMatchObject([
      { type: "BlockLifted", cause: "EXPIRED", actor: system, occurredAt: 1_000, liftedAt: 1_000, liftNotes: null },
    ]);
    expect(desk.result).toMatchObject({ changed: false });
    expect(desk.runDue().emitted).toEqual([]);
  });

  test("is also recorded as ended by a refused command, and by a repeated event", () => {
    const refused = deskIn.ACTIVE().block({ until: 1_000 }).at(1_000).reply(ada);
    expect(refused.result).toEqual({ type: "InvalidTransition", from: "BLOCKED", to: "ACTIVE" });
    expect(refused.emittedTypes).toEqual(["BlockLifted"]);
    const repeated = contactChannel().inbound("hi", { eventId: "e" }).block({ until: 1_000 }).at(1_000);
    expect(repeated.inbound("hi", { eventId: "e" }).emittedTypes).toEqual(["BlockLifted"]);
  });

  test("reports when it is due, so that the job can record its expiry without a command", () => {
    const desk = contactChannel().block({ until: 1_000 });
    expect(dueAt(desk.state)).toBe(1_000);
    expect(dueAt(desk.updateBlock({ expiresAt: 2_000 }).state)).toBe(2_000);
    expect(dueAt(desk.at(2_000).runDue().state)).toBeNull();
  });

  test("is followed by a new block after its expiry", () => {
    const desk = contactChannel().block({ until: 1_000 }).at(1_000).block({ by: ben });
    expect(desk.emittedTypes).toEqual(["BlockLifted", "ContactBlocked"]);
    expect(desk.result).toMatchObject({ changed: true, blockId: desk.blockIds[1] });
  });

  test.each([-1, 0])("cannot expire %i ms from now, neither on blocking nor on updating", (ms) => {
    const desk = contactChannel().at(5_000);
    const inThePast = { type: "InvalidInput", fields: [{ path: "expiresAt", message: "Must be in the future." }] };
    expect(desk.block({ until: 5_000 + ms }).result).toEqual(inThePast);
    expect(desk.block().updateBlock({ expiresAt: 5_000 + ms }).result).toEqual(inThePast);
    expect(desk.emitted).toEqual([]);
  });
});
