import { beforeAll, describe, expect, test } from "vitest";
import { GREETING } from "../support/app.ts";
import { inMs } from "../support/clock.ts";
import { block, kinds, onLine, person, unblock } from "../support/people.ts";
import { cursorNow, eventsSince } from "../support/subscriber.ts";
import { contactIdOf, history, look } from "../support/view.ts";
import { type AutomatedDesk, bootAutomatedDesk } from "./situations.ts";

let desk: AutomatedDesk;
beforeAll(async () => {
  desk = await bootAutomatedDesk();
});

const withTimes = ["LINE", "CUSTOM"] as const;

describe("U1: unblocking lifts the block and does nothing else", () => {
  test.each(kinds)("%s", async (kind) => {
    const someone = await person(desk, kind);
    await someone.says("Hello");
    await block(desk, someone, { notes: "spam" });
    await someone.says("Let me in");
    const before = await look(desk, someone);
    const since = await cursorNow(desk);
    desk.clock.advance(1_000);
    const answer = await desk.ada.unblockContact({ contactId: before.contactId, notes: " sorry " });
    await desk.app.runDue();

    expect([answer.changed, answer.contact.status, answer.blocks[0]?.id]).toEqual([
      true,
      "ACTIVE",
      before.activeBlock?.id,
    ]);
    const after = await look(desk, someone);
    expect([after.here, after.activeBlock]).toEqual(["ACTIVE", null]);
    expect([after.conversations, after.timeline, after.deliveries, after.lastActivityAt]).toEqual([
      before.conversations,
      before.timeline,
      before.deliveries,
      before.lastActivityAt,
    ]);
    const received = await eventsSince(desk, since, "contactStatusChanged");
    expect(received.map(({ cause, status, actor }) => [cause, status, actor.id])).toEqual([
      ["UNBLOCKED", "ACTIVE", desk.ada.id],
    ]);
    expect(await eventsSince(desk, since, "messageRecorded")).toEqual([]);
    expect(await eventsSince(desk, since, "conversationChanged")).toEqual([]);
  });

  test("the history shows the actor, time and notes of the unblock", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    const { id } = await block(desk, someone, { notes: "spam" });
    desk.clock.advance(1_000);
    const contactId = await contactIdOf(desk, someone);
    const lifted = { liftedAt: inMs(desk, 0), liftedBy: { id: desk.ben.id }, liftNotes: "it was a test" };
    const shown = "blocks { liftedAt liftedBy { ... on Agent { id } } liftNotes }";
    const answer = await desk.ben.attempt("unblockContact", { contactId, notes: " it was a test " }, shown);
    expect(answer.blocks).toEqual([lifted]);
    const { data } = await desk.ada.graphql(
      `query ($id: ID!) { node(id: $id) { ... on Block {
        notes blockedAt blockedBy { ... on Agent { id } } liftedAt liftedBy { ... on Agent { id } } liftNotes
      } } }`,
      { id },
    );
    expect(data).toEqual({
      node: {
        notes: "spam",
        blockedAt: inMs(desk, -1_000),
        blockedBy: { id: desk.ada.id },
        ...lifted,
      },
    });
  });
});

describe("U4: a message sent before the end of the block is not new", () => {
  test.each(withTimes)(
    "%s: a late message is recorded in the blocked conversation, and is not the first new one",
    async (kind) => {
      const someone = await person(desk, kind);
      const before = desk.clock.now();
      desk.clock.advance(1_000);
      await someone.says("Hello");
      desk.clock.advance(1_000);
      await block(desk, someone);
      const during = desk.clock.now();
      desk.clock.advance(1_000);
      await unblock(desk, someone);
      const end = desk.clock.now();
      desk.clock.advance(1_000);

      await someone.says("Sent before", { sentAt: before });
      await someone.says("Sent at the block", { sentAt: during });
      await someone.says("Sent in the last millisecond", { sentAt: end - 1 });
      expect((await look(desk, someone)).statuses).toEqual(["BLOCKED"]);
      await someone.says("Sent at the end", { sentAt: end });
      await someone.says("Later still", { sentAt: during });

      const { timeline, statuses } = await look(desk, someone);
      const blocks = await history(desk, someone);
      expect(timeline.slice(2)).toEqual([
        "1 contact: Sent before",
        "1 contact: Sent at the block (blocked)",
        "1 contact: Sent in the last millisecond (blocked)",
        "2 contact: Sent at the end",
        `2 bot: ${GREETING}`,
        "1 contact: Later still (blocked)",
      ]);
      expect(statuses).toEqual(["BLOCKED", "WAITING"]);
      expect(blocks.map((each) => each.suppressedMessageCount)).toEqual([3]);
    },
  );

  test("a LINE redelivery with its old time stays suppressed, and is recorded once", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    await block(desk, someone);
    const sentAt = desk.clock.now();
    await someone.says("While blocked", { eventId: "e-1", sentAt });
    desk.clock.advance(60_000);
    await unblock(desk, someone);
    await someone.says("While blocked", { eventId: "e-1", sentAt });
    await someone.says("Also then", { eventId: "e-2", sentAt });
    const { timeline, statuses } = await look(desk, someone);
    expect(timeline.slice(2)).toEqual(["1 contact: While blocked (blocked)", "1 contact: Also then (blocked)"]);
    expect(statuses).toEqual(["BLOCKED"]);
  });

  test.each(withTimes)(
    "%s: several blocks each count their own messages, and late ones are recorded in the latest conversation",
    async (kind) => {
      const someone = await person(desk, kind);
      const times: number[] = [];
      for (let episode = 0; episode < 3; episode++) {
        await someone.says("Hello");
        desk.clock.advance(1_000);
        await block(desk, someone);
        times.push(desk.clock.now());
        desk.clock.advance(1_000);
        await unblock(desk, someone);
        times.push(desk.clock.now());
        desk.clock.advance(1_000);
      }
      const [during1, between1, during2, , during3] = times;
      for (const [text, sentAt] of Object.entries({ during1, between1, during2, during3 })) {
        await someone.says(text, { sentAt: sentAt ?? 0 });
      }
      const { timeline, statuses } = await look(desk, someone);
      const blocks = await history(desk, someone);
      expect(timeline.slice(-4)).toEqual([
        "3 contact: during1 (blocked)",
        "3 contact: between1",
        "3 contact: during2 (blocked)",
        "3 contact: during3 (blocked)",
      ]);
      expect(statuses).toEqual(["BLOCKED", "BLOCKED", "BLOCKED"]);
      expect(blocks.map((each) => each.suppressedMessageCount)).toEqual([1, 1, 1]);
    },
  );

  test("an expired block ends at expiresAt, however late the expiry is recorded", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    const end = desk.clock.now() + 1_000;
    await block(desk, someone, { expiresAt: new Date(end).toISOString() });
    desk.clock.advance(5_000);
    await someone.says("Too early", { sentAt: end - 1 });
    await someone.says("New", { sentAt: end });
    expect((await look(desk, someone)).timeline.slice(2)).toEqual([
      "1 contact: Too early (blocked)",
      "2 contact: New",
      `2 bot: ${GREETING}`,
    ]);
  });

  test("a time in the future is ignored: the time of arrival counts", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    await block(desk, someone);
    await someone.says("From tomorrow", { sentAt: desk.clock.now() + 86_400_000 });
    desk.clock.advance(1_000);
    await unblock(desk, someone);
    await someone.says("From tomorrow too", { sentAt: desk.clock.now() + 86_400_000 });
    expect((await look(desk, someone)).timeline.slice(2)).toEqual([
      "1 contact: From tomorrow (blocked)",
      "2 contact: From tomorrow too",
      `2 bot: ${GREETING}`,
    ]);
  });
});

describe("U5: idempotent", () => {
  test("unblocking a contact who is not blocked: changed is false, no event", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    const contactId = await contactIdOf(desk, someone);
    const since = await cursorNow(desk);
    const answer = await desk.ada.unblockContact({ contactId, notes: "for nothing" });
    expect([answer.changed, answer.blocks, answer.contact.status]).toEqual([false, [], "ACTIVE"]);
    expect(await eventsSince(desk, since, "contactStatusChanged")).toEqual([]);
  });

  test("two agents at once: one lifts the block", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    await block(desk, someone);
    const contactId = await contactIdOf(desk, someone);
    const since = await cursorNow(desk);
    const answers = await Promise.all([desk.ada, desk.ben].map((agent) => agent.unblockContact({ contactId })));
    expect(answers.map(({ changed }) => changed).toSorted()).toEqual([false, true]);
    expect(await eventsSince(desk, since, "contactStatusChanged")).toHaveLength(1);
  });

  test.each(kinds)("%s: block, unblock, block before any message: nothing is triggered", async (kind) => {
    const someone = await person(desk, kind);
    await someone.says("Hello");
    await block(desk, someone);
    desk.clock.advance(1_000);
    await unblock(desk, someone);
    await block(desk, someone);
    await someone.says("Hello?");
    const { timeline, statuses } = await look(desk, someone);
    const blocks = await history(desk, someone);
    expect(timeline.slice(2)).toEqual(["1 contact: Hello? (blocked)"]);
    expect(statuses).toEqual(["BLOCKED"]);
    expect(blocks.map(({ suppressedMessageCount }) => suppressedMessageCount)).toEqual([1, 0]);
  });
});
