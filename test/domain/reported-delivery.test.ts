import { describe, expect, test } from "vitest";
import { ada, nth, seconds } from "./cast.ts";
import { contactChannel, type Desk, outcomes } from "./support.ts";

/** A partner's channel that posts to a URL, with one message that was leased. */
function posted(): Desk {
  return contactChannel({ kind: "CUSTOM" }).inbound("hi").reply(ada, "one").lease();
}

/** A report that names the delivery, but no attempt: all requests of a delivery by URL are equal. */
function report(desk: Desk, outcome: "SENT" | "FAILED"): Desk {
  const { messageIds } = nth(desk.leases, 1);
  return desk.do({ type: "SettleOutbound", messageIds, attempt: null, outcome: outcomes[outcome] });
}

describe("S2, S7: a report without an attempt", () => {
  const again = (desk: Desk): Desk => desk.wait(seconds(10)).lease();

  test.each<[string, () => Desk, string, string]>([
    ["that overtakes the response", () => posted(), "SENT", "FAILED REJECTED"],
    ["of what was taken", () => posted().settle("TAKEN"), "SENT", "FAILED REJECTED"],
    ["between two attempts", () => posted().settle("AMBIGUOUS"), "SENT", "QUEUED"],
    ["during a repetition", () => again(posted().settle("AMBIGUOUS")), "SENT", "SENDING"],
    [
      "of a repetition that was taken",
      () => again(posted().settle("AMBIGUOUS")).settle("TAKEN"),
      "SENT",
      "FAILED REJECTED",
    ],
    ["of what was given up at a block", () => posted().settle("AMBIGUOUS").block(), "SENT", "CANCELED OUTCOME_UNKNOWN"],
    ["of what is settled", () => posted().settle("SENT"), "SENT", "SENT"],
  ])("%s", (_, situation, afterSuccess, afterFailure) => {
    expect(report(situation(), "SENT").outbox).toEqual([`one: ${afterSuccess}`]);
    expect(report(situation(), "FAILED").outbox).toEqual([`one: ${afterFailure}`]);
  });
});
