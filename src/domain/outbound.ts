import { type Actor, system } from "./actor.ts";
import { agentsConcerned } from "./contact-channel.ts";
import { agentsOf } from "./conversation.ts";
import type { MessageId } from "./id.ts";
import type { DeliveryStatus } from "./message.ts";
import type { Refusal } from "./refusal.ts";
import { type Accepted, accepted, contactBlocked, type Turn } from "./turn.ts";

/** Records an outbound text in the ongoing conversation as `QUEUED`. */
export function recordOutbound(
  turn: Turn,
  author: Actor,
  text: string,
  clientMessageId: string | null = null,
): MessageId {
  const { conversation, lastSeq } = turn.state;
  const id = turn.newId<"Message">();
  turn.emit(author, {
    type: "MessageRecorded",
    message: {
      id,
      seq: lastSeq + 1,
      conversationId: conversation?.id ?? null,
      direction: "OUTBOUND",
      kind: "TEXT",
      eventType: null,
      text,
      payload: null,
      author,
      sentAt: turn.now,
      recordedAt: turn.now,
      unsentAt: null,
      receivedWhileBlocked: false,
      deliveryStatus: "QUEUED",
      eventId: null,
      clientMessageId,
      providerMessageId: null,
      unsends: null,
    },
    activity: true,
    suppressedBy: null,
    agents: agentsOf(conversation),
  });
  return id;
}

/** Rule B4: no lease is granted once a block has committed. `changed` is false if already leased or settled. */
export function lease(turn: Turn, messageId: MessageId): Accepted | Refusal {
  if (turn.state.block !== null) return contactBlocked(turn.state.block);
  const entry = turn.state.pending.find((pending) => pending.messageId === messageId);
  if (entry?.status === "QUEUED") changeDelivery(turn, messageId, "SENDING");
  return accepted(turn, { messageId });
}

/**
 * Settles a lease. A message whose sending never began returns to the queue, or is canceled if a block came after it was
 * recorded, even if that block has been lifted since (rules B4, U1), or if the channel is archived.
 */
export function settle(turn: Turn, messageId: MessageId, result: "SENT" | "FAILED" | "NOT_BEGUN"): Accepted {
  const entry = turn.state.pending.find((pending) => pending.messageId === messageId);
  if (entry?.status === "SENDING") {
    const block = turn.state.block ?? turn.state.episodes.at(-1);
    const isCurrent = !turn.state.channelArchived && (block === undefined || block.afterSeq < entry.seq);
    const ifNotBegun = isCurrent ? "QUEUED" : "CANCELED";
    changeDelivery(turn, messageId, result === "NOT_BEGUN" ? ifNotBegun : result);
  }
  return accepted(turn, { messageId });
}

/** Cancels the messages that are still `QUEUED`, for a block (rule B4) or because the channel is archived. Returns how many. */
export function cancelQueued(turn: Turn): number {
  const queued = turn.state.pending.filter(({ status }) => status === "QUEUED");
  for (const { messageId } of queued) changeDelivery(turn, messageId, "CANCELED");
  return queued.length;
}

function changeDelivery(turn: Turn, messageId: MessageId, to: DeliveryStatus): void {
  const entry = turn.state.pending.find((pending) => pending.messageId === messageId);
  if (entry === undefined) return;
  turn.emit(system, {
    type: "DeliveryChanged",
    messageId,
    seq: entry.seq,
    conversationId: entry.conversationId,
    agents: agentsConcerned(turn.state, entry),
    from: entry.status,
    to,
  });
}
