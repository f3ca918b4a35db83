import { describe, expect, test } from "vitest";
import { ada, ben, seconds } from "./cast.ts";
import { atDue, leased, pushed, queued } from "./sending.ts";
import { contactChannel, type Desk, type outcomes } from "./support.ts";

describe("B4, S6: a block", () => {
  test.each<[string, () => Desk, readonly string[]]>([
    ["cancels what is queued", () => queued("one", "two"), ["one: CANCELED", "two: CANCELED"]],
    ["leaves what is leased", () => queued("one").lease().reply(ada, "two"), ["one: SENDING", "two: CANCELED"]],
    ["cancels what was to be repeated", () => pushed("one").lease().settle("REFUSED"), ["one: CANCELED"]],
    [
      "says so if that may have arrived, but not of what was never called",
      () => pushed("one").lease().settle("AMBIGUOUS").reply(ada, "two"),
      ["one: CANCELED OUTCOME_UNKNOWN", "two: CANCELED"],
    ],
    ["leaves what was sent", () => queued("one").lease().settle("SENT"), ["one: SENT"]],
  ])("%s", (_, situation, expected) => {
    const desk = situation().block();
    expect(desk.outbox).toEqual(expected);
    expect(leased(desk.unblock().lease())).toEqual([]);
  });

  type Situation = readonly [string, (desk: Desk) => Desk];
  const since: readonly Situation[] = [
    ["a block", (desk) => desk.block()],
    ["a block and its end", (desk) => desk.block().unblock()],
    ["a block and its expiry", (desk) => desk.block({ until: desk.now + 10 }).wait(10)],
    [
      "the archiving of the channel",
      (desk) => Object.assign(desk, { state: { ...desk.state, channelArchived: true } }),
    ],
  ];

  describe.each(since)("a call that is under way at %s", (_, then) => {
    test.each<[keyof typeof outcomes, string]>([
      ["SENT", "SENT"],
      ["FAILED", "FAILED REJECTED"],
      ["TAKEN", "SENDING"],
      ["REFUSED", "CANCELED"],
      ["AMBIGUOUS", "CANCELED OUTCOME_UNKNOWN"],
      ["INVALID_REPLY_TOKEN", "CANCELED"],
      ["NOT_BEGUN", "CANCELED"],
    ])("and then ends %s: %s", (outcome, expected) => {
      const desk = then(queued("one").lease()).settle(outcome);
      expect(desk.outbox).toEqual([`one: ${expected}`]);
      expect(desk.wait(seconds(1)).unblock().lease().leases).toHaveLength(1);
    });

    test.each<[keyof typeof outcomes, string]>([
      ["REFUSED", "CANCELED OUTCOME_UNKNOWN"],
      ["NOT_BEGUN", "CANCELED OUTCOME_UNKNOWN"],
      ["AMBIGUOUS", "FAILED OUTCOME_UNKNOWN"],
      ["INVALID_REPLY_TOKEN", "SENT"],
    ])("and repeats a reply that may have arrived, and then ends %s: %s", (outcome, expected) => {
      const desk = then(atDue(queued("one").lease().settle("AMBIGUOUS")).lease()).settle(outcome);
      expect(desk.outbox).toEqual([`one: ${expected}`]);
    });
  });

  test("is answered with the lease that was open, also if the contact was blocked already", () => {
    const desk = queued("one").at(5).lease().at(7).block();
    const [messageId] = desk.latestLease.messageIds;
    const openLease = { contactChannelId: desk.state.id, messageId, attempt: 1, grantedAt: 5 };
    expect(desk.result).toMatchObject({ changed: true, openLease });
    expect(desk.block({ by: ben }).result).toMatchObject({ changed: false, openLease });
    expect(desk.settle("SENT").block().result).not.toHaveProperty("openLease");
  });

  test("does not wait for a call that is known to have begun: the time of its grant stays", () => {
    const desk = contactChannel({ kind: "CUSTOM" }).inbound("hi").reply(ada, "one").lease();
    expect(desk.wait(seconds(9)).settle("TAKEN").block().result).toMatchObject({ openLease: { grantedAt: 0 } });
  });

  test("does not concern what is sent after it", () => {
    const desk = queued("one").block().unblock().start(ada, "two").lease().settle("NOT_BEGUN");
    expect(desk.outbox).toEqual(["one: CANCELED", "two: QUEUED"]);
  });
});
