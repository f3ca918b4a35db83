import { beforeAll, describe, expect, test } from "vitest";
import { GREETING, lineText, rowId } from "../support/app.ts";
import { inMs } from "../support/clock.ts";
import { block, kinds, onLine, people, person } from "../support/people.ts";
import { cursorNow, eventsSince, listen } from "../support/subscriber.ts";
import { look } from "../support/view.ts";
import { type AutomatedDesk, bootAutomatedDesk } from "./situations.ts";

const NUL = "\0";
const LONE = "\uD800";

let desk: AutomatedDesk;
beforeAll(async () => {
  desk = await bootAutomatedDesk();
});

describe("O3: providers repeat and reorder", () => {
  test.each(kinds)("%s: 20 concurrent deliveries of one event make one entry", async (kind) => {
    const someone = await person(desk, kind);
    await Promise.all(Array.from({ length: 20 }, () => someone.says("Hello", { eventId: `once-${kind}` })));
    expect((await look(desk, someone)).timeline).toEqual(["1 contact: Hello", `1 bot: ${GREETING}`]);
    const since = await cursorNow(desk);
    await someone.says("Hello", { eventId: `once-${kind}` });
    expect(await cursorNow(desk)).toBe(since);
  });

  test("recordInbound returns the entry that was recorded first", async () => {
    const key = desk.as(await desk.key("inbound:write"));
    const payload = { deep: [{ x: 1 }, null, "é"] };
    const input = { channelId: desk.custom, externalId: "o3", eventId: "o3-1", kind: "TEXT", payload };
    const shown = `changed message { id kind text eventType sentAt payload receivedWhileBlocked
      conversation { id status } contactChannel { displayName externalId reachable } }`;
    const record = (text: string) =>
      key.attempt("recordInbound", { ...input, text, displayName: " Pat ", sentAt: inMs(desk, -5_000) }, shown);
    const recorded = await record("Hello");
    expect(recorded).toMatchObject({
      changed: true,
      message: {
        kind: "TEXT",
        text: "Hello",
        eventType: null,
        sentAt: inMs(desk, -5_000),
        payload,
        receivedWhileBlocked: false,
        conversation: { status: "WAITING" },
        contactChannel: { displayName: "Pat", externalId: "o3", reachable: true },
      },
    });
    expect(await record("Something else")).toEqual({ ...recorded, changed: false });
  });

  test("D6, D1: recordInbound returns whether the contact can be reached, and whether they are blocked", async () => {
    const key = desk.as(await desk.key("inbound:write"));
    const someone = await person(desk, "CUSTOM");
    await someone.says("Hello");
    const record = (eventId: string, entry: object) => {
      const input = { channelId: desk.custom, externalId: someone.externalId, eventId, ...entry };
      const shown = "changed message { receivedWhileBlocked conversation { status } contactChannel { reachable } }";
      return key.attempt("recordInbound", input, shown);
    };
    for (const [eventType, reachable] of [
      ["unfollow", false],
      ["order_shipped", false],
      ["follow", true],
    ] as const) {
      expect(await record(eventType, { kind: "EVENT", eventType })).toMatchObject({
        message: { contactChannel: { reachable } },
      });
    }
    await block(desk, someone);
    expect(await record("while blocked", { kind: "TEXT", text: "Why?" })).toMatchObject({
      changed: true,
      message: { receivedWhileBlocked: true, conversation: { status: "BLOCKED" } },
    });
  });

  test("an event id is unique per channel", async () => {
    const [one, two] = people(desk, 2);
    const elsewhere = onLine(desk, { channel: desk.withKeyword.LINE });
    for (const someone of [one, two, elsewhere]) await someone?.says("Hello", { eventId: "shared" });
    const recorded = await desk.app.database.prisma.message.findMany({
      where: { eventId: "shared" },
      include: { contactChannel: true },
      orderBy: { id: "asc" },
    });
    expect(recorded.map(({ contactChannel }) => contactChannel.externalId)).toEqual([
      one?.externalId,
      elsewhere.externalId,
    ]);
  });

  test("a redelivery with another externalId creates no contact", async () => {
    const [one, two] = people(desk, 2);
    await one?.says("Hello", { eventId: "stolen" });
    await two?.says("Hello", { eventId: "stolen" });
    const { data } = await desk.ada.graphql<{ contacts: { edges: object[] } }>(
      "query ($search: String) { contacts(filter: { search: $search }) { edges { node { id } } } }",
      { search: two?.externalId },
    );
    expect(data.contacts.edges).toEqual([]);
  });

  test("D1: the timeline is in recording order, regardless of the times", async () => {
    const someone = onLine(desk);
    const now = desk.clock.now();
    await someone.says("second", { sentAt: now });
    await someone.says("first", { sentAt: now - 60_000 });
    expect((await look(desk, someone)).timeline).toEqual([
      "1 contact: second",
      `1 bot: ${GREETING}`,
      "1 contact: first",
    ]);
  });
});

describe("O4: no event of a webhook is lost", () => {
  test("NUL and lone surrogates become U+FFFD everywhere", async () => {
    const person = `U${NUL}${LONE}odd`;
    const event = lineText(person, `a${NUL}b${LONE}c`, {
      webhookEventId: `id${NUL}${LONE}`,
      timestamp: desk.clock.now(),
      message: { type: "text", id: `m${NUL}`, text: `a${NUL}b${LONE}c`, mention: { [`k${NUL}`]: [LONE] } },
    });
    expect((await desk.lineWebhook([event])).status).toBe(200);
    expect((await desk.lineWebhook([event])).status).toBe(200);
    const someone = onLine(desk, { externalId: "U\uFFFD\uFFFDodd" });
    expect((await look(desk, someone)).timeline[0]).toBe("1 contact: a\uFFFDb\uFFFDc");
  });

  test("an event that cannot be interpreted is kept raw, and the others of the webhook are recorded", async () => {
    const [one, two] = people(desk, 2);
    const strange = {
      type: "hologram",
      webhookEventId: "strange-1",
      timestamp: desk.clock.now(),
      source: { type: "user", userId: one?.externalId },
      hologram: { depth: 3 },
    };
    const at = { timestamp: desk.clock.now() };
    const answer = await desk.lineWebhook([
      lineText(one?.externalId ?? "", "before", at),
      strange,
      lineText(two?.externalId ?? "", "after", at),
    ]);
    expect(answer.status).toBe(200);
    if (one === undefined || two === undefined) throw new Error("Fewer than two events were recorded.");
    expect((await look(desk, one)).timeline).toEqual([
      "1 contact: before",
      `1 bot: ${GREETING}`,
      "1 contact: hologram",
    ]);
    expect((await look(desk, two)).timeline[0]).toBe("1 contact: after");
    const kept = await desk.app.database.prisma.message.findFirstOrThrow({ where: { eventId: "strange-1" } });
    expect(kept).toMatchObject({ kind: "UNSUPPORTED", payload: strange });
  });
});

describe("O5: times and ids", () => {
  test("all times come from the injected clock, and ids are ordered by time", async () => {
    const someone = onLine(desk);
    desk.clock.advance(86_400_000);
    await someone.says("Hello");
    const { contactChannelId } = await look(desk, someone);
    const messages = await desk.app.database.prisma.message.findMany({
      where: { contactChannelId: rowId(contactChannelId) },
      orderBy: { seq: "asc" },
    });
    expect(messages.map(({ recordedAt }) => recordedAt.getTime())).toEqual(Array(2).fill(desk.clock.now()));
    const ids = messages.map(({ id }) => id);
    expect(ids.toSorted()).toEqual(ids);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });
});

describe("O6: an unsent message is hidden", () => {
  const unsend = (person: string, messageId: string): object => ({
    ...lineText(person, "", { timestamp: desk.clock.now() }),
    type: "unsend",
    message: undefined,
    unsend: { messageId },
  });
  const text = (person: string, id: string): object =>
    lineText(person, "A secret", {
      timestamp: desk.clock.now(),
      message: { type: "text", id, text: "A secret", x: 1 },
    });

  const MESSAGES = `query ($id: ID!) { node(id: $id) { ... on ContactChannel { messages { edges { node {
    text payload unsentAt eventType
  } } } } } }`;

  async function seen(externalId: string): Promise<object[]> {
    const { contactChannelId } = await look(desk, onLine(desk, { externalId }));
    const { data } = await desk.ada.graphql<{ node: { messages: { edges: { node: object }[] } } }>(MESSAGES, {
      id: contactChannelId,
    });
    return data.node.messages.edges.map(({ node }) => node);
  }

  test.each(["after", "before"])("when the unsend comes %s the message", async (when) => {
    const { externalId } = onLine(desk);
    const id = `m-${when}`;
    const events = [text(externalId, id), unsend(externalId, id)];
    const since = await cursorNow(desk);
    for (const event of when === "after" ? events : events.toReversed()) await desk.lineWebhook([event]);
    const now = new Date(desk.clock.now()).toISOString();
    const hidden = (await seen(externalId)).filter((entry) => "eventType" in entry && entry.eventType === null);
    expect(hidden[0]).toEqual({ text: null, payload: null, unsentAt: now, eventType: null });
    // A later replay does not deliver it either.
    const received = await eventsSince(desk, since, "messageRecorded");
    expect(JSON.stringify(received)).not.toContain("A secret");
  });

  test("a replay does not deliver the text of an unsent message", async () => {
    const { externalId } = onLine(desk);
    const after = await cursorNow(desk);
    const inTime = listen(desk, "messageRecorded", { after });
    await desk.lineWebhook([text(externalId, "m-received")]);
    expect((await inTime.next()).message?.text).toBe("A secret");
    await desk.lineWebhook([unsend(externalId, "m-received")]);
    const late = listen(desk, "messageRecorded", { after });
    expect((await late.next()).message?.text).toBeNull();
    for (const listener of [inTime, late]) await listener.close();
  });

  test("a contact cannot unsend the message of another", async () => {
    const [one, two] = people(desk, 2);
    await desk.lineWebhook([text(one?.externalId ?? "", "m-mine")]);
    await desk.lineWebhook([unsend(two?.externalId ?? "", "m-mine")]);
    expect((await seen(one?.externalId ?? ""))[0]).toMatchObject({ text: "A secret", unsentAt: null });
  });
});
