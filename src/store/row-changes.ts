import { type ContactChannel, dueAt } from "../domain/contact-channel.ts";
import { type Conversation, isOngoing } from "../domain/conversation.ts";
import type { BlockInForce } from "../domain/episode.ts";
import type { DomainEvent } from "../domain/event.ts";
import type { BlockId, ContactId, ConversationId, Instant, MessageId } from "../domain/id.ts";
import type { DeliveryStatus, Message } from "../domain/message.ts";
import { noSignals } from "../domain/signal.ts";
import { toActorColumns } from "./actor-columns.ts";

/** An event and its aggregate. Only the aggregate's ids are used; they never change. */
export interface DecidedEvent {
  readonly of: ContactChannel;
  readonly event: DomainEvent;
}

interface BlockChange {
  readonly id: BlockId;
  suppressed: number;
  terms?: { readonly notes: string | null; readonly expiresAt: string | null };
  lift?: Lift;
}

interface Lift {
  readonly at: string;
  readonly by: { readonly type: string; readonly id: string | null };
  readonly notes: string | null;
}

interface NewBlock {
  readonly contactChannelId: string;
  block: BlockInForce;
  suppressed: number;
  lift: Lift | null;
}

interface MessageChange {
  readonly id: MessageId;
  unsentAt?: string;
  editedAt?: string;
  delivery?: DeliveryColumns;
}

/** The columns of a message that a change of its delivery sets. The attempt and the provider's id stay if they are null. */
interface DeliveryColumns {
  readonly status: DeliveryStatus;
  readonly leasedAt: string | null;
  readonly attempts: number | null;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly providerMessageId: string | null;
}

/** The rows that the events of a batch change, each written once. */
export class RowChanges {
  readonly #newBlocks = new Map<BlockId, NewBlock>();
  readonly #blockChanges = new Map<BlockId, BlockChange>();
  readonly #newMessages = new Map<MessageId, NewMessage>();
  readonly #messageChanges = new Map<MessageId, MessageChange>();
  readonly #contacts = new Map<ContactId, { id: ContactId; name: string | null; lastActivityAt: string | null }>();
  readonly #conversations = new Map<ConversationId, { of: ContactChannel; conversation: Conversation }>();
  readonly #active = new Set<ConversationId>();
  readonly #touched: { readonly id: ConversationId; readonly lastActivityAt: string }[] = [];

  add(of: ContactChannel, event: DomainEvent): void {
    switch (event.type) {
      case "MessageRecorded":
        this.#newMessages.set(event.message.id, { of, message: event.message, delivery: null });
        if (event.suppressedBy !== null) this.#suppress(event.suppressedBy);
        if (event.activity) {
          this.#contact(of.contactId).lastActivityAt = iso(event.message.recordedAt);
          if (event.message.conversationId !== null) this.#active.add(event.message.conversationId);
        }
        break;
      case "MessageUnsent":
        this.#mark(event.messageId, "unsentAt", event.occurredAt);
        break;
      case "MessageEdited":
        this.#mark(event.messageId, "editedAt", event.occurredAt);
        break;
      case "DeliveryChanged":
        this.#changeDelivery(event);
        break;
      case "ConversationChanged":
        this.#conversations.set(event.conversation.id, { of, conversation: event.conversation });
        break;
      case "ContactBlocked":
        this.#newBlocks.set(event.block.id, { contactChannelId: of.id, block: event.block, suppressed: 0, lift: null });
        break;
      case "BlockUpdated": {
        const created = this.#newBlocks.get(event.block.id);
        const { notes, expiresAt } = event.block;
        if (created !== undefined) created.block = event.block;
        else this.#blockChange(event.block.id).terms = { notes, expiresAt: iso(expiresAt) };
        break;
      }
      case "BlockLifted": {
        const lift: Lift = {
          at: iso(event.liftedAt),
          by: toActorColumns(event.actor),
          notes: event.liftNotes,
        };
        const created = this.#newBlocks.get(event.block.id);
        if (created !== undefined) created.lift = lift;
        else this.#blockChange(event.block.id).lift = lift;
        break;
      }
      case "DisplayNameChanged":
        this.#contact(of.contactId).name = event.displayName;
        break;
      case "ContactAppeared":
      case "ReachabilityChanged":
      case "ReachabilityConfirmed":
      case "BotSessionChanged":
      case "OutboxChanged":
        break;
    }
  }

  /** Writes the ongoing conversation as it is after the batch. Terminal conversations no longer change. */
  addOngoing(of: ContactChannel): void {
    const { conversation } = of;
    if (conversation === null) return;
    const { id, lastActivityAt } = conversation;
    if (this.#conversations.has(id)) this.#conversations.set(id, { of, conversation });
    else if (this.#active.has(id)) this.#touched.push({ id, lastActivityAt: iso(lastActivityAt) });
  }

  newBlockRows(): object[] {
    return [...this.#newBlocks.values()];
  }

  blockChangeRows(): object[] {
    return [...this.#blockChanges.values()];
  }

  newMessageRows(): object[] {
    return [...this.#newMessages.values()].map(messageRow);
  }

  messageChangeRows(): object[] {
    return [...this.#messageChanges.values()].map(({ delivery, ...change }) => ({ ...change, ...delivery }));
  }

  /** Terminal conversations first: the unique index on ongoing conversations is checked row by row (rule C2). */
  conversationRows(): object[] {
    const rows = [...this.#conversations.values()].map(({ of, conversation }) => conversationRow(of, conversation));
    return rows.toSorted((a, b) => Number(isOngoing(a.status)) - Number(isOngoing(b.status)));
  }

  /** Conversations of which only the last activity changed. */
  touchedConversationRows(): object[] {
    return this.#touched;
  }

  /** In id order, in which all transactions lock contacts. */
  contactRows(): object[] {
    return [...this.#contacts.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  #contact(id: ContactId): { id: ContactId; name: string | null; lastActivityAt: string | null } {
    return getOrSet(this.#contacts, id, () => ({ id, name: null, lastActivityAt: null }));
  }

  #blockChange(id: BlockId): BlockChange {
    return getOrSet(this.#blockChanges, id, () => ({ id, suppressed: 0 }));
  }

  #suppress(id: BlockId): void {
    const block = this.#newBlocks.get(id) ?? this.#blockChange(id);
    block.suppressed += 1;
  }

  #mark(id: MessageId, column: "unsentAt" | "editedAt", at: Instant): void {
    const created = this.#newMessages.get(id);
    if (created !== undefined) created.message = { ...created.message, [column]: at };
    else this.#messageChange(id)[column] = iso(at);
  }

  #changeDelivery(event: Extract<DomainEvent, { type: "DeliveryChanged" }>): void {
    const { messageId, to: status, attempt, error, providerMessageId, occurredAt } = event;
    const created = this.#newMessages.get(messageId);
    const row = created ?? this.#messageChange(messageId);
    row.delivery = {
      status,
      leasedAt: attempt === null ? (row.delivery?.leasedAt ?? null) : iso(occurredAt),
      attempts: attempt ?? row.delivery?.attempts ?? null,
      errorCode: error?.code ?? null,
      errorMessage: error?.message ?? null,
      providerMessageId: providerMessageId ?? row.delivery?.providerMessageId ?? null,
    };
  }

  #messageChange(id: MessageId): MessageChange {
    return getOrSet(this.#messageChanges, id, (): MessageChange => ({ id }));
  }
}

interface NewMessage {
  readonly of: ContactChannel;
  message: Message;
  delivery: DeliveryColumns | null;
}

function messageRow({ of, message, delivery }: NewMessage): object {
  return {
    ...message,
    channelId: of.channelId,
    contactChannelId: of.id,
    author: toActorColumns(message.author),
    sentAt: iso(message.sentAt),
    recordedAt: iso(message.recordedAt),
    unsentAt: iso(message.unsentAt),
    editedAt: iso(message.editedAt),
    deliveryStatus: delivery?.status ?? message.deliveryStatus,
    providerMessageId: delivery?.providerMessageId ?? message.providerMessageId,
    leasedAt: delivery?.leasedAt ?? null,
    attempts: delivery?.attempts ?? 0,
    errorCode: delivery?.errorCode ?? null,
    errorMessage: delivery?.errorMessage ?? null,
  };
}

function conversationRow(of: ContactChannel, conversation: Conversation) {
  return {
    ...conversation,
    contactChannelId: of.id,
    contactId: of.contactId,
    channelId: of.channelId,
    offerExpiresAt: iso(conversation.offerExpiresAt),
    startedAt: iso(conversation.startedAt),
    lastActivityAt: iso(conversation.lastActivityAt),
    endedAt: iso(conversation.endedAt),
    endedBy: conversation.endedBy === null ? null : toActorColumns(conversation.endedBy),
  };
}

/** The row of a ContactChannel after the batch. */
export function contactChannelRow(state: ContactChannel): object {
  return {
    id: state.id,
    displayName: state.displayName,
    clock: iso(state.clock),
    lastSeq: state.lastSeq,
    reachable: state.reachable,
    reachableAsOf: iso(state.reachableAsOf),
    awaitingFirstMessage: state.awaitingFirstMessage,
    recentConversationId: state.recentConversation?.id ?? null,
    botFlowId: state.botSession?.flowId ?? null,
    botStepId: state.botSession?.stepId ?? null,
    botDueAt: iso(state.botSession?.dueAt ?? null),
    dueAt: iso(dueAt(state)),
    delivery: state.outbox.delivery,
    leaseExpiresAt: iso(state.outbox.delivery?.lease?.expiresAt ?? null),
    replyToken: state.outbox.replyToken?.token ?? null,
    replyTokenAt: iso(state.outbox.replyToken?.receivedAt ?? null),
    outboundDueAt: iso(state.outbox.dueAt),
    signals: state.outbox.signals === noSignals ? null : state.outbox.signals,
  };
}

function iso(instant: Instant): string;
function iso(instant: Instant | null): string | null;
function iso(instant: Instant | null): string | null {
  return instant === null ? null : new Date(instant).toISOString();
}

function getOrSet<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
