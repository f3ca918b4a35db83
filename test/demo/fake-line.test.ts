import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LineChannel } from "../../src/demo/line/channel.ts";
import type { Fault } from "../../src/demo/line/faults.ts";
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

  test("a fault strikes as often as it says, and a probability is drawn for each request", async () => {
    line.faults.add({ effect: { type: "status", status: 500 }, times: 2 });
    expect([await fate(), await fate(), await fate()]).toEqual([500, 500, 200]);
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
