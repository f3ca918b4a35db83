import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { parseLine, verifyLineSignature } from "../../../src/channels/line/events.ts";
import type { InboundEntry } from "../../../src/domain/command.ts";
import {
  fromGroup,
  fromPerson,
  fromRoom,
  lineEvent,
  lineMessage,
  messages,
  person,
  REPLY_TOKEN,
  SENT_AT,
} from "./line-events.ts";

/** The properties shared by all entries in these tables. */
const common: InboundEntry = {
  eventId: "01FZ74A0TDDPYRVKNK77XKC3ZR",
  kind: "EVENT",
  eventType: null,
  text: null,
  payload: null,
  sentAt: SENT_AT,
  displayName: null,
  providerMessageId: null,
  unsends: null,
  reachable: null,
  automate: true,
};

/** The reply token of an event as part of its entry. */
function tokenOf({ replyToken }: Record<string, unknown>): Pick<InboundEntry, "replyToken"> {
  return typeof replyToken === "string" ? { replyToken } : {};
}

const nobody = { events: [], unroutable: [], ignored: 0 };

function parseOne(event: unknown) {
  return parseLine({ destination: "U0", events: [event] });
}

describe("messages of each type become entries of the matching kind", () => {
  test.each<[string, object, Partial<InboundEntry>]>([
    [
      "text, with its tokens outside of the payload",
      messages.text,
      {
        readToken: "30yhdy232...",
        kind: "TEXT",
        text: "@All @example Good Morning!! (love)",
        payload: {
          emojis: messages.text.emojis,
          mention: messages.text.mention,
          quotedMessageId: "444573844083572700",
        },
        providerMessageId: "444573844083572737",
      },
    ],
    [
      "text alone",
      { id: "1", type: "text", quoteToken: "q", text: "Hello" },
      { kind: "TEXT", text: "Hello", payload: null, providerMessageId: "1" },
    ],
    [
      "image of a set",
      messages.image,
      {
        kind: "IMAGE",
        payload: { contentProvider: { type: "line" }, imageSet: messages.image.imageSet },
        providerMessageId: "354718705033693859",
      },
    ],
    [
      "video kept elsewhere",
      messages.video,
      {
        kind: "VIDEO",
        payload: { duration: 60_000, contentProvider: messages.video.contentProvider },
        providerMessageId: "325708",
      },
    ],
    [
      "audio",
      messages.audio,
      { kind: "AUDIO", payload: { duration: 60_000, contentProvider: { type: "line" } }, providerMessageId: "325709" },
    ],
    [
      "file",
      messages.file,
      { kind: "FILE", payload: { fileName: "file.txt", fileSize: 2138 }, providerMessageId: "325710" },
    ],
    [
      "location",
      messages.location,
      {
        kind: "LOCATION",
        payload: {
          title: "my location",
          address: "日本、〒160-0004 東京都新宿区四谷一丁目6番1号",
          latitude: 35.687574,
          longitude: 139.72922,
        },
        providerMessageId: "325711",
      },
    ],
    [
      "sticker with the text entered for it",
      messages.sticker,
      {
        kind: "STICKER",
        text: "Let's\nhang out\nthis weekend!",
        payload: {
          stickerId: "52002738",
          packageId: "11537",
          stickerResourceType: "MESSAGE",
          keywords: ["cony", "sally", "Staring", "hi"],
        },
        providerMessageId: "1501597916",
      },
    ],
  ])("%s", (_name, message, entry) => {
    expect(parseOne(lineMessage(message))).toEqual({
      ...nobody,
      events: [{ externalId: person, entry: { ...common, replyToken: REPLY_TOKEN, ...entry } }],
    });
  });
});

describe("events of each type become entries of kind EVENT", () => {
  test.each<[string, Record<string, unknown>, Partial<InboundEntry>]>([
    [
      "D6 follow: reachable again",
      lineEvent("follow", { replyToken: "r", follow: { isUnblocked: true } }),
      { eventType: "follow", payload: { isUnblocked: true }, reachable: true },
    ],
    ["D6 follow without details", lineEvent("follow"), { eventType: "follow", reachable: true }],
    ["D6 unfollow: no longer reachable", lineEvent("unfollow"), { eventType: "unfollow", reachable: false }],
    [
      "O6 unsend: has the id of the unsent message",
      lineEvent("unsend", { unsend: { messageId: "325708" } }),
      { eventType: "unsend", payload: { messageId: "325708" }, unsends: "325708" },
    ],
    [
      "postback of a date picker",
      lineEvent("postback", { postback: { data: "storeId=12345", params: { datetime: "2017-12-25T01:00" } } }),
      { eventType: "postback", payload: { data: "storeId=12345", params: { datetime: "2017-12-25T01:00" } } },
    ],
    [
      "postback of a rich menu",
      lineEvent("postback", {
        postback: { data: "richmenu-changed-to-b", params: { newRichMenuAliasId: "b", status: "SUCCESS" } },
      }),
      {
        eventType: "postback",
        payload: { data: "richmenu-changed-to-b", params: { newRichMenuAliasId: "b", status: "SUCCESS" } },
      },
    ],
    [
      "videoPlayComplete",
      lineEvent("videoPlayComplete", { videoPlayComplete: { trackingId: "track-id" } }),
      { eventType: "videoPlayComplete", payload: { trackingId: "track-id" } },
    ],
    [
      "beacon",
      lineEvent("beacon", { beacon: { hwid: "d41d8cd98f", type: "enter", dm: "a1b2" } }),
      { eventType: "beacon", payload: { hwid: "d41d8cd98f", type: "enter", dm: "a1b2" } },
    ],
    [
      "accountLink, without the nonce that links the accounts",
      lineEvent("accountLink", { link: { result: "ok", nonce: "secret" } }),
      { eventType: "accountLink", payload: { result: "ok" } },
    ],
    [
      "membership",
      lineEvent("membership", { membership: { type: "joined", membershipId: 3189 } }),
      { eventType: "membership", payload: { type: "joined", membershipId: 3189 } },
    ],
    [
      "things",
      lineEvent("things", { things: { deviceId: "t2c449c9d1", type: "link" } }),
      { eventType: "things", payload: { deviceId: "t2c449c9d1", type: "link" } },
    ],
    [
      "activated",
      lineEvent("activated", { chatControl: { expireAt: 1_462_629_479_859 } }),
      { eventType: "activated", payload: { expireAt: 1_462_629_479_859 } },
    ],
    ["deactivated", lineEvent("deactivated"), { eventType: "deactivated" }],
  ])("%s", (_name, event, entry) => {
    expect(parseOne(event)).toEqual({
      ...nobody,
      events: [{ externalId: person, entry: { ...common, ...tokenOf(event), ...entry } }],
    });
  });
});

describe("events without a contact are counted, not recorded", () => {
  test.each<[string, Record<string, unknown>]>([
    ["a message in a group", lineMessage(messages.text, { source: fromGroup })],
    ["a message in a room", lineMessage(messages.text, { source: fromRoom })],
    ["an unknown event in a group", lineEvent("poll", { source: fromGroup })],
    ["join", lineEvent("join", { source: fromGroup })],
    ["leave", lineEvent("leave", { source: fromRoom })],
    ["memberJoined", lineEvent("memberJoined", { source: fromGroup, joined: { members: [fromPerson] } })],
    ["memberLeft", lineEvent("memberLeft", { source: fromGroup, left: { members: [fromPerson] } })],
    ["botSuspended", lineEvent("botSuspended", { source: undefined })],
    ["botResumed", lineEvent("botResumed", { source: undefined })],
    ["module", lineEvent("module", { source: undefined, module: { type: "attached", botId: "U53387d" } })],
    ["delivery of a notification message", lineEvent("delivery", { source: undefined, delivery: { data: "15034" } })],
  ])("%s", (_name, event) => {
    expect(parseOne(event)).toEqual({ ...nobody, ignored: 1 });
  });
});

describe("O4 uninterpretable events are kept raw", () => {
  const kept = { webhookEventId: "01FZ74A0TDDPYRVKNK77XKC3ZR", deliveryContext: { isRedelivery: false } };

  test.each<[string, Record<string, unknown>, Partial<InboundEntry>]>([
    [
      "an unknown event type, under its own name",
      lineEvent("poll", { replyToken: "r", poll: { options: [1, null, true] } }),
      {
        eventType: "poll",
        payload: {
          type: "poll",
          mode: "active",
          timestamp: SENT_AT,
          source: fromPerson,
          ...kept,
          poll: { options: [1, null, true] },
        },
      },
    ],
    [
      "C1 an unknown message type, as a message",
      lineMessage({ type: "hologram", id: "9", quoteToken: "q", depth: 3 }),
      {
        eventType: null,
        payload: {
          type: "message",
          mode: "active",
          timestamp: SENT_AT,
          source: fromPerson,
          ...kept,
          message: { type: "hologram", id: "9", depth: 3 },
        },
        providerMessageId: "9",
      },
    ],
    [
      "C1 a text without text, as a message",
      lineMessage({ type: "text", id: "9", text: 5 }),
      {
        eventType: null,
        payload: {
          type: "message",
          mode: "active",
          timestamp: SENT_AT,
          source: fromPerson,
          ...kept,
          message: { type: "text", id: "9", text: 5 },
        },
        providerMessageId: "9",
      },
    ],
    [
      "a message event without a message",
      lineEvent("message", { message: "Hello" }),
      {
        eventType: "unknown",
        payload: {
          type: "message",
          mode: "active",
          timestamp: SENT_AT,
          source: fromPerson,
          ...kept,
          message: "Hello",
        },
      },
    ],
    [
      "a known type without its details",
      lineEvent("postback"),
      {
        eventType: "unknown",
        payload: { type: "postback", mode: "active", timestamp: SENT_AT, source: fromPerson, ...kept },
      },
    ],
    [
      "an unsend without a message id",
      lineEvent("unsend", { unsend: { messageId: 5 } }),
      {
        eventType: "unknown",
        payload: {
          type: "unsend",
          mode: "active",
          timestamp: SENT_AT,
          source: fromPerson,
          ...kept,
          unsend: { messageId: 5 },
        },
      },
    ],
    [
      "an event with an unknown source type and a user id",
      lineEvent("follow", { source: { type: "community", userId: person } }),
      {
        eventType: "unknown",
        payload: {
          type: "follow",
          mode: "active",
          timestamp: SENT_AT,
          source: { type: "community", userId: person },
          ...kept,
        },
      },
    ],
  ])("%s", (_name, event, entry) => {
    expect(parseOne(event)).toEqual({
      ...nobody,
      events: [{ externalId: person, entry: { ...common, ...tokenOf(event), kind: "UNSUPPORTED", ...entry } }],
    });
  });

  test("an event without type, id and time", () => {
    const json = JSON.stringify({ source: fromPerson, mood: "good" });
    expect(parseOne({ source: fromPerson, mood: "good" })).toEqual({
      ...nobody,
      events: [
        {
          externalId: person,
          entry: {
            ...common,
            kind: "UNSUPPORTED",
            eventType: "unknown",
            eventId: `sha256:${createHash("sha256").update(json).digest("hex")}`,
            payload: { source: fromPerson, mood: "good" },
            sentAt: null,
          },
        },
      ],
    });
  });

  test.each<[string, unknown, unknown]>([
    ["null", null, null],
    ["a text", "event", "event"],
    ["a list", [1], [1]],
    ["an object", {}, {}],
    ["a message without a source", { type: "message", replyToken: "r" }, { type: "message" }],
    [
      "a person without an id",
      { type: "follow", source: { type: "user" } },
      { type: "follow", source: { type: "user" } },
    ],
    [
      "a person with a blank id",
      { type: "follow", source: { type: "user", userId: " " } },
      { type: "follow", source: { type: "user", userId: " " } },
    ],
  ])("events without a person are kept outside the timelines: %s", (_name, event, payload) => {
    const parsed = parseOne(event);
    expect(parsed).toEqual({
      ...nobody,
      unroutable: [{ eventId: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), payload }],
    });
  });

  test("a user id too long for an index counts as missing", () => {
    const userId = "U".repeat(256);
    expect(parseOne(lineEvent("follow", { source: { type: "user", userId } }))?.unroutable).toHaveLength(1);
  });

  test("NUL and lone surrogates become U+FFFD in texts, keys, ids and types", () => {
    const parsed = parseOne({
      ...lineMessage({ type: "text", id: "m\0", text: "a\0b\ud800c😀", "k\0ey": ["\udc00", { "\ud800": "\0" }] }),
      webhookEventId: "e\0",
      source: { type: "user", userId: "U\ud800" },
    });
    expect(parsed?.events).toEqual([
      {
        externalId: "U\ufffd",
        entry: {
          ...common,
          replyToken: REPLY_TOKEN,
          eventId: "e\ufffd",
          kind: "TEXT",
          text: "a\ufffdb\ufffdc😀",
          payload: { "k\ufffdey": ["\ufffd", { "\ufffd": "\ufffd" }] },
          providerMessageId: "m\ufffd",
        },
      },
    ]);
    expect(parseOne(lineEvent("po\0ll"))?.events[0]?.entry.eventType).toBe("po\ufffdll");
  });

  test("nesting too deep for PostgreSQL or for us is cut off", () => {
    const deep = `${"[".repeat(100_000)}1${"]".repeat(100_000)}`;
    const parsed = parseLine(
      JSON.parse(`{"events":[{"type":"poll","source":{"type":"user","userId":"U1"},"deep":${deep}}]}`),
    );
    expect(JSON.stringify(parsed?.events[0]?.entry.payload)).toBe(
      `{"type":"poll","source":{"type":"user","userId":"U1"},"deep":${"[".repeat(63)}"\ufffd"${"]".repeat(63)}}`,
    );
  });

  test("a key named __proto__ is an ordinary key", () => {
    const parsed = parseLine(
      JSON.parse(`{"events":[{"type":"poll","source":{"type":"user","userId":"U1"},"__proto__":1}]}`),
    );
    expect(JSON.stringify(parsed?.events[0]?.entry.payload)).toBe(
      `{"type":"poll","source":{"type":"user","userId":"U1"},"__proto__":1}`,
    );
  });
});

describe("the time of sending", () => {
  test.each([
    [SENT_AT, SENT_AT],
    [SENT_AT + 0.5, null],
    [0, null],
    [-1, null],
    [1e300, null],
    [`${SENT_AT}`, null],
    [null, null],
    [undefined, null],
  ])("%s is read as %s", (timestamp, sentAt) => {
    expect(parseOne(lineEvent("unfollow", { timestamp }))?.events[0]?.entry.sentAt).toBe(sentAt);
  });
});

test("in standby mode another party replies, so nothing is automated, and its tokens are not ours", () => {
  const entry = parseOne(lineMessage(messages.text, { mode: "standby" }))?.events[0]?.entry;
  expect([entry?.automate, entry?.replyToken, entry?.readToken]).toEqual([false, undefined, undefined]);
});

test.each([null, 1, "", "a\0b", "a\ud800b"])("O4 %j is not a token, and the event is recorded without", (token) => {
  const message = { ...messages.text, markAsReadToken: token };
  const entry = parseOne(lineMessage(message, { replyToken: token }))?.events[0]?.entry;
  expect([entry?.kind, entry?.replyToken, entry?.readToken]).toEqual(["TEXT", undefined, undefined]);
});

describe("O3 the event id that identifies redeliveries", () => {
  const idOf = (event: unknown) => parseOne(event)?.events[0]?.entry.eventId;

  test("without an id from LINE, it is a digest that only a redelivery shares", () => {
    const event = lineMessage(messages.text, { webhookEventId: undefined });
    const repeated = { ...event, deliveryContext: { isRedelivery: true } };
    expect(idOf(event)).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(idOf(repeated)).toBe(idOf(event));
    expect(idOf({ ...event, timestamp: SENT_AT + 1 })).not.toBe(idOf(event));
  });

  test("an id too long for an index is replaced by its digest", () => {
    const id = "x".repeat(5_000);
    const digest = `sha256:${createHash("sha256").update(id).digest("hex")}`;
    expect(idOf(lineEvent("unfollow", { webhookEventId: id }))).toBe(digest);
  });

  test("message ids, too, and equally where a message is sent and unsent", () => {
    const id = "x".repeat(5_000);
    const message = parseOne(lineMessage({ type: "text", id, text: "Hi" }));
    const unsend = parseOne(lineEvent("unsend", { unsend: { messageId: id } }));
    expect(message?.events[0]?.entry.providerMessageId).toMatch(/^sha256:/);
    expect(unsend?.events[0]?.entry.unsends).toBe(message?.events[0]?.entry.providerMessageId);
  });
});

test("events keep their order, and a bad event does not affect the others", () => {
  const body = {
    destination: "U0",
    events: [
      lineMessage({ type: "text", id: "1", text: "One" }),
      42,
      lineMessage(messages.text, { source: fromGroup }),
      lineMessage({ type: "text", id: "2", text: "Two" }, { source: { type: "user", userId: "U2" } }),
      lineMessage({ type: "text", id: "3", text: "Three" }),
    ],
  };
  const parsed = parseLine(body);
  expect(parsed?.events.map(({ externalId, entry }) => [externalId, entry.text])).toEqual([
    [person, "One"],
    ["U2", "Two"],
    [person, "Three"],
  ]);
  expect(parsed?.unroutable.map(({ payload }) => payload)).toEqual([42]);
  expect(parsed?.ignored).toBe(1);
});

test("a verify call has no events", () => {
  expect(parseLine({ destination: "U0", events: [] })).toEqual(nobody);
});

test.each([undefined, null, 1, "events", [], {}, { events: {} }])("not a webhook body: %j", (body) => {
  expect(parseLine(body)).toBeNull();
});

describe("the signature", () => {
  // The example of LINE's documentation: https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/
  const secret = "8c570fa6dd201bb328f1c1eac23a96d8";
  const body = Buffer.from('{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}');
  const signature = "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs=";

  test("matches LINE's example", () => {
    expect(verifyLineSignature(secret, body, signature)).toBe(true);
  });

  test.each<[string, string, Buffer, string | undefined]>([
    ["absent", secret, body, undefined],
    ["empty", secret, body, ""],
    ["of another secret", "other", body, signature],
    ["of another body", secret, Buffer.from(`${body} `), signature],
    ["with a suffix that base64 would ignore", secret, body, `${signature}!`],
    ["changed in one place", secret, body, `g${signature.slice(1)}`],
    ["with letters beyond ASCII", secret, body, `é${signature.slice(2)}`],
  ])("%s is wrong", (_name, key, bytes, header) => {
    expect(verifyLineSignature(key, bytes, header)).toBe(false);
  });
});
