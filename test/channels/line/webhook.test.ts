import { beforeAll, describe, expect, test } from "vitest";
import { bootDesk, type Desk, GREETING, LINE_SECRET, lineSignature, lineText, rowId } from "../../support/app.ts";
import { timeline } from "../timeline.ts";
import { lineEvent, lineMessage, messages } from "./line-events.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await bootDesk();
});

const prisma = () => desk.app.database.prisma;
const from = (userId: string) => ({ type: "user", userId });

/** Posts the bytes unchanged. */
function post(body: string, headers: Record<string, string> = {}, channel = desk.line): Promise<Response> {
  return fetch(`${desk.url}/webhooks/line/${channel}`, { method: "POST", body, headers });
}

function signed(body: string): Promise<Response> {
  return post(body, { "content-type": "application/json", "x-line-signature": lineSignature(body) });
}

async function deliver(...events: (object | null)[]): Promise<void> {
  const response = await signed(JSON.stringify({ destination: "U0", events }));
  expect([response.status, await response.text()]).toEqual([200, "{}"]);
}

async function textsOf(person: string): Promise<(string | null)[]> {
  return (await timeline(desk, desk.line, person)).map((message) => message.text);
}

describe("messages are recorded", () => {
  test("C1 the first message of an unknown person creates contact, conversation and entry, and is greeted", async () => {
    await deliver(lineText("U-first", "Hello", { webhookEventId: "first", timestamp: desk.clock.now() - 5 }));
    const contactChannel = await prisma().contactChannel.findFirstOrThrow({
      where: { externalId: "U-first" },
      include: { contact: true, conversations: true, messages: { orderBy: { seq: "asc" } } },
    });
    expect(contactChannel).toMatchObject({
      channelId: rowId(desk.line),
      reachable: true,
      contact: { id: contactChannel.contactId },
      conversations: [{ status: "WAITING", contactId: contactChannel.contactId }],
      messages: [
        {
          seq: 1,
          direction: "INBOUND",
          kind: "TEXT",
          eventType: null,
          text: "Hello",
          payload: null,
          authorType: "Contact",
          sentAt: new Date(desk.clock.now() - 5),
          recordedAt: new Date(desk.clock.now()),
          eventId: "first",
          conversationId: contactChannel.conversations[0]?.id,
          receivedWhileBlocked: false,
        },
        { seq: 2, direction: "OUTBOUND", text: GREETING, deliveryStatus: "QUEUED" },
      ],
    });
  });

  test("O3 a redelivered event changes nothing, wherever it is in a body", async () => {
    const event = lineText("U-repeat", "Hello");
    const repeated = { ...event, deliveryContext: { isRedelivery: true } };
    await deliver(event, repeated);
    await deliver(repeated);
    expect(await textsOf("U-repeat")).toEqual(["Hello", GREETING]);
  });

  test("C2 O3 the same first message received twice at once creates one of each", async () => {
    const event = lineText("U-twin", "Hello");
    await Promise.all(Array.from({ length: 8 }, () => deliver(event)));
    expect(await textsOf("U-twin")).toEqual(["Hello", GREETING]);
    expect(await prisma().conversation.count({ where: { contactChannel: { externalId: "U-twin" } } })).toBe(1);
  });

  test("C2 U2 concurrent first messages create one contact and one conversation, greeted once", async () => {
    await Promise.all(Array.from({ length: 8 }, (_, index) => deliver(lineText("U-many", `${index}`))));
    const texts = await textsOf("U-many");
    expect(texts.toSorted()).toEqual([..."01234567", GREETING]);
    expect(await prisma().contact.count({ where: { channels: { some: { externalId: "U-many" } } } })).toBe(1);
    expect(await prisma().conversation.count({ where: { contactChannel: { externalId: "U-many" } } })).toBe(1);
  });

  test("several persons in one body: the events of each are recorded in the order of the body", async () => {
    const events = Array.from({ length: 200 }, (_, index) =>
      lineText(index % 2 === 0 ? "U-even" : "U-odd", `${index}`),
    );
    await deliver(...events);
    const own = async (person: string) => (await textsOf(person)).filter((text) => text !== GREETING).map(Number);
    expect(await own("U-even")).toEqual(Array.from({ length: 100 }, (_, index) => 2 * index));
    expect(await own("U-odd")).toEqual(Array.from({ length: 100 }, (_, index) => 2 * index + 1));
  });

  test("C1 standby: recorded, and not answered", async () => {
    await deliver(lineText("U-standby", "Hello", { mode: "standby" }));
    expect(await textsOf("U-standby")).toEqual(["Hello"]);
  });

  test("O4 NUL and lone surrogates become U+FFFD", async () => {
    // As JSON escapes, since UTF-8 cannot encode lone surrogates.
    const event = JSON.stringify(lineText("U-odd-text", "@")).replace('"@"', '"a\\u0000b\\ud800c\\ud83d\\ude00"');
    expect((await signed(`{"destination":"U0","events":[${event}]}`)).status).toBe(200);
    expect(await textsOf("U-odd-text")).toEqual(["a\ufffdb\ufffdc😀", GREETING]);
  });

  test("a body of exactly 1 MB", async () => {
    const event = (text: string) => JSON.stringify({ events: [lineText("U-long", text, { webhookEventId: "long" })] });
    const text = "x".repeat(1_048_576 - event("").length);
    // Every id in it has the same length each time.
    expect((await signed(event(text))).status).toBe(200);
    expect(await textsOf("U-long")).toEqual([text, GREETING]);
  });
});

describe("events", () => {
  test("C1 D6 follow and unfollow start no conversation, and set whether the contact is reachable", async () => {
    const reachable = async () =>
      (await prisma().contactChannel.findFirstOrThrow({ where: { externalId: "U-follow" } })).reachable;
    await deliver(lineEvent("unfollow", { source: from("U-follow"), timestamp: 1_000, webhookEventId: "f1" }));
    expect(await reachable()).toBe(false);
    await deliver(
      lineEvent("follow", {
        source: from("U-follow"),
        timestamp: 2_000,
        webhookEventId: "f2",
        follow: { isUnblocked: true },
      }),
    );
    expect(await reachable()).toBe(true);
    expect(await timeline(desk, desk.line, "U-follow")).toMatchObject([
      { kind: "EVENT", eventType: "unfollow", conversationId: null },
      { kind: "EVENT", eventType: "follow", conversationId: null, payload: { isUnblocked: true } },
    ]);
  });

  test("D6 a follow with isUnblocked does not lift our block", async () => {
    const { contactId } = await desk.writes("U-unblocked");
    await desk.ada.blockContact({ contactId });
    await deliver(
      lineEvent("follow", { source: from("U-unblocked"), webhookEventId: "f3", follow: { isUnblocked: true } }),
    );
    expect(
      await prisma().block.count({ where: { contactChannel: { externalId: "U-unblocked" }, liftedAt: null } }),
    ).toBe(1);
  });

  test.each(["after", "before"])("O6 an unsend that arrives %s its message hides it", async (order) => {
    const person = `U-unsend-${order}`;
    const message = lineMessage(
      { ...messages.text, id: order },
      { source: from(person), webhookEventId: `${order}-1` },
    );
    const unsend = lineEvent("unsend", {
      source: from(person),
      webhookEventId: `${order}-2`,
      unsend: { messageId: order },
    });
    if (order === "after") await deliver(message, unsend);
    else await deliver(unsend, message);
    const entries = (await timeline(desk, desk.line, person)).filter((entry) => entry.direction === "INBOUND");
    expect(entries.map(({ eventType, unsentAt }) => [eventType, unsentAt !== null])).toEqual(
      order === "after"
        ? [
            [null, true],
            ["unsend", false],
          ]
        : [
            ["unsend", false],
            [null, true],
          ],
    );
  });

  test("O4 uninterpretable events are kept raw in the timeline, and a message of unknown type starts a conversation", async () => {
    await deliver(
      lineEvent("poll", { source: from("U-poll"), webhookEventId: "p1", poll: { votes: 3 } }),
      lineMessage({ type: "hologram", id: "h1" }, { source: from("U-poll"), webhookEventId: "p2" }),
    );
    const [poll, hologram] = await timeline(desk, desk.line, "U-poll");
    expect(poll).toMatchObject({
      kind: "UNSUPPORTED",
      eventType: "poll",
      conversationId: null,
      payload: { type: "poll", poll: { votes: 3 } },
    });
    expect(hologram).toMatchObject({
      kind: "UNSUPPORTED",
      eventType: null,
      conversationId: expect.any(String),
      payload: { type: "message", message: { type: "hologram", id: "h1" } },
    });
  });

  test("O3 O4 an event without a person is kept raw, once, and the other events are recorded", async () => {
    const stray = { type: "message", webhookEventId: "stray", message: { type: "text", text: "a\0b" } };
    await deliver(stray, null, lineText("U-neighbour", "Hello"));
    await deliver(stray, null);
    const rows = await prisma().unroutableEvent.findMany({
      where: { channelId: rowId(desk.line) },
      orderBy: { receivedAt: "asc" },
    });
    expect(rows.map(({ eventId, payload }) => [eventId, payload])).toEqual(
      expect.arrayContaining([
        ["stray", { type: "message", webhookEventId: "stray", message: { type: "text", text: "a\ufffdb" } }],
        [expect.stringMatching(/^sha256:/), null],
      ]),
    );
    expect(rows).toHaveLength(2);
    expect(await textsOf("U-neighbour")).toEqual(["Hello", GREETING]);
  });

  test("events of groups and rooms are counted, not recorded", async () => {
    const counted = async () =>
      Number(/^line_events_ignored_total (\d+)$/m.exec(await (await fetch(`${desk.url}/metrics`)).text())?.[1]);
    const before = await counted();
    await deliver(
      lineText("U-member", "Hello", { source: { type: "group", groupId: "C1", userId: "U-member" } }),
      lineEvent("join", { source: { type: "room", roomId: "R1" } }),
    );
    expect(await counted()).toBe(before + 2);
    expect(await timeline(desk, desk.line, "U-member")).toEqual([]);
  });
});

describe("blocked contacts", () => {
  test("D1 D2 D3 their messages are recorded in the most recent conversation and start nothing", async () => {
    const { contactId, conversationId } = await desk.writes("U-blocked");
    await desk.ada.blockContact({ contactId });
    await deliver(lineText("U-blocked", "Let me in"), lineEvent("unfollow", { source: from("U-blocked") }));
    const entries = await timeline(desk, desk.line, "U-blocked");
    expect(entries.slice(2)).toMatchObject([
      { text: "Let me in", conversationId: rowId(conversationId), receivedWhileBlocked: true },
      { eventType: "unfollow", conversationId: rowId(conversationId), receivedWhileBlocked: true },
    ]);
    expect(entries).toHaveLength(4);
  });

  test("U2 U4 a message sent before the unblock but delivered late starts nothing; the first new message does", async () => {
    const { contactId, conversationId } = await desk.writes("U-late");
    await desk.ada.blockContact({ contactId });
    desk.clock.advance(1_000);
    const sentWhileBlocked = desk.clock.now();
    desk.clock.advance(1_000);
    await desk.ada.unblockContact({ contactId });
    desk.clock.advance(1_000);
    await deliver(
      lineText("U-late", "Late", { timestamp: sentWhileBlocked, deliveryContext: { isRedelivery: true } }),
      lineText("U-late", "New", { timestamp: desk.clock.now() }),
    );
    const entries = await timeline(desk, desk.line, "U-late");
    expect(entries.slice(2)).toMatchObject([
      { text: "Late", conversationId: rowId(conversationId), receivedWhileBlocked: true },
      { text: "New", receivedWhileBlocked: false },
      { text: GREETING },
    ]);
    expect(entries).toHaveLength(5);
    expect(entries[3]?.conversationId).not.toBe(rowId(conversationId));
  });
});

describe("requests that are not deliveries of LINE", () => {
  const recorded = async () => [await prisma().message.count(), await prisma().unroutableEvent.count()];

  test("a verify call is answered with 200", async () => {
    await deliver();
  });

  test.each<[string, () => Promise<Response>, number, string]>([
    ["no signature", () => post('{"events":[]}'), 401, "INVALID_SIGNATURE"],
    [
      "a wrong signature",
      () => desk.lineWebhook([lineText("U-x", "Hi")], { signature: "x" }),
      401,
      "INVALID_SIGNATURE",
    ],
    [
      "another channel's signature",
      () => desk.lineWebhook([lineText("U-x", "Hi")], { signature: lineSignature("{}", "another") }),
      401,
      "INVALID_SIGNATURE",
    ],
    ["an empty body", () => post("", { "x-line-signature": "x" }), 401, "INVALID_SIGNATURE"],
    ["JSON cut short", () => signed('{"events":['), 400, "MALFORMED_BODY"],
    ["JSON of another shape", () => signed('{"event":{}}'), 400, "MALFORMED_BODY"],
    ["a body above 1 MB", () => signed(`"${"x".repeat(1_048_576)}"`), 413, "FST_ERR_CTP_BODY_TOO_LARGE"],
    ["an unknown channel", () => post("{}", {}, idLike("00000000-0000-7000-8000-000000000000")), 404, "NOT_FOUND"],
    ["a malformed id", () => post("{}", {}, "%00'--"), 404, "NOT_FOUND"],
    ["the id of a web chat channel", () => desk.lineWebhook([], { channel: desk.webChat }), 404, "NOT_FOUND"],
    ["an id of another type", () => desk.lineWebhook([], { channel: desk.id }), 404, "NOT_FOUND"],
  ])("%s is refused, and nothing is recorded", async (_name, send, status, code) => {
    const before = await recorded();
    const response = await send();
    expect([response.status, await response.json()]).toEqual([
      status,
      { error: { code, message: expect.stringMatching(/\.$|too large/) } },
    ]);
    expect(await recorded()).toEqual(before);
  });

  test("the signature is computed over the bytes, regardless of the content type", async () => {
    const body = `\n{ "events" : [ ${JSON.stringify(lineText("U-bytes", "Hello"))} ] }\n`;
    const response = await post(body, {
      "content-type": "text/plain",
      "x-line-signature": lineSignature(body, LINE_SECRET),
    });
    expect(response.status).toBe(200);
    expect(await textsOf("U-bytes")).toEqual(["Hello", GREETING]);
  });

  function idLike(uuid: string): string {
    return Buffer.from(`Channel:${uuid}`).toString("base64url");
  }
});
