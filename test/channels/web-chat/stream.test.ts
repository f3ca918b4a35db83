import pino from "pino";
import { beforeAll, describe, expect, test } from "vitest";
import { startApp } from "../../../src/app.ts";
import { loadConfig } from "../../../src/config.ts";
import { bootDesk, type Desk, GREETING, globalId, SECRET } from "../../support/app.ts";
import { type ChatReader, openSession, openStream, type Visitor } from "../../support/visitor.ts";
import { timeline } from "../timeline.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await bootDesk({ env: { CHAT_SESSIONS_PER_MINUTE: "1000" } });
});

interface Chat {
  readonly visitor: Visitor;
  readonly contactId: string;
  readonly conversationId: string;
}

/** A visitor who has written and been greeted, and whose stream is closed again. */
async function chat(): Promise<Chat> {
  const visitor = await openSession(desk);
  const stream = await visitor.stream();
  await visitor.say("Hello");
  expect(await stream.text()).toBe(GREETING);
  stream.close();
  await settled(visitor, ["SENT"]);
  const [first] = await timeline(desk, desk.webChat, visitor.id);
  const { contactId } = await desk.app.database.prisma.contactChannel.findFirstOrThrow({
    where: { externalId: visitor.id },
  });
  return {
    visitor,
    contactId: globalId("Contact", contactId),
    conversationId: globalId("Conversation", first?.conversationId ?? ""),
  };
}

async function statuses(visitor: Visitor): Promise<(string | null)[]> {
  const entries = await timeline(desk, desk.webChat, visitor.id);
  return entries.filter((entry) => entry.direction === "OUTBOUND").map((entry) => entry.deliveryStatus);
}

/** Waits for these delivery statuses: a message is on the stream shortly before it is `SENT`. */
async function settled(visitor: Visitor, expected: readonly string[]): Promise<void> {
  await expect.poll(() => statuses(visitor), { timeout: 10_000, interval: 5 }).toEqual(expected);
}

async function texts(stream: ChatReader, count: number): Promise<unknown[]> {
  const received = [];
  while (received.length < count) received.push(await stream.text());
  return received;
}

describe("events on a stream", () => {
  test("the response is an event stream that proxies must not buffer", async () => {
    const { response, close } = await (await openSession(desk)).stream();
    close();
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    });
  });

  test("a visitor who has not written yet gets the reply to the first message", async () => {
    const visitor = await openSession(desk);
    const stream = await visitor.stream();
    await visitor.say("Hello");
    const received = await stream.next();
    const [, greeting] = await timeline(desk, desk.webChat, visitor.id);
    const id = globalId("Message", greeting?.id ?? "");
    expect(received).toEqual({
      id,
      event: "message",
      data: { id, text: GREETING, sentAt: new Date(desk.clock.now()).toISOString(), author: { type: "Bot" } },
    });
    await settled(visitor, ["SENT"]);
    stream.close();
  });

  test("an agent is shown by name", async () => {
    const { visitor, conversationId } = await chat();
    const stream = await visitor.stream();
    await desk.ada.sendMessage({ conversationId, text: "Hi!\nHow can\r\nwe help?" });
    expect(await stream.next()).toMatchObject({
      data: { text: "Hi!\nHow can\r\nwe help?", author: { type: "Agent", name: "admin" } },
    });
    stream.close();
  });

  test("a message that was never written waits for a stream, and is delivered once", async () => {
    const { visitor, conversationId } = await chat();
    await desk.ada.sendMessage({ conversationId, text: "One" });
    await desk.ada.sendMessage({ conversationId, text: "Two" });
    expect(await statuses(visitor)).toEqual(["SENT", "QUEUED", "QUEUED"]);
    const first = await visitor.stream();
    expect(await texts(first, 2)).toEqual(["One", "Two"]);
    await settled(visitor, ["SENT", "SENT", "SENT"]);
    const second = await visitor.stream();
    await desk.ada.sendMessage({ conversationId, text: "Three" });
    expect([await first.text(), await second.text()]).toEqual(["Three", "Three"]);
    first.close();
    second.close();
  });

  test("many messages are delivered in recording order, in each of two tabs", async () => {
    const { visitor, conversationId } = await chat();
    const tabs = [await visitor.stream(), await visitor.stream()];
    const sent = Array.from({ length: 30 }, (_, index) => `${index}`);
    for (const text of sent) await desk.ada.sendMessage({ conversationId, text });
    for (const tab of tabs) expect(await texts(tab, 30)).toEqual(sent);
    await settled(visitor, Array<string>(31).fill("SENT"));
    for (const tab of tabs) tab.close();
  });

  test("a visitor's own messages and other visitors' messages are not delivered", async () => {
    const [one, other] = [await chat(), await chat()];
    const stream = await one.visitor.stream();
    await desk.ada.sendMessage({ conversationId: other.conversationId, text: "For the other" });
    await one.visitor.say("Mine");
    await desk.ada.sendMessage({ conversationId: one.conversationId, text: "For the one" });
    expect(await stream.text()).toBe("For the one");
    stream.close();
  });

  test("two servers on one database: every stream gets each message once, in order", async () => {
    const { connectionString } = desk.app.database.pool.options;
    const config = loadConfig({
      DATABASE_URL: connectionString,
      PORT: "0",
      AUTH_SECRET: SECRET,
      DEMO: "false",
      LOG_LEVEL: "silent",
    });
    const second = await startApp({ config, logger: pino({ level: "silent" }), clock: desk.clock });
    const { visitor, conversationId } = await chat();
    const here = await visitor.stream();
    const there = await openStream({ ...desk, url: second.url }, desk.webChat, {
      authorization: `Bearer ${visitor.token}`,
    });
    const sent = Array.from({ length: 20 }, (_, index) => `${index}`);
    for (const text of sent) await desk.ada.sendMessage({ conversationId, text });
    expect(await texts(here, 20)).toEqual(sent);
    expect(await texts(there, 20)).toEqual(sent);
    await settled(visitor, Array<string>(21).fill("SENT"));
    here.close();
    there.close();
    await second.stop();
  });
});

describe("reopening a stream", () => {
  test("without Last-Event-ID nothing old is delivered", async () => {
    const { visitor, conversationId } = await chat();
    const stream = await visitor.stream();
    await desk.ada.sendMessage({ conversationId, text: "New" });
    expect(await stream.text()).toBe("New");
    stream.close();
  });

  test("Last-Event-ID replays the messages after it, in order, then the pending ones", async () => {
    const { visitor, conversationId } = await chat();
    const first = await visitor.stream();
    const sent = Array.from({ length: 150 }, (_, index) => `${index}`);
    for (const text of sent) await desk.ada.sendMessage({ conversationId, text });
    const { id } = await first.next();
    expect(await texts(first, 149)).toEqual(sent.slice(1));
    await settled(visitor, Array<string>(151).fill("SENT"));
    first.close();
    await first.rest();
    const second = await visitor.stream(id);
    await desk.ada.sendMessage({ conversationId, text: "New" });
    expect(await texts(second, 150)).toEqual([...sent.slice(1), "New"]);
    second.close();

    // An id that is not one of this visitor's outbound messages: recent messages are replayed.
    const [mine] = await timeline(desk, desk.webChat, visitor.id);
    for (const unknown of ["0", globalId("Message", mine?.id ?? ""), globalId("Contact", mine?.id ?? "")]) {
      const recent = await visitor.stream(unknown);
      expect(await texts(recent, 100)).toEqual([...sent.slice(51), "New"]);
      recent.close();
    }
  });

  test("a ninth concurrent stream replaces the oldest", async () => {
    const { visitor, conversationId } = await chat();
    const streams: ChatReader[] = [];
    for (let i = 0; i < 9; i++) streams.push(await visitor.stream());
    expect(await streams[0]?.rest()).toEqual([]);
    await desk.ada.sendMessage({ conversationId, text: "Hi" });
    for (const stream of streams.slice(1)) {
      expect(await stream.text()).toBe("Hi");
      stream.close();
    }
  });
});

describe("D7 a blocked visitor", () => {
  test("gets nothing new, unwritten messages are canceled, and a reconnect delivers only sent ones", async () => {
    const { visitor, contactId, conversationId } = await chat();
    await desk.ada.sendMessage({ conversationId, text: "Too late" });
    await desk.ada.blockContact({ contactId });
    expect(await statuses(visitor)).toEqual(["SENT", "CANCELED"]);

    const [hello, greeting] = await timeline(desk, desk.webChat, visitor.id);
    expect(hello?.text).toBe("Hello");
    const live = await visitor.stream();
    const replaying = await visitor.stream("0");
    await visitor.say("Anybody there?");
    await desk.ada.unblockContact({ contactId });
    await visitor.say("Hello again");
    expect(await replaying.next()).toMatchObject({
      id: globalId("Message", greeting?.id ?? ""),
      data: { text: GREETING },
    });
    // The first new message on either stream belongs to the next conversation.
    expect([await live.text(), await replaying.text()]).toEqual([GREETING, GREETING]);
    await settled(visitor, ["SENT", "CANCELED", "SENT"]);
    live.close();
    replaying.close();
  });

  test("messages written during blocks and unblocks: SENT ones were delivered, CANCELED ones were not", async () => {
    const { visitor, contactId, conversationId } = await chat();
    const stream = await visitor.stream();
    const replies = Array.from({ length: 20 }, (_, index) => `${index}`);
    const sending = Promise.allSettled(replies.map((text) => desk.ada.sendMessage({ conversationId, text })));
    await desk.ada.blockContact({ contactId });
    await sending;
    await desk.ada.unblockContact({ contactId });
    await visitor.say("Marker");
    const received: unknown[] = [];
    while (received.at(-1) !== GREETING) received.push(await stream.text());
    await expect.poll(async () => (await statuses(visitor)).at(-1), { interval: 5 }).toBe("SENT");
    stream.close();

    const entries = await timeline(desk, desk.webChat, visitor.id);
    const outbound = entries.filter((entry) => entry.direction === "OUTBOUND").slice(1);
    expect(new Set(outbound.map((entry) => entry.deliveryStatus)).difference(new Set(["SENT", "CANCELED"]))).toEqual(
      new Set(),
    );
    expect(received).toEqual(outbound.filter((entry) => entry.deliveryStatus === "SENT").map((entry) => entry.text));
  });
});

test("streams end when the server stops", async () => {
  const stopping = await bootDesk();
  const visitor = await openSession(stopping);
  const [silent, greeted] = [await visitor.stream(), await visitor.stream()];
  await visitor.say("Hello");
  expect(await greeted.text()).toBe(GREETING);
  await stopping.app.stop();
  expect([(await silent.rest()).length, await greeted.rest()]).toEqual([1, []]);
});
