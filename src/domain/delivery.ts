import { type Actor, system } from "./actor.ts";
import { assertNever } from "./assert-never.ts";
import { agentsConcerned } from "./contact-channel.ts";
import type { MessageId } from "./id.ts";
import type { DeliveryStatus } from "./message.ts";
import {
  callSize,
  DELIVERY_TIMEOUT,
  type Delivery,
  type DeliveryCall,
  type DeliveryError,
  type DeliveryOutcome,
  deliveryExpired,
  LEASE_TIMEOUT,
  outboxDueAt,
  outcomeUnknown,
  type PendingOutbound,
  QUEUE_WINDOW,
  type ReplyToken,
  replyMayBegin,
  TAKEN_TIMEOUT,
} from "./outbox.ts";
import type { Refusal } from "./refusal.ts";
import { type Accepted, accepted, contactBlocked, type Turn } from "./turn.ts";

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
  if (head === undefined) return accepted(turn, {});

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
 * queued again or believed lost (rule S2). The first message identifies the delivery.
 */
export function settle(
  turn: Turn,
  messageIds: readonly MessageId[],
  attempt: number,
  outcome: DeliveryOutcome,
): Accepted {
  const { delivery } = turn.state.outbox;
  const isLatest =
    delivery !== null &&
    delivery.lease !== null &&
    delivery.messageIds[0] === messageIds[0] &&
    delivery.attempt === attempt;
  if (isLatest) settleLatest(turn, delivery, outcome);
  else if (outcome.type === "SENT") settleLate(turn, messageIds, outcome.providerMessageIds ?? []);
  return accepted(turn, { messageId: messageIds[0] ?? null, outboundDueAt: turn.state.outbox.dueAt });
}

function settleLatest(turn: Turn, delivery: Delivery, outcome: DeliveryOutcome): void {
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
  if (isUnknown && !isStopped(turn, delivery)) finish(turn, delivery, "FAILED", { error: outcomeUnknown });
  else repeat(turn, next);
}

/** Returns a delivery whose call was given up before it began: if no call ever began, its messages are not fixed. */
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

/** Rule S7: the partner reports the outcome later. */
function extendLease(turn: Turn, delivery: Delivery): void {
  const lease = { grantedAt: turn.now, expiresAt: turn.now + TAKEN_TIMEOUT };
  const extended = { ...delivery, lease };
  turn.emit(system, {
    type: "LeaseExtended",
    outbox: { ...turn.state.outbox, delivery: extended },
  });
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

/** A success of an earlier attempt, also after its messages were given up as `OUTCOME_UNKNOWN` (rule S2). */
function settleLate(turn: Turn, messageIds: readonly MessageId[], providerMessageIds: readonly string[]): void {
  const { delivery } = turn.state.outbox;
  const entries = [...turn.facts.unknownOutcomes, ...turn.state.pending];
  const changes = entries
    .filter(({ messageId }) => messageIds.includes(messageId))
    .map((entry) => ({
      entry,
      status: "SENT" as const,
      providerMessageId: providerMessageIds[messageIds.indexOf(entry.messageId)] ?? null,
    }));
  const isInDelivery = delivery?.messageIds.some((id) => messageIds.includes(id)) ?? false;
  change(turn, changes, isInDelivery ? null : delivery);
}

/**
 * Ends what has expired in the queue: a lost lease (rule S2), and messages that could not be delivered within 12 hours
 * (rule S4). Messages to a web chat wait for their visitor.
 */
export function expireOutbound(turn: Turn): void {
  const { delivery } = turn.state.outbox;
  if (delivery !== null && delivery.lease !== null && delivery.lease.expiresAt <= turn.now) loseLease(turn, delivery);
  if (turn.state.channelKind === "WEB_CHAT") return;
  // The last one loaded is kept, because what follows it is not known.
  for (const entry of turn.state.pending.slice(0, QUEUE_WINDOW - 1)) {
    if (entry.status !== "QUEUED" || entry.recordedAt + DELIVERY_TIMEOUT > turn.now) return;
    withdraw(turn, entry, system, "FAILED", deliveryExpired);
  }
}

/** What was lost may have arrived. It is tried again, unless a block came since (rule S2) or the reply token has died. */
function loseLease(turn: Turn, delivery: Delivery): void {
  if (isStopped(turn, delivery)) finish(turn, delivery, "FAILED", { error: outcomeUnknown });
  else settleFailure(turn, delivery, { isAmbiguous: true, delay: 0 });
}

/**
 * Takes a queued message out of the queue. If its delivery may have arrived, the other messages of that delivery can
 * neither be repeated without it nor sent anew (rule S3).
 */
export function withdraw(
  turn: Turn,
  entry: PendingOutbound,
  actor: Actor,
  status: "FAILED" | "CANCELED",
  error: DeliveryError | null,
): void {
  const { delivery } = turn.state.outbox;
  const isMember = delivery?.messageIds.includes(entry.messageId) ?? false;
  if (delivery === null || !isMember) {
    change(turn, [{ entry, status, error, actor }], delivery);
    return;
  }
  const others = pendingOf(turn, delivery.messageIds).filter(({ messageId }) => messageId !== entry.messageId);
  if (delivery.isAmbiguous) {
    const lost = others.map((other) => ({ entry: other, status: "FAILED" as const, error: outcomeUnknown }));
    change(turn, [{ entry, status, error: error ?? outcomeUnknown, actor }, ...lost], null);
  } else {
    const rest = { ...delivery, messageIds: others.map(({ messageId }) => messageId) };
    change(turn, [{ entry, status, error, actor }], others.length === 0 ? null : rest);
  }
}

/** Cancels the messages that are still `QUEUED`, for a block (rule B4) or because the channel is archived. Returns how many. */
export function cancelQueued(turn: Turn): number {
  const { delivery } = turn.state.outbox;
  const queued = turn.state.pending.filter(({ status }) => status === "QUEUED");
  if (queued.length === 0) return 0;
  const changes = queued.map((entry) => ({
    entry,
    status: "CANCELED" as const,
    error: delivery?.messageIds.includes(entry.messageId) ? errorOfUnknown(delivery) : null,
  }));
  change(turn, changes, delivery?.lease == null ? null : delivery);
  return queued.length;
}

/** The lease whose call may still begin or be under way, for those who wait until it no longer can (rule S6). */
export function openLease({ state }: Turn): Pick<Accepted, "openLease"> {
  const { delivery } = state.outbox;
  const [messageId] = delivery?.messageIds ?? [];
  if (delivery === null || delivery.lease === null || messageId === undefined) return {};
  const { grantedAt } = delivery.lease;
  return { openLease: { contactChannelId: state.id, messageId, attempt: delivery.attempt, grantedAt } };
}

function errorOfUnknown({ isAmbiguous }: Delivery): DeliveryError | null {
  return isAmbiguous ? outcomeUnknown : null;
}

interface DeliveryChange {
  readonly entry: PendingOutbound;
  readonly status: DeliveryStatus;
  readonly error?: DeliveryError | null;
  readonly providerMessageId?: string | null;
  readonly actor?: Actor;
}

function toStatus(status: DeliveryStatus, entries: readonly PendingOutbound[]): DeliveryChange[] {
  return entries.map((entry) => ({ entry, status }));
}

/** Changes messages' statuses. Each event carries the outbox as it is after all of them. */
function change(
  turn: Turn,
  changes: readonly DeliveryChange[],
  delivery: Delivery | null,
  replyToken: ReplyToken | null = turn.state.outbox.replyToken,
): void {
  const { channelKind, pending } = turn.state;
  const done = new Set(changes.flatMap(({ entry, status }) => (isPending(status) ? [] : [entry.messageId])));
  const remaining = pending.filter(({ messageId }) => !done.has(messageId));
  const outbox = { delivery, replyToken, dueAt: outboxDueAt(channelKind, delivery, remaining[0] ?? null) };
  for (const { entry, status, error = null, providerMessageId = null, actor = system } of changes) {
    turn.emit(actor, {
      type: "DeliveryChanged",
      messageId: entry.messageId,
      seq: entry.seq,
      conversationId: entry.conversationId,
      agents: agentsConcerned(turn.state, entry),
      from: entry.status,
      to: status,
      attempt: status === "SENDING" ? (delivery?.attempt ?? null) : null,
      error,
      providerMessageId,
      outbox,
    });
  }
}

function isPending(status: DeliveryStatus): boolean {
  return status === "QUEUED" || status === "SENDING";
}

/** The pending messages with these ids, in the order of recording. */
function pendingOf({ state }: Turn, messageIds: readonly MessageId[]): readonly PendingOutbound[] {
  return state.pending.filter(({ messageId }) => messageIds.includes(messageId));
}
