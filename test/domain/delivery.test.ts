import { describe, expect, test } from "vitest";
import type { ChannelKind } from "../../src/domain/channel-kind.ts";
import { outboxDueAt } from "../../src/domain/outbox.ts";
import { ada, seconds } from "./cast.ts";
import { guide } from "./flows.ts";
import { atDue, hours, leased, pushed, queued } from "./sending.ts";
import { contactChannel, type Desk, deskIn, type outcomes } from "./support.ts";

describe("S1: the head of the queue is leased, with what may travel in the same call", () => {
  test.each<[ChannelKind, number, number]>([
    ["LINE", 1, 1],
    ["LINE", 5, 5],
    ["LINE", 6, 5],
    ["CUSTOM", 3, 1],
    ["WEB_CHAT", 3, 1],
  ])("%s: of %i messages, %i travel", (kind, count, travel) => {
    const desk = contactChannel({ kind }).inbound("hi").take(ada);
    const texts = Array.from({ length: count }, (_, index) => `${index + 1}`);
    for (const text of texts) desk.reply(ada, text);
    expect(leased(desk.lease())).toEqual(texts.slice(0, travel));
  });

  test("LINE shows the buttons of the last message only, so a menu is the last of its call", () => {
    const desk = contactChannel({ flows: [guide] })
      .inbound("hi")
      .inbound("what?")
      .reply(ada, "Hello");
    const menu = "What is it about?\n1. An offer\n2. I have time\n3. A human";
    expect(leased(desk.lease())).toEqual([menu]);
    expect(leased(desk.settle("SENT").lease())).toEqual([menu]);
    expect(leased(desk.settle("SENT").lease())).toEqual(["Hello"]);
    const behind = contactChannel({ flows: [guide] })
      .inbound("hi")
      .lease()
      .settle("SENT");
    expect(leased(behind.inbound("1").wait(seconds(5)).runDue().lease())).toEqual([
      "Everything is 10 €.",
      "Anything else?\n1. Yes\n2. No",
    ]);
  });

  test.each<[string, () => Desk]>([
    ["nothing is queued", () => deskIn.ACTIVE()],
    ["another lease is open", () => queued("one").lease().reply(ada, "two")],
    ["the next attempt is not due", () => pushed("one").lease().settle("REFUSED").wait(999)],
    ["a message is queued behind a repeated one", () => pushed("one").lease().settle("REFUSED").reply(ada, "two")],
    ["the block has canceled everything", () => queued("one").block().unblock()],
  ])("nothing is leased if %s", (_, situation) => {
    const desk = situation().lease();
    expect(desk.result).toMatchObject({ type: "Accepted", changed: false });
    expect(desk.emitted).toEqual([]);
  });

  test("nothing is leased on an archived channel", () => {
    const desk = queued("one");
    desk.state = { ...desk.state, channelArchived: true };
    expect(leased(desk.lease())).toEqual([]);
    expect(desk.outbox).toEqual(["one: CANCELED"]);
  });

  test("B4: a lease is refused while blocked", () => {
    const desk = queued("one").block().lease();
    expect(desk.result).toEqual({ type: "ContactBlocked", blockId: desk.blockIds[0] });
  });

  test("what is queued during a call follows in the next one", () => {
    const desk = queued("one", "two").lease().reply(ada, "three");
    expect(desk.outbox).toEqual(["one: SENDING", "two: SENDING", "three: QUEUED"]);
    expect(leased(desk.settle("SENT").lease())).toEqual(["three"]);
  });

  test("a queue of which only the first messages are loaded goes on with the next, whatever was recorded meanwhile", () => {
    const desk = queued("one");
    desk.state = { ...desk.state, hasMorePending: true };
    desk.reply(ada, "last").lease();
    expect(leased(desk)).toEqual(["one"]);
    desk.wait(7).settle("SENT");
    expect(desk.state.outbox.dueAt).toBe(0);
    expect(leased(desk.lease())).toEqual([]);
  });
});

describe("S2: attempts", () => {
  test("are numbered from 1, and settled together", () => {
    const desk = pushed("one", "two").lease();
    expect(desk.latestLease).toMatchObject({ attempt: 1, failures: 0, grantedAt: seconds(60) });
    atDue(desk.settle("REFUSED")).lease();
    expect(desk.latestLease).toMatchObject({ attempt: 2, failures: 1 });
    desk.settle({ type: "SENT", providerMessageIds: ["a", "b"] });
    expect(desk.messages.slice(-2)).toMatchObject([
      { text: "one", deliveryStatus: "SENT", providerMessageId: "a" },
      { text: "two", deliveryStatus: "SENT", providerMessageId: "b" },
    ]);
    expect(desk.state.outbox).toMatchObject({ delivery: null, dueAt: null });
  });

  test.each<[keyof typeof outcomes]>([["FAILED"], ["REFUSED"], ["AMBIGUOUS"], ["NOT_BEGUN"], ["TAKEN"]])(
    "a late %s of an earlier attempt changes nothing",
    (late) => {
      const desk = pushed("one").lease().wait(seconds(30)).lease();
      expect(desk.latestLease.attempt).toBe(2);
      expect(desk.settle(late, 1).emitted).toEqual([]);
      expect(desk.settle("SENT").settle(late, 1).emitted).toEqual([]);
      expect(desk.outbox).toEqual(["one: SENT"]);
    },
  );

  test.each<[string, (lost: Desk) => Desk]>([
    ["while it is leased again", (lost) => lost.lease()],
    ["while it waits for the next attempt", (lost) => lost.expire()],
    ["after it was refused for good", (lost) => lost.lease().settle("FAILED")],
    ["after it was canceled", (lost) => lost.expire().cancel(2)],
    ["after a block has canceled it", (lost) => lost.expire().block()],
    ["after it was given up because of a block", (lost) => lost.block().expire()],
    ["after 12 hours", (lost) => lost.expire().at(hours(12)).expire()],
  ])("a late success of an earlier attempt is SENT %s", (_, then) => {
    const desk = then(pushed("one", "two").lease().wait(seconds(30)));
    desk.settle({ type: "SENT", providerMessageIds: ["a", "b"] }, 1);
    expect(desk.outbox).toEqual(["one: SENT", "two: SENT"]);
    expect(desk.messages[1]).toMatchObject({ providerMessageId: "a" });
    expect(desk.lease().leases.length, "nothing is sent again").toBeLessThanOrEqual(2);
  });

  test("after a late success, the call that is still open must end before the next message is leased", () => {
    const desk = pushed("one").lease().wait(seconds(30)).lease().reply(ada, "two").settle("SENT", 1);
    expect(desk.outbox).toEqual(["one: SENT", "two: QUEUED"]);
    expect(leased(desk.lease())).toEqual([]);
    expect(desk.block().result).toMatchObject({ openLease: { attempt: 2, grantedAt: seconds(90) } });
  });

  test.each<[string, (desk: Desk) => Desk]>([
    ["is settled", (desk) => desk.settle("AMBIGUOUS", 2)],
    ["is lost", (desk) => desk.wait(seconds(30)).expire()],
  ])("after a late success, the open call %s and changes nothing", (_, then) => {
    const desk = then(pushed("one").lease().wait(seconds(30)).lease().reply(ada, "two").settle("SENT", 1));
    expect(desk.outbox).toEqual(["one: SENT", "two: QUEUED"]);
    expect(leased(desk.lease())).toEqual(["two"]);
  });

  test("a success of an attempt that never was changes nothing", () => {
    const desk = queued("one").lease();
    const messageIds = desk.latestLease.messageIds;
    desk.do({ type: "SettleOutbound", messageIds, attempt: 2, outcome: { type: "SENT" } });
    expect(desk.emitted).toEqual([]);
  });

  describe("a lease that nobody settles is lost after 30 s", () => {
    test.each([
      [29_999, "one: SENDING"],
      [30_000, "one: QUEUED"],
    ])("after %i ms: %s", (age, expected) => {
      expect(pushed("one").lease().wait(age).expire().outbox).toEqual([expected]);
    });

    test("it is tried again at once, also by the next request for a lease", () => {
      const desk = pushed("one").lease().wait(seconds(30)).lease();
      expect(desk.latestLease).toMatchObject({ attempt: 2, failures: 1, call: { type: "PUSH" } });
    });

    test("on web chat, too", () => {
      const desk = contactChannel({ kind: "WEB_CHAT" }).inbound("hi").reply(ada, "one").lease().wait(seconds(30));
      expect(leased(desk.lease())).toEqual(["one"]);
    });

    test.each<[string, (desk: Desk) => Desk]>([
      ["came since", (desk) => desk.block()],
      ["came and was lifted since", (desk) => desk.block().unblock()],
      ["came when it was lost, but not yet recorded as such", (desk) => desk.wait(seconds(31)).block()],
    ])("if a block %s, it is OUTCOME_UNKNOWN and never tried again", (_, then) => {
      const desk = then(pushed("one").lease()).wait(seconds(30)).expire();
      expect(desk.outbox).toEqual(["one: FAILED OUTCOME_UNKNOWN"]);
      expect(leased(desk.lease())).toEqual([]);
    });

    test("it is found lost even by a request for a lease that the block refuses", () => {
      const desk = pushed("one").lease().block().wait(seconds(30)).lease();
      expect(desk.result).toMatchObject({ type: "ContactBlocked" });
      expect(desk.outbox).toEqual(["one: FAILED OUTCOME_UNKNOWN"]);
    });
  });
});

describe("S3: what is called", () => {
  const reply = { type: "REPLY", token: "t", receivedAt: 0 };

  test.each([
    [0, reply],
    [50_000, reply],
    [50_001, { type: "PUSH" }],
  ])("with a reply token that is %i ms old: %o", (age, call) => {
    expect(queued("one").at(age).lease().latestLease.call).toEqual(call);
  });

  test.each<[string, (desk: Desk) => Desk, string | null]>([
    ["the newest token", (desk) => desk.wait(5).inbound("hm", { replyToken: "u" }), "u"],
    ["of two at the same time, the one recorded last", (desk) => desk.inbound("hm", { replyToken: "u" }), "u"],
    ["not the token of an older event that arrives late", (d) => d.inbound("hm", { replyToken: "u", sentAt: -1 }), "t"],
    ["the token of an event, too", (desk) => desk.wait(5).event("postback", { replyToken: "u" }), "u"],
    ["the last token if the newest event has none", (desk) => desk.wait(5).event("unfollow"), "t"],
    ["a token once only", (desk) => desk.lease().settle("SENT").reply(ada, "two"), null],
    ["no token that a failed call has used", (desk) => desk.lease().settle("FAILED").reply(ada, "two"), null],
    ["the token again if its call was given up before it began", (desk) => desk.lease().settle("NOT_BEGUN"), "t"],
    [
      "a newer token than that of the call that was given up",
      (desk) => desk.lease().wait(5).inbound("hm", { replyToken: "u" }).settle("NOT_BEGUN"),
      "u",
    ],
  ])("uses %s", (_, then, token) => {
    const { call } = then(queued("one")).lease().latestLease;
    expect(call.type === "REPLY" ? call.token : null).toBe(token);
  });

  test.each<[keyof typeof outcomes]>([["REFUSED"], ["AMBIGUOUS"]])(
    "after %s, the same messages are repeated, and what was queued since waits",
    (outcome) => {
      for (const desk of [queued("one", "two"), pushed("one", "two")]) {
        atDue(desk.lease().reply(ada, "three").settle(outcome)).lease();
        expect(leased(desk)).toEqual(["one", "two"]);
        expect(desk.leases[1]).toEqual({ ...desk.leases[0], attempt: 2, failures: 1, grantedAt: desk.now });
        expect(leased(desk.settle("SENT").lease())).toEqual(["three"]);
      }
    },
  );

  test("a repeated push stays a push under the same key, even if there is a new reply token", () => {
    const desk = atDue(pushed("one").lease().settle("AMBIGUOUS").inbound("hm", { replyToken: "u" })).lease();
    expect(desk.latestLease).toMatchObject({ messageIds: desk.leases[0]?.messageIds, call: { type: "PUSH" } });
  });

  test("a call that was given up before it began fixes nothing", () => {
    const desk = queued("one").lease().reply(ada, "two").settle("NOT_BEGUN").lease();
    expect(leased(desk)).toEqual(["one", "two"]);
    expect(desk.latestLease).toMatchObject({ attempt: 2, failures: 0 });
  });

  test("a call that was given up after one that failed keeps its messages, and is due at once", () => {
    const desk = atDue(pushed("one").lease().settle("AMBIGUOUS")).lease().reply(ada, "two").settle("NOT_BEGUN").lease();
    expect(leased(desk)).toEqual(["one"]);
    expect(desk.latestLease).toMatchObject({ attempt: 3, failures: 1 });
  });

  test("a reply that certainly did not arrive becomes a push when its token has died", () => {
    const desk = queued("one", "two").lease().settle("REFUSED").at(seconds(51)).lease();
    expect(desk.latestLease).toMatchObject({ messageIds: desk.leases[0]?.messageIds, call: { type: "PUSH" } });
  });
});

describe("outboxDueAt: when the next call is due", () => {
  const delivery = pushed("one").lease().settle("REFUSED").state.outbox.delivery;
  const open = pushed("one").lease().state.outbox.delivery;
  const head = { recordedAt: 7 };

  test.each<[string, ChannelKind, typeof delivery, typeof head | null, number | null]>([
    ["at once", "LINE", null, head, 7],
    ["on a partner's channel, too", "CUSTOM", null, head, 7],
    ["never if nothing is queued", "LINE", null, null, null],
    ["never while a call is under way", "LINE", open, head, null],
    ["never on web chat, where the visitor's stream asks", "WEB_CHAT", null, head, null],
    ["after the delay of a repeated call", "LINE", delivery, head, seconds(61)],
    ["12 hours after the recording at the latest", "LINE", delivery, { recordedAt: -hours(12) }, 0],
  ])("%s", (_, kind, of, first, expected) => {
    expect(outboxDueAt(kind, of, first)).toBe(expected);
  });

  test("what is queued during a call is due when the call has ended", () => {
    const desk = queued("one").lease().wait(5).reply(ada, "two");
    expect(desk.state.outbox.dueAt).toBeNull();
    expect(desk.wait(5).settle("SENT").result).toMatchObject({ outboundDueAt: 5 });
  });

  test("what is queued behind a repeated call does not bring it forward", () => {
    expect(pushed("one").lease().settle("REFUSED").reply(ada, "two").state.outbox.dueAt).toBe(seconds(61));
  });
});
