import { describe, expect, test } from "vitest";
import { MAX_CALLS } from "../../src/delivery/sender.ts";
import type { Effect } from "../../src/demo/line/faults.ts";
import { at } from "../support/answers.ts";
import { GREETING, rowId } from "../support/app.ts";
import { bootLineTest, eventually, type LineTest } from "../support/line-chat.ts";
import { cursorNow, listen } from "../support/subscriber.ts";
import { latest } from "../support/view.ts";

const it = await bootLineTest();
const { desk, requests } = it;
/** For calls without an answer. Its other calls must not take that long, also on a busy machine. */
const impatient = await bootLineTest({ callTimeout: 700 });

const failures: readonly [string, Effect, LineTest?][] = [
  ["500", { type: "status", status: 500 }],
  ["503", { type: "status", status: 503 }],
  ["no answer", { type: "hang" }, impatient],
  ["a reset connection", { type: "reset" }],
  ["a closed connection", { type: "swallow" }],
  ["a rate limit", { type: "status", status: 429 }],
];

describe("S4: a push that may succeed later", () => {
  test.each(failures)(
    "%s: again, with the same bytes and key, after growing delays",
    async (_name, effect, on = it) => {
      const user = await on.greeted();
      user.fault(effect, { operation: "push", accepts: false, times: 3 });
      const id = await user.isSent("Hi");
      await on.send();
      // What comes later does not join, because the bytes are fixed by the first attempt.
      await user.isSent("Later");
      for (const [attempts, delay] of [
        [1, 500],
        [2, 1_000],
        [3, 2_000],
      ] as const) {
        await on.after(delay - 1);
        expect(on.requests).toHaveLength(attempts);
        expect(await user.outbound()).toEqual([`${GREETING}: SENT`, "Hi: QUEUED", "Later: QUEUED"]);
        await on.after(delay + 1);
      }

      const [first, ...again] = on.requests;
      expect(first).toMatchObject({
        path: "/v2/bot/message/push",
        headers: { "x-line-retry-key": rowId(id) },
        body: JSON.stringify({ to: user.externalId, messages: [{ type: "text", text: "Hi" }] }),
      });
      expect(again.slice(0, 3)).toEqual([first, first, first]);
      expect(again.slice(3)).toMatchObject([{ body: expect.stringContaining("Later") }]);
      expect(user.received()).toEqual([GREETING, "Hi", "Later"]);
      expect(await user.outbound()).toEqual([`${GREETING}: SENT`, "Hi: SENT", "Later: SENT"]);
    },
  );

  test.each([429, 503])("%d with retry-after: not before that", async (status) => {
    const user = await it.greeted();
    user.fault({ type: "status", status, retryAfter: 30 }, { operation: "push", times: 1 });
    await user.isSent("Hi");
    await it.send();
    await it.after(29_999);
    expect(requests).toHaveLength(1);
    await it.after(1);
    expect(requests).toHaveLength(2);
    expect(user.received()).toEqual([GREETING, "Hi"]);
  });

  test("a rate limit lets no other message of the channel through either", async () => {
    const [limited, other] = [await it.greeted(), await it.greeted()];
    requests.splice(0);
    limited.fault({ type: "status", status: 429, retryAfter: 5 }, { times: 1 });
    await limited.isSent("Limited");
    await it.send();
    await other.isSent("Other");
    await it.after(4_999);
    expect(requests).toHaveLength(1);
    await it.after(1);
    expect([limited.received(), other.received()]).toEqual([
      [GREETING, "Limited"],
      [GREETING, "Other"],
    ]);
  });

  test.each([
    ["an answer that got lost", { type: "swallow" }, it],
    ["an answer that did not come in time", { type: "hang" }, impatient],
    ["500 although it was accepted", { type: "status", status: 500 }, it],
  ] as const)("%s: the repeat gets 409, which is SENT, once", async (_name, effect, on) => {
    const user = await on.greeted();
    user.fault(effect, { operation: "push", accepts: true, times: 1 });
    await user.isSent("Hi");
    await on.send();
    expect(await user.outbound()).toEqual([`${GREETING}: SENT`, "Hi: QUEUED"]);
    await on.after(1_000);
    expect(on.line.log.all().filter(({ userId }) => userId === user.externalId)).toMatchObject([
      { operation: "reply", status: 200 },
      { operation: "push", accepted: true },
      { operation: "push", accepted: false, status: 409 },
    ]);
    expect(user.received()).toEqual([GREETING, "Hi"]);
    expect(await user.outbound()).toEqual([`${GREETING}: SENT`, "Hi: SENT"]);
    // LINE answers the ids also with 409.
    const phone = on.account.account.phone(user.externalId);
    expect((await user.entries()).at(-1)?.providerMessageId).toBe(phone.entries.at(-1)?.id);
  });

  test("an answer that breaks off is an answer", async () => {
    const user = await it.greeted();
    user.fault({ type: "cut", bytes: 5 }, { operation: "push", times: 1 });
    await user.isSent("Hi");
    await it.send();
    expect(await user.outbound()).toEqual([`${GREETING}: SENT`, "Hi: SENT"]);
  });

  test("each step is a messageChanged event, in order", async () => {
    const user = await it.greeted();
    user.fault({ type: "status", status: 500 }, { operation: "push", times: 1 });
    const after = await cursorNow(desk);
    await user.isSent("Hi");
    await it.send();
    await it.after(1_000);
    const conversationId = await latest(desk, user);
    const listener = listen(desk, "messageChanged", { after, filter: { conversationId } });
    const events = await listener.take(4);
    await listener.close();
    expect(events.map(({ deliveryStatus }) => deliveryStatus)).toEqual(["SENDING", "QUEUED", "SENDING", "SENT"]);
  });

  test("after 12 hours it is EXPIRED, and not called again", async () => {
    const user = await it.greeted();
    user.fault({ type: "status", status: 500 }, { operation: "push" });
    await user.isSent("Hi");
    await it.send();
    await it.after(12 * 3_600_000 - 1);
    expect(requests).toHaveLength(2);
    expect(await user.outbound()).toEqual([`${GREETING}: SENT`, "Hi: QUEUED"]);
    await it.after(1);
    await it.after(3_600_000);
    expect(requests).toHaveLength(2);
    expect(await user.outbound()).toEqual([`${GREETING}: SENT`, "Hi: FAILED EXPIRED"]);
  });
});

describe("S4: a refusal for good", () => {
  test("the monthly quota: QUOTA_EXCEEDED, at once; a reply is free", async () => {
    const user = await it.greeted();
    it.account.account.monthlyLimit = 0;
    await user.isSent("Hi");
    await it.send();
    await user.writes("Hello?");
    await user.isSent("Free");
    await it.send();
    it.account.account.monthlyLimit = null;
    await it.after(600_000);
    expect(requests).toHaveLength(2);
    expect(await user.outbound()).toEqual([`${GREETING}: SENT`, "Hi: FAILED QUOTA_EXCEEDED", "Free: SENT"]);
    expect((await user.entries()).at(-3)?.deliveryError?.message).toBe("You have reached your monthly limit.");
  });

  test.each([400, 404, 413])("%d: REJECTED with LINE's reason, and the next message goes out", async (status) => {
    const user = await it.greeted();
    user.fault({ type: "status", status }, { operation: "push", times: 1 });
    await user.isSent("Hi");
    await it.send();
    await user.isSent("Next");
    await it.send();
    expect(await user.outbound()).toEqual([`${GREETING}: SENT`, "Hi: FAILED REJECTED", "Next: SENT"]);
    const reason = status === 404 ? "Not found" : "Bad request";
    expect((await user.entries()).at(-2)?.deliveryError?.message).toBe(
      `LINE refused the message (${status}): ${reason}`,
    );
  });

  test("the reason names what LINE does not accept", async () => {
    const user = await it.greeted();
    // LINE counts 5,000 UTF-16 code units.
    await user.isSent("😀".repeat(2_501));
    await it.send();
    expect((await user.entries()).at(-1)?.deliveryError).toEqual({
      code: "REJECTED",
      message:
        "LINE refused the message (400): The request body has 1 error(s) messages[0].text: Length must be between 0 and 5000.",
    });
  });
});

describe("S4: refused credentials fault the channel, and its messages wait", () => {
  const faultOf = async (channel: string): Promise<unknown> =>
    at(
      (await desk.ada.graphql("query ($id: ID!) { node(id: $id) { ... on Channel { fault } } }", { id: channel })).data,
      "node.fault",
    );

  test.each([
    [401, "Authentication failed. Confirm that the access token in the authorization header is valid."],
    [403, "Access to this API is not available for your account"],
  ])("%d, until updateChannel gives it another access token", async (status, reason) => {
    const on = await it.channel({ accessToken: `refused-${status}` });
    const [user, other] = [await it.greeted(on), await it.greeted(on)];
    requests.splice(0);
    user.fault({ type: "status", status }, { operation: "push", times: 1 });
    await user.isSent("Hi");
    await it.send();
    await other.isSent("Ho");
    await it.after(3_600_000);
    expect(await faultOf(on.channel)).toBe(
      `LINE refuses the access token (${status}: ${reason}). Set a new one with updateChannel.`,
    );
    expect(await user.outbound()).toEqual([`${GREETING}: SENT`, "Hi: QUEUED"]);
    expect(await other.outbound()).toEqual([`${GREETING}: SENT`, "Ho: QUEUED"]);
    expect(requests).toHaveLength(1);

    await desk.ada.updateChannel({ channelId: on.channel, line: { accessToken: on.account.issueToken() } });
    await it.send();
    expect(await faultOf(on.channel)).toBeNull();
    expect([user.received(), other.received()]).toEqual([
      [GREETING, "Hi"],
      [GREETING, "Ho"],
    ]);
    expect(requests).toHaveLength(3);
  });

  test("until testChannel shows that its access token works again", async () => {
    const on = await it.channel({ accessToken: "works-again" });
    const user = await it.greeted(on);
    user.fault({ type: "status", status: 401 }, { operation: "push", times: 1 });
    await user.isSent("Hi");
    await it.send();
    expect(await user.outbound()).toEqual([`${GREETING}: SENT`, "Hi: QUEUED"]);
    expect(await desk.ada.testChannel({ channelId: on.channel })).toMatchObject({ ok: true });
    await it.send();
    expect(await user.outbound()).toEqual([`${GREETING}: SENT`, "Hi: SENT"]);
  });

  test("a refused reply keeps its token, and is EXPIRED after 12 hours like any other message", async () => {
    const on = await it.channel({ accessToken: "refused" });
    const user = it.user(on);
    user.fault({ type: "status", status: 401 }, { times: 1 });
    await user.writes();
    await it.send();
    await desk.ada.updateChannel({ channelId: on.channel, line: { accessToken: on.account.issueToken() } });
    await it.send();
    expect(requests).toMatchObject([{ path: "/v2/bot/message/reply" }, { path: "/v2/bot/message/reply" }]);

    user.fault({ type: "status", status: 401 }, { times: 1 });
    await user.isSent("Hi");
    await it.send();
    await it.after(12 * 3_600_000);
    expect(await user.outbound()).toEqual([`${GREETING}: SENT`, "Hi: FAILED EXPIRED"]);
  });
});

test("S1: a provider that hangs on one channel slows no other", async () => {
  const slow = await it.channel({ accessToken: "slow" });
  // More than the calls that one channel may have at a time.
  const users = Array.from({ length: MAX_CALLS + 12 }, () => it.user(slow));
  it.line.faults.add({ effect: { type: "hang" }, channel: slow.account.id });
  await Promise.all(users.map((user) => user.writes()));
  await eventually(() => requests.length).toBe(MAX_CALLS);

  const user = it.user();
  await user.writes();
  await eventually(() => user.outbound()).toEqual([`${GREETING}: SENT`]);
  expect(await users[0]?.outbound()).toEqual([`${GREETING}: SENDING`]);
});
