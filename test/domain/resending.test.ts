import { describe, expect, test } from "vitest";
import { ada, ben } from "./cast.ts";
import { guide } from "./flows.ts";
import { atDue, leased, pushed, queued } from "./sending.ts";
import { contactChannel, type Desk, type outcomes } from "./support.ts";

describe("S8: cancelMessage", () => {
  test("cancels a message that is QUEUED, by the agent", () => {
    const desk = queued("one", "two", "three").cancel(3, ben);
    expect(desk.result).toMatchObject({ type: "Accepted", changed: true, messageId: desk.messages[2]?.id });
    expect(desk.emitted).toMatchObject([{ type: "DeliveryChanged", to: "CANCELED", actor: ben }]);
    expect(leased(desk.lease())).toEqual(["one", "three"]);
  });

  test.each<[keyof typeof outcomes, readonly string[], readonly string[]]>([
    ["REFUSED", ["one: CANCELED", "two: QUEUED"], ["two"]],
    ["AMBIGUOUS", ["one: CANCELED OUTCOME_UNKNOWN", "two: FAILED OUTCOME_UNKNOWN"], []],
  ])("between two attempts, after %s: %o", (outcome, expected, next) => {
    const desk = pushed("one", "two").lease().settle(outcome).cancel(2);
    expect(desk.outbox).toEqual(expected);
    expect(leased(atDue(desk).lease())).toEqual(next);
    if (next.length > 0) expect(desk.latestLease).toMatchObject({ attempt: 2, failures: 1 });
  });

  test.each<[string, () => Desk, number]>([
    ["SENDING", () => queued("one").lease(), 2],
    ["SENT", () => queued("one").lease().settle("SENT"), 2],
    ["FAILED", () => queued("one").lease().settle("FAILED"), 2],
    ["CANCELED already", () => queued("one").cancel(2), 2],
    ["CANCELED by a block, also while blocked", () => queued("one").block(), 2],
    ["SENDING, also while blocked", () => queued("one").lease().block(), 2],
  ])("is an invalid transition for what is %s", (_, situation, seq) => {
    const desk = situation().cancel(seq);
    expect(desk.result).toEqual({ type: "InvalidTransition", from: null, to: null });
    expect(desk.emitted).toEqual([]);
  });

  test("an inbound entry is not found", () => {
    expect(queued("one").cancel(1).result).toMatchObject({ type: "NotFound" });
  });
});

describe("S8: retryMessage", () => {
  const failed = () => queued("one").lease().settle("FAILED");
  const unknown = () => pushed("one").lease().settle("AMBIGUOUS").cancel(2);

  test("records a new message at the end of the queue", () => {
    const desk = failed().reply(ada, "two").retry(2, { by: ben });
    expect(desk.outbox).toEqual(["one: FAILED REJECTED", "two: QUEUED", "one: QUEUED"]);
    expect(desk.lastMessage).toMatchObject({ author: ben, text: "one", retryOf: desk.messages[1]?.id });
    expect(leased(desk.lease())).toEqual(["two", "one"]);
  });

  test("with its menu", () => {
    const desk = contactChannel({ flows: [guide] })
      .inbound("hi")
      .lease()
      .settle("FAILED")
      .retry();
    expect(desk.lastMessage.menu).toMatchObject({ text: "What is it about?" });
    expect(desk.lastMessage.menu).toEqual(desk.messages[1]?.menu);
  });

  test("C4: takes an unassigned conversation, like any message of an agent", () => {
    const desk = failed().transfer(null).retry(2, { by: ben });
    expect(desk.state.conversation).toMatchObject({ status: "ACTIVE", assigneeId: ben.id });
  });

  test("again answers with the retry that there is", () => {
    const desk = failed().retry(2);
    const retry = desk.lastMessage.id;
    expect(desk.retry(2).result).toMatchObject({ type: "Accepted", changed: false, messageId: retry });
    expect(desk.lease().settle("FAILED").retry(2).result).toMatchObject({ changed: false, messageId: retry });
    expect(desk.retry(3).result).toMatchObject({ changed: true });
  });

  test("of what may have arrived needs acceptDuplicate", () => {
    const desk = unknown();
    expect(desk.outbox).toEqual(["one: CANCELED OUTCOME_UNKNOWN"]);
    expect(desk.retry(2).result).toMatchObject({ type: "InvalidInput", fields: [{ path: "acceptDuplicate" }] });
    expect(desk.retry(2, { acceptDuplicate: true }).result).toMatchObject({ type: "Accepted", changed: true });
    expect(desk.outbox).toEqual(["one: CANCELED OUTCOME_UNKNOWN", "one: QUEUED"]);
  });

  const blocked = { type: "ContactBlocked" };
  const invalid = { type: "InvalidTransition" };
  test.each<[string, () => Desk, object, number?]>([
    ["D5: while blocked", () => failed().block(), blocked],
    ["D5: a second time while blocked", () => failed().retry(2).block(), blocked],
    ["C5: not found comes first", () => failed().block(), { type: "NotFound" }, 1],
    ["C5: then invalid input", () => unknown().block(), { type: "InvalidInput" }],
    ["C5: then contact blocked", () => queued("one").lease().settle("SENT").block(), blocked],
    ["SENT", () => queued("one").lease().settle("SENT"), invalid],
    ["QUEUED", () => queued("one"), invalid],
    ["SENDING", () => queued("one").lease(), invalid],
    ["its conversation has ended", () => failed().end(ada), invalid],
    ["its conversation was ended by a block", () => failed().block().unblock(), invalid],
    ["another conversation is ongoing", () => failed().end(ada).start(ada, "two"), invalid],
  ])("is refused: %s", (_, situation, refusal, seq = 2) => {
    const desk = situation().retry(seq);
    expect(desk.result).toMatchObject(refusal);
    expect(desk.emitted).toEqual([]);
  });
});
