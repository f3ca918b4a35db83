/**
 * A second implementation of the contract (rules B, D, U, C, O and S of docs/rules.md), as simple as possible: the model keeps lists of
 * all entries, blocks and conversations, and derives every result from them. It shares nothing with src/domain, not even a
 * type. Objects are identified by number, counted from 1.
 */

import type { Act, Agent, ConversationAct } from "./act.ts";
import { type Delivery, type Kind, Sending } from "./sending.ts";
import { accepted, agentsOf, describe, invalidTransition, standing } from "./transcript.ts";

type Status = "BOT" | "WAITING" | "ASSIGNING" | "ACTIVE" | "ENDED" | "BLOCKED";

/** One turn of a chatbot: the texts that it sends, and the next step. */
interface BotTurn {
  readonly says: readonly string[];
  readonly next: "hand over" | { readonly step: string; readonly in?: number };
}

/** The default flows of a channel, as a table of their behavior. */
export interface Automation {
  readonly greeting: string | null;
  readonly keywords: Readonly<Record<string, string>>;
  readonly bot: {
    readonly opening: BotTurn;
    readonly steps: Readonly<
      Record<string, { readonly menu?: string; readonly answers?: Readonly<Record<string, BotTurn>>; due?: BotTurn }>
    >;
  } | null;
}

interface Entry {
  readonly n: number;
  readonly conversation: number | null;
  readonly by: string;
  readonly text: string | null;
  readonly event: string | null;
  readonly sentAt: number;
  readonly at: number;
  readonly whileBlocked: boolean;
  readonly countsFor: number | null;
  readonly activity: boolean;
  readonly eventId: string | null;
  readonly messageId: string | null;
  readonly unsends: string | null;
  unsentAt: number | null;
  readonly retryOf: number | null;
  delivery: Delivery | null;
  error: string | null;
}

interface Block {
  readonly n: number;
  readonly at: number;
  readonly by: string;
  notes: string | null;
  until: number | null;
  liftedAt: number | null;
  /** The latest entry and the latest conversation when the block began; 0 for none. */
  readonly afterEntry: number;
  readonly conversation: number;
}

interface Conversation {
  readonly n: number;
  readonly startedAt: number;
  status: Status;
  assignee: string | null;
  offeredTo: string | null;
  deadline: number | null;
  /** The chatbot's position; meaningless unless `BOT`. */
  bot: { readonly step: string; readonly due: number | null };
  end: string;
}

const ONGOING: readonly Status[] = ["BOT", "WAITING", "ASSIGNING", "ACTIVE"];
const AGENTS: readonly string[] = ["ada", "ben", "cyd"] satisfies Agent[];

/** Rule C3. */
const MOVES: Record<ConversationAct["do"], { readonly from: readonly Status[]; readonly to: Status }> = {
  send: { from: ONGOING, to: "ACTIVE" },
  take: { from: ONGOING, to: "ACTIVE" },
  offer: { from: ["WAITING"], to: "ASSIGNING" },
  accept: { from: ["ASSIGNING"], to: "ACTIVE" },
  decline: { from: ["ASSIGNING"], to: "WAITING" },
  transfer: { from: ["ACTIVE"], to: "ASSIGNING" },
  requeue: { from: ["ACTIVE"], to: "WAITING" },
  end: { from: ONGOING, to: "ENDED" },
};

export class Model {
  readonly entries: Entry[] = [];
  readonly blocks: Block[] = [];
  readonly conversations: Conversation[] = [];
  now = Number.NEGATIVE_INFINITY;
  #effects: string[] = [];
  readonly sending: Sending;
  readonly #flows: Automation;

  constructor(flows: Automation, kind: Kind) {
    this.#flows = flows;
    this.sending = new Sending(kind, this);
  }

  note(effect: string): void {
    this.#effects.push(effect);
  }

  /** Executes one command; returns the result, the effects and the resulting state, one per line. */
  perform(act: Act, clock: number): string {
    this.now = Math.max(this.now, clock);
    this.#effects = [];
    this.#passTime();
    const result = this.#judge(act);
    return [result, ...this.#effects.sort(), this.#standing()].join("\n");
  }

  // Queries

  ongoing(): Conversation | undefined {
    return this.conversations.find((each) => ONGOING.includes(each.status));
  }

  /** Rule B8: in force is a comparison of times. */
  inForce(): Block | undefined {
    return this.blocks.find((block) => block.at <= this.now && this.now < endOf(block));
  }

  /** Rule U2: from the end of the latest block until a message that was sent no earlier and was not recorded while blocked. */
  isAwaitingFirst(): boolean {
    const block = this.blocks.at(-1);
    if (block === undefined) return false;
    return !this.entries.some(
      (entry) =>
        entry.n > block.afterEntry &&
        entry.by === "contact" &&
        entry.event === null &&
        !entry.whileBlocked &&
        entry.sentAt >= endOf(block),
    );
  }

  /** Rule D6: the latest follow or unfollow, by their own times. */
  isReachable(): boolean {
    let last: Entry | undefined;
    for (const entry of this.entries) {
      if (entry.event !== "follow" && entry.event !== "unfollow") continue;
      if (last === undefined || entry.sentAt >= last.sentAt) last = entry;
    }
    return last?.event !== "unfollow";
  }

  lastActivity(conversation: Conversation): number {
    let last = conversation.startedAt;
    for (const entry of this.entries) {
      if (entry.conversation === conversation.n && entry.activity) last = entry.at;
    }
    return last;
  }

  /** The time of the next expiry, lapse or delayed step; at most one of them is pending. */
  due(): number | undefined {
    const ongoing = this.ongoing();
    return (
      this.inForce()?.until ?? ongoing?.deadline ?? (ongoing?.status === "BOT" ? ongoing.bot.due : null) ?? undefined
    );
  }

  suppressedBy(block: Block): number {
    return this.entries.filter((entry) => entry.countsFor === block.n).length;
  }

  // Rules

  /** Rules B8 and C3: expiries, lapses and delayed steps. */
  #passTime(): void {
    for (const block of this.blocks) {
      if (block.liftedAt === null && block.until !== null && block.until <= this.now) {
        this.#lift(block, block.until, "EXPIRED by system");
      }
    }
    const offered = this.conversations.find((each) => each.deadline !== null && each.deadline <= this.now);
    if (offered !== undefined) this.#move(offered, "system", { status: "WAITING" }, offered.deadline ?? 0);
  }

  #judge(act: Act): string {
    const noted = this.#effects.length;
    switch (act.do) {
      case "receive":
        return this.#receive(act);
      case "block":
        return this.#block(act.by, act.notes, act.until);
      case "unblock": {
        const block = this.inForce();
        if (block === undefined) return accepted(false, {});
        this.#lift(block, this.now, `UNBLOCKED by ${act.by}`, act.notes);
        return accepted(true, { block: block.n });
      }
      case "update":
        return this.#update(act);
      case "start": {
        const block = this.inForce();
        if (block !== undefined) return `blocked by ${block.n}`;
        const ongoing = this.ongoing();
        if (ongoing !== undefined) return invalidTransition(ongoing.status, "ACTIVE");
        const conversation = this.#begin("ACTIVE", act.by, AGENTS.includes(act.by) ? act.by : null);
        const message = this.#write(act.by, act.text, conversation);
        return accepted(true, { message, conversation: conversation.n });
      }
      case "lease": {
        this.sending.expire();
        const block = this.inForce();
        if (block !== undefined) return `blocked by ${block.n}`;
        const lease = this.sending.lease();
        return accepted(this.#effects.length > noted, { message: lease?.letter }, lease?.what);
      }
      case "settle": {
        const call = at(this.sending.calls, act.call);
        this.sending.settle(call, act.outcome);
        return accepted(this.#effects.length > noted, { message: call.letters[0]?.n });
      }
      case "expire":
        this.sending.expire();
        return accepted(this.#effects.length > noted, {});
      case "cancel": {
        const entry = at(this.entries, act.entry);
        if (entry.delivery === null) return "NotFound";
        if (entry.delivery !== "QUEUED") return invalidTransition(null, null);
        this.sending.withdraw([entry], "CANCELED");
        return accepted(true, { message: entry.n, conversation: entry.conversation ?? undefined });
      }
      case "retry":
        return this.#retry(act);
      case "run due": {
        const conversation = this.ongoing();
        const step = conversation?.status === "BOT" ? conversation.bot : undefined;
        if (conversation === undefined || step === undefined || step.due === null || this.now < step.due)
          return accepted(false, {});
        this.#botTurn(conversation, this.#flows.bot?.steps[step.step]?.due);
        return accepted(true, {});
      }
      default:
        return this.#converse(act);
    }
  }

  /** Rules C1, D1–D3, U2–U4, O3. */
  #receive(act: Extract<Act, { do: "receive" }>): string {
    const known = this.entries.find((entry) => entry.eventId === act.eventId);
    if (known !== undefined) return accepted(false, { message: known.n });

    const sentAt = Math.min(act.sentAt ?? this.now, this.now);
    const latest = this.blocks.at(-1);
    const inForce = this.inForce();
    const sentDuring = this.blocks.find((block) => block.at <= sentAt && sentAt < endOf(block));
    const isLate = latest !== undefined && sentAt < endOf(latest);
    const isMessage = act.event === null;
    const isFirst = this.isAwaitingFirst();
    let conversation = this.ongoing() ?? this.conversations.at(-1);
    if (inForce === undefined && isLate) conversation = this.conversations[latest.conversation - 1];
    const starts = isMessage && !isLate && this.ongoing() === undefined;
    const bot = act.standby ? null : this.#flows.bot;
    if (starts) conversation = this.#begin(bot === null ? "WAITING" : "BOT", "contact", null);

    const message = this.#record({
      conversation: conversation?.n ?? null,
      by: "contact",
      text: act.text,
      event: act.event,
      sentAt,
      whileBlocked: inForce !== undefined || sentDuring !== undefined,
      countsFor: isMessage ? ((inForce ?? sentDuring)?.n ?? null) : null,
      activity: !isLate,
      eventId: act.eventId,
      messageId: act.messageId,
      unsends: act.unsends,
      retryOf: null,
    });
    this.sending.receive(act.token, sentAt);
    this.#hide();
    if (isLate || act.standby || conversation === undefined) return accepted(true, { message });

    const keyword = Object.keys(this.#flows.keywords).find((word) => act.text?.toLowerCase().includes(word));
    const reply = keyword === undefined ? null : (this.#flows.keywords[keyword] ?? null);
    if (starts) {
      if (bot !== null) this.#botTurn(conversation, bot.opening);
      else this.#say(reply ?? this.#flows.greeting, conversation);
    } else if (conversation.status === "BOT" && (isMessage || act.event === "postback")) {
      this.#answerBot(conversation, act.text ?? "");
    } else if (conversation.status === "WAITING" && isMessage && !isFirst) {
      this.#say(reply, conversation);
    }
    return accepted(true, { message });
  }

  /** Rule O6; the unsend and its message can arrive in either order. */
  #hide(): void {
    for (const entry of this.entries) {
      const isUnsent = this.entries.some((each) => each.unsends !== null && each.unsends === entry.messageId);
      if (!isUnsent || entry.unsentAt !== null) continue;
      entry.unsentAt = this.now;
      this.#effects.push(`unsent ${entry.n} at ${this.now}`);
    }
  }

  /** Rules B3, B4, B6. */
  #block(by: string, notes: string | null, until: number | null): string {
    if (until !== null && until <= this.now) return "invalid expiresAt";
    const inForce = this.inForce();
    if (inForce !== undefined) return accepted(false, { block: inForce.n }, this.sending.opened());
    const conversation = this.ongoing();
    const block: Block = {
      n: this.blocks.length + 1,
      at: this.now,
      by,
      notes,
      until,
      liftedAt: null,
      afterEntry: this.entries.length,
      conversation: this.conversations.length,
    };
    this.blocks.push(block);
    this.#effects.push(`block ${block.n} by ${by} at ${this.now}: ${notes}, until ${until}`);
    if (conversation !== undefined) this.#end(conversation, by, "BLOCKED", `BLOCKED by block ${block.n}`);
    return accepted(true, { block: block.n, conversation: conversation?.n }, this.sending.block());
  }

  #update(act: Extract<Act, { do: "update" }>): string {
    const block = this.inForce();
    if (block?.n !== act.block) return "invalid blockId";
    const { notes = block.notes, until = block.until } = act;
    if (notes === block.notes && until === block.until) return accepted(false, { block: block.n });
    if (until !== null && until <= this.now) return "invalid expiresAt";
    block.notes = notes;
    block.until = until;
    this.#effects.push(`update ${block.n} by ${act.by}: ${notes}, until ${until}`);
    return accepted(true, { block: block.n });
  }

  #lift(block: Block, when: number, how: string, notes: string | null = null): void {
    block.liftedAt = when;
    this.#effects.push(`lift ${block.n} at ${when} ${how}: ${notes}`);
  }

  /** Rules C3, C4 and C5. */
  #converse(act: ConversationAct): string {
    const conversation = at(this.conversations, act.conversation);
    const move = MOVES[act.do];
    const block = this.inForce();
    if (block !== undefined && act.do !== "decline" && act.do !== "end") return `blocked by ${block.n}`;
    const isAllowed = (act.do !== "accept" && act.do !== "decline") || conversation.offeredTo === act.by;
    if (!move.from.includes(conversation.status) || !isAllowed) return invalidTransition(conversation.status, move.to);

    const { status, assignee } = conversation;
    const done = { conversation: conversation.n };
    switch (act.do) {
      case "send":
        return accepted(true, { message: this.#answer(act.by, act.text, conversation), ...done });
      case "take":
        if (status === "ACTIVE" && assignee === act.by) return accepted(false, done);
        this.#move(conversation, act.by, { status: "ACTIVE", assignee: act.by });
        break;
      case "accept":
        this.#move(conversation, act.by, { status: "ACTIVE", assignee: act.by });
        break;
      case "offer":
      case "transfer":
        this.#move(conversation, act.by, { status: "ASSIGNING", offeredTo: act.to, deadline: this.now + 60_000 });
        break;
      case "decline":
      case "requeue":
        this.#move(conversation, act.by, { status: "WAITING" });
        break;
      case "end":
        this.#end(conversation, act.by, "ENDED", "RESOLVED");
    }
    return accepted(true, done);
  }

  /** Rules S8 and C5. */
  #retry({ by, entry, acceptDuplicate }: Extract<Act, { do: "retry" }>): string {
    const { n, delivery, error, text, conversation: number } = at(this.entries, entry);
    if (delivery === null) return "NotFound";
    if (error === "OUTCOME_UNKNOWN" && !acceptDuplicate) return "invalid acceptDuplicate";
    const block = this.inForce();
    if (block !== undefined) return `blocked by ${block.n}`;
    const done = { conversation: number ?? undefined };
    const retried = this.entries.findLast(({ retryOf }) => retryOf === n);
    if (retried !== undefined) return accepted(false, { message: retried.n, ...done });
    if (delivery !== "FAILED" && delivery !== "CANCELED") return invalidTransition(null, null);
    const conversation = this.ongoing();
    if (conversation === undefined || conversation.n !== number) return invalidTransition(null, "ACTIVE");
    return accepted(true, { message: this.#answer(by, text ?? "", conversation, n), ...done });
  }

  /** Rule C4. */
  #answer(by: string, text: string, conversation: Conversation, retryOf: number | null = null): number {
    const takes = AGENTS.includes(by) && conversation.assignee === null;
    if (takes) this.#move(conversation, by, { status: "ACTIVE", assignee: by });
    return this.#write(by, text, conversation, retryOf);
  }

  #begin(status: Status, by: string, assignee: string | null): Conversation {
    const conversation: Conversation = {
      n: this.conversations.length + 1,
      startedAt: this.now,
      status,
      assignee,
      offeredTo: null,
      deadline: null,
      bot: { step: "", due: null },
      end: "-",
    };
    this.conversations.push(conversation);
    this.#effects.push(
      `conversation ${conversation.n} null→${status} by ${by} at ${this.now}: ${describe(conversation)}${agentsOf(assignee)}`,
    );
    return conversation;
  }

  /** Changes the status; the assignee and offer are only those given with the change. */
  #move(
    conversation: Conversation,
    by: string,
    to: Partial<Conversation> & { readonly status: Status },
    when = this.now,
  ): void {
    const { status, assignee, offeredTo } = conversation;
    Object.assign(conversation, { assignee: null, offeredTo: null, deadline: null, ...to });
    const agents = agentsOf(assignee, offeredTo, conversation.assignee, conversation.offeredTo);
    this.#effects.push(
      `conversation ${conversation.n} ${status}→${to.status} by ${by} at ${when}: ${describe(conversation)}${agents}`,
    );
  }

  #end(conversation: Conversation, by: string, status: "ENDED" | "BLOCKED", reason: string): void {
    const { assignee, status: before } = conversation;
    const end = `${reason} at ${this.now} by ${by}, was ${before}`;
    this.#move(conversation, by, { status, assignee, end });
  }

  #botTurn(conversation: Conversation, turn: BotTurn | undefined): void {
    if (turn === undefined) throw new Error("The chatbot of the model has no such turn.");
    for (const text of turn.says) this.#write("bot", text, conversation);
    if (turn.next === "hand over") this.#move(conversation, "bot", { status: "WAITING" });
    else {
      const { step, in: delay } = turn.next;
      conversation.bot = { step, due: delay === undefined ? null : this.now + delay };
    }
  }

  /** An answer that is not in the menu gets the menu again; while a delayed step is pending, nothing. */
  #answerBot(conversation: Conversation, answer: string): void {
    const step = this.#flows.bot?.steps[conversation.bot.step];
    if (conversation.bot.due !== null) return;
    const turn = step?.answers?.[answer.trim().toLowerCase()];
    if (turn === undefined) this.#say(step?.menu ?? null, conversation);
    else this.#botTurn(conversation, turn);
  }

  #say(text: string | null, conversation: Conversation): void {
    if (text !== null) this.#write("bot", text, conversation);
  }

  #write(by: string, text: string, conversation: Conversation, retryOf: number | null = null): number {
    const none = { event: null, whileBlocked: false, countsFor: null, eventId: null, messageId: null, unsends: null };
    const when = { sentAt: this.now, activity: true };
    return this.#record({ conversation: conversation.n, by, text, ...when, ...none, retryOf, delivery: "QUEUED" });
  }

  #record(entry: Omit<Entry, "n" | "at" | "delivery" | "unsentAt" | "error"> & { delivery?: "QUEUED" }): number {
    const n = this.entries.length + 1;
    this.entries.push({ delivery: null, unsentAt: null, error: null, ...entry, n, at: this.now });
    const conversation = this.conversations[(entry.conversation ?? 0) - 1];
    const { by, text, event, sentAt, whileBlocked, countsFor, activity, retryOf, delivery } = entry;
    this.#effects.push(
      `entry ${n} in ${entry.conversation} by ${by}: ${text} ${event} sent ${sentAt} at ${this.now}` +
        ` ${whileBlocked ? `while blocked, counts for ${countsFor}` : "freely"}` +
        ` ${activity ? "active" : "quiet"} ${delivery} again ${retryOf}${agentsOf(conversation?.assignee, conversation?.offeredTo)}`,
    );
    return n;
  }

  #standing(): string {
    const block = this.inForce();
    const ongoing = this.ongoing();
    const bot = ongoing?.status === "BOT" ? ongoing.bot : undefined;
    return standing({
      block: block && `${block.n} by ${block.by}: ${block.notes}, until ${block.until}`,
      ongoing: ongoing && `${ongoing.n} ${ongoing.status} ${describe(ongoing)} active ${this.lastActivity(ongoing)}`,
      latest: this.conversations.at(-1)?.n,
      bot: bot && `${bot.step} due ${bot.due}`,
      awaiting: block === undefined && this.isAwaitingFirst(),
      reachable: this.isReachable(),
      pending: this.sending.pending().map((entry) => `${entry.n} ${entry.delivery}`),
      sending: this.sending.standing(),
      due: this.due(),
    });
  }
}

function endOf(block: Block): number {
  return block.liftedAt ?? block.until ?? Number.POSITIVE_INFINITY;
}

function at<Item>(list: readonly Item[], n: number): Item {
  const item = list[n - 1];
  if (item === undefined) throw new Error(`There is no item ${n}.`);
  return item;
}
