import { beforeAll, describe, expect, test } from "vitest";
import type { ChannelKind } from "../../src/domain/channel-kind.ts";
import { first, nodesOf } from "../support/answers.ts";
import { bootDesk, type Desk, GREETING, LINE_SECRET, rowId, type TestFlow } from "../support/app.ts";
import { addContactChannel, block, kinds, onLine, people, person, visitor } from "../support/people.ts";
import { cursorNow, eventsSince } from "../support/subscriber.ts";
import { contactIdOf, latest, look } from "../support/view.ts";

let desk: Desk;

beforeAll(async () => {
  desk = await bootDesk();
});

/** A channel with one flow, made by the API. */
async function newChannel(kind: ChannelKind, flow: TestFlow = greeting): Promise<string> {
  const line = kind === "LINE" ? { channelSecret: LINE_SECRET } : null;
  const { id: channelId } = (await desk.ada.createChannel({ kind, name: "Archived later", line })).channel;
  await desk.ada.createFlow({ channelId, name: "Flow", ...flow });
  return channelId;
}

const greeting: TestFlow = { kind: "AUTO_REPLY_FIRST_MESSAGE", definition: { text: GREETING } };

describe("an archived channel", () => {
  test("archiveChannel ends its conversations and cancels its queue, by the admin, and leaves other channels alone", async () => {
    const channel = await newChannel("LINE");
    const [waiting, taken, blocked] = people(desk, 3, { channel });
    const elsewhere = onLine(desk);
    if (waiting === undefined || taken === undefined || blocked === undefined) throw new Error("There are three.");
    for (const each of [waiting, taken, blocked, elsewhere]) await each.says("Hello");
    await desk.ben.sendMessage({ conversationId: await latest(desk, taken), text: "Hi" });
    await block(desk, blocked);
    const since = await cursorNow(desk);

    const { channel: archived, changed } = await desk.ada.archiveChannel({ channelId: channel });
    expect([changed, archived.archivedAt]).toEqual([true, new Date(desk.clock.now()).toISOString()]);

    for (const [someone, statusBeforeEnd, deliveries] of [
      [waiting, "WAITING", ["CANCELED"]],
      [taken, "ACTIVE", ["CANCELED", "CANCELED"]],
    ] as const) {
      const view = await look(desk, someone);
      expect(view.conversations).toMatchObject([
        { status: "ENDED", endReason: "CHANNEL_ARCHIVED", statusBeforeEnd, endedBy: { id: desk.ada.id } },
      ]);
      expect(view.deliveries).toEqual(deliveries);
    }
    expect((await look(desk, blocked)).statuses).toEqual(["BLOCKED"]);
    const there = await look(desk, elsewhere);
    expect([there.statuses, there.deliveries]).toEqual([["WAITING"], ["QUEUED"]]);
    expect(await eventsSince(desk, since, "conversationEnded")).toHaveLength(2);

    const again = await desk.ada.archiveChannel({ channelId: channel });
    expect([again.changed, again.channel.archivedAt]).toEqual([false, archived.archivedAt]);
  });

  test.each(kinds)("%s: goes on recording inbound, and starts nothing", async (kind) => {
    const channel = await newChannel(kind);
    const known = await person(desk, kind, { channel });
    await known.says("Hello");
    await desk.ada.archiveChannel({ channelId: channel });
    const stranger = await person(desk, kind, { channel });
    await known.says("Are you there?");
    await stranger.says("Hello?");
    expect((await look(desk, known)).timeline).toEqual([
      "1 contact: Hello",
      "1 bot: Welcome!",
      "1 contact: Are you there?",
    ]);
    const view = await look(desk, stranger);
    expect([view.timeline, view.conversations]).toEqual([["- contact: Hello?"], []]);
  });

  test("a redelivered event is still recorded once", async () => {
    const channel = await newChannel("LINE");
    const someone = onLine(desk, { channel });
    await someone.says("Hello", { eventId: "before" });
    await desk.ada.archiveChannel({ channelId: channel });
    await someone.says("Hello", { eventId: "before" });
    await someone.says("Again", { eventId: "after" });
    await someone.says("Again", { eventId: "after" });
    expect((await look(desk, someone)).timeline).toHaveLength(3);
  });

  test("nothing can be started or sent on it", async () => {
    const channel = await newChannel("LINE");
    const someone = onLine(desk, { channel });
    await someone.says("Hello");
    const conversationId = await latest(desk, someone);
    const contactId = await contactIdOf(desk, someone);
    await desk.ada.archiveChannel({ channelId: channel });
    const key = desk.as(await desk.key("messages:write"));
    for (const client of [desk.ada, key]) {
      expect(await client.attempt("startConversation", { contactId, channelId: channel, text: "Hi" })).toMatchObject({
        code: "INVALID_INPUT",
        fields: [{ path: "channelId" }],
      });
      expect(await client.attempt("sendMessage", { conversationId, text: "Hi" })).toMatchObject({
        code: "INVALID_TRANSITION",
        from: "ENDED",
      });
    }
    expect(await desk.ada.attempt("takeConversation", { conversationId })).toMatchObject({ from: "ENDED" });
  });

  test("it stays readable, and its contacts can still be blocked", async () => {
    const channel = await newChannel("LINE");
    const someone = onLine(desk, { channel });
    await someone.says("Hello");
    await desk.ada.archiveChannel({ channelId: channel });
    const { data } = await desk.vic.graphql<{ channels: { id: string; archivedAt: string | null }[] }>(
      "{ channels { id archivedAt } }",
    );
    expect(data.channels.find(({ id }) => id === channel)?.archivedAt).not.toBeNull();
    await block(desk, someone);
    await someone.says("Hello?");
    expect((await look(desk, someone)).timeline.at(-1)).toBe("1 contact: Hello? (blocked)");
  });

  test("a web chat page gets nothing more, and its visitor can still write", async () => {
    const channel = await newChannel("WEB_CHAT");
    const { person: someone, page } = await visitor(desk, { channel });
    await someone.says("Hello");
    await desk.ada.archiveChannel({ channelId: channel });
    expect((await page.say("Hello?", "after")).status).toBe(201);
    expect((await look(desk, someone)).deliveries).toEqual(["CANCELED"]);
  });

  test("a delayed step of a chatbot does not run", async () => {
    const steps = [
      { id: "one", text: "Still there?", delay: 10_000, next: "two" },
      { id: "two", text: "A colleague comes.", delay: 10_000 },
    ];
    const channel = await newChannel("LINE", { kind: "CHATBOT", definition: { steps } });
    const someone = onLine(desk, { channel });
    await someone.says("Hello");
    expect((await look(desk, someone)).statuses).toEqual(["BOT"]);
    await desk.ada.archiveChannel({ channelId: channel });
    desk.clock.advance(60_000);
    await desk.app.runDue();
    const view = await look(desk, someone);
    expect([view.statuses, view.timeline]).toEqual([["ENDED"], ["1 contact: Hello"]]);
  });

  test("a contact on two channels stays reachable on the other", async () => {
    const channel = await newChannel("LINE");
    const [here, there] = [onLine(desk, { channel }), onLine(desk)];
    await here.says("Hello");
    await addContactChannel(desk, here, there);
    await desk.ada.archiveChannel({ channelId: channel });
    const contactId = await contactIdOf(desk, here);
    const started = await desk.ada.startConversation({ contactId, channelId: desk.line, text: "Hi" });
    expect(started.conversation.status).toBe("ACTIVE");
  });
});

describe("completing an archive", () => {
  test("a job ends what a crash left open, by the admin who archived", async () => {
    const channel = await newChannel("LINE");
    const writers = people(desk, 3, { channel });
    for (const each of writers) await each.says("Hello");
    // The process died after the commit that marked the channel.
    const { prisma } = desk.app.database;
    await prisma.channel.update({
      where: { id: rowId(channel) },
      data: { archivedAt: new Date(desk.clock.now()), archivedByType: "Agent", archivedById: rowId(desk.ada.id) },
    });
    await desk.app.runDue();
    for (const each of writers) {
      expect((await look(desk, each)).conversations).toMatchObject([
        { status: "ENDED", endReason: "CHANNEL_ARCHIVED", endedBy: { id: desk.ada.id } },
      ]);
    }
  });

  test("it stops looking once nothing can be open any more", async () => {
    const channel = await newChannel("LINE");
    const someone = onLine(desk, { channel });
    await someone.says("Hello");
    await desk.ada.archiveChannel({ channelId: channel });
    const closedAt = async () =>
      (await desk.app.database.prisma.channel.findUniqueOrThrow({ where: { id: rowId(channel) } })).closedAt;
    await desk.app.runDue();
    expect(await closedAt()).toBeNull();
    desk.clock.advance(120_000);
    await desk.app.runDue();
    expect(await closedAt()).not.toBeNull();
  });

  test("messages that arrive while the channel is being archived leave nothing open", async () => {
    const channel = await newChannel("LINE");
    const writers = people(desk, 30, { channel });
    for (const each of writers.slice(0, 10)) await each.says("Hello");
    const [, , ...rest] = await Promise.all([
      desk.ada.archiveChannel({ channelId: channel }),
      desk.ada.archiveChannel({ channelId: channel }),
      ...writers.map((each) => each.says("Hello")),
    ]);
    expect(rest).toHaveLength(30);
    await desk.app.runDue();
    const { data } = await desk.ada.graphql<{
      conversations: { edges: { node: { status: string; endReason: string } }[] };
    }>(
      `query ($channelId: ID!) { conversations(first: 100, filter: { channelId: $channelId }) {
        edges { node { status endReason } } } }`,
      { channelId: channel },
    );
    const statuses = new Set(nodesOf(data.conversations).map(({ status, endReason }) => `${status} ${endReason}`));
    expect([...statuses]).toEqual(["ENDED CHANNEL_ARCHIVED"]);
    const pending = await desk.app.database.prisma.message.count({
      where: { channelId: rowId(channel), deliveryStatus: { in: ["QUEUED", "SENDING"] } },
    });
    expect(pending).toBe(0);
    const entries = await desk.app.database.prisma.auditLogEntry.findMany({
      where: { subjectId: rowId(channel), action: "CHANNEL_ARCHIVED" },
    });
    expect(first(entries)).toMatchObject({ action: "CHANNEL_ARCHIVED" });
    expect(entries).toHaveLength(1);
  });
});
