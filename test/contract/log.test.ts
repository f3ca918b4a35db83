import { beforeAll, describe, expect, test } from "vitest";
import { first, nodesOf, textAt } from "../support/answers.ts";
import { bootDesk, type Desk, rowId } from "../support/app.ts";
import { documentOf } from "../support/client.ts";
import { followEvents } from "../support/following.ts";
import { block, type Person, people, unblock } from "../support/people.ts";
import {
  cursorNow,
  type Heard,
  heardSince,
  type Listener,
  listen,
  type Subscription,
  subscriptions,
} from "../support/subscriber.ts";
import { contactIdOf, latest, look } from "../support/view.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await bootDesk();
});

/** Many contacts write, are answered, blocked and unblocked concurrently. */
async function burst(crowd: readonly Person[]): Promise<void> {
  await Promise.all(
    crowd.map(async (someone, n) => {
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
    const crowd = people(desk, 12);
    const blown = burst(crowd);
    listeners.push(...open());
    await crowd[0]?.says("Open again");
    listeners.push(...open());
    await blown;
    listeners.push(...open());

    const told = new Map<Subscription, Heard[]>();
    for (const subscription of subscriptions) told.set(subscription, await heardSince(desk, since, subscription));
    expect(told.get("messageRecorded")?.length).toBeGreaterThan(12 * 7);
    for (const { subscription, listener } of listeners) {
      const wanted = told.get(subscription) ?? [];
      const heard = await listener.take(wanted.length);
      expect([subscription, heard.map(({ id }) => id)]).toEqual([subscription, wanted.map(({ id }) => id)]);
      await listener.close();
    }
    const ids = [...told.values()].flatMap((heard) => heard.map(({ id }) => id));
    // The end of a conversation is delivered both as an end and as a change.
    const ends = told.get("conversationEnded")?.length ?? 0;
    expect(new Set(ids).size).toBe(ids.length - ends);
  });

  test("entries of one ContactChannel are delivered in the order of its timeline", async () => {
    const since = await cursorNow(desk);
    const crowd = people(desk, 4);
    await burst(crowd);
    const heard = await heardSince(desk, since, "messageRecorded");
    for (const someone of crowd) {
      const { contactChannelId } = await look(desk, someone);
      const recorded = await desk.app.database.prisma.message.findMany({
        where: { contactChannelId: rowId(contactChannelId) },
        orderBy: { seq: "asc" },
      });
      const told = heard.filter(({ message }) => message?.contactChannel.externalId === someone.externalId);
      expect(told.map(({ message }) => rowId(message?.id ?? ""))).toEqual(recorded.map(({ id }) => id));
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
    const all = await heardSince(desk, since, "messageRecorded");
    for (const at of [0, 7, all.length - 1]) {
      const rest = await heardSince(desk, all[at]?.cursor ?? "", "messageRecorded");
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
      const heard = await heardSince(desk, logCursor, "messageRecorded");
      expect([...listed, ...heard.map(({ message }) => message?.id)]).toEqual(all);
    }
  });

  test("SSE delivers the same as WebSocket", async () => {
    const after = await cursorNow(desk);
    await burst(people(desk, 2));
    const wanted = await heardSince(desk, after, "messageRecorded");
    const query = "subscription ($after: Cursor) { messageRecorded(after: $after) { id } }";
    const stream = await followEvents(desk, query, { after }, desk.vic.token);
    const heard: string[] = [];
    while (heard.length < wanted.length) heard.push(textAt((await stream.next()).data, "messageRecorded.id"));
    await stream.end();
    expect(heard).toEqual(wanted.map(({ id }) => id));
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
    expect(await expired.fault()).toBe("CURSOR_EXPIRED");
    const current = listen(desk, "messageRecorded", { after, token });
    await someone?.says("Still here");
    expect((await current.next()).message?.text).toBe("Still here");
    for (const listener of [expired, current]) await listener.close();
  });

  test.each([
    ["no cursor", "nonsense"],
    ["a page's cursor", "YWN0aXZpdHk6MTow"],
    ["a cursor of the future", Buffer.from("log:999999999").toString("base64url")],
    ["nothing", ""],
  ])("%s is INVALID_INPUT", async (_, after) => {
    const listener = listen(desk, "messageRecorded", { after });
    expect(await listener.fault()).toBe("INVALID_INPUT");
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
    const changes = await heardSince(desk, since, "conversationChanged");
    expect(changes.map(({ from, to, conversation }) => [from, to, conversation?.status])).toEqual([
      [null, "WAITING", "BLOCKED"],
      ["WAITING", "ACTIVE", "BLOCKED"],
      ["ACTIVE", "BLOCKED", "BLOCKED"],
    ]);
    const ends = await heardSince(desk, since, "conversationEnded");
    expect(ends.map(({ reason, actor }) => [reason, actor.id])).toEqual([["BLOCKED", desk.ada.id]]);
    await unblock(desk, someone);
    const statuses = await heardSince(desk, since, "contactStatusChanged");
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
    const heard = async (filter: object, count: number) => {
      const listener = listen(desk, "conversationChanged", { after, filter: { conversationId, contactId, ...filter } });
      const events = await listener.take(count);
      await listener.close();
      return events.map(({ from, to }) => `${from}→${to}`);
    };
    expect(await heard({ assigneeId: desk.ben.id }, 2)).toEqual(["WAITING→ASSIGNING", "ASSIGNING→ACTIVE"]);
    expect(await heard({ assigneeId: desk.ada.id }, 2)).toEqual(["ASSIGNING→ACTIVE", "ACTIVE→WAITING"]);
    expect(await heard({ channelId: desk.line }, 4)).toEqual([
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
