import { system } from "./actor.ts";
import { assertNever } from "./assert-never.ts";
import type { MessageId } from "./id.ts";
import {
  callSize,
  DELIVERY_TIMEOUT,
  type Delivery,
  type DeliveryCall,
  type DeliveryError,
  type DeliveryOutcome,
  deliveryExpired,
  LEASE_TIMEOUT,
  type Lease,
  outcomeUnknown,
  type PendingOutbound,
  replyMayBegin,
  TAKEN_TIMEOUT,
} from "./outbox.ts";
import { change, pendingOf, remove, toStatus } from "./outbox-changes.ts";
import type { Refusal } from "./refusal.ts";
import { type Accepted, accepted, contactBlocked, type Turn } from "./turn.ts";
import { errorOfUnknown, withdraw } from "./withdrawal.ts";

/**
 * Leases the head of the queue with what may travel in the same call, or the delivery that is to be repeated (rules S1,
 * S3). Refused while blocked (rule B4). The answer has a `lease` only if one was granted.
 */
export function lease(turn: Turn): Accepted | Refusal {
  expireOutbound(turn);
  const { block, channelArchived, channelKind, pending, outbox } = turn.state;
  if (block !== null) return contactBlocked(block);
  const { delivery: earlier } = outbox;
  if (channelArchived || (earlier !== null && (earlier.lease !== null || (earlier.retryAt ?? 0) > turn.now))) {
    return accepted(turn, {});
  }
  const members =
    earlier === null ? pending.slice(0, callSize(channelKind, pending)) : pendingOf(turn, earlier.messageIds);
  const [head] = members;
  if (head === undefined || isOverdue(turn, head)) return accepted(turn, {});

  const call = callOf(turn, earlier);
  const delivery: Delivery = {
    messageIds: members.map(({ messageId }) => messageId),
    attempt: head.attempts + 1,
    call,
    lease: { grantedAt: turn.now, expiresAt: turn.now + LEASE_TIMEOUT },
    retryAt: null,
    failures: earlier?.failures ?? 0,
    isAmbiguous: earlier?.isAmbiguous ?? false,
    isBlocked: false,
  };
  const isTokenUsed = call.type === "REPLY" && call.token === outbox.replyToken?.token;
  change(turn, toStatus("SENDING", members), delivery, isTokenUsed ? null : outbox.replyToken);
  const { messageIds, attempt, failures } = delivery;
  return accepted(turn, {
    messageId: head.messageId,
    lease: { messageIds, attempt, call, failures, grantedAt: turn.now },
  });
}

/** A reply while its token lives, else a push (rule S3). */
function callOf({ now, state }: Turn, earlier: Delivery | null): DeliveryCall {
  if (earlier !== null && (earlier.call.type === "PUSH" || replyMayBegin(earlier.call, now))) return earlier.call;
  const { replyToken } = state.outbox;
  const isReply = earlier === null && replyToken !== null && replyMayBegin(replyToken, now);
  return isReply ? { type: "REPLY", ...replyToken } : { type: "PUSH" };
}

/**
 * Settles an attempt. If it is no longer the latest, only a success counts: its messages are `SENT`, even if they were
 * queued again or given up (rule S2). The first message identifies the delivery. Without an attempt it is the one whose
 * outcome the partner owes (rule S7).
 */
export function settle(
  turn: Turn,
  messageIds: readonly MessageId[],
  attempt: number | null,
  outcome: DeliveryOutcome,
): Accepted {
  const { delivery } = turn.state.outbox;
  const isLatest =
    delivery !== null &&
    delivery.lease !== null &&
    delivery.messageIds[0] === messageIds[0] &&
    (attempt === null ? isOwed(delivery, delivery.lease) : delivery.attempt === attempt);
  if (isLatest) settleLatest(turn, delivery, outcome);
  else if (outcome.type === "SENT") settleLate(turn, messageIds, attempt ?? 1, outcome.providerMessageIds ?? []);
  return accepted(turn, { messageId: messageIds[0] ?? null, outboundDueAt: turn.state.outbox.dueAt });
}

/**
 * Whether a report without an attempt is about the latest one: a partner may report before its response has arrived
 * here, but during the call of a repetition, the report may still be about an earlier attempt.
 */
function isOwed({ failures }: Delivery, { isTaken }: Lease): boolean {
  return isTaken === true || failures === 0;
}

function settleLatest(turn: Turn, delivery: Delivery, outcome: DeliveryOutcome): void {
  if (endIfDelivered(turn, delivery)) return;
  switch (outcome.type) {
    case "SENT":
      finish(turn, delivery, "SENT", { providerMessageIds: outcome.providerMessageIds ?? [] });
      break;
    case "FAILED":
      finish(turn, delivery, "FAILED", { error: outcome.error });
      break;
    case "TAKEN":
      extendLease(turn, delivery);
      break;
    case "INVALID_REPLY_TOKEN":
      // If the delivery is ambiguous, the token was fresh, so an earlier attempt has used it: that one arrived (rule S5).
      if (delivery.isAmbiguous) finish(turn, delivery, "SENT", {});
      else repeat(turn, { ...delivery, call: { type: "PUSH" }, retryAt: turn.now });
      break;
    case "AGAIN":
      settleFailure(turn, delivery, outcome);
      break;
    case "NOT_BEGUN":
      giveBack(turn, delivery);
      break;
    default:
      assertNever(outcome);
  }
}

/** Rules S4 and S5: a push is repeated; a reply that may have arrived is repeated once, while its token lives. */
function settleFailure(
  turn: Turn,
  delivery: Delivery,
  { isAmbiguous, delay }: { readonly isAmbiguous: boolean; readonly delay: number },
): void {
  const { call } = delivery;
  const retryAt = turn.now + delay;
  const isUnknown =
    call.type === "REPLY" &&
    ((delivery.isAmbiguous && isAmbiguous) || ((delivery.isAmbiguous || isAmbiguous) && !replyMayBegin(call, retryAt)));
  const next = {
    ...delivery,
    retryAt,
    failures: delivery.failures + 1,
    isAmbiguous: delivery.isAmbiguous || isAmbiguous,
  };
  if (isUnknown) finish(turn, delivery, "FAILED", { error: outcomeUnknown });
  else repeat(turn, next);
}

/** Returns a delivery whose call was given up before it began: if no call has failed, its messages are not fixed. */
function giveBack(turn: Turn, delivery: Delivery): void {
  const { call, failures } = delivery;
  if (failures > 0 || isStopped(turn, delivery)) {
    repeat(turn, { ...delivery, retryAt: turn.now });
  } else {
    const unused = call.type === "REPLY" ? { token: call.token, receivedAt: call.receivedAt } : null;
    const members = pendingOf(turn, delivery.messageIds);
    change(turn, toStatus("QUEUED", members), null, turn.state.outbox.replyToken ?? unused);
  }
}

/** Queues the delivery for another attempt, unless a block or the archiving of the channel forbids it (rule S6). */
function repeat(turn: Turn, delivery: Delivery): void {
  if (isStopped(turn, delivery)) finish(turn, delivery, "CANCELED", { error: errorOfUnknown(delivery) });
  else change(turn, toStatus("QUEUED", pendingOf(turn, delivery.messageIds)), { ...delivery, lease: null });
}

function isStopped({ state }: Turn, delivery: Delivery): boolean {
  return delivery.isBlocked || state.channelArchived;
}

/** Rule S7: the partner reports the outcome later. Its call has begun, so the time of the grant stays (rule S6). */
function extendLease(turn: Turn, delivery: Delivery): void {
  const grantedAt = delivery.lease?.grantedAt ?? turn.now;
  change(turn, [], { ...delivery, lease: { grantedAt, expiresAt: turn.now + TAKEN_TIMEOUT, isTaken: true } });
}

function finish(
  turn: Turn,
  { messageIds }: Delivery,
  status: "SENT" | "FAILED" | "CANCELED",
  { error = null, providerMessageIds = [] }: { error?: DeliveryError | null; providerMessageIds?: readonly string[] },
): void {
  const changes = pendingOf(turn, messageIds).map((entry) => ({
    entry,
    status,
    error,
    providerMessageId: providerMessageIds[messageIds.indexOf(entry.messageId)] ?? null,
  }));
  change(turn, changes, null);
}

/** A success of an earlier attempt, also after its messages were given up (rule S2). */
function settleLate(
  turn: Turn,
  messageIds: readonly MessageId[],
  attempt: number,
  providerMessageIds: readonly string[],
): void {
  const givenUp = turn.facts.attempted.filter(({ status }) => status === "FAILED" || status === "CANCELED");
  const changes = [...givenUp, ...turn.state.pending]
    .filter(({ messageId, attempts }) => messageIds.includes(messageId) && attempts >= attempt)
    .map((entry) => ({
      entry,
      status: "SENT" as const,
      providerMessageId: providerMessageIds[messageIds.indexOf(entry.messageId)] ?? null,
    }));
  if (changes.length > 0) remove(turn, changes);
}

/** Closes a lease that was still open when an earlier attempt turned out to have succeeded. */
function endIfDelivered(turn: Turn, { messageIds }: Delivery): boolean {
  if (pendingOf(turn, messageIds).length > 0) return false;
  change(turn, [], null);
  return true;
}

/**
 * Ends what has expired in the queue: a lost lease (rule S2), a reply that may have arrived and whose token has died
 * since (rule S5), and messages that could not be delivered within 12 hours (rule S4).
 */
export function expireOutbound(turn: Turn): void {
  const { delivery } = turn.state.outbox;
  if (delivery?.lease != null && delivery.lease.expiresAt <= turn.now) loseLease(turn, delivery);
  if (delivery?.lease === null && isUnknowable(turn, delivery))
    finish(turn, delivery, "FAILED", { error: outcomeUnknown });
  const overdue = turn.state.pending.filter((entry) => entry.status === "QUEUED" && isOverdue(turn, entry));
  if (overdue.length > 0) withdraw(turn, overdue, system, "FAILED", deliveryExpired);
}

/** What was lost may have arrived. It is tried again, unless a block came since (rule S2) or the reply token has died. */
function loseLease(turn: Turn, delivery: Delivery): void {
  if (endIfDelivered(turn, delivery)) return;
  if (isStopped(turn, delivery)) finish(turn, delivery, "FAILED", { error: outcomeUnknown });
  else settleFailure(turn, delivery, { isAmbiguous: true, delay: 0 });
}

function isUnknowable({ now }: Turn, { call, isAmbiguous }: Delivery): boolean {
  return isAmbiguous && call.type === "REPLY" && !replyMayBegin(call, now);
}

/** Messages to a web chat wait for their visitor without end (rule S4). */
function isOverdue({ state, now }: Turn, { recordedAt }: PendingOutbound): boolean {
  return state.channelKind !== "WEB_CHAT" && recordedAt + DELIVERY_TIMEOUT <= now;
}
