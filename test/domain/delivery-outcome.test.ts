import { describe, expect, test } from "vitest";
import { type DeliveryOutcome, retryDelay } from "../../src/domain/outbox.ts";
import { ada, seconds } from "./cast.ts";
import { atDue, hours, leased, minutes, pushed, queued } from "./sending.ts";
import { contactChannel, type Desk, type outcomes } from "./support.ts";

describe("S4, S5: outcomes", () => {
  type Outcomes = readonly (keyof typeof outcomes)[];

  test.each<[string, () => Desk, Outcomes, string]>([
    ["accepted", () => pushed("one"), ["SENT"], "SENT"],
    ["refused for good", () => pushed("one"), ["FAILED"], "FAILED REJECTED"],
    ["a push that is to be repeated", () => pushed("one"), ["REFUSED"], "QUEUED"],
    ["a push that may have arrived", () => pushed("one"), ["AMBIGUOUS"], "QUEUED"],
    ["a push, again and again", () => pushed("one"), ["AMBIGUOUS", "REFUSED", "AMBIGUOUS", "AMBIGUOUS"], "QUEUED"],
    ["a reply that may have arrived", () => queued("one"), ["AMBIGUOUS"], "QUEUED"],
    ["a reply, twice", () => queued("one"), ["AMBIGUOUS", "AMBIGUOUS"], "FAILED OUTCOME_UNKNOWN"],
    ["a reply, then a rate limit", () => queued("one"), ["AMBIGUOUS", "REFUSED"], "QUEUED"],
    ["a reply, a rate limit, then again", () => queued("one"), ["REFUSED", "AMBIGUOUS"], "QUEUED"],
    ["a repeated reply, accepted", () => queued("one"), ["AMBIGUOUS", "SENT"], "SENT"],
    ["a repeated reply, refused", () => queued("one"), ["AMBIGUOUS", "FAILED"], "FAILED REJECTED"],
    ["a repeated reply, token used", () => queued("one"), ["AMBIGUOUS", "INVALID_REPLY_TOKEN"], "SENT"],
    ["a reply, token invalid at once", () => queued("one"), ["INVALID_REPLY_TOKEN"], "QUEUED"],
    ["… after a rate limit", () => queued("one"), ["REFUSED", "INVALID_REPLY_TOKEN"], "QUEUED"],
  ])("%s", (_, situation, [...given], expected) => {
    const desk = situation();
    for (const outcome of given) atDue(desk).lease().settle(outcome);
    expect(desk.outbox).toEqual([`one: ${expected}`]);
  });

  test("an invalid reply token becomes a push of the same messages at once", () => {
    const desk = queued("one").lease().reply(ada, "two").settle("INVALID_REPLY_TOKEN").lease();
    expect(desk.latestLease).toMatchObject({ messageIds: desk.leases[0]?.messageIds, attempt: 2 });
    expect(desk.latestLease.call).toEqual({ type: "PUSH" });
  });

  test.each([
    [seconds(49), "one: QUEUED"],
    [seconds(49) + 1, "one: FAILED OUTCOME_UNKNOWN"],
  ])(
    "S5: a reply that may have arrived at %i ms is repeated only if its token lives a second later",
    (at, expected) => {
      expect(queued("one").at(at).lease().settle("AMBIGUOUS").outbox).toEqual([expected]);
    },
  );

  test("S5: a reply that may have arrived is never sent as a push, however late the next attempt is", () => {
    const desk = queued("one").lease().settle("AMBIGUOUS").reply(ada, "two").at(seconds(51)).lease();
    expect(desk.outbox).toEqual(["one: FAILED OUTCOME_UNKNOWN", "two: SENDING"]);
    expect(leased(desk)).toEqual(["two"]);
  });

  test.each([
    ["is repeated while its token lives", seconds(20), "one: SENDING"],
    ["is OUTCOME_UNKNOWN when its token has died", seconds(20) + 1, "one: FAILED OUTCOME_UNKNOWN"],
  ])("S5: a reply whose lease is lost %s", (_, at, expected) => {
    expect(queued("one").at(at).lease().wait(seconds(30)).lease().outbox).toEqual([expected]);
  });

  test("S4: a delay is kept to the millisecond", () => {
    const desk = pushed("one").lease().settle({ type: "AGAIN", isAmbiguous: false, delay: 1_234 });
    expect(desk.state.outbox.dueAt).toBe(seconds(60) + 1_234);
    expect(leased(desk.wait(1_233).lease())).toEqual([]);
    expect(leased(desk.wait(1).lease())).toEqual(["one"]);
  });

  test.each([
    [0, 0, 500],
    [0, 0.999, 1_000],
    [1, 0, 1_000],
    [3, 0.5, 6_000],
    [8, 0, 128_000],
    [9, 0, 150_000],
    [100, 0.999, 299_850],
  ])("S4: after %i failures, with jitter %f, the next attempt is in %i ms", (failures, random, expected) => {
    expect(retryDelay(failures, random)).toBe(expected);
  });
});

describe("S4: 12 hours after its recording, what is still not sent is EXPIRED", () => {
  test.each<[string, (desk: Desk) => Desk]>([
    ["it waited for an access token", (desk) => desk],
    [
      "it waited for its next attempt",
      (desk) => desk.lease().settle({ type: "AGAIN", isAmbiguous: false, delay: hours(13) }),
    ],
    ["it may have arrived", (desk) => desk.lease().settle("AMBIGUOUS")],
    ["its lease was lost", (desk) => desk.lease()],
  ])("if %s", (_, then) => {
    const desk = then(pushed("one")).at(hours(12) - 1);
    expect(desk.outbox[0]).toMatch(/QUEUED|SENDING/);
    expect(desk.at(hours(12)).expire().outbox).toEqual(["one: FAILED EXPIRED"]);
    expect(desk.state.outbox).toMatchObject({ delivery: null, dueAt: null });
  });

  test("a request for a lease finds it, and goes on with what is younger", () => {
    const desk = queued("one").at(1).reply(ada, "two").at(hours(12)).lease();
    expect(desk.outbox).toEqual(["one: FAILED EXPIRED", "two: SENDING"]);
  });

  test("not while a call is under way", () => {
    const desk = queued("one")
      .at(hours(12) - 1)
      .lease()
      .wait(seconds(10))
      .expire();
    expect(desk.settle("SENT").outbox).toEqual(["one: SENT"]);
  });

  test.each<[keyof typeof outcomes, readonly string[]]>([
    ["REFUSED", ["one: FAILED EXPIRED", "two: QUEUED"]],
    ["AMBIGUOUS", ["one: FAILED EXPIRED", "two: FAILED OUTCOME_UNKNOWN"]],
  ])("what traveled with it after %s: %o", (outcome, expected) => {
    const desk = queued("one").at(seconds(60)).reply(ada, "two").lease().settle(outcome).at(hours(12)).expire();
    expect(desk.outbox).toEqual(expected);
  });

  test("each message once, also of a delivery that may have arrived", () => {
    const desk = pushed("one", "two").lease().settle("AMBIGUOUS").at(hours(12)).expire();
    expect(desk.outbox).toEqual(["one: FAILED EXPIRED", "two: FAILED EXPIRED"]);
    expect(desk.emitted).toHaveLength(2);
  });

  test("however many there are", () => {
    const desk = queued(...Array.from({ length: 50 }, (_, index) => `${index}`))
      .at(hours(12))
      .lease();
    expect(new Set(desk.messages.slice(1).map(({ deliveryStatus }) => deliveryStatus))).toEqual(new Set(["FAILED"]));
    expect(leased(desk)).toEqual([]);
  });

  test("web chat waits for its visitor without end", () => {
    const desk = contactChannel({ kind: "WEB_CHAT" })
      .inbound("hi")
      .reply(ada, "one")
      .at(hours(24 * 365));
    expect(desk.expire().emitted).toEqual([]);
    expect(leased(desk.lease())).toEqual(["one"]);
  });
});

describe("S7: a partner that has taken a message has 5 minutes to report its outcome", () => {
  const taken = () =>
    contactChannel({ kind: "CUSTOM" }).inbound("hi").reply(ada, "one").lease().wait(9).settle("TAKEN");

  test.each<[string, DeliveryOutcome, string]>([
    ["delivered", { type: "SENT", providerMessageIds: ["a"] }, "one: SENT"],
    ["failed", { type: "FAILED", error: { code: "NO_SUCH_USER", message: "?" } }, "one: FAILED NO_SUCH_USER"],
  ])("%s", (_, outcome, expected) => {
    const desk = taken()
      .wait(minutes(5) - 1)
      .expire();
    expect(desk.outbox).toEqual(["one: SENDING"]);
    expect(desk.settle(outcome).outbox).toEqual([expected]);
  });

  test("otherwise it is tried again", () => {
    const desk = taken().wait(minutes(5)).lease();
    expect(desk.latestLease).toMatchObject({ attempt: 2 });
    expect(desk.settle("SENT", 1).outbox).toEqual(["one: SENT"]);
  });

  test("unless a block came since", () => {
    expect(taken().block().wait(minutes(5)).expire().outbox).toEqual(["one: FAILED OUTCOME_UNKNOWN"]);
  });
});
