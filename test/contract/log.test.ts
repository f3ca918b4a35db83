import { beforeAll, describe, expect, test } from "vitest";
import { first, nodesOf, textAt } from "../support/answers.ts";
import { bootDesk, type Desk, rowId } from "../support/app.ts";
import { documentOf } from "../support/client.ts";
import { subscribeOverSse } from "../support/graphql-subscription.ts";
import { block, type Person, people, unblock } from "../support/people.ts";
import {
  cursorNow,
  eventsSince,
  type Listener,
  listen,
  type ReceivedEvent,
  type Subscription,
  subscriptions,
} from "../support/subscriber.ts";
import { contactIdOf, latest, look } from "../support/view.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await bootDesk();
});

/** Many contacts write, are answered, blocked and unblocked concurrently. */
async function burst(contacts: readonly Person[]): Promise<void> {
  await Promise.all(
    contacts.map(async (someone, n) => {
      await someone.says("Hello");
      await desk.ada.sendMessage({ conversationId: await latest(desk, someone), text: "Hi" });
      if (n % 2) await block(desk, someone);
      await Promise.all([someone.says("One"), someone.says("Two"), someone.does("unfollow")]);
      if (n % 4 === 1) await unblock(desk, someone);
      await someone.says("Bye");
    }),
  );
}

describe("O2: nothing committed is ever missed", () => {
  test("32 subscribers that start at different times get every event after their cursor once, in one order", async () => {
    const since = await cursorNow(desk);
    const open = () =>
      subscriptions.flatMap((subscription) =>
        [desk.ada, desk.ben].map((agent) => ({
          subscription,
          listener: listen(desk, subscription, { after: since, token: agent.token }),
        })),
      );
    const listeners: { subscription: Subscription; listener: Listener }[] = open();
    const contacts = people(desk, 12);
    const writing = burst(contacts);
    listeners.push(...open());
    await contacts[0]?.says("Open again");
    listeners.push(...open());
    await writing;
    listeners.push(...open());

    const delivered = new Map<Subscription, ReceivedEvent[]>();
    for (const subscription of subscriptions) delivered.set(subscription, await eventsSince(desk, since, subscription));
    expect(delivered.get("messageRecorded")?.length).toBeGreaterThan(12 * 7);
    for (const { subscription, listener } of listeners) {
      const wanted = delivered.get(subscription) ?? [];
      const received = await listener.take(wanted.length);
      expect([subscription, received.map(({ id }) => id)]).toEqual([subscription, wanted.map(({ id }) => id)]);
      await listener.close();
    }
    const ids = [...delivered.values()].flatMap((received) => received.map(({ id }) => id));
    // The end of a conversation is delivered both as an end and as a change.
    const ends = delivered.get("conversationEnded")?.length ?? 0;
    expect(new Set(ids.map(rowId)).size).toBe(ids.length - ends);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("entries of one ContactChannel are delivered in the order of its timeline", async () => {
    const since = await cursorNow(desk);
    const contacts = people(desk, 4);
    await burst(contacts);
    const received = await eventsSince(desk, since, "messageRecorded");
    for (const someone of contacts) {
      const { contactChannelId } = await look(desk, someone);
      const recorded = await desk.app.database.prisma.message.findMany({
        where: { contactChannelId: rowId(contactChannelId) },
        orderBy: { seq: "asc" },
      });
      const delivered = received.filter(({ message }) => message?.contactChannel.externalId === someone.externalId);
      expect(delivered.map(({ message }) => rowId(message?.id ?? ""))).toEqual(recorded.map(({ id }) => id));
    }
  });

  test("positions have no gap, and commit order is their order", async () => {
    await burst(people(desk, 6));
    const events = await desk.app.database.prisma.event.findMany({
      where: { workspaceId: rowId(desk.id) },
      orderBy: { position: "asc" },
      select: { position: true },
    });
    expect(events.map(({ position }) => Number(position))).toEqual(events.map((_, n) => n + 1));
  });

  test("any event's own cursor resumes right after it", async () => {
    const since = await cursorNow(desk);
    await burst(people(desk, 3));
    const all = await eventsSince(desk, since, "messageRecorded");
    for (const at of [0, 7, all.length - 1]) {
      const rest = await eventsSince(desk, all[at]?.cursor ?? "", "messageRecorded");
      expect(rest.map(({ id }) => id)).toEqual(all.slice(at + 1).map(({ id }) => id));
    }
  });

  test("a list and the cursor read with it are consistent: entries missing in the list come after the cursor", async () => {
    const someone = first(people(desk, 1));
    await someone.says("Hello");
    const contactId = await contactIdOf(desk, someone);
    const query = `query ($contactId: ID!) {
      contact(id: $contactId) { channels { messages(first: 100) { edges { node { id } } } } }
      logCursor
    }`;
    interface Snapshot {
      logCursor: string;
      contact: { channels: { messages: { edges: { node: { id: string } }[] } }[] };
    }
    const read = async () => (await desk.ada.graphql<Snapshot>(query, { contactId })).data;
    const spoken = Promise.all(Array.from({ length: 60 }, (_, n) => someone.says(`${n}`)));
    const snapshots = await Promise.all(Array.from({ length: 12 }, read));
    await spoken;
    const all = nodesOf(first((await read()).contact.channels).messages).map(({ id }) => id);
    for (const { logCursor, contact } of snapshots) {
      const listed = nodesOf(first(contact.channels).messages).map(({ id }) => id);
      const received = await eventsSince(desk, logCursor, "messageRecorded");
      expect([...listed, ...received.map(({ message }) => message?.id)]).toEqual(all);
    }
  });

  test("SSE delivers the same as WebSocket", async () => {
    const after = await cursorNow(desk);
    await burst(people(desk, 2));
    const wanted = await eventsSince(desk, after, "messageRecorded");
    const query = "subscription ($after: Cursor) { messageRecorded(after: $after) { id } }";
    const stream = await subscribeOverSse(desk, query, { after }, desk.vic.token);
    const received: string[] = [];
    while (received.length < wanted.length) received.push(textAt((await stream.next()).data, "messageRecorded.id"));
    await stream.end();
    expect(received).toEqual(wanted.map(({ id }) => id));
  });
});

describe("cursors", () => {
  test("a cursor older than the retained log is CURSOR_EXPIRED", async () => {
    const workspace = await desk.workspace();
    const { token } = workspace.ada;
    const start = await cursorNow(desk, token);
    const [someone] = people(desk, 1, { workspace });
    await someone?.says("Hello");
    const after = await cursorNow(desk, token);
    await desk.app.database.prisma.logHead.update({
      where: { workspaceId: rowId(workspace.id) },
      data: { prunedTo: 1 },
    });
    const expired = listen(desk, "messageRecorded", { after: start, token });
    expect(await expired.errorCode()).toBe("CURSOR_EXPIRED");
    const current = listen(desk, "messageRecorded", { after, token });
    await someone?.says("Still here");
    expect((await current.next()).message?.text).toBe("Still here");
    for (const listener of [expired, current]) await listener.close();
  });

  test.each([
    ["no cursor", "nonsense"],
    ["a page's cursor", "YWN0aXZpdHk6MTow"],
    ["a cursor in the future", Buffer.from("log:999999999").toString("base64url")],
    ["an empty cursor", ""],
  ])("%s is INVALID_INPUT", async (_, after) => {
    const listener = listen(desk, "messageRecorded", { after });
    expect(await listener.errorCode()).toBe("INVALID_INPUT");
    await listener.close();
  });
});

describe("the fields of an event", () => {
  test("its own scalars are as of the event, its objects as they are now", async () => {
    const since = await cursorNow(desk);
    const someone = first(people(desk, 1));
    await someone.says("Hello");
    const conversationId = await latest(desk, someone);
    await desk.ada.takeConversation({ conversationId });
    await block(desk, someone, { notes: "first" });
    const changes = await eventsSince(desk, since, "conversationChanged");
    expect(changes.map(({ from, to, conversation }) => [from, to, conversation?.status])).toEqual([
      [null, "WAITING", "BLOCKED"],
      ["WAITING", "ACTIVE", "BLOCKED"],
      ["ACTIVE", "BLOCKED", "BLOCKED"],
    ]);
    const ends = await eventsSince(desk, since, "conversationEnded");
    expect(ends.map(({ reason, actor }) => [reason, actor.id])).toEqual([["BLOCKED", desk.ada.id]]);
    await unblock(desk, someone);
    const statuses = await eventsSince(desk, since, "contactStatusChanged");
    expect(statuses.map(({ status, cause, block }) => [status, cause, block?.notes])).toEqual([
      ["BLOCKED", "BLOCKED", "first"],
      ["ACTIVE", "UNBLOCKED", "first"],
    ]);
  });

  test("filters are ANDed; assigneeId matches assignee and offer, before and after the event", async () => {
    const someone = first(people(desk, 1));
    const after = await cursorNow(desk);
    await someone.says("Hello");
    const conversationId = await latest(desk, someone);
    await desk.ada.offerConversation({ conversationId, agentId: desk.ben.id });
    await desk.ada.takeConversation({ conversationId });
    await desk.ada.transferConversation({ conversationId });
    const contactId = await contactIdOf(desk, someone);
    const received = async (filter: object, count: number) => {
      const listener = listen(desk, "conversationChanged", { after, filter: { conversationId, contactId, ...filter } });
      const events = await listener.take(count);
      await listener.close();
      return events.map(({ from, to }) => `${from}→${to}`);
    };
    expect(await received({ assigneeId: desk.ben.id }, 2)).toEqual(["WAITING→ASSIGNING", "ASSIGNING→ACTIVE"]);
    expect(await received({ assigneeId: desk.ada.id }, 2)).toEqual(["ASSIGNING→ACTIVE", "ACTIVE→WAITING"]);
    expect(await received({ channelId: desk.line }, 4)).toEqual([
      "null→WAITING",
      "WAITING→ASSIGNING",
      "ASSIGNING→ACTIVE",
      "ACTIVE→WAITING",
    ]);
  });
});

test("O2: without a log position nothing is committed", async () => {
  const place = await desk.workspace();
  const { prisma } = desk.app.database;
  await prisma.logHead.delete({ where: { workspaceId: rowId(place.id) } });
  const input = {
    channelId: place.custom,
    externalId: "nobody hears",
    eventId: "1",
    kind: "TEXT",
    text: "Hello",
    sentAt: new Date(desk.clock.now()).toISOString(),
  };
  const { errors } = await desk.as(await place.key("inbound:write")).graphql(documentOf("recordInbound"), { input });
  expect(errors?.map(({ extensions }) => extensions.code)).toEqual(["INTERNAL"]);
  expect(await prisma.message.count({ where: { workspaceId: rowId(place.id) } })).toBe(0);
});
