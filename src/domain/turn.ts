import type { Actor } from "./actor.ts";
import { type ContactChannel, evolve } from "./contact-channel.ts";
import type { ConversationStatus } from "./conversation.ts";
import type { BlockInForce } from "./episode.ts";
import type { DomainEvent, EventBody } from "./event.ts";
import type { Flow } from "./flow.ts";
import { type BlockId, type ConversationId, type Id, type Instant, idOf, type MessageId } from "./id.ts";
import type { Refusal } from "./refusal.ts";

/** What a decision needs to know beyond the aggregate, looked up under the same lock. */
export interface Facts {
  /** The entry that already has this provider event id (rule O3). */
  readonly duplicateOf: MessageId | null;
  /** The entry that an unsend takes back, unless it is hidden already (rule O6). */
  readonly unsendTarget: MessageId | null;
  /** Whether an unsend of this message came before the message itself (rules O3, O6). */
  readonly alreadyUnsent: boolean;
  /** The status of the conversation that the command names, where that one is over. */
  readonly conversationStatus: ConversationStatus | null;
}

export const noFacts: Facts = {
  duplicateOf: null,
  unsendTarget: null,
  alreadyUnsent: false,
  conversationStatus: null,
};

/** What a decision depends on besides the aggregate and the command. */
export interface DecisionInput {
  /** Our clock, read after locking and loading (rule O1). */
  readonly now: Instant;
  /** Supplies a new time-ordered UUID at each call (rule O5). */
  readonly newId: () => string;
  /** The enabled default flows of the channel, in the order in which they are tried. */
  readonly flows: readonly Flow[];
  readonly facts: Facts;
}

/** A command that was carried out. `changed` is false where things already were as it wanted them. */
export interface Accepted {
  readonly type: "Accepted";
  readonly changed: boolean;
  readonly messageId: MessageId | null;
  readonly conversationId: ConversationId | null;
  readonly blockId: BlockId | null;
}

/** One decision in the making: it folds each event as it is emitted, so that what follows sees its effect. */
export class Turn {
  state: ContactChannel;
  readonly events: DomainEvent[] = [];
  readonly now: Instant;
  readonly flows: readonly Flow[];
  readonly facts: Facts;
  /** How many events precede the command's own: the expiries and time-outs it found. */
  settled = 0;
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

/** The answer to a command that was carried out; `changed` says whether it emitted anything itself. */
export function accepted(
  turn: Turn,
  made: {
    messageId?: MessageId | null;
    conversationId?: ConversationId | null;
    blockId?: BlockId | null;
  },
): Accepted {
  return {
    type: "Accepted",
    changed: turn.events.length > turn.settled,
    messageId: made.messageId ?? null,
    conversationId: made.conversationId ?? null,
    blockId: made.blockId ?? null,
  };
}

export function contactBlocked(block: BlockInForce): Refusal {
  return { type: "ContactBlocked", blockId: block.id };
}
