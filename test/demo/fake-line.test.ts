import { once } from "node:events";
import { get } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import type { LineChannel } from "../../src/demo/line/channel.ts";
import { createFaults, type Fault } from "../../src/demo/line/faults.ts";
import { createRequestLog } from "../../src/demo/line/request-log.ts";
import { type FakeLine, startFakeLine } from "../../src/demo/line/server.ts";
import { type TestClock, testClock } from "../support/clock.ts";

const MIKA = "U0000000000000000000000000000000a";
const KEY = "123e4567-e89b-12d3-a456-426614174000";
const HI = { type: "text", text: "Hi" } as const;

let clock: TestClock;
let line: FakeLine;
let channel: LineChannel;
beforeEach(async () => {
  clock = testClock();
  line = await startFakeLine({ clock, redeliverAfter: [1] });
  channel = line.addChannel({ id: "shop", secret: "secret", displayName: "Shop", accessToken: "token" });
});
afterEach(() => line.stop());

type Headers = Record<string, string>;

async function call(path: string, init: RequestInit & { headers?: Headers } = {}, host = line.url) {
  const response = await fetch(`${host}${path}`, {
    ...init,
    headers: { authorization: "Bearer token", ...init.headers },
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? null : JSON.parse(text) };
}

function post(path: string, body: unknown, headers: Headers = {}) {
  return call(path, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });
}

const push = (messages: unknown = [HI], headers: Headers = {}) =>
  post("/v2/bot/message/push", { to: MIKA, messages }, headers);
const pushOnce = () => push([HI], { "x-line-retry-key": KEY });
const reply = (replyToken: string | undefined, headers: Headers = {}) =>
  post("/v2/bot/message/reply", { replyToken, messages: [HI] }, headers);

/** The texts that the user has received. */
const received = () =>
  channel.account
    .phone(MIKA)
    .entries.flatMap((entry) =>
      entry.from === "account" && entry.message.type === "text" ? [entry.message.text] : [],
    );

describe("access tokens", () => {
  test.each([{ authorization: "" }, { authorization: "Bearer other" }, { authorization: "token" }])(
    "%o is answered 401",
    async (headers) => {
      const { status, body } = await call("/v2/bot/info", { headers });
      expect(status).toBe(401);
      expect(body.message).toMatch(/^Authentication failed/);
    },
  );

  test("an issued token is that of its channel, until it expires or is revoked", async () => {
    const other = line.addChannel({ id: "other", secret: "s", displayName: "Other" });
    const token = other.issueToken(1_000);
    const info = () => call("/v2/bot/info", { headers: { authorization: `Bearer ${token}` } });
    expect((await info()).body.displayName).toBe("Other");
    clock.advance(1_000);
    expect((await info()).status).toBe(401);
    channel.revokeToken("token");
    expect((await call("/v2/bot/info")).status).toBe(401);
  });
});

describe("push", () => {
  test("shows the messages to the user and answers their ids and quote tokens", async () => {
    const { status, headers, body } = await push([
      HI,
      { type: "location", title: "A", address: "B", latitude: 1, longitude: 2 },
    ]);
    expect(status).toBe(200);
    expect(headers.get("x-line-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(body.sentMessages).toEqual([
      { id: expect.stringMatching(/^\d{18}$/), quoteToken: expect.any(String) },
      { id: expect.stringMatching(/^\d{18}$/) },
    ]);
    expect(channel.account.phone(MIKA).entries).toHaveLength(2);
  });

  test("a retry key is accepted once: a repeat is 409 with the first request's id and messages", async () => {
    const first = await pushOnce();
    const repeat = await pushOnce();
    expect(repeat.status).toBe(409);
    expect(repeat.body).toEqual({
      message: "The retry key is already accepted",
      sentMessages: first.body.sentMessages,
    });
    expect(repeat.headers.get("x-line-accepted-request-id")).toBe(first.headers.get("x-line-request-id"));
    expect(received()).toEqual(["Hi"]);
  });

  test("a retry key is forgotten after 24 hours", async () => {
    await pushOnce();
    clock.advance(24 * 60 * 60_000);
    expect((await pushOnce()).status).toBe(200);
  });

  test("a retry key is that of its channel", async () => {
    await pushOnce();
    line.addChannel({ id: "other", secret: "s", accessToken: "other" });
    expect((await push([HI], { "x-line-retry-key": KEY, authorization: "Bearer other" })).status).toBe(200);
  });

  test("a retry key that is no UUID is 400", async () => {
    const { status, body } = await push([HI], { "x-line-retry-key": KEY.replaceAll("-", "") });
    expect({ status, body }).toEqual({
      status: 400,
      body: { message: "The value for the 'X-Line-Retry-Key' parameter is invalid" },
    });
  });
});

describe("reply", () => {
  test("a reply token works once", async () => {
    const { replyToken } = channel.writeAs(MIKA, "Hello").event;
    expect((await reply(replyToken)).status).toBe(200);
    const { status, body } = await reply(replyToken);
    expect({ status, body }).toEqual({ status: 400, body: { message: "Invalid reply token" } });
    expect(received()).toEqual(["Hi"]);
  });

  test.each([
    { age: 59_999, status: 200 },
    { age: 60_000, status: 400 },
  ])("after $age ms a reply token gives $status", async ({ age, status }) => {
    const { replyToken } = channel.writeAs(MIKA, "Hello").event;
    clock.advance(age);
    expect((await reply(replyToken)).status).toBe(status);
  });

  test("with a retry key is 400, and leaves the reply token unused", async () => {
    const { replyToken } = channel.writeAs(MIKA, "Hello").event;
    expect((await reply(replyToken, { "x-line-retry-key": KEY })).status).toBe(400);
    expect((await reply(replyToken)).status).toBe(200);
  });
});

describe("faults", () => {
  const fate = () =>
    pushOnce().then(
      ({ status }) => status,
      () => "broken",
    );

  test.each<[string, Fault, unknown, number]>([
    ["an error response", { effect: { type: "status", status: 503 } }, 503, 200],
    ["an error response to what was accepted", { effect: { type: "status", status: 500 }, accepts: true }, 500, 409],
    ["a reset", { effect: { type: "reset" } }, "broken", 409],
    ["a reset before it is accepted", { effect: { type: "reset" }, accepts: false }, "broken", 200],
    ["no answer", { effect: { type: "swallow" } }, "broken", 409],
    ["half an answer", { effect: { type: "cut", bytes: 5 } }, "broken", 409],
  ])("%s: the client sees it, and the next try tells the truth", async (_name, fault, first, second) => {
    line.faults.add({ ...fault, times: 1 });
    expect(await fate()).toBe(first);
    expect(await fate()).toBe(second);
    expect(received()).toEqual(["Hi"]);
  });

  test("hanging: accepted, and no answer until the client gives up", async () => {
    line.faults.add({ effect: { type: "hang" }, times: 1 });
    const controller = new AbortController();
    const hanging = call("/v2/bot/message/push", {
      method: "POST",
      body: JSON.stringify({ to: MIKA, messages: [HI] }),
      headers: { "content-type": "application/json", "x-line-retry-key": KEY },
      signal: controller.signal,
    }).catch(() => "gave up");
    await expect.poll(received).toEqual(["Hi"]);
    controller.abort();
    expect(await hanging).toBe("gave up");
    expect(await fate()).toBe(409);
    expect(line.log.all().map(({ accepted, status }) => ({ accepted, status }))).toEqual([
      { accepted: true, status: null },
      { accepted: false, status: 409 },
    ]);
  });

  test("slow: accepted at once, answered late", async () => {
    line.faults.add({ effect: { type: "slow", ms: 50 } });
    const before = performance.now();
    expect(await fate()).toBe(200);
    expect(performance.now() - before).toBeGreaterThanOrEqual(49);
  });

  test.each<Partial<Fault>>([{ channel: "other" }, { userId: "U2" }, { operation: "reply" }, { probability: 0 }])(
    "a fault for %o does not strike another request",
    async (selection) => {
      line.faults.add({ effect: { type: "status", status: 500 }, ...selection });
      expect(await fate()).toBe(200);
    },
  );

  test("a fault strikes as often as it says", async () => {
    line.faults.add({ effect: { type: "status", status: 500 }, times: 2 });
    expect([await fate(), await fate(), await fate()]).toEqual([500, 500, 200]);
  });

  test("a probability is drawn for each request", () => {
    const drawn = [0.1, 0.3, 0.2];
    const faults = createFaults(() => drawn.shift() ?? 1);
    faults.add({ effect: { type: "hang" }, probability: 0.25 });
    const strikes = () => faults.strike({ operation: "push", channel: "shop", userId: MIKA }).effect !== null;
    expect([strikes(), strikes(), strikes()]).toEqual([true, false, true]);
  });

  test("a rate limit may say when to try again", async () => {
    line.faults.add({ effect: { type: "status", status: 429, retryAfter: 3 } });
    const { status, headers, body } = await push();
    expect([status, headers.get("retry-after"), body.message]).toEqual([
      429,
      "3",
      "The API rate limit has been exceeded. Try again later.",
    ]);
  });
});

test("the log has each request with its begin, what it was about and what became of it", async () => {
  const before = Number(process.hrtime.bigint()) / 1e6;
  const { headers } = await pushOnce();
  const [logged] = line.log.all();
  expect(logged).toEqual({
    seq: 1,
    requestId: headers.get("x-line-request-id"),
    at: clock.now(),
    monotonicMs: expect.any(Number),
    operation: "push",
    channel: "shop",
    userId: MIKA,
    retryKey: KEY,
    replyToken: null,
    messages: [HI],
    accepted: true,
    status: 200,
  });
  expect(logged?.monotonicMs).toBeGreaterThan(before);
  expect(logged?.monotonicMs).toBeLessThan(Number(process.hrtime.bigint()) / 1e6);
});

test("a used reply token is still known to the log", async () => {
  const { replyToken } = channel.writeAs(MIKA, "Hello").event;
  await reply(replyToken);
  await reply(replyToken);
  expect(line.log.all()).toMatchObject([
    { userId: MIKA, replyToken, accepted: true, status: 200 },
    { userId: MIKA, replyToken, accepted: false, status: 400 },
  ]);
});

test("a log that is full drops its oldest requests, and says how many", () => {
  const log = createRequestLog(4);
  for (let index = 0; index < 6; index += 1) {
    log.begin({
      requestId: "",
      at: 0,
      operation: "push",
      channel: null,
      userId: null,
      retryKey: null,
      replyToken: null,
      messages: [],
      accepted: false,
      status: null,
    });
  }
  expect(log.dropped).toBe(2);
  expect(log.after(4).map(({ seq }) => seq)).toEqual([5, 6]);
  expect(log.after(0).map(({ seq }) => seq)).toEqual([3, 4, 5, 6]);
});

describe("a body that LINE's description does not allow is 400 in LINE's words", () => {
  const item = { type: "action", action: { type: "message", label: "Yes", text: "Yes" } };
  const quick = (count: number, label = "Yes") => ({
    ...HI,
    quickReply: { items: Array(count).fill({ ...item, action: { ...item.action, label } }) },
  });

  test.each<[string, unknown[], object]>([
    ["no message", [], { message: "Size must be at least 1", property: "messages" }],
    ["six messages", Array(6).fill(HI), { message: "Size must be at most 5", property: "messages" }],
    ["no text", [{ type: "text" }], { message: "May not be empty", property: "messages[0].text" }],
    ["an empty text", [HI, { type: "text", text: "" }], { message: "May not be empty", property: "messages[1].text" }],
    [
      "a long text",
      [{ type: "text", text: "a".repeat(5_001) }],
      { message: "Length must be between 0 and 5000", property: "messages[0].text" },
    ],
    [
      "an unknown type",
      [{ type: "poem" }],
      { message: expect.stringMatching(/^Must be one of .*text,textV2,sticker/), property: "messages[0].type" },
    ],
    [
      "fourteen quick replies",
      [quick(14)],
      { message: "Size must be at most 13", property: "messages[0].quickReply.items" },
    ],
    [
      "a long label",
      [quick(1, "a".repeat(21))],
      { message: "Length must be between 0 and 20", property: "messages[0].quickReply.items[0].action.label" },
    ],
    [
      "a location without its address",
      [{ type: "location", title: "A", latitude: 1, longitude: 2 }],
      { message: "May not be empty", property: "messages[0].address" },
    ],
  ])("%s", async (_name, messages, detail) => {
    const { status, body } = await push(messages);
    expect({ status, body }).toEqual({
      status: 400,
      body: { message: "The request body has 1 error(s)", details: [detail] },
    });
    expect(received()).toEqual([]);
  });

  test("what is just allowed is accepted", async () => {
    expect(
      (await push([{ type: "text", text: "a".repeat(5_000) }, HI, HI, HI, quick(13, "a".repeat(20))])).status,
    ).toBe(200);
  });

  test.each([
    [
      "another type",
      { to: 5, messages: [HI] },
      "The property, 'to', in the request body is invalid (line: -, column: -)",
    ],
    ["no JSON", "{", "The request body could not be parsed as JSON (line: -, column: -)"],
  ])("%s", async (_name, sent, message) => {
    const { status, body } = await post("/v2/bot/message/push", sent);
    expect({ status, body }).toEqual({ status: 400, body: { message } });
  });

  test("an unknown operation is 404", async () => {
    const { status, headers, body } = await call("/v2/bot/richmenu/list");
    expect({ status, body }).toEqual({ status: 404, body: { message: "Not found" } });
    expect(headers.get("x-line-request-id")).not.toBeNull();
  });
});

describe("the two kinds of 429", () => {
  test("the monthly limit counts pushes, not replies and not the blocked, and starts anew in Japan's month", async () => {
    channel.account.monthlyLimit = 1;
    channel.unfollowAs("U1");
    await post("/v2/bot/message/push", { to: "U1", messages: [HI] });
    await reply(channel.writeAs(MIKA, "Hello").event.replyToken);
    expect((await call("/v2/bot/message/quota")).body).toEqual({ type: "limited", value: 1 });
    expect((await call("/v2/bot/message/quota/consumption")).body).toEqual({ totalUsage: 0 });
    expect((await push()).status).toBe(200);
    const { status, body } = await push();
    expect({ status, body }).toEqual({ status: 429, body: { message: "You have reached your monthly limit." } });
    clock.advance(Date.parse("2026-01-31T15:00:00Z") - clock.now());
    expect((await push()).status).toBe(200);
  });

  test("the rate limit counts the requests of a second, each operation by itself", async () => {
    line.addChannel({ id: "slow", secret: "s", rateLimit: 1, accessToken: "slow" });
    const authorization = "Bearer slow";
    expect((await push([HI], { authorization })).status).toBe(200);
    const { status, body } = await push([HI], { authorization });
    expect([status, body.message]).toEqual([429, "The API rate limit has been exceeded. Try again later."]);
    expect((await call("/v2/bot/info", { headers: { authorization } })).status).toBe(200);
    clock.advance(1_000);
    expect((await push([HI], { authorization })).status).toBe(200);
  });

  test("without a monthly limit the quota says none", async () => {
    expect((await call("/v2/bot/message/quota")).body).toEqual({ type: "none" });
  });
});

test("a user who blocks the account has no profile and receives nothing, while a push to them is 200", async () => {
  channel.addUser(MIKA, "Mika");
  expect((await call(`/v2/bot/profile/${MIKA}`)).body).toEqual({ userId: MIKA, displayName: "Mika", language: "en" });
  channel.unfollowAs(MIKA);
  expect((await call(`/v2/bot/profile/${MIKA}`)).status).toBe(404);
  const { status, body } = await push();
  expect([status, body.sentMessages.length]).toEqual([200, 1]);
  expect(received()).toEqual([]);
  expect(() => channel.writeAs(MIKA, "Hello")).toThrow("blocks the account");
});

describe("loading", () => {
  const load = (loadingSeconds?: number) => post("/v2/bot/chat/loading/start", { chatId: MIKA, loadingSeconds });

  test("is shown for the time that was asked for, 20 s by default, until a message comes", async () => {
    expect((await load(5)).status).toBe(202);
    expect(channel.account.phone(MIKA).loadingUntil).toBe(clock.now() + 5_000);
    await load();
    expect(channel.account.phone(MIKA).loadingUntil).toBe(clock.now() + 20_000);
    await push();
    expect(channel.account.phone(MIKA).loadingUntil).toBeNull();
  });

  test.each([0, 4, 7, 65])("%i seconds are 400", async (seconds) => {
    expect((await load(seconds)).status).toBe(400);
  });
});

test("mark as read takes the token of a message, and marks what came before it, too", async () => {
  channel.writeAs(MIKA, "One");
  const { message } = channel.writeAs(MIKA, "Two").event;
  channel.writeAs(MIKA, "Three");
  const { markAsReadToken } = z.object({ markAsReadToken: z.string() }).parse(message);
  expect((await post("/v2/bot/chat/markAsRead", { markAsReadToken })).status).toBe(200);
  expect(channel.account.phone(MIKA).entries).toMatchObject([{ read: true }, { read: true }, { read: false }]);
  expect((await post("/v2/bot/chat/markAsRead", { markAsReadToken: "none" })).status).toBe(400);
});

describe("content", () => {
  const bytes = Buffer.from("a picture");
  const content = { bytes, contentType: "image/png", preview: Buffer.from("small") };
  const get = async (path: string, host = line.dataUrl) => {
    const response = await fetch(`${host}/v2/bot/message/${path}`, { headers: { authorization: "Bearer token" } });
    return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
  };

  test("lies on the data host, with its type and a preview", async () => {
    const { messageId } = channel.sendFileAs(MIKA, "image", content);
    expect(await get(`${messageId}/content`)).toEqual({ status: 200, type: "image/png", text: "a picture" });
    expect(await get(`${messageId}/content/preview`)).toEqual({ status: 200, type: "image/jpeg", text: "small" });
    expect((await get(`${messageId}/content`, line.url)).status).toBe(404);
    expect((await get("1/content")).status).toBe(404);
  });

  test("is 202 while it is transcoded, and 404 if that failed", async () => {
    const { messageId } = channel.sendFileAs(MIKA, "video", content, "processing");
    expect((await get(`${messageId}/content`)).status).toBe(202);
    expect((await get(`${messageId}/content/transcoding`)).text).toBe('{"status":"processing"}');
    channel.account.contents.setTranscoding(String(messageId), "succeeded");
    expect((await get(`${messageId}/content`)).text).toBe("a picture");
    channel.account.contents.setTranscoding(String(messageId), "failed");
    expect((await get(`${messageId}/content`)).status).toBe(404);
  });

  test("is gone after an unsend", async () => {
    const messageId = String(channel.sendFileAs(MIKA, "image", content).messageId);
    channel.unsendAs(MIKA, messageId);
    expect((await get(`${messageId}/content`)).status).toBe(404);
  });

  test("breaks off on demand", async () => {
    const { messageId } = channel.sendFileAs(MIKA, "image", content);
    line.faults.add({ operation: "content", effect: { type: "cut", bytes: 3 } });
    const response = await fetch(`${line.dataUrl}/v2/bot/message/${messageId}/content`, {
      headers: { authorization: "Bearer token" },
    });
    expect(response.headers.get("content-length")).toBe("9");
    await expect(response.text()).rejects.toThrow();
  });
});

describe("other processes", () => {
  const ask = async (method: string, path: string, body?: unknown) => {
    const init =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    const response = await fetch(`${line.url}/_control${path}`, { method, ...init });
    const text = await response.text();
    return { status: response.status, body: text === "" ? null : JSON.parse(text) };
  };

  test("read the log from where they left off", async () => {
    await push();
    const { body } = await ask("GET", "/log");
    expect(body).toEqual({ dropped: 0, requests: line.log.all() });
    await push();
    expect((await ask("GET", "/log?after=1")).body.requests).toEqual(line.log.all().slice(1));
  });

  test("add, list and remove faults", async () => {
    const { body } = await ask("POST", "/faults", { effect: { type: "status", status: 500 }, userId: MIKA });
    expect((await push()).status).toBe(500);
    expect((await ask("GET", "/faults")).body).toHaveLength(1);
    await ask("DELETE", `/faults/${body.id}`);
    expect((await push()).status).toBe(200);
    expect((await ask("POST", "/faults", { effect: { type: "flood" } })).status).toBe(400);
  });

  test("cannot be reached by a page under a name of its own", async () => {
    const request = get(`${line.url}/_control/log`, { headers: { host: "evil.example" } });
    const [response] = await once(request, "response");
    expect(response.statusCode).toBe(403);
    response.resume();
  });

  test("add a channel, with tokens and a quota, and let its users act", async () => {
    const { body } = await ask("POST", "/channels", { id: "new", secret: "s" });
    expect((await push([HI], { authorization: `Bearer ${body.token}` })).status).toBe(200);
    await ask("DELETE", `/channels/new/tokens/${body.token}`);
    expect((await push([HI], { authorization: `Bearer ${body.token}` })).status).toBe(401);
    const { token } = (await ask("POST", "/channels/new/tokens", {})).body;
    await ask("PUT", "/channels/new/quota", { monthlyLimit: 1 });
    expect((await push([HI], { authorization: `Bearer ${token}` })).status).toBe(429);
    expect((await ask("POST", `/channels/new/users/${MIKA}/actions`, { type: "write", text: "Hello" })).status).toBe(
      202,
    );
    expect((await ask("GET", `/channels/new/users/${MIKA}`)).body.entries).toMatchObject([
      { from: "account", message: HI },
      { from: "user", message: { text: "Hello" } },
    ]);
    expect((await ask("GET", "/channels/none/users/U1")).status).toBe(404);
    expect((await ask("POST", "/channels", { id: "new", secret: "s" })).status).toBe(409);
  });
});
