import type { Actor } from "../../src/domain/actor.ts";
import type { ChannelKind } from "../../src/domain/channel-kind.ts";
import type { Command, InboundEntry } from "../../src/domain/command.ts";
import type { ContactChannel } from "../../src/domain/contact-channel.ts";
import type { Conversation, ConversationStatus } from "../../src/domain/conversation.ts";
import { type Decision, decide } from "../../src/domain/decide.ts";
import type { DomainEvent } from "../../src/domain/event.ts";
import type { Flow } from "../../src/domain/flow.ts";
import type { BlockId, ConversationId, Instant, MessageId } from "../../src/domain/id.ts";
import type { Message } from "../../src/domain/message.ts";
import type { DeliveryOutcome, GrantedLease } from "../../src/domain/outbox.ts";
import { type EntryRef, type Facts, noFacts, type OutboundFact } from "../../src/domain/turn.ts";
import {
  type AgentActor,
  ada,
  type ByType,
  ben,
  cyd,
  deepFreeze,
  nameOf,
  newContactChannel,
  nth,
  seconds,
} from "./cast.ts";
import { guide } from "./flows.ts";

export interface InboundOptions {
  /** The provider's event id; by default a new one. */
  readonly eventId?: string;
  readonly sentAt?: Instant;
  readonly messageId?: string;
  readonly payload?: InboundEntry["payload"];
  readonly name?: string;
  readonly standby?: boolean;
  readonly replyToken?: string;
}

/** What became of an outbound message. */
interface Delivered {
  attempts: number;
  errorCode: string | null;
}

/** One ContactChannel in memory, with the rows that the store would keep: `contactChannel().inbound("hi").block({ by: ada })`. */
export function contactChannel(options: { flows?: readonly Flow[]; kind?: ChannelKind } = {}): Desk {
  return new Desk(options.flows ?? [], options.kind ?? "LINE");
}

export class Desk {
  state: ContactChannel;
  now: Instant = 0;
  flows: readonly Flow[];
  /** All events in order; `emitted` are those of the last command. */
  readonly log: DomainEvent[] = [];
  emitted: readonly DomainEvent[] = [];
  /** The rows that the store would have: the timeline, and the conversations and blocks, oldest first. */
  readonly messages: Message[] = [];
  readonly conversations: Conversation[] = [];
  readonly blockIds: BlockId[] = [];
  /** All leases that were granted, in order. */
  readonly leases: GrantedLease[] = [];
  /** The number of suppressed messages of each block. */
  readonly suppressed: number[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #messageOf = new Map<string, MessageId>();
  readonly #unsent = new Set<string>();
  readonly #delivered = new Map<MessageId, Delivered>();
  #result: Decision["result"] | null = null;
  #ids = 0;

  constructor(flows: readonly Flow[], channelKind: ChannelKind) {
    this.flows = flows;
    this.state = { ...newContactChannel, channelKind };
  }

  // Time

  at(instant: Instant): this {
    this.now = instant;
    return this;
  }

  wait(ms: number): this {
    return this.at(this.now + ms);
  }

  // Commands; a conversation is identified by its number, counted from 1, and defaults to the latest.

  inbound(text: string, options: InboundOptions = {}): this {
    return this.receive({ kind: "TEXT", text }, options);
  }

  event(eventType: string, options: InboundOptions = {}): this {
    const reachable = eventType === "follow" ? true : eventType === "unfollow" ? false : null;
    return this.receive({ kind: "EVENT", eventType, reachable }, options);
  }

  unsend(messageId: string, options: InboundOptions = {}): this {
    return this.receive({ kind: "EVENT", eventType: "unsend", unsends: messageId }, options);
  }

  receive(what: Partial<InboundEntry>, options: InboundOptions = {}): this {
    const entry: InboundEntry = {
      kind: "TEXT",
      eventId: options.eventId ?? `event-${this.log.length}-${this.messages.length}`,
      eventType: null,
      text: null,
      payload: options.payload ?? null,
      sentAt: options.sentAt ?? null,
      displayName: options.name ?? null,
      providerMessageId: options.messageId ?? null,
      unsends: null,
      reachable: null,
      automate: options.standby !== true,
      ...(options.replyToken === undefined ? {} : { replyToken: options.replyToken }),
      ...what,
    };
    return this.do({ type: "ReceiveInbound", entry });
  }

  block(options: { by?: Actor; notes?: string; until?: Instant } = {}): this {
    const { by = ada, notes = null, until = null } = options;
    return this.do({ type: "Block", actor: by, notes, expiresAt: until });
  }

  unblock(options: { by?: Actor; notes?: string } = {}): this {
    return this.do({ type: "Unblock", actor: options.by ?? ada, notes: options.notes ?? null });
  }

  updateBlock(change: { notes?: string | null; expiresAt?: Instant | null; block?: number }): this {
    const { block = this.blockIds.length, ...what } = change;
    return this.do({ type: "UpdateBlock", actor: ada, blockId: nth(this.blockIds, block), ...what });
  }

  reply(by: Actor, text = "Hello from us", named: Named = {}): this {
    return this.do({ type: "SendMessage", actor: by, conversationId: this.#named(named), text });
  }

  start(by: Actor, text = "Hello from us"): this {
    return this.do({ type: "StartConversation", actor: by, text });
  }

  take(by: AgentActor, named: Named = {}): this {
    return this.do({ type: "TakeConversation", agentId: by.id, conversationId: this.#named(named) });
  }

  offer(to: AgentActor, named: Named = {}): this {
    return this.do({ type: "OfferConversation", actor: cyd, conversationId: this.#named(named), agentId: to.id });
  }

  accept(by: AgentActor, named: Named = {}): this {
    return this.do({ type: "AcceptConversation", agentId: by.id, conversationId: this.#named(named) });
  }

  decline(by: AgentActor, named: Named = {}): this {
    return this.do({ type: "DeclineConversation", agentId: by.id, conversationId: this.#named(named) });
  }

  transfer(to: AgentActor | null, named: Named = {}): this {
    const agentId = to?.id ?? null;
    return this.do({ type: "TransferConversation", actor: cyd, conversationId: this.#named(named), agentId });
  }

  end(by: Actor, named: Named = {}): this {
    return this.do({ type: "EndConversation", actor: by, conversationId: this.#named(named) });
  }

  lease(): this {
    return this.do({ type: "LeaseOutbound" });
  }

  /** Settles a lease, identified by its number, counted from 1; by default the latest. */
  settle(outcome: keyof typeof outcomes | DeliveryOutcome, lease = this.leases.length): this {
    const { messageIds, attempt } = nth(this.leases, lease);
    const given = typeof outcome === "string" ? outcomes[outcome] : outcome;
    return this.do({ type: "SettleOutbound", messageIds, attempt, outcome: given });
  }

  expire(): this {
    return this.do({ type: "ExpireOutbound" });
  }

  /** Cancels or retries the timeline entry with this number; by default the latest. */
  cancel(seq = this.messages.length, by: Actor = ada): this {
    return this.do({ type: "CancelMessage", actor: by, messageId: nth(this.messages, seq).id });
  }

  retry(seq = this.messages.length, options: { by?: Actor; acceptDuplicate?: boolean } = {}): this {
    const { by = ada, acceptDuplicate = false } = options;
    return this.do({ type: "RetryMessage", actor: by, messageId: nth(this.messages, seq).id, acceptDuplicate });
  }

  runDue(): this {
    return this.do({ type: "RunDue" });
  }

  do(command: Command): this {
    // Frozen, so that a decision that mutates its state throws.
    const decision = decide(deepFreeze(this.state), command, {
      now: this.now,
      newId: () => `id-${++this.#ids}`,
      flows: this.flows,
      facts: this.factsFor(command),
    });
    this.state = decision.state;
    this.#result = decision.result;
    this.emitted = decision.events;
    for (const event of decision.events) this.#keep(event);
    if (command.type === "ReceiveInbound") this.#remember(command.entry, decision.result);
    if (decision.result.type === "Accepted" && decision.result.lease) this.leases.push(decision.result.lease);
    return this;
  }

  /** The facts that the executor would look up under the lock. */
  factsFor(command: Command): Facts {
    if (command.type === "ReceiveInbound") {
      const { eventId, unsends, providerMessageId } = command.entry;
      return {
        ...noFacts,
        duplicateOf: this.#messageOf.get(eventId) ?? null,
        unsendTargets: unsends === null ? [] : this.#visible(unsends),
        alreadyUnsent: providerMessageId !== null && this.#unsent.has(providerMessageId),
      };
    }
    if (command.type === "RetryMessage" || command.type === "CancelMessage") {
      return { ...noFacts, outboundMessage: this.#outboundFact(command.messageId) };
    }
    if (command.type === "SettleOutbound") {
      return { ...noFacts, attempted: command.messageIds.map((id) => this.#attempted(id)) };
    }
    if (!("conversationId" in command)) return noFacts;
    const named = this.conversations.find((each) => each.id === command.conversationId);
    return named === undefined || named.endedAt === null ? noFacts : { ...noFacts, conversationStatus: named.status };
  }

  // Results

  /** The result of the last command. */
  get result(): Decision["result"] {
    if (this.#result === null) throw new Error("No command was executed yet.");
    return this.#result;
  }

  /** The types of the events that the last command emitted, in order. */
  get emittedTypes(): readonly string[] {
    return this.emitted.map((event) => event.type);
  }

  /** The timeline, one line per entry: `#1 contact: hi`; `-` if outside of conversations, `*` if received while blocked. */
  get timeline(): readonly string[] {
    return this.messages.map((message) => {
      const place = message.conversationId === null ? "-" : `#${this.numberOf(message.conversationId)}`;
      const what = message.eventType === null ? message.text : `[${message.eventType}]`;
      return `${place} ${nameOf(message.author)}: ${what}${message.receivedWhileBlocked ? " *" : ""}`;
    });
  }

  /** The outbound messages, one per line: `Hello: QUEUED`, or with an error `Hello: FAILED EXPIRED`. */
  get outbox(): readonly string[] {
    return this.messages
      .filter((message) => message.direction === "OUTBOUND")
      .map(({ id, text, deliveryStatus }) => {
        const error = this.#delivered.get(id)?.errorCode ?? null;
        return `${text}: ${deliveryStatus}${error === null ? "" : ` ${error}`}`;
      });
  }

  /** The latest lease. */
  get latestLease(): GrantedLease {
    return nth(this.leases, this.leases.length);
  }

  /** The status of each conversation, oldest first. */
  get statuses(): readonly string[] {
    return this.conversations.map((conversation) => conversation.status);
  }

  /** The latest conversation. */
  get conversation(): Conversation {
    return nth(this.conversations, this.conversations.length);
  }

  get lastMessage(): Message {
    return nth(this.messages, this.messages.length);
  }

  /** The number of a conversation, a block or a message, each counted from 1. */
  numberOf(id: ConversationId | BlockId | MessageId): number {
    const number = this.#numbers.get(id);
    if (number === undefined) throw new Error(`There is no object with the id ${id}.`);
    return number;
  }

  /** The events of one type that the last command emitted. */
  emittedOf<Type extends DomainEvent["type"]>(type: Type): readonly ByType<DomainEvent, Type>[] {
    return this.emitted.filter((event): event is ByType<DomainEvent, Type> => event.type === type);
  }

  #keep(event: DomainEvent): void {
    this.log.push(event);
    switch (event.type) {
      case "MessageRecorded":
        this.#numbers.set(event.message.id, this.messages.push(event.message));
        if (event.suppressedBy !== null) this.#count(event.suppressedBy);
        break;
      case "MessageUnsent":
        replace(this.messages, event.messageId, (message) => ({ ...message, unsentAt: event.occurredAt }));
        break;
      case "MessageEdited":
        replace(this.messages, event.messageId, (message) => ({ ...message, editedAt: event.occurredAt }));
        break;
      case "DeliveryChanged":
        this.#deliver(event);
        break;
      case "ConversationChanged":
        if (event.from === null) this.#numbers.set(event.conversation.id, this.conversations.push(event.conversation));
        else replace(this.conversations, event.conversation.id, () => event.conversation);
        break;
      case "ContactBlocked":
        this.#numbers.set(event.block.id, this.blockIds.push(event.block.id));
        this.suppressed.push(0);
        break;
    }
  }

  #deliver({ messageId, to, attempt, error, providerMessageId }: ByType<DomainEvent, "DeliveryChanged">): void {
    replace(this.messages, messageId, (message) => ({
      ...message,
      deliveryStatus: to,
      providerMessageId: providerMessageId ?? message.providerMessageId,
    }));
    const attempts = attempt ?? this.#delivered.get(messageId)?.attempts ?? 0;
    this.#delivered.set(messageId, { attempts, errorCode: error?.code ?? null });
  }

  #message(id: MessageId): Message {
    return nth(this.messages, this.numberOf(id));
  }

  #outboundFact(messageId: MessageId): OutboundFact | null {
    const { direction, conversationId, text, menu, deliveryStatus } = this.#message(messageId);
    if (direction !== "OUTBOUND") return null;
    return {
      messageId,
      conversationId,
      text: text ?? "",
      menu,
      status: deliveryStatus ?? "QUEUED",
      errorCode: this.#delivered.get(messageId)?.errorCode ?? null,
      retriedBy: this.messages.findLast(({ retryOf }) => retryOf === messageId)?.id ?? null,
    };
  }

  #attempted(messageId: MessageId): Facts["attempted"][number] {
    const { seq, conversationId, deliveryStatus, recordedAt, menu } = this.#message(messageId);
    const attempts = this.#delivered.get(messageId)?.attempts ?? 0;
    const status = deliveryStatus ?? "QUEUED";
    return { messageId, seq, conversationId, agents: [], status, recordedAt, attempts, hasMenu: menu !== null };
  }

  #remember(entry: InboundEntry, result: Decision["result"]): void {
    if (result.type === "Accepted" && result.messageId !== null) this.#messageOf.set(entry.eventId, result.messageId);
    if (entry.unsends !== null) this.#unsent.add(entry.unsends);
  }

  #count(id: BlockId): void {
    const index = this.numberOf(id) - 1;
    this.suppressed[index] = (this.suppressed[index] ?? 0) + 1;
  }

  #visible(providerMessageId: string): EntryRef[] {
    return this.messages
      .filter((each) => each.providerMessageId === providerMessageId && each.unsentAt === null)
      .map(({ id, conversationId }) => ({ messageId: id, conversationId, agents: [] }));
  }

  #named({ conversation = this.conversations.length }: Named): ConversationId {
    return nth(this.conversations, conversation).id;
  }
}

/** Outcomes by name. */
export const outcomes = {
  SENT: { type: "SENT" },
  TAKEN: { type: "TAKEN" },
  FAILED: { type: "FAILED", error: { code: "REJECTED", message: "No." } },
  INVALID_REPLY_TOKEN: { type: "INVALID_REPLY_TOKEN" },
  /** Certainly not accepted, such as a rate limit. */
  REFUSED: { type: "AGAIN", isAmbiguous: false, delay: seconds(1) },
  /** Perhaps accepted, such as a connection that broke. */
  AMBIGUOUS: { type: "AGAIN", isAmbiguous: true, delay: seconds(1) },
  NOT_BEGUN: { type: "NOT_BEGUN" },
} as const satisfies Record<string, DeliveryOutcome>;

interface Named {
  readonly conversation?: number;
}

/** A desk whose latest conversation has this status; ben has the offer, ada is or was the assignee. */
export const deskIn: Record<ConversationStatus, () => Desk> = {
  BOT: () => contactChannel({ flows: [guide] }).inbound("hi"),
  WAITING: () => contactChannel().inbound("hi"),
  ASSIGNING: () => contactChannel().inbound("hi").offer(ben),
  ACTIVE: () => contactChannel().inbound("hi").take(ada),
  ENDED: () => contactChannel().inbound("hi").take(ada).end(ada),
  BLOCKED: () => contactChannel().inbound("hi").take(ada).block(),
};

function replace<Item extends { readonly id: string }>(list: Item[], id: string, change: (item: Item) => Item): void {
  const index = list.findIndex((each) => each.id === id);
  list[index] = change(nth(list, index + 1));
}
