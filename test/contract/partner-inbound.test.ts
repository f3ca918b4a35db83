import { beforeAll, describe, expect, test } from "vitest";
import { bootDesk, type Desk, GREETING } from "../support/app.ts";
import type { Client } from "../support/client.ts";
import { cursorNow, listen } from "../support/subscriber.ts";
import { look } from "../support/view.ts";

let desk: Desk;
let key: Client;
beforeAll(async () => {
  desk = await bootDesk();
  key = desk.as(await desk.key("inbound:write"));
});

let events = 0;

function entry(externalId: string, change: object): object {
  return { channelId: desk.custom, externalId, eventId: `event-${events++}`, ...change };
}

function text(externalId: string, says: string, providerMessageId?: string): object {
  return entry(externalId, { kind: "TEXT", text: says, ...(providerMessageId ? { providerMessageId } : {}) });
}

function unsend(externalId: string, providerMessageId: string): object {
  return entry(externalId, { kind: "EVENT", eventType: "unsend", providerMessageId });
}

function edit(externalId: string, providerMessageId: string, says: string): object {
  return entry(externalId, { kind: "EVENT", eventType: "edit", providerMessageId, text: says });
}

async function record(...items: readonly object[]): Promise<void> {
  for (const item of items) await key.recordInbound(item);
}

async function timelineOf(externalId: string): Promise<readonly string[]> {
  return (await look(desk, { channel: desk.custom, externalId })).timeline;
}

interface Entry {
  readonly eventType: string | null;
  readonly text: string | null;
  readonly unsentAt: string | null;
  readonly editedAt: string | null;
  readonly providerMessageId: string | null;
}

/** The contact's own entries, in order. */
async function entriesOf(externalId: string): Promise<Entry[]> {
  const { contactChannelId } = await look(desk, { channel: desk.custom, externalId });
  const { data } = await desk.ada.graphql<{ node: { messages: { edges: { node: Entry & { direction: string } }[] } } }>(
    `query ($id: ID!) { node(id: $id) { ... on ContactChannel { messages(first: 100) { edges { node {
      direction eventType text unsentAt editedAt providerMessageId
    } } } } } }`,
    { id: contactChannelId },
  );
  return data.node.messages.edges.map(({ node }) => node).filter(({ direction }) => direction === "INBOUND");
}

describe("recordInbounds", () => {
  test("gives each item a result of its own, in the order of the items", async () => {
    const hello = text("batch-1", "Hello");
    const { results } = await key.recordInbounds({
      items: [
        hello,
        text("batch-2", ""),
        { ...text("batch-2", "Hi"), channelId: "nonsense" },
        { ...text("batch-2", "Hi"), channelId: desk.line },
        hello,
        text("batch-2", "Hi"),
      ],
    });
    const recorded = { __typename: "RecordInboundSuccess", message: { id: expect.any(String), text: "Hello" } };
    expect(results).toEqual([
      { ...recorded, changed: true },
      { __typename: "InvalidInputError", code: "INVALID_INPUT" },
      { __typename: "NotFoundError", code: "NOT_FOUND" },
      { __typename: "InvalidInputError", code: "INVALID_INPUT" },
      { ...recorded, changed: false },
      { ...recorded, message: { id: expect.any(String), text: "Hi" }, changed: true },
    ]);
    expect(results[4]?.message?.id).toBe(results[0]?.message?.id);
    expect(await timelineOf("batch-1")).toEqual(["1 contact: Hello", `1 bot: ${GREETING}`]);
    expect(await timelineOf("batch-2")).toEqual(["1 contact: Hi", `1 bot: ${GREETING}`]);
  });

  test("O1: records 100 items of two contacts in the order of the items, under load", async () => {
    const items = Array.from({ length: 100 }, (_, n) => text(`order-${n % 2}`, `${n}`));
    const others = Promise.all(Array.from({ length: 200 }, (_, n) => record(text(`load-${n}`, "Hi"))));
    await key.recordInbounds({ items });
    await others;
    for (const contact of [0, 1]) {
      const texts = (await entriesOf(`order-${contact}`)).map((each) => each.text);
      expect(texts).toEqual(Array.from({ length: 50 }, (_, n) => `${2 * n + contact}`));
    }
  });

  test("O3: a repetition of a batch records nothing", async () => {
    const items = [text("again", "One", "a-1"), edit("again", "a-1", "Uno"), unsend("again", "a-1")];
    await key.recordInbounds({ items });
    const before = await cursorNow(desk);
    const { results } = await key.recordInbounds({ items });
    expect(results.map(({ changed }) => changed)).toEqual([false, false, false]);
    expect(await cursorNow(desk)).toBe(before);
  });
});

describe("O6: a partner's unsend hides the message and its edits", () => {
  test.each<[string, (who: string) => object[]]>([
    ["after them", (who) => [text(who, "Secret", "m"), edit(who, "m", "Secret, too"), unsend(who, "m")]],
    ["before them", (who) => [unsend(who, "m"), text(who, "Secret", "m"), edit(who, "m", "Secret, too")]],
    ["between them", (who) => [text(who, "Secret", "m"), unsend(who, "m"), edit(who, "m", "Secret, too")]],
  ])("when it comes %s, one by one and in a batch", async (when, items) => {
    const now = new Date(desk.clock.now()).toISOString();
    for (const how of ["one by one", "in a batch"]) {
      const who = `unsend ${when} ${how}`;
      if (how === "in a batch") await key.recordInbounds({ items: items(who) });
      else await record(...items(who));
      const seen = await entriesOf(who);
      expect(JSON.stringify(seen)).not.toContain("Secret");
      const hidden = seen.filter(({ eventType }) => eventType !== "unsend");
      expect(hidden.map(({ eventType, unsentAt }) => [eventType, unsentAt])).toEqual([
        [null, now],
        ["edit", now],
      ]);
    }
  });

  test("no contact can unsend or edit the message of another, or ours", async () => {
    await record(text("owner", "Mine", "m-owner"));
    const channelId = desk.custom;
    const { deliveries } = await key.claimDeliveries({ channelId, max: 100 });
    for (const { deliveryId, externalId } of deliveries) {
      await key.acknowledgeDelivery({ deliveryId, status: "SENT", providerMessageId: `ours-${externalId}` });
    }
    await record(unsend("thief", "m-owner"), edit("thief", "m-owner", "Stolen"), unsend("owner", "ours-owner"));
    expect(await timelineOf("owner")).toEqual(["1 contact: Mine", `1 bot: ${GREETING}`, "1 contact: unsend"]);
    expect((await entriesOf("owner"))[0]).toMatchObject({ text: "Mine", unsentAt: null, editedAt: null });
  });
});

describe("an edit is an entry of its own", () => {
  test("the message keeps its text and gets editedAt, and messageChanged says EDITED", async () => {
    const after = await cursorNow(desk);
    await record(text("editor", "Helo", "e-1"));
    desk.clock.advance(1_000);
    await record(edit("editor", "e-1", "Hello"));
    const now = new Date(desk.clock.now()).toISOString();
    const own = { unsentAt: null, providerMessageId: "e-1" };
    expect(await entriesOf("editor")).toMatchObject([
      { ...own, eventType: null, text: "Helo", editedAt: now },
      { ...own, eventType: "edit", text: "Hello", editedAt: null },
    ]);
    const { contactId } = await look(desk, { channel: desk.custom, externalId: "editor" });
    const listener = listen(desk, "messageChanged", { after, filter: { contactId } });
    expect(await listener.next()).toMatchObject({ change: "EDITED", message: { text: "Helo" } });
    await listener.close();
  });

  test("O3: also if it comes before the message", async () => {
    await record(edit("early", "e-2", "Hello"), text("early", "Helo", "e-2"));
    expect(await entriesOf("early")).toMatchObject([
      { eventType: "edit", text: "Hello", editedAt: null },
      { eventType: null, text: "Helo", editedAt: new Date(desk.clock.now()).toISOString() },
    ]);
  });

  test("C1: it starts no conversation, and an edit of an unknown message is kept", async () => {
    await record(edit("unknown", "e-3", "Hello"));
    expect(await timelineOf("unknown")).toEqual(["- contact: Hello"]);
  });
});
