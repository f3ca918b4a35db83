import { describe, expect, test } from "vitest";
import { GREETING, lineText, rowId } from "../support/app.ts";
import { bootLineTest } from "../support/line-chat.ts";

const it = await bootLineTest();
const { desk, requests } = it;
/** For a call without an answer. Its other calls must not take that long, also on a busy machine. */
const impatient = await bootLineTest({ callTimeout: 700 });

describe("S5: a reply that may have arrived", () => {
  test.each([
    ["500", { type: "status", status: 500 }, it],
    ["no answer", { type: "hang" }, impatient],
    ["a reset connection", { type: "reset" }, it],
  ] as const)("%s: the same reply once more; invalid reply token counts as delivered", async (_name, effect, on) => {
    const user = on.user();
    user.fault(effect, { accepts: true, times: 1 });
    await user.writes();
    await on.send();
    expect(await user.outbound()).toEqual([`${GREETING}: QUEUED`]);
    await on.after(999);
    expect(on.requests).toHaveLength(1);
    await on.after(1);
    const [first, second, ...more] = on.requests;
    expect(second).toEqual(first);
    expect(more).toEqual([]);
    expect(user.received()).toEqual([GREETING]);
    expect(await user.outbound()).toEqual([`${GREETING}: SENT`]);
  });

  test("it is SENT if the repeat is accepted", async () => {
    const user = it.user();
    user.fault({ type: "status", status: 500 }, { times: 1 });
    await user.writes();
    await it.send();
    await it.after(1_000);
    expect(requests).toMatchObject([{ path: "/v2/bot/message/reply" }, { path: "/v2/bot/message/reply" }]);
    expect(user.received()).toEqual([GREETING]);
    expect(await user.outbound()).toEqual([`${GREETING}: SENT`]);
  });

  test.each([true, false])("twice unanswered (accepted: %s): OUTCOME_UNKNOWN, and never a push", async (accepts) => {
    const user = it.user();
    user.fault({ type: "swallow" }, { accepts, times: 2 });
    await user.writes();
    await it.send();
    await it.after(1_000);
    expect(await user.outbound()).toEqual([`${GREETING}: FAILED OUTCOME_UNKNOWN`]);
    await it.after(3_600_000);
    expect(requests).toMatchObject([{ path: "/v2/bot/message/reply" }, { path: "/v2/bot/message/reply" }]);
  });

  test("it is OUTCOME_UNKNOWN at once if its token dies before the repeat", async () => {
    const on = await it.channel();
    const user = it.user(on);
    await user.writes();
    await it.after(49_500);
    user.fault({ type: "swallow" });
    await desk.ada.updateChannel({ channelId: on.channel, line: { accessToken: on.account.issueToken() } });
    await it.send();
    expect(await user.outbound()).toEqual([`${GREETING}: FAILED OUTCOME_UNKNOWN`]);
    await it.after(3_600_000);
    expect(requests).toHaveLength(1);
  });

  test("an unknown token was not used, so that the message is sent as a push", async () => {
    const user = it.user();
    await desk.lineWebhook([lineText(user.externalId, "Hello", { timestamp: desk.clock.now() })]);
    await it.send();
    const [greeting] = (await user.entries()).filter(({ direction }) => direction === "OUTBOUND");
    expect(requests).toMatchObject([
      { path: "/v2/bot/message/reply" },
      { path: "/v2/bot/message/push", headers: { "x-line-retry-key": rowId(greeting?.id ?? "") } },
    ]);
    expect(user.received()).toEqual([GREETING]);
  });

  test("a reply that was limited is sent as a push once its token has died", async () => {
    const user = it.user();
    user.fault({ type: "status", status: 429, retryAfter: 60 }, { operation: "reply", times: 1 });
    await user.writes();
    await it.send();
    await it.after(60_000);
    expect(requests).toMatchObject([{ path: "/v2/bot/message/reply" }, { path: "/v2/bot/message/push" }]);
    expect(await user.outbound()).toEqual([`${GREETING}: SENT`]);
  });
});
