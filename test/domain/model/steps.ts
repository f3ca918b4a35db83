import fc from "fast-check";
import type { Act, Agent } from "./act.ts";
import type { Model } from "./model.ts";
import type { Outcome } from "./sending.ts";

type Receive = Extract<Act, { do: "receive" }>;

/** A time relative to a significant one, so that boundaries are hit. */
interface When {
  readonly from:
    | "now"
    | "start of block"
    | "end of block"
    | "what is due"
    | "end of lease"
    | "next call"
    | "end of token"
    | "half a day";
  /** The block, counted back from the latest. */
  readonly back: number;
  readonly off: number;
}

/**
 * One generated step of a run: an act that refers to objects by how recent they are (0 is the latest), and to times by their
 * offset from significant ones. References are resolved when the step runs, so that a shrunk run remains valid.
 */
export type Step =
  | Exclude<Act, { do: "receive" | "block" | "update" | "settle" | "cancel" | "retry" }>
  | {
      readonly do: "write";
      readonly text: string | null;
      readonly sent: When | null;
      readonly standby: boolean;
      readonly token: boolean;
    }
  | {
      readonly do: "signal";
      readonly event: string;
      readonly data: string;
      readonly sent: When | null;
      readonly standby: boolean;
      readonly token: boolean;
    }
  | {
      readonly do: "settle";
      readonly back: number;
      readonly outcome: Exclude<Outcome, { type: "SENT" }> | { type: "SENT" };
    }
  | { readonly do: "cancel"; readonly by: string; readonly entry: number; readonly any: boolean }
  | {
      readonly do: "retry";
      readonly by: string;
      readonly entry: number;
      readonly any: boolean;
      readonly acceptDuplicate: boolean;
    }
  | { readonly do: "repeat"; readonly back: number; readonly sent: When | null }
  | { readonly do: "unsend"; readonly back: number; readonly sent: When | null }
  | { readonly do: "block"; readonly by: string; readonly notes: string | null; readonly lasts: number | null }
  | {
      readonly do: "update";
      readonly by: string;
      readonly block: number;
      readonly notes: string | null | undefined;
      readonly lasts: number | null | undefined;
    }
  | { readonly do: "wait"; readonly until: When };

/** Resolves a step to an act; null if there is no object that it could refer to. `wait` is not a command of the core. */
export function lookUp(step: Exclude<Step, { do: "wait" }>, model: Model, clock: number): Act | null {
  const next = model.entries.length + 1;
  const received: Omit<Receive, "text" | "event" | "sentAt"> = {
    do: "receive",
    eventId: `e${next}`,
    standby: false,
    messageId: null,
    unsends: null,
    token: null,
  };
  const tokenOf = (has: boolean) => (has && model.sending.kind === "LINE" ? `t${next}` : null);
  switch (step.do) {
    case "write": {
      const { text, standby, sent } = step;
      const sentAt = instant(sent, model, clock);
      return { ...received, text, event: null, sentAt, standby, messageId: `m${next}`, token: tokenOf(step.token) };
    }
    case "signal": {
      const { event, data, standby, sent } = step;
      const sentAt = instant(sent, model, clock);
      return { ...received, text: data, event, sentAt, standby, token: tokenOf(step.token) };
    }
    case "repeat": {
      const known = fromEnd(
        model.entries.filter((entry) => entry.by === "contact"),
        step.back,
      );
      return known === undefined
        ? null
        : { ...received, ...known, eventId: known.eventId ?? "", sentAt: instant(step.sent, model, clock) };
    }
    case "unsend": {
      const messages = model.entries.filter((entry) => entry.messageId !== null);
      // The unsent message can also be the next one.
      const unsends = step.back === 0 ? `m${next + 1}` : (fromEnd(messages, step.back - 1)?.messageId ?? null);
      return { ...received, text: null, event: "unsend", sentAt: instant(step.sent, model, clock), unsends };
    }
    case "block":
      return { do: "block", by: step.by, notes: step.notes, until: later(step.lasts, clock) };
    case "update": {
      const { by, notes, lasts } = step;
      const block = fromEnd(model.blocks, step.block)?.n;
      return block === undefined ? null : { do: "update", by, notes, until: later(lasts, clock), block };
    }
    case "settle": {
      const { calls } = model.sending;
      const call = fromEnd(calls, step.back);
      const { outcome } = step;
      if (call === undefined || (call.isVoid && outcome.type === "SENT")) return null;
      const ids = call.letters.map(({ n }) => `p${n}`);
      return {
        do: "settle",
        call: calls.indexOf(call) + 1,
        outcome: outcome.type === "SENT" ? { type: "SENT", ids } : outcome,
      };
    }
    case "cancel":
    case "retry": {
      const { any, ...act } = step;
      const fitting = model.entries.filter(({ delivery, conversation }) =>
        step.do === "cancel"
          ? delivery === "QUEUED"
          : (delivery === "FAILED" || delivery === "CANCELED") && conversation === model.conversations.length,
      );
      const entry = fromEnd(any || fitting.length === 0 ? model.entries : fitting, step.entry)?.n;
      return entry === undefined ? null : { ...act, entry };
    }
    default: {
      if (!("conversation" in step)) return step;
      const conversation = fromEnd(model.conversations, step.conversation)?.n;
      return conversation === undefined ? null : { ...step, conversation };
    }
  }
}

/** Resolves a time; null for an unsigned source, whose messages count as sent on arrival. */
export function instant(when: When | null, model: Model, clock: number): number | null {
  if (when === null) return null;
  const block = fromEnd(model.blocks, when.back);
  const near = {
    now: clock,
    "start of block": block?.at,
    "end of block": block?.liftedAt ?? block?.until,
    "what is due": model.due(),
    "end of lease": model.sending.open()?.until,
    "next call": model.sending.due(),
    "end of token": later((model.sending.waiting()?.token ?? model.sending.token)?.at, 50_000),
    "half a day": later(model.sending.pending()[0]?.at, 12 * 3_600_000),
  }[when.from];
  return (near ?? clock) + when.off;
}

function later(ms: number, clock: number): number;
function later(ms: number | undefined, clock: number): number | undefined;
function later(ms: number | null, clock: number): number | null;
function later(ms: number | null | undefined, clock: number): number | null | undefined;
function later(ms: number | null | undefined, clock: number): number | null | undefined {
  return ms === null || ms === undefined ? ms : clock + ms;
}

function fromEnd<Item>(list: readonly Item[], back: number): Item | undefined {
  return list[list.length - 1 - back];
}

const is = fc.constant;
const agent = fc.constantFrom<Agent>("ada", "ben", "cyd");
const anyone = fc.constantFrom("ada", "ben", "partner");
const latest = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) });
const some = fc.nat(4);
const unlikely = fc.constantFrom(true, false, false);
const when = fc.record<When>({
  from: fc.constantFrom("now", "start of block", "end of block", "what is due"),
  back: latest,
  off: fc.oneof(fc.constantFrom(0, -1, 1), fc.integer({ min: -20_000, max: 20_000 })),
});
const wait = fc.record<When>({
  from: fc.constantFrom(
    "now",
    "what is due",
    "what is due",
    "now",
    "what is due",
    "end of lease",
    "next call",
    "next call",
    "end of token",
    "half a day",
  ),
  back: is(0),
  off: fc.oneof(fc.constantFrom(0, -1, 1), fc.nat(10_000)),
});
const sent = fc.option(when, { nil: null });
const standby = fc.oneof({ weight: 7, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });
const token = fc.constantFrom(true, true, false);
const outcome = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: is("SENT") }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constantFrom("FAILED", "TAKEN", "INVALID_REPLY_TOKEN", "NOT_BEGUN") }) },
  {
    weight: 5,
    arbitrary: fc.record({
      type: is("AGAIN"),
      maybeArrived: fc.boolean(),
      delay: fc.constantFrom(0, 1_000, 1_000, 60_000),
    }),
  },
);
const notes = fc.constantFrom(null, "spam", "rude");
const lasts = fc.constantFrom(null, 1, 50, 5_000, 40_000, 0, -1);
const words = fc.constantFrom("Hi", "1", "2", "3", "What is the PRICE?", "What does it cost?", "Human ", "open", null);

function maybe<Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> {
  return fc.option(arbitrary, { nil: undefined });
}

function steps(weight: number, arbitrary: fc.Arbitrary<Step>): fc.WeightedArbitrary<Step> {
  return { weight, arbitrary };
}

const step: fc.Arbitrary<Step> = fc.oneof(
  steps(20, fc.record({ do: is("write"), text: words, sent, standby, token })),
  steps(
    6,
    fc.record({
      do: is("signal"),
      event: fc.constantFrom("follow", "unfollow", "postback", "order.paid"),
      data: words.map((word) => word ?? "?"),
      sent,
      standby,
      token,
    }),
  ),
  steps(2, fc.record({ do: is("repeat"), back: some, sent })),
  steps(2, fc.record({ do: is("unsend"), back: some, sent })),
  steps(5, fc.record({ do: is("block"), by: anyone, notes, lasts })),
  steps(4, fc.record({ do: is("unblock"), by: anyone, notes })),
  steps(3, fc.record({ do: is("update"), by: anyone, block: latest, notes: maybe(notes), lasts: maybe(lasts) })),
  steps(6, fc.record({ do: is("start"), by: anyone, text: is("Dear customer") })),
  steps(9, fc.record({ do: is("send"), by: anyone, text: is("How can we help?"), conversation: latest })),
  steps(6, fc.record({ do: fc.constantFrom("take", "accept", "decline"), by: agent, conversation: latest })),
  steps(4, fc.record({ do: is("offer"), by: anyone, to: agent, conversation: latest })),
  steps(3, fc.record({ do: is("transfer"), by: anyone, to: agent, conversation: latest })),
  steps(5, fc.record({ do: fc.constantFrom("requeue", "requeue", "end"), by: anyone, conversation: latest })),
  steps(14, fc.record({ do: is("lease") })),
  steps(12, fc.record({ do: is("settle"), back: latest, outcome })),
  steps(3, fc.record({ do: is("expire") })),
  steps(2, fc.record({ do: is("cancel"), by: anyone, entry: some, any: unlikely })),
  steps(4, fc.record({ do: is("retry"), by: anyone, entry: some, any: unlikely, acceptDuplicate: fc.boolean() })),
  steps(6, fc.record({ do: is("run due") })),
  steps(10, fc.record({ do: is("wait"), until: wait })),
);

const maybeArrived: Outcome = { type: "AGAIN", maybeArrived: true, delay: 1_000 };
const callTime = fc.record<When>({
  from: fc.constantFrom("next call", "next call", "end of lease", "end of lease", "end of token", "end of token"),
  back: is(0),
  off: fc.constantFrom(0, 1),
});

/** Steps that go on with what was sent last. */
const call: fc.Arbitrary<Step> = fc.oneof(
  steps(6, fc.record({ do: is("lease") })),
  steps(3, fc.record({ do: is("settle"), back: latest, outcome })),
  steps(4, fc.record({ do: is("settle"), back: is(0), outcome: is(maybeArrived) })),
  steps(2, fc.record({ do: is("settle"), back: is(0), outcome: is({ type: "INVALID_REPLY_TOKEN" }) })),
  steps(2, fc.record({ do: is("settle"), back: is(1), outcome: is({ type: "SENT" }) })),
  steps(1, fc.record({ do: is("expire") })),
  steps(2, fc.record({ do: is("block"), by: anyone, notes, lasts: fc.constantFrom(null, null, 5_000) })),
  steps(5, fc.record({ do: is("retry"), by: anyone, entry: is(0), any: is(false), acceptDuplicate: fc.boolean() })),
  steps(6, fc.record({ do: is("wait"), until: callTime })),
);

/** A message of the contact, an answer, and a few calls in a row, so that what takes many steps is met often. */
const scene: fc.Arbitrary<readonly Step[]> = fc
  .tuple(anyone, fc.array(call, { minLength: 5, maxLength: 12 }))
  .map(([by, calls]) => [
    { do: "unblock", by, notes: null },
    { do: "write", text: "Hi", sent: null, standby: false, token: true },
    { do: "send", by, text: "How can we help?", conversation: 0 },
    { do: "lease" },
    ...calls,
  ]);

/** The steps of one run. */
export const walk: fc.Arbitrary<readonly Step[]> = fc
  .array(fc.oneof({ weight: 20, arbitrary: step.map((each) => [each]) }, { weight: 1, arbitrary: scene }), {
    maxLength: 80,
    size: "max",
  })
  .map((parts) => parts.flat());
