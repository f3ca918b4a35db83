import type { Command } from "../domain/command.ts";
import type { ConversationStatus } from "../domain/conversation.ts";
import type { DomainEvent } from "../domain/event.ts";
import type { ChannelId, ContactChannelId, ConversationId, MessageId } from "../domain/id.ts";
import { isMessage, type Message } from "../domain/message.ts";
import type { PendingOutbound } from "../domain/outbox.ts";
import { type EntryRef, type Facts, noFacts } from "../domain/turn.ts";
import {
  type FoundOutbound,
  findAttempted,
  findConversationStatuses,
  findInbound,
  findOutboundMessages,
  type RecordedInbound,
} from "../store/command-facts.ts";
import type { Tx } from "../store/database.ts";
import type { DecidedEvent } from "../store/row-changes.ts";
import type { ResolvedWorkItem } from "./address-book.ts";

/** The facts that a batch's commands need, looked up once and then updated with each decision of the batch. */
export class BatchFacts {
  readonly #inbound: Map<string, RecordedInbound>;
  readonly #statuses: Map<ConversationId, ConversationStatus>;
  /** Entries that this batch has recorded, by provider event id and by provider message id. */
  readonly #recordedEvents = new Map<string, MessageId>();
  readonly #recordedEntries = new Map<string, readonly (EntryRef & { readonly isEvent: boolean })[]>();
  readonly #unsent = new Set<string>();
  readonly #edited = new Set<string>();
  readonly #outbound: Map<MessageId, FoundOutbound>;
  readonly #attempted: Map<MessageId, PendingOutbound>;

  constructor({ inbound, statuses, outbound, attempted }: LoadedFacts) {
    this.#outbound = new Map(outbound);
    this.#attempted = new Map(attempted);
    this.#inbound = new Map(inbound.map((known) => [`${known.channelId} ${known.eventId}`, known]));
    this.#statuses = new Map(statuses);
  }

  of(contactChannelId: ContactChannelId, channelId: ChannelId, command: Command): Facts {
    if (command.type === "ReceiveInbound") {
      const { eventId, providerMessageId, unsends, isEdit = false } = command.entry;
      const known = this.#inbound.get(`${channelId} ${eventId}`);
      const ownKey = providerMessageId === null ? null : `${contactChannelId} ${providerMessageId}`;
      const isUnsent = ownKey !== null && this.#unsent.has(ownKey);
      return {
        ...noFacts,
        duplicateOf: known?.duplicateOf ?? this.#recordedEvents.get(`${channelId} ${eventId}`) ?? null,
        unsendTargets: unsends === null ? [] : this.#unsendTargets(`${contactChannelId} ${unsends}`, known),
        editTarget: isEdit && ownKey !== null && !isUnsent ? this.#editTarget(ownKey, known) : null,
        alreadyUnsent: known?.alreadyUnsent === true || isUnsent,
        alreadyEdited: !isEdit && ownKey !== null && (known?.alreadyEdited === true || this.#edited.has(ownKey)),
      };
    }
    if (command.type === "RetryMessage" || command.type === "CancelMessage") {
      const message = this.#outbound.get(command.messageId);
      if (message?.contactChannelId !== contactChannelId) return noFacts;
      return { ...noFacts, outboundMessage: message, conversationStatus: this.#statusOf(message) };
    }
    if (command.type === "SettleOutbound") {
      return { ...noFacts, attempted: command.messageIds.flatMap((id) => this.#attempted.get(id) ?? []) };
    }
    if ("conversationId" in command) {
      return { ...noFacts, conversationStatus: this.#statuses.get(command.conversationId) ?? null };
    }
    return noFacts;
  }

  #unsendTargets(key: string, known: RecordedInbound | undefined): readonly EntryRef[] {
    if (this.#unsent.has(key)) return [];
    return [...(known?.unsendTargets ?? []), ...(this.#recordedEntries.get(key) ?? []).map(refOf)];
  }

  #editTarget(key: string, known: RecordedInbound | undefined): EntryRef | null {
    const recorded = this.#recordedEntries.get(key)?.find(({ isEvent }) => !isEvent);
    return known?.editTarget ?? (recorded === undefined ? null : refOf(recorded));
  }

  /** The batch may have changed it since the message was looked up. */
  #statusOf({ conversationId, conversationStatus }: FoundOutbound): ConversationStatus | null {
    return conversationId === null ? null : (this.#statuses.get(conversationId) ?? conversationStatus);
  }

  observe({ of, event }: DecidedEvent): void {
    if (event.type === "MessageRecorded") {
      const { id: messageId, conversationId, eventId, eventType, providerMessageId, unsends } = event.message;
      if (eventId !== null) this.#recordedEvents.set(`${of.channelId} ${eventId}`, messageId);
      if (providerMessageId !== null) {
        const key = `${of.id} ${providerMessageId}`;
        const entry = { messageId, conversationId, agents: event.agents, isEvent: !isMessage(event.message) };
        this.#recordedEntries.set(key, [...(this.#recordedEntries.get(key) ?? []), entry]);
        if (eventType === "edit") this.#edited.add(key);
      }
      if (unsends !== null) this.#unsent.add(`${of.id} ${unsends}`);
      this.#observeRetry(event.message);
    } else if (event.type === "DeliveryChanged") {
      this.#observeDelivery(event);
    } else if (event.type === "ConversationChanged") {
      this.#statuses.set(event.conversation.id, event.conversation.status);
    }
  }

  #observeRetry({ id, retryOf }: Message): void {
    const original = retryOf === null ? undefined : this.#outbound.get(retryOf);
    if (original !== undefined) this.#outbound.set(original.messageId, { ...original, retriedBy: id });
  }

  #observeDelivery({ messageId, to, attempt, error }: Extract<DomainEvent, { type: "DeliveryChanged" }>): void {
    const message = this.#outbound.get(messageId);
    if (message !== undefined) {
      this.#outbound.set(messageId, { ...message, status: to, errorCode: error?.code ?? null });
    }
    const attempted = this.#attempted.get(messageId);
    if (attempted !== undefined) {
      this.#attempted.set(messageId, { ...attempted, status: to, attempts: attempt ?? attempted.attempts });
    }
  }
}

function refOf({ messageId, conversationId, agents }: EntryRef): EntryRef {
  return { messageId, conversationId, agents };
}

interface LoadedFacts {
  readonly inbound: readonly RecordedInbound[];
  readonly statuses: ReadonlyMap<ConversationId, ConversationStatus>;
  readonly outbound: ReadonlyMap<MessageId, FoundOutbound>;
  readonly attempted: ReadonlyMap<MessageId, PendingOutbound>;
}

/** Looks up the facts that the commands of a batch need. Call it after the lock statement has been sent. */
export async function loadFacts(tx: Tx, items: readonly ResolvedWorkItem[]): Promise<BatchFacts> {
  const steps = items.flatMap((work) => work.steps);
  const inbound = steps.flatMap(({ contactChannelId, command }) => {
    if (command.type !== "ReceiveInbound") return [];
    const { eventId, providerMessageId, unsends, isEdit = false } = command.entry;
    return [{ contactChannelId, eventId, providerMessageId, unsends, isEdit }];
  });
  const conversations = steps.flatMap(({ command }) => ("conversationId" in command ? [command.conversationId] : []));
  const outboundIds = steps.flatMap(({ command }) =>
    command.type === "RetryMessage" || command.type === "CancelMessage" ? [command.messageId] : [],
  );
  const deliveredIds = steps.flatMap(({ command }) =>
    command.type === "SettleOutbound" && command.outcome.type === "SENT" ? command.messageIds : [],
  );
  const [known, statuses, outbound, attempted] = await Promise.all([
    findInbound(tx, inbound),
    findConversationStatuses(tx, conversations),
    findOutboundMessages(tx, outboundIds),
    findAttempted(tx, deliveredIds),
  ]);
  return new BatchFacts({ inbound: known, statuses, outbound, attempted });
}
