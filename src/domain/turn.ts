import type { Actor } from "./actor.ts";
import { type ContactChannel, evolve } from "./contact-channel.ts";
import type { ConversationStatus } from "./conversation.ts";
import type { BlockInForce } from "./episode.ts";
import type { DomainEvent, EventBody } from "./event.ts";
import type { Flow } from "./flow.ts";
import { type AgentId, type BlockId, type ConversationId, type Id, type Instant, idOf, type MessageId } from "./id.ts";
import type { Refusal } from "./refusal.ts";

/** Facts outside the aggregate that a decision depends on, looked up under the same lock. */
export interface Facts {
  /** The entry already recorded under this provider event id (rule O3). */
  readonly duplicateOf: MessageId | null;
  /** The entries that an unsend hides: all with the provider's message id that are not hidden yet (rule O6). */
  readonly unsendTargets: readonly UnsendTarget[];
  /** Whether an unsend of this message arrived before the message itself (rules O3, O6). */
  readonly alreadyUnsent: boolean;
  /** The status of the command's conversation, used when that conversation is not the ongoing one. */
  readonly conversationStatus: ConversationStatus | null;
}

/** A recorded entry that an unsend hides. */
export interface UnsendTarget {
  readonly messageId: MessageId;
  readonly conversationId: ConversationId | null;
  /** The agents whom an old conversation concerns; the state knows better about the most recent one. */
  readonly agents: readonly AgentId[];
}

export const noFacts: Facts = {
  duplicateOf: null,
  unsendTargets: [],
  alreadyUnsent: false,
  conversationStatus: null,
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
    canceledMessageCount?: number;
  },
): Accepted {
  return {
    type: "Accepted",
    changed: turn.events.length > turn.expiryEventCount,
    messageId: made.messageId ?? null,
    conversationId: made.conversationId ?? null,
    blockId: made.blockId ?? null,
    ...(made.canceledMessageCount === undefined ? {} : { canceledMessageCount: made.canceledMessageCount }),
  };
}

export function contactBlocked(block: BlockInForce): Refusal {
  return { type: "ContactBlocked", blockId: block.id };
}
