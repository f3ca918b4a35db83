import { afterAll, beforeEach, expect, test } from "vitest";
import type { Effect } from "../../src/demo/line/faults.ts";
import { bootDesk, GREETING } from "../support/app.ts";
import { databaseOf } from "../support/faults.ts";
import { bootLineTest, eventually, type LineUser } from "../support/line-chat.ts";
import { latest } from "../support/view.ts";

const it = await bootLineTest();
const { desk, line, requests } = it;
const SENT = `${GREETING}: SENT`;

/** Resolves when a call to this user has begun, by LINE's log. */
async function begun({ externalId }: LineUser): Promise<void> {
  await eventually(() =>
    line.log.all().some(({ userId, operation }) => userId === externalId && operation === "push"),
  ).toBe(true);
}

/** Another instance. Its clock is behind, so that it takes nothing before it is told to. */
const other = await bootDesk({ env: { DATABASE_URL: databaseOf(desk), LINE_API_URL: line.url } });
beforeEach(() => desk.clock.advance(3_600_000));
// Before the desk, whose database it uses.
afterAll(other.stop);

/** The other instance does what is due when the leases of the first are lost. */
async function leasesAreLost(): Promise<void> {
  other.clock.advance(desk.clock.now() + 30_000 - other.clock.now());
  await other.app.runDue();
}

test("B4, D5: while blocked, nothing is queued", async () => {
  const user = await it.greeted();
  const conversationId = await latest(desk, user);
  await user.isBlocked();
  expect(await desk.ada.attempt("sendMessage", { conversationId, text: "Hi" })).toMatchObject({
    __typename: "ContactBlockedError",
  });
  await user.writes("Hello?");
  await it.after(60_000);
  expect(await user.outbound()).toEqual([SENT]);
  expect(requests).toEqual([]);
});

test("B4: what is queued is canceled, and is not sent after an unblock", async () => {
  const on = await it.channel();
  const user = it.user(on);
  await user.writes();
  await user.isSent("Hi");
  await user.isBlocked();
  await desk.ada.updateChannel({ channelId: on.channel, line: { accessToken: on.account.issueToken() } });
  await it.send();
  await user.isUnblocked();
  await it.after(60_000);
  expect(await user.outbound()).toEqual([`${GREETING}: CANCELED`, "Hi: CANCELED"]);
  expect(requests).toEqual([]);

  // What is sent now goes out, and nothing else.
  await user.writes("Hello again");
  await it.send();
  expect(user.received()).toEqual([GREETING]);
});

test.each<[string, Effect, string]>([
  ["a rate limit", { type: "status", status: 429 }, "Hi: CANCELED"],
  ["500", { type: "status", status: 500 }, "Hi: CANCELED OUTCOME_UNKNOWN"],
  ["a lost answer", { type: "swallow" }, "Hi: CANCELED OUTCOME_UNKNOWN"],
])(
  "S6: what was to be repeated after %s is canceled, and whether it arrived stays open",
  async (_name, effect, expected) => {
    const user = await it.greeted();
    user.fault(effect, { operation: "push", times: 1 });
    await user.isSent("Hi");
    await it.send();
    await user.isSent("Behind it");
    await user.isBlocked();
    await it.after(60_000);
    await user.isUnblocked();
    await it.after(60_000);
    expect(await user.outbound()).toEqual([SENT, expected, "Behind it: CANCELED"]);
    expect(requests).toHaveLength(1);
  },
);

const endings: readonly [string, Effect | null, string][] = [
  ["accepted", null, "Hi: SENT"],
  ["refused for good", { type: "status", status: 400 }, "Hi: FAILED REJECTED"],
  ["limited", { type: "status", status: 429 }, "Hi: CANCELED"],
  ["refused for the access token", { type: "status", status: 401 }, "Hi: CANCELED"],
  ["answered with 500", { type: "status", status: 500 }, "Hi: CANCELED OUTCOME_UNKNOWN"],
  ["not answered", { type: "swallow" }, "Hi: CANCELED OUTCOME_UNKNOWN"],
];

test("S6: a call that has begun when the block comes may finish, and is not repeated", async () => {
  const users = new Map<string, LineUser>();
  for (const [name, effect] of endings) {
    const user = await it.greeted(await it.channel({ accessToken: name.replaceAll(" ", "-") }));
    user.fault({ type: "slow", ms: 2_000 }, { operation: "push", times: 1 });
    if (effect !== null) user.fault(effect, { operation: "push", times: 1 });
    users.set(name, user);
  }
  const outcomes = async (): Promise<unknown> =>
    Object.fromEntries(
      await Promise.all([...users].map(async ([name, user]) => [name, (await user.outbound()).slice(1)] as const)),
    );
  const all = [...users.values()];
  requests.splice(0);

  await Promise.all(all.map((user) => user.isSent("Hi")));
  await Promise.all(all.map(begun));
  await Promise.all(all.map((user) => user.isBlocked()));
  expect(await outcomes()).toEqual(Object.fromEntries(endings.map(([name]) => [name, ["Hi: SENDING"]])));
  await it.send();
  const expected = Object.fromEntries(endings.map(([name, _effect, outcome]) => [name, [outcome]]));
  expect(await outcomes()).toEqual(expected);

  await it.after(60_000);
  await Promise.all(all.map((user) => user.isUnblocked()));
  await it.after(60_000);
  expect(await outcomes()).toEqual(expected);
  expect(requests).toHaveLength(endings.length);
});

test("S2: what a dead instance has leased is sent again with the same bytes, and its late answer changes nothing", async () => {
  const user = await it.greeted();
  user.fault({ type: "slow", ms: 1_500 }, { operation: "push", times: 1 });
  await user.isSent("Hi");
  await begun(user);
  await user.isSent("Behind it");
  await leasesAreLost();
  expect(await user.outbound()).toEqual([SENT, "Hi: SENT", "Behind it: SENT"]);

  await it.send();
  expect(await user.outbound()).toEqual([SENT, "Hi: SENT", "Behind it: SENT"]);
  expect(user.received()).toEqual([GREETING, "Hi", "Behind it"]);
  const pushes = line.log.all().filter(({ userId, operation }) => userId === user.externalId && operation === "push");
  expect(pushes).toMatchObject([{ status: 200 }, { status: 409 }, { status: 200 }]);
  expect(pushes[1]).toMatchObject({ retryKey: pushes[0]?.retryKey, messages: pushes[0]?.messages });
});

test("S2, S6: what a dead instance has leased is OUTCOME_UNKNOWN if a block came since; a late success is SENT", async () => {
  const user = await it.greeted();
  user.fault({ type: "slow", ms: 1_500 }, { operation: "push", times: 1 });
  await user.isSent("Hi");
  await begun(user);
  await user.isBlocked();
  await user.isUnblocked();
  await leasesAreLost();
  expect(await user.outbound()).toEqual([SENT, "Hi: FAILED OUTCOME_UNKNOWN"]);
  expect(requests).toHaveLength(1);

  // The instance was not dead after all.
  await it.send();
  expect(await user.outbound()).toEqual([SENT, "Hi: SENT"]);
});

test("S1: on an archived channel, what was to be repeated is canceled", async () => {
  const on = await it.channel({ accessToken: "archived" });
  const user = await it.greeted(on);
  user.fault({ type: "status", status: 429 }, { times: 1 });
  await user.isSent("Hi");
  await it.send();
  await desk.ada.archiveChannel({ channelId: on.channel });
  await it.after(60_000);
  expect(await user.outbound()).toEqual([SENT, "Hi: CANCELED"]);
  expect(requests).toHaveLength(1);
});
