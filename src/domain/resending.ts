import type { Actor } from "./actor.ts";
import type { MessageId } from "./id.ts";
import { outcomeUnknown } from "./outbox.ts";
import { invalidInput, invalidTransition, notFound, type Refusal } from "./refusal.ts";
import { send } from "./transition.ts";
import { type Accepted, accepted, contactBlocked, type Turn } from "./turn.ts";
import { withdraw } from "./withdrawal.ts";

/**
 * Rule S8: records a failed or canceled message anew at the end of the queue, in the ongoing conversation only. What may
 * have arrived is sent again only if a duplicate is accepted. A repeated call answers with the retry that there is.
 */
export function retryMessage(
  turn: Turn,
  actor: Actor,
  messageId: MessageId,
  acceptDuplicate: boolean,
): Accepted | Refusal {
  const { outboundMessage: message } = turn.facts;
  if (message === null) return unknownMessage;
  const { status, errorCode, conversationId } = message;
  if (errorCode === outcomeUnknown.code && !acceptDuplicate) return mayArriveTwice;
  if (turn.state.block !== null) return contactBlocked(turn.state.block);
  if (message.retriedBy !== null) return accepted(turn, { messageId: message.retriedBy, conversationId });
  if ((status !== "FAILED" && status !== "CANCELED") || conversationId === null) return invalidTransition(null, null);
  return send(turn, actor, conversationId, { text: message.text, menu: message.menu, retryOf: messageId });
}

/** Rule S8: cancels a message that is `QUEUED`; anything else is an invalid transition, also while blocked. */
export function cancelMessage(turn: Turn, actor: Actor, messageId: MessageId): Accepted | Refusal {
  if (turn.facts.outboundMessage === null) return unknownMessage;
  const entry = turn.state.pending.find((pending) => pending.messageId === messageId);
  if (entry?.status !== "QUEUED") return invalidTransition(null, null);
  withdraw(turn, [entry], actor, "CANCELED", null);
  return accepted(turn, { messageId, conversationId: entry.conversationId });
}

const unknownMessage = notFound("There is no outbound message with this id.");
const mayArriveTwice = invalidInput(
  "acceptDuplicate",
  "The message may have arrived. Set this to true to send it again nevertheless.",
);
