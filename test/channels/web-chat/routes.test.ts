import { beforeAll, describe, expect, test } from "vitest";
import { bootDesk, type Desk, GREETING, globalId, rowId } from "../../support/app.ts";
import { openSession, post } from "../../support/visitor.ts";
import { timeline } from "../timeline.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UNKNOWN_CHANNEL = globalId("Channel", "00000000-0000-7000-8000-000000000000");

let desk: Desk;
beforeAll(async () => {
  desk = await bootDesk({ env: { CHAT_SESSIONS_PER_MINUTE: "1000" } });
});

const prisma = () => desk.app.database.prisma;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function answerOf(response: Response): Promise<[number, unknown]> {
  return [response.status, await response.json()];
}

function errorBody(status: number, code: string): [number, unknown] {
  return [status, { error: { code, message: expect.any(String) } }];
}

async function contactOf(visitorId: string): Promise<string> {
  const { contactId } = await prisma().contactChannel.findFirstOrThrow({ where: { externalId: visitorId } });
  return globalId("Contact", contactId);
}

describe("sessions", () => {
  const sessions = (body: unknown, headers?: Record<string, string>, channel = desk.webChat) =>
    post(desk, channel, "sessions", body, headers);

  test("a new visitor gets a token, and nothing is recorded yet", async () => {
    const before = await prisma().contactChannel.count();
    expect(await answerOf(await sessions({}))).toEqual([
      201,
      { token: expect.any(String), visitorId: expect.stringMatching(UUID) },
    ]);
    expect(await prisma().contactChannel.count()).toBe(before);
  });

  test("a request without a body works, too", async () => {
    const response = await fetch(`${desk.url}/chat/${desk.webChat}/sessions`, { method: "POST" });
    expect(response.status).toBe(201);
    expect((await sessions("")).status).toBe(201);
  });

  test("a known token resumes its session, in the header or in the body", async () => {
    const { id: visitorId, token } = await openSession(desk);
    const resumed: [number, unknown] = [200, { token, visitorId }];
    expect(await answerOf(await sessions({}, bearer(token)))).toEqual(resumed);
    expect(await answerOf(await sessions({ token }))).toEqual(resumed);
  });

  test.each(["an unknown token", "another channel's token", "an agent's token", "no token"])(
    "%s starts a new session",
    async (which) => {
      const { id, token } = await openSession(desk, await desk.channel("WEB_CHAT"));
      const tokens: Record<string, string> = {
        "an unknown token": "x.y.z",
        "another channel's token": token,
        "an agent's token": desk.ada.token,
      };
      const [status, body] = await answerOf(await sessions({ token: tokens[which] ?? null }));
      expect([status, body]).toEqual([201, { token: expect.any(String), visitorId: expect.stringMatching(UUID) }]);
      expect(body).not.toMatchObject({ visitorId: id });
    },
  );

  test.each<[string, () => Promise<Response>, [number, unknown]]>([
    ["malformed JSON", () => sessions("{"), errorBody(400, "MALFORMED_JSON")],
    ["not an object", () => sessions([]), errorBody(400, "INVALID_INPUT")],
    ["a token that is not a string", () => sessions({ token: 5 }), errorBody(400, "INVALID_INPUT")],
    ["a body above 64 KB", () => sessions({ token: "x".repeat(65_536) }), errorBody(413, "FST_ERR_CTP_BODY_TOO_LARGE")],
    [
      "a body with another content type",
      () => sessions("token=x", { "content-type": "application/x-www-form-urlencoded" }),
      errorBody(415, "FST_ERR_CTP_INVALID_MEDIA_TYPE"),
    ],
    ["an unknown channel", () => sessions({}, {}, UNKNOWN_CHANNEL), errorBody(404, "NOT_FOUND")],
    ["a malformed id", () => sessions({}, {}, "x"), errorBody(404, "NOT_FOUND")],
    ["a LINE channel", () => sessions({}, {}, desk.line), errorBody(404, "NOT_FOUND")],
  ])("%s is refused", async (_name, send, expected) => {
    expect(await answerOf(await send())).toEqual(expected);
  });

  test("too many sessions from one address on one channel: 429 with Retry-After; other channels are not affected", async () => {
    const { url, webChat, channel } = await bootDesk({ env: { CHAT_SESSIONS_PER_MINUTE: "3" } });
    const open = (id: string) => post({ ...desk, url }, id, "sessions", {});
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await open(webChat)).status);
    expect(statuses).toEqual([201, 201, 201]);
    const refused = await open(webChat);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await answerOf(refused)).toEqual(errorBody(429, "RATE_LIMITED"));
    expect((await open(await channel("WEB_CHAT"))).status).toBe(201);
  });
});

describe("messages", () => {
  test("C1 the first one creates contact and conversation, and is greeted", async () => {
    const visitor = await openSession(desk);
    const [status, body] = await answerOf(await visitor.say("Hello", "m1"));
    const entries = await timeline(desk, desk.webChat, visitor.id);
    expect([status, body]).toEqual([
      201,
      {
        id: globalId("Message", entries[0]?.id ?? ""),
        clientMessageId: "m1",
        sentAt: new Date(desk.clock.now()).toISOString(),
      },
    ]);
    expect(entries).toMatchObject([
      { seq: 1, kind: "TEXT", text: "Hello", payload: null, eventType: null, direction: "INBOUND" },
      { seq: 2, text: GREETING, direction: "OUTBOUND" },
    ]);
  });

  test("O3 a repeated message gets the first answer and is recorded once; ids are scoped to the visitor", async () => {
    const [visitor, other] = [await openSession(desk), await openSession(desk)];
    const first = await answerOf(await visitor.say("Hello", "same"));
    desk.clock.advance(1_000);
    expect(await answerOf(await visitor.say("Hello", "same"))).toEqual(first);
    expect((await other.say("Hi", "same")).status).toBe(201);
    const texts = async (id: string) => (await timeline(desk, desk.webChat, id)).map(({ text }) => text);
    expect(await texts(visitor.id)).toEqual(["Hello", GREETING]);
    expect(await texts(other.id)).toEqual(["Hi", GREETING]);
  });

  test("C2 the same first message sent twice at once creates one of each", async () => {
    const visitor = await openSession(desk);
    const answers = await Promise.all(
      [visitor.say("Hello", "m"), visitor.say("Hello", "m")].map(async (each) => answerOf(await each)),
    );
    expect(answers[0]).toEqual(answers[1]);
    expect((await timeline(desk, desk.webChat, visitor.id)).map(({ text }) => text)).toEqual(["Hello", GREETING]);
  });

  test("O4 NUL and lone surrogates are stored as U+FFFD; 5,000 characters outside the BMP fit", async () => {
    const visitor = await openSession(desk);
    const long = "😀".repeat(5_000);
    await post(
      desk,
      desk.webChat,
      "messages",
      `{"text":"a\\u0000b\\ud800","clientMessageId":"m1"}`,
      bearer(visitor.token),
    );
    expect((await visitor.say(long)).status).toBe(201);
    expect((await timeline(desk, desk.webChat, visitor.id)).map(({ text }) => text)).toEqual([
      "a\ufffdb\ufffd",
      GREETING,
      long,
    ]);
  });

  test.each<[string, unknown, [number, unknown]]>([
    ["a blank text", { text: " \n\u3000", clientMessageId: "m" }, errorBody(400, "INVALID_INPUT")],
    ["no text", { clientMessageId: "m" }, errorBody(400, "INVALID_INPUT")],
    ["a text that is not a string", { text: 1, clientMessageId: "m" }, errorBody(400, "INVALID_INPUT")],
    ["5,001 characters", { text: "x".repeat(5_001), clientMessageId: "m" }, errorBody(400, "INVALID_INPUT")],
    ["no clientMessageId", { text: "Hi" }, errorBody(400, "INVALID_INPUT")],
    ["an empty clientMessageId", { text: "Hi", clientMessageId: "" }, errorBody(400, "INVALID_INPUT")],
    ["a clientMessageId of 101", { text: "Hi", clientMessageId: "x".repeat(101) }, errorBody(400, "INVALID_INPUT")],
    ["a clientMessageId with NUL", { text: "Hi", clientMessageId: "\0" }, errorBody(400, "INVALID_INPUT")],
    ["null", null, errorBody(400, "INVALID_INPUT")],
    ["an empty body", "", errorBody(400, "INVALID_INPUT")],
    ["malformed JSON", "{", errorBody(400, "MALFORMED_JSON")],
    ["a body above 64 KB", { text: "x".repeat(65_536) }, errorBody(413, "FST_ERR_CTP_BODY_TOO_LARGE")],
  ])("%s is refused, and nothing is recorded", async (_name, body, expected) => {
    const visitor = await openSession(desk);
    expect(await answerOf(await post(desk, desk.webChat, "messages", body, bearer(visitor.token)))).toEqual(expected);
    expect(await timeline(desk, desk.webChat, visitor.id)).toEqual([]);
  });

  test("errors are reported by field", async () => {
    const visitor = await openSession(desk);
    const response = await post(desk, desk.webChat, "messages", { text: " " }, bearer(visitor.token));
    expect(await response.json()).toEqual({
      error: { code: "INVALID_INPUT", message: "text: Must not be blank. clientMessageId: Must be a string." },
    });
  });

  test.each(["no token", "a malformed token", "another channel's token", "an agent's token"])(
    "%s is refused with 401",
    async (which) => {
      const other = await openSession(desk, await desk.channel("WEB_CHAT"));
      const headers: Record<string, Record<string, string>> = {
        "a malformed token": bearer("x"),
        "another channel's token": bearer(other.token),
        "an agent's token": bearer(desk.ada.token),
      };
      const message = { text: "Hello", clientMessageId: "m" };
      const sent = await post(desk, desk.webChat, "messages", message, headers[which]);
      expect(await answerOf(sent)).toEqual(errorBody(401, "UNAUTHENTICATED"));
      const stream = await fetch(`${desk.url}/chat/${desk.webChat}/stream`, { headers: headers[which] ?? {} });
      expect(await answerOf(stream)).toEqual(errorBody(401, "UNAUTHENTICATED"));
    },
  );

  test("D1 D7 a blocked visitor gets the same answer as any other, and the message is recorded", async () => {
    const visitor = await openSession(desk);
    const before = await visitor.say("Hello", "m1");
    await desk.ada.blockContact({ contactId: await contactOf(visitor.id) });
    const blocked = await visitor.say("Hello?", "m2");
    const repeat = await visitor.say("Hello?", "m2");

    const [, { id, sentAt, clientMessageId, ...rest }] = [blocked.status, JSON.parse(await blocked.text())];
    expect([id, sentAt, clientMessageId, rest]).toEqual([
      expect.any(String),
      new Date(desk.clock.now()).toISOString(),
      "m2",
      {},
    ]);
    expect(await repeat.json()).toEqual({ id, sentAt, clientMessageId });
    expect([blocked.status, repeat.status]).toEqual([before.status, before.status]);
    expect(headerNames(blocked)).toEqual(headerNames(before));
    const { visitorId } = JSON.parse(
      await (await post(desk, desk.webChat, "sessions", {}, bearer(visitor.token))).text(),
    );
    expect(visitorId).toBe(visitor.id);

    const entries = await timeline(desk, desk.webChat, visitor.id);
    expect(entries.at(-1)).toMatchObject({
      id: rowId(id),
      text: "Hello?",
      receivedWhileBlocked: true,
      conversationId: entries[0]?.conversationId,
    });
  });

  function headerNames(response: Response): string[] {
    return [...response.headers.keys()];
  }
});

describe("pages of other origins (CORS)", () => {
  let channel: string;
  beforeAll(async () => {
    channel = await desk.channel("WEB_CHAT");
    await prisma().channel.update({
      where: { id: rowId(channel) },
      data: { allowedOrigins: ["https://shop.example", "http://localhost:3000"] },
    });
  });

  const allowed = (response: Response) => response.headers.get("access-control-allow-origin");
  const ask = (origin: string, path = "sessions") =>
    fetch(`${desk.url}/chat/${channel}/${path}`, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,last-event-id",
      },
    });

  test.each(["sessions", "messages", "stream"])("an allowed origin can use %s", async (path) => {
    const response = await ask("https://shop.example", path);
    expect([response.status, await response.text()]).toEqual([204, ""]);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "access-control-allow-origin": "https://shop.example",
      "access-control-allow-methods": "GET, POST",
      "access-control-allow-headers": "authorization, content-type, last-event-id",
      vary: "Origin",
    });
  });

  test("responses have the CORS headers, including error responses", async () => {
    const origin = { origin: "http://localhost:3000" };
    const session = await post(desk, channel, "sessions", {}, origin);
    const refused = await post(desk, channel, "messages", {}, origin);
    const { token } = JSON.parse(await session.text());
    const abort = new AbortController();
    const stream = await fetch(`${desk.url}/chat/${channel}/stream`, {
      headers: { ...origin, ...bearer(token) },
      signal: abort.signal,
    });
    abort.abort();
    for (const [response, status] of [
      [session, 201],
      [refused, 401],
      [stream, 200],
    ] as const) {
      expect([response.status, allowed(response)]).toEqual([status, origin.origin]);
    }
  });

  test.each([
    "https://evil.example",
    "https://shop.example.evil.example",
    "http://shop.example",
    "https://shop.example:8443",
    "null",
  ])("%s is refused, and the error says why", async (origin) => {
    const preflight = await ask(origin);
    const session = await post(desk, channel, "sessions", {}, { origin });
    for (const response of [preflight, session]) {
      expect(await answerOf(response)).toEqual(errorBody(403, "ORIGIN_NOT_ALLOWED"));
      expect([allowed(response), response.headers.get("vary")]).toEqual([null, "Origin"]);
    }
  });

  test.each([
    ["another scheme", () => desk.url.replace("http", "ftp")],
    ["a user name", () => desk.url.replace("http://", "http://a@")],
    ["a path", () => `${desk.url}/`],
  ])("our own host with %s is no origin of ours", async (_, origin) => {
    const response = await ask(origin());
    expect([response.status, allowed(response)]).toEqual([403, null]);
  });

  test("our own pages are always allowed", async () => {
    const response = await ask(desk.url);
    expect([response.status, allowed(response)]).toEqual([204, desk.url]);
  });

  test("a channel can allow all origins", async () => {
    const open = await desk.channel("WEB_CHAT");
    await prisma().channel.update({ where: { id: rowId(open) }, data: { allowedOrigins: ["*"] } });
    const response = await post(desk, open, "sessions", {}, { origin: "https://anywhere.example" });
    expect([response.status, allowed(response)]).toEqual([201, "https://anywhere.example"]);
  });
});
