import { type Actor, system } from "./actor.ts";
import { agentsOf } from "./conversation.ts";
import type { MessageId } from "./id.ts";
import type { DeliveryStatus } from "./message.ts";
import type { Refusal } from "./refusal.ts";
import { type Accepted, accepted, contactBlocked, type Turn } from "./turn.ts";

/** Records a text towards the contact as `QUEUED` in the ongoing conversation. */
export function recordOutbound(turn: Turn, author: Actor, text: string): MessageId {
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
      providerMessageId: null,
      unsends: null,
    },
    activity: true,
    suppressedBy: null,
    agents: agentsOf(conversation),
  });
  return id;
}

/** Rule B4: hand-over is a lease, and none is granted once a block has committed. Refused softly where another holds or has settled it. */
export function lease(turn: Turn, messageId: MessageId): Accepted | Refusal {
  if (turn.state.block !== null) return contactBlocked(turn.state.block);
  const entry = turn.state.pending.find((pending) => pending.messageId === messageId);
  if (entry?.status === "QUEUED") changeDelivery(turn, messageId, "SENDING");
  return accepted(turn, { messageId });
}

/** The end of a lease. What was given up before it began goes back to the queue, or is cancelled if a block came meanwhile, lifted or not (rules B4, U1). */
export function settle(turn: Turn, messageId: MessageId, result: "SENT" | "FAILED" | "NOT_BEGUN"): Accepted {
  const entry = turn.state.pending.find((pending) => pending.messageId === messageId);
  if (entry?.status === "SENDING") {
    const block = turn.state.block ?? turn.state.episodes.at(-1);
    const givenUp = block === undefined || block.afterSeq < entry.seq ? "QUEUED" : "CANCELED";
    changeDelivery(turn, messageId, result === "NOT_BEGUN" ? givenUp : result);
  }
  return accepted(turn, { messageId });
}

/** Rule B4: what is still `QUEUED` when a block comes is cancelled with it. */
export function cancelQueued(turn: Turn): void {
  for (const entry of turn.state.pending) {
    if (entry.status === "QUEUED") changeDelivery(turn, entry.messageId, "CANCELED");
  }
}

function changeDelivery(turn: Turn, messageId: MessageId, to: DeliveryStatus): void {
  const entry = turn.state.pending.find((pending) => pending.messageId === messageId);
  if (entry === undefined) return;
  turn.emit(system, {
    type: "DeliveryChanged",
    messageId,
    seq: entry.seq,
    from: entry.status,
    to,
  });
}
