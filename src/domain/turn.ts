import type { Actor } from "./actor.ts";
import { type ContactChannel, evolve } from "./contact-channel.ts";
import type { ConversationStatus } from "./conversation.ts";
import type { BlockInForce } from "./episode.ts";
import type { DomainEvent, EventBody } from "./event.ts";
import type { Flow } from "./flow.ts";
import {
  type AgentId,
  type BlockId,
  type ContactChannelId,
  type ConversationId,
  type Id,
  type Instant,
  idOf,
  type MessageId,
  type SignalId,
} from "./id.ts";
import type { DeliveryStatus, Menu } from "./message.ts";
import type { GrantedLease, PendingOutbound } from "./outbox.ts";
import type { Refusal } from "./refusal.ts";
import type { GrantedSignal } from "./signal.ts";

/** Facts outside the aggregate that a decision depends on, looked up under the same lock. */
export interface Facts {
  /** The entry already recorded under this provider event id (rule O3). */
  readonly duplicateOf: MessageId | null;
  /** The entries that an unsend hides: the message and its edits, as far as they are known and not hidden (rule O6). */
  readonly unsendTargets: readonly EntryRef[];
  /** The message that an edit changes; null if it is unsent or unknown. */
  readonly editTarget: EntryRef | null;
  /** Whether an unsend of this message arrived before the message itself (rules O3, O6). */
  readonly alreadyUnsent: boolean;
  /** Whether an edit of this message arrived before the message itself (rule O3). */
  readonly alreadyEdited: boolean;
  /** The status of the command's conversation, used when that conversation is not the ongoing one. */
  readonly conversationStatus: ConversationStatus | null;
  /** The outbound message of a retry or a cancellation; null if there is none with this id. */
  readonly outboundMessage: OutboundFact | null;
  /** The messages of an attempt that succeeded, whatever their status (rule S2). */
  readonly attempted: readonly PendingOutbound[];
}

/** A recorded outbound message, as a retry needs it (rule S8). */
export interface OutboundFact {
  readonly messageId: MessageId;
  readonly conversationId: ConversationId | null;
  readonly text: string;
  readonly menu: Menu | null;
  readonly status: DeliveryStatus;
  readonly errorCode: string | null;
  /** The latest retry of it; null if there is none. */
  readonly retriedBy: MessageId | null;
}

/** A recorded entry. */
export interface EntryRef {
  readonly messageId: MessageId;
  readonly conversationId: ConversationId | null;
  /** The agents whom an old conversation concerns; the state knows better about the most recent one. */
  readonly agents: readonly AgentId[];
}

export const noFacts: Facts = {
  duplicateOf: null,
  unsendTargets: [],
  editTarget: null,
  alreadyUnsent: false,
  alreadyEdited: false,
  conversationStatus: null,
  outboundMessage: null,
  attempted: [],
};

/** The inputs of a decision other than the aggregate and the command. */
export interface DecisionInput {
  /** Server time, read after locking and loading (rule O1). */
  readonly now: Instant;
  /** Returns a new time-ordered UUID on each call (rule O5). */
  readonly newId: () => string;
  /** The enabled default flows of the channel, in the order in which they are tried: the first match wins. */
  readonly flows: readonly Flow[];
  readonly facts: Facts;
}

/** The result of an accepted command. `changed` is false if it had no effect. */
export interface Accepted {
  readonly type: "Accepted";
  readonly changed: boolean;
  readonly messageId: MessageId | null;
  readonly conversationId: ConversationId | null;
  readonly blockId: BlockId | null;
  /** The number of queued messages that a block canceled; absent for other commands. */
  readonly canceledMessageCount?: number;
  /** The lease that was granted; absent if none was. */
  readonly lease?: GrantedLease;
  /** The lease that was open when the contact was found or made blocked: its call may still begin (rule S6). */
  readonly openLease?: OpenLease;
  /** The same for signals; absent if there are none. */
  readonly openSignals?: readonly OpenSignal[];
  /** The signal whose call was granted; absent if none was. */
  readonly signal?: GrantedSignal;
  /** When delivery is next due after an attempt was settled. */
  readonly outboundDueAt?: Instant | null;
}

/** A lease that is open while its ContactChannel is blocked. */
export interface OpenLease {
  readonly contactChannelId: ContactChannelId;
  readonly messageId: MessageId;
  readonly attempt: number;
  readonly grantedAt: Instant;
}

/** A signal whose lease is open while its ContactChannel is blocked. */
export interface OpenSignal {
  readonly signalId: SignalId;
  readonly grantedAt: Instant;
}

/** A decision in progress. Each emitted event is folded into `state` at once, so that later steps see its effect. */
export class Turn {
  state: ContactChannel;
  readonly events: DomainEvent[] = [];
  readonly now: Instant;
  readonly flows: readonly Flow[];
  readonly facts: Facts;
  /** How many events precede the command's own: expiries of blocks and offers, and ends on an archived channel. */
  expiryEventCount = 0;
  readonly #newId: () => string;

  constructor(state: ContactChannel, input: DecisionInput) {
    this.state = state;
    this.now = Math.max(input.now, state.clock ?? input.now);
    this.flows = input.flows;
    this.facts = input.facts;
    this.#newId = input.newId;
  }

  newId<Kind extends string>(): Id<Kind> {
    return idOf<Kind>(this.#newId());
  }

  emit(actor: Actor, body: EventBody, occurredAt: Instant = this.now): void {
    const event: DomainEvent = {
      ...body,
      id: this.newId<"Event">(),
      occurredAt,
      actor,
    };
    this.events.push(event);
    this.state = evolve(this.state, event);
  }
}

/** Builds the result of an accepted command; `changed` is true if the command emitted events of its own. */
export function accepted(
  turn: Turn,
  made: {
    messageId?: MessageId | null;
    conversationId?: ConversationId | null;
    blockId?: BlockId | null;
  } & Pick<Accepted, "canceledMessageCount" | "lease" | "openLease" | "openSignals" | "signal" | "outboundDueAt">,
): Accepted {
  const { messageId = null, conversationId = null, blockId = null, ...rest } = made;
  const changed = turn.events.length > turn.expiryEventCount;
  return { type: "Accepted", changed, messageId, conversationId, blockId, ...rest };
}

export function contactBlocked(block: BlockInForce): Refusal {
  return { type: "ContactBlocked", blockId: block.id };
}
