import { describe, expect, test } from "vitest";
import type { ContactChannel } from "../../src/domain/contact-channel.ts";
import { ongoingStatuses } from "../../src/domain/conversation.ts";
import type { Flow } from "../../src/domain/flow.ts";
import type { Signal } from "../../src/domain/signal.ts";
import { ada, ben, seconds } from "./cast.ts";
import { delayedStart, guide } from "./flows.ts";
import { contactChannel, type Desk, deskIn } from "./support.ts";

/** The same desk with these settings of its channel; by default with both kinds of signals. */
function signaling(desk: Desk, settings: Partial<ContactChannel> = {}): Desk {
  const both = { channelShowsLoading: true, channelMarksRead: true };
  return Object.assign(desk, { state: { ...desk.state, ...both, ...settings } });
}

function typing(desk: Desk, isTyping = true): Desk {
  return desk.do({ type: "SetTyping", conversationId: desk.conversation.id, typing: isTyping });
}

function read(desk: Desk, upToSeq = desk.messages.length): Desk {
  return desk.do({ type: "MarkConversationRead", conversationId: desk.conversation.id, upToSeq });
}

function composing(desk: Desk): Desk {
  return desk.do({ type: "ShowLoading" });
}

/** The signal that the last command granted. */
function granted({ result }: Desk): Signal | null {
  return result.type === "Accepted" ? (result.signal?.signal ?? null) : null;
}

/** An active conversation with these messages, each with a token to mark it as read: t1, t2, … */
function written(...texts: readonly string[]): Desk {
  const desk = signaling(contactChannel());
  for (const [index, text] of texts.entries()) {
    desk.receive({ kind: "TEXT", text, readToken: `t${index + 1}` }, { sentAt: desk.now });
  }
  return desk.take(ada);
}

const loading = (shown: number): Signal => ({ type: "LOADING", seconds: shown });
const markedBy = (token: string): Signal => ({ type: "MARK_AS_READ", token });

describe("typing", () => {
  test.each(ongoingStatuses)("shows the contact a sign for 20 seconds in a conversation that is %s", (status) => {
    expect(granted(typing(signaling(deskIn[status]())))).toEqual(loading(20));
  });

  test.each<[string, () => Desk]>([
    ["on a channel without the setting", () => typing(signaling(deskIn.ACTIVE(), { channelShowsLoading: false }))],
    ["when it ends", () => typing(signaling(deskIn.ACTIVE()), false)],
  ])("shows nothing %s", (_, situation) => {
    const desk = situation();
    expect([desk.result.type, granted(desk), desk.emitted]).toEqual(["Accepted", null, []]);
  });

  test("renews the sign every 10 seconds at most", () => {
    const desk = signaling(deskIn.ACTIVE());
    const shown = [0, 1, 9.999, 10, 19.999, 20].map((at) => granted(typing(desk.at(seconds(at)))) !== null);
    expect(shown).toEqual([true, false, false, true, false, true]);
  });

  test("C5: is refused in a conversation that has ended", () => {
    expect(typing(signaling(deskIn.ENDED())).result).toEqual({
      type: "InvalidTransition",
      from: "ENDED",
      to: "ACTIVE",
    });
  });

  test("ends with the channel, whose conversations end", () => {
    expect(typing(signaling(deskIn.ACTIVE(), { channelArchived: true })).result.type).toBe("InvalidTransition");
  });
});

describe("a chatbot with a delayed step", () => {
  const chatting = (flow: Flow, answer?: string): Desk => {
    const desk = signaling(contactChannel({ flows: [flow] })).inbound("hi");
    return answer === undefined ? desk : desk.inbound(answer);
  };
  const within = (delay: number): Flow => ({
    ...delayedStart,
    steps: [{ id: "first", text: "Still there?", delay: seconds(delay) }],
  });

  test.each<[number, number]>([
    [0.001, 5],
    [5, 5],
    [5.001, 10],
    [30, 30],
    [58, 60],
    [3_600, 60],
  ])("of %d s shows that it composes, in a number of seconds that LINE takes: %d", (delay, shown) => {
    expect(granted(composing(chatting(within(delay))))).toEqual(loading(shown));
  });

  test("shows the sign for the rest of the delay", () => {
    expect(granted(composing(chatting(guide, "2").wait(seconds(12))))).toEqual(loading(20));
  });

  test.each<[string, () => Desk]>([
    ["waits for an answer", () => chatting(guide)],
    ["is due", () => chatting(within(10)).wait(seconds(10))],
    ["has handed over", () => chatting(guide, "3")],
    ["is none: the agent has taken the conversation", () => chatting(within(10)).take(ada)],
    ["is on a channel without the setting", () => signaling(chatting(within(10)), { channelShowsLoading: false })],
    ["is on an archived channel", () => signaling(chatting(within(10)), { channelArchived: true })],
  ])("shows nothing if it %s", (_, situation) => {
    expect(granted(composing(situation()))).toBeNull();
  });

  test("counts for the renewal of an agent's sign", () => {
    const desk = composing(chatting(within(60)));
    expect(granted(typing(desk.wait(seconds(9))))).toBeNull();
    expect(granted(typing(desk.wait(seconds(1))))).toEqual(loading(20));
  });
});

describe("reading", () => {
  test("marks as read by the token of the newest message, once", () => {
    const desk = written("one", "two");
    expect(granted(read(desk))).toEqual(markedBy("t2"));
    expect(granted(read(desk))).toBeNull();
    desk.receive({ kind: "TEXT", text: "three", readToken: "t3" });
    expect(granted(read(desk))).toEqual(markedBy("t3"));
  });

  test("marks nothing while the newest message was not read, because LINE would mark that, too", () => {
    const desk = written("one", "two");
    expect(granted(read(desk, 1))).toBeNull();
    expect(granted(read(desk, 2))).toEqual(markedBy("t2"));
  });

  test("O3: a late redelivery of an older message does not replace the token", () => {
    const desk = written("one").at(seconds(5));
    desk.receive({ kind: "TEXT", text: "two", readToken: "t2" }, { sentAt: seconds(5) });
    desk.receive({ kind: "TEXT", text: "late", readToken: "late" }, { sentAt: seconds(3) });
    expect(granted(read(desk))).toEqual(markedBy("t2"));
  });

  test("what has no token leaves the one that is kept", () => {
    expect(granted(read(written("one").event("postback").reply(ada)))).toEqual(markedBy("t1"));
  });

  test("works in a conversation that has ended", () => {
    expect(granted(read(written("one").end(ada)))).toEqual(markedBy("t1"));
  });

  test.each<[string, () => Desk]>([
    ["without a token", () => signaling(contactChannel()).inbound("hi")],
    ["on a channel without the setting", () => signaling(written("one"), { channelMarksRead: false })],
    ["on an archived channel", () => signaling(written("one"), { channelArchived: true })],
  ])("marks nothing %s", (_, situation) => {
    const desk = read(situation());
    expect([desk.result.type, granted(desk)]).toEqual(["Accepted", null]);
  });

  test("no token is kept on a channel without the setting", () => {
    const desk = signaling(contactChannel(), { channelMarksRead: false });
    desk.receive({ kind: "TEXT", text: "hi", readToken: "t" });
    expect(desk.state.outbox.signals.readToken).toBeNull();
  });
});

describe("D5: while blocked", () => {
  test.each<[string, (desk: Desk) => Desk]>([
    ["typing", typing],
    ["no longer typing", (desk) => typing(desk, false)],
    ["reading", read],
    ["a chatbot's sign", composing],
  ])("%s is refused with the block", (_, act) => {
    const desk = act(written("one").block());
    expect(desk.result).toEqual({ type: "ContactBlocked", blockId: desk.blockIds[0] });
    expect(desk.emitted).toEqual([]);
  });

  test("U1: the end of the block signals nothing; what an agent reads then is marked", () => {
    const desk = written("one").block();
    desk.receive({ kind: "TEXT", text: "two", readToken: "t2" }).unblock();
    expect(desk.emittedTypes).toEqual(["BlockLifted"]);
    expect(granted(read(desk))).toEqual(markedBy("t2"));
  });
});

describe("S6: a block is answered with the signals whose calls may still begin", () => {
  const open = ({ result }: Desk): readonly number[] =>
    result.type === "Accepted" ? (result.openSignals ?? []).map(({ grantedAt }) => grantedAt) : [];

  test("all of them, also if the contact was blocked already, until each has lapsed after 1.5 s", () => {
    const desk = read(typing(written("one").at(5)).at(1_000))
      .at(1_200)
      .block();
    expect([open(desk), open(desk.at(1_504).block({ by: ben }))]).toEqual([
      [5, 1_000],
      [5, 1_000],
    ]);
    expect([open(desk.at(1_505).block()), open(desk.at(2_499).block()), open(desk.at(2_500).block())]).toEqual([
      [1_000],
      [1_000],
      [],
    ]);
  });

  test("none if there are none", () => {
    expect(written("one").block().result).not.toHaveProperty("openSignals");
  });

  test("a message that is leased meanwhile keeps them", () => {
    const desk = typing(written("one")).reply(ada).lease().settle("SENT").block();
    expect(open(desk)).toEqual([0]);
  });

  test("those that have lapsed are no longer kept", () => {
    const desk = read(typing(written("one")).at(seconds(2)));
    expect(desk.state.outbox.signals.leases.map(({ grantedAt }) => grantedAt)).toEqual([seconds(2)]);
  });
});
