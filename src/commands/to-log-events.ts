import type { Instant } from "../domain/id.ts";
import { findBlocked } from "../store/command-facts.ts";
import type { Tx } from "../store/database.ts";
import type { ContactStatus, EventData, NewLogEvent } from "../store/log-event.ts";
import type { DecidedEvent } from "../store/row-changes.ts";

/**
 * Converts decided and saved events to log events. `contactStatus` is the contact's status after the whole commit, over
 * all channels (rule B7): it is read from the saved rows, under a lock of the contact.
 */
export async function toLogEvents(tx: Tx, events: readonly DecidedEvent[], now: Instant): Promise<NewLogEvent[]> {
  const changed = events.filter(({ event }) => event.type === "ContactBlocked" || event.type === "BlockLifted");
  const contactIds = new Set(changed.map(({ of }) => of.contactId));
  const unblocked = contactIds.difference(await findBlocked(tx, [...contactIds], now));
  return events.flatMap((decided): NewLogEvent[] => {
    const { of, event } = decided;
    const data = dataOf(decided, unblocked.has(of.contactId) ? "ACTIVE" : "BLOCKED");
    if (data === null) return [];
    const { id, occurredAt, actor } = event;
    const { contactId, channelId, id: contactChannelId } = of;
    return [{ id, occurredAt, actor, contactId, channelId, contactChannelId, ...scopeOf(decided), data }];
  });
}

function scopeOf({ event }: DecidedEvent): Pick<NewLogEvent, "conversationId" | "agentIds"> {
  switch (event.type) {
    case "MessageRecorded":
      return { conversationId: event.message.conversationId, agentIds: event.agents };
    case "ConversationChanged":
      return { conversationId: event.conversation.id, agentIds: event.agents };
    case "MessageUnsent":
    case "MessageEdited":
    case "DeliveryChanged":
      return { conversationId: event.conversationId, agentIds: event.agents };
    default:
      return { conversationId: null, agentIds: [] };
  }
}

/** Null if the event changes nothing that anybody can see. */
function dataOf({ event }: DecidedEvent, contactStatus: ContactStatus): EventData | null {
  switch (event.type) {
    case "ReachabilityConfirmed":
    case "OutboxChanged":
      return null;
    case "ContactAppeared":
    case "DisplayNameChanged":
    case "BotSessionChanged":
      return { type: event.type };
    case "ReachabilityChanged":
      return { type: event.type, reachable: event.reachable };
    case "MessageRecorded": {
      const { id: messageId, seq, direction } = event.message;
      return { type: event.type, messageId, seq, direction };
    }
    case "MessageUnsent":
    case "MessageEdited":
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
        contactStatus,
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
