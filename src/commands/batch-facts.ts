import type { Command } from "../domain/command.ts";
import type { ConversationStatus } from "../domain/conversation.ts";
import type { ChannelId, ContactChannelId, ConversationId, MessageId } from "../domain/id.ts";
import { type Facts, noFacts, type UnsendTarget } from "../domain/turn.ts";
import { findConversationStatuses, findInbound, type RecordedInbound } from "../store/command-facts.ts";
import type { Tx } from "../store/database.ts";
import type { DecidedEvent } from "../store/row-changes.ts";
import type { ResolvedWorkItem } from "./address-book.ts";

/** The facts that a batch's commands need, looked up once and then updated with each decision of the batch. */
export class BatchFacts {
  readonly #inbound: Map<string, RecordedInbound>;
  readonly #statuses: Map<ConversationId, ConversationStatus>;
  /** Entries that this batch has recorded, by provider event id and by provider message id. */
  readonly #recordedEvents = new Map<string, MessageId>();
  readonly #recordedMessages = new Map<string, UnsendTarget[]>();
  readonly #unsent = new Set<string>();

  constructor(inbound: readonly RecordedInbound[], statuses: ReadonlyMap<ConversationId, ConversationStatus>) {
    this.#inbound = new Map(inbound.map((known) => [`${known.channelId} ${known.eventId}`, known]));
    this.#statuses = new Map(statuses);
  }

  of(contactChannelId: ContactChannelId, channelId: ChannelId, command: Command): Facts {
    if (command.type === "ReceiveInbound") {
      const { eventId, providerMessageId, unsends } = command.entry;
      const known = this.#inbound.get(`${channelId} ${eventId}`);
      const inThisChannel = (id: string | null): string => `${contactChannelId} ${id}`;
      return {
        ...noFacts,
        duplicateOf: known?.duplicateOf ?? this.#recordedEvents.get(`${channelId} ${eventId}`) ?? null,
        unsendTargets:
          unsends === null || this.#unsent.has(inThisChannel(unsends))
            ? []
            : [...(known?.unsendTargets ?? []), ...(this.#recordedMessages.get(inThisChannel(unsends)) ?? [])],
        alreadyUnsent:
          providerMessageId !== null &&
          (known?.alreadyUnsent === true || this.#unsent.has(inThisChannel(providerMessageId))),
      };
    }
    if ("conversationId" in command) {
      return { ...noFacts, conversationStatus: this.#statuses.get(command.conversationId) ?? null };
    }
    return noFacts;
  }

  observe({ of, event }: DecidedEvent): void {
    if (event.type === "MessageRecorded") {
      const { id, conversationId, eventId, providerMessageId, unsends } = event.message;
      if (eventId !== null) this.#recordedEvents.set(`${of.channelId} ${eventId}`, id);
      if (providerMessageId !== null) {
        const key = `${of.id} ${providerMessageId}`;
        const target = { messageId: id, conversationId, agents: event.agents };
        this.#recordedMessages.set(key, [...(this.#recordedMessages.get(key) ?? []), target]);
      }
      if (unsends !== null) this.#unsent.add(`${of.id} ${unsends}`);
    } else if (event.type === "ConversationChanged") {
      this.#statuses.set(event.conversation.id, event.conversation.status);
    }
  }
}

/** Looks up the facts that the commands of a batch need. Call it after the lock statement has been sent. */
export async function loadFacts(tx: Tx, items: readonly ResolvedWorkItem[]): Promise<BatchFacts> {
  const steps = items.flatMap((work) => work.steps);
  const inbound = steps.flatMap(({ contactChannelId, command }) => {
    if (command.type !== "ReceiveInbound") return [];
    const { eventId, providerMessageId, unsends } = command.entry;
    return [{ contactChannelId, eventId, providerMessageId, unsends }];
  });
  const conversations = steps.flatMap(({ command }) => ("conversationId" in command ? [command.conversationId] : []));
  const [known, statuses] = await Promise.all([findInbound(tx, inbound), findConversationStatuses(tx, conversations)]);
  return new BatchFacts(known, statuses);
}
