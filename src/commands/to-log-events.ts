import type { ContactChannelId, ContactId, Instant } from "../domain/id.ts";
import { findBlocked } from "../store/command-facts.ts";
import type { Tx } from "../store/database.ts";
import type { ContactStatus, EventData, NewLogEvent } from "../store/log-event.ts";
import type { DecidedEvent } from "../store/row-changes.ts";

/**
 * Converts decided and saved events to log events. A lift also records whether the contact is still blocked on another
 * channel (rule B7), which is exact because the contact rows are locked too.
 */
export async function toLogEvents(tx: Tx, events: readonly DecidedEvent[], now: Instant): Promise<NewLogEvent[]> {
  const blocked = await blockedBefore(tx, events, now);
  return events.map((decided): NewLogEvent => {
    const { of, event } = decided;
    if (event.type === "ContactBlocked") blocked.add(of.contactId, of.id);
    if (event.type === "BlockLifted") blocked.remove(of.contactId, of.id);
    return {
      id: event.id,
      occurredAt: event.occurredAt,
      actor: event.actor,
      contactId: of.contactId,
      channelId: of.channelId,
      contactChannelId: of.id,
      ...scopeOf(decided),
      data: dataOf(decided, blocked.has(of.contactId) ? "BLOCKED" : "ACTIVE"),
    };
  });
}

function scopeOf({ event }: DecidedEvent): Pick<NewLogEvent, "conversationId" | "agentIds"> {
  switch (event.type) {
    case "MessageRecorded":
      return { conversationId: event.message.conversationId, agentIds: event.agents };
    case "ConversationChanged":
      return { conversationId: event.conversation.id, agentIds: event.agents };
    case "MessageUnsent":
    case "DeliveryChanged":
      return { conversationId: event.conversationId, agentIds: event.agents };
    default:
      return { conversationId: null, agentIds: [] };
  }
}

function dataOf({ event }: DecidedEvent, contactStatus: ContactStatus): EventData {
  switch (event.type) {
    case "ContactAppeared":
    case "DisplayNameChanged":
    case "BotSessionChanged":
    case "LeaseExtended":
      return { type: event.type };
    case "ReachabilityChanged":
      return { type: event.type, reachable: event.reachable };
    case "MessageRecorded": {
      const { id: messageId, seq, direction } = event.message;
      return { type: event.type, messageId, seq, direction };
    }
    case "MessageUnsent":
      return { type: event.type, messageId: event.messageId };
    case "DeliveryChanged": {
      const { type, messageId, seq, from, to } = event;
      return { type, messageId, seq, from, to };
    }
    case "ConversationChanged": {
      const { status: to, endReason: reason } = event.conversation;
      return { type: event.type, from: event.from, to, reason };
    }
    case "ContactBlocked":
    case "BlockUpdated":
      return {
        type: "ContactStatusChanged",
        status: "BLOCKED",
        contactStatus: "BLOCKED",
        blockId: event.block.id,
        cause: event.type === "ContactBlocked" ? "BLOCKED" : "UPDATED",
      };
    case "BlockLifted":
      return {
        type: "ContactStatusChanged",
        status: "ACTIVE",
        contactStatus,
        blockId: event.block.id,
        cause: event.cause,
      };
  }
}

/** The blocked ContactChannels of each contact. */
class BlockedContactChannels {
  readonly #byContact = new Map<ContactId, Set<ContactChannelId>>();

  has(contactId: ContactId): boolean {
    return (this.#byContact.get(contactId)?.size ?? 0) > 0;
  }

  add(contactId: ContactId, id: ContactChannelId): void {
    const ids = this.#byContact.get(contactId);
    if (ids === undefined) this.#byContact.set(contactId, new Set([id]));
    else ids.add(id);
  }

  remove(contactId: ContactId, id: ContactChannelId): void {
    this.#byContact.get(contactId)?.delete(id);
  }
}

/**
 * The blocked ContactChannels before the batch. The rows already contain the batch's own changes, so these are undone
 * in reverse. Blocking locks the contact too, so a lift on another channel is ordered before or after it.
 */
async function blockedBefore(tx: Tx, events: readonly DecidedEvent[], now: Instant): Promise<BlockedContactChannels> {
  const blocked = new BlockedContactChannels();
  const contactIds = events
    .filter(({ event }) => event.type === "BlockLifted" || event.type === "ContactBlocked")
    .map(({ of }) => of.contactId);
  if (contactIds.length === 0) return blocked;
  for (const { contactId, contactChannelId } of await findBlocked(tx, contactIds, now)) {
    blocked.add(contactId, contactChannelId);
  }
  for (const { of, event } of events.toReversed()) {
    if (event.type === "ContactBlocked") blocked.remove(of.contactId, of.id);
    if (event.type === "BlockLifted") blocked.add(of.contactId, of.id);
  }
  return blocked;
}
