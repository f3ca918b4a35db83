import { type Actor, system } from "./actor.ts";
import { agentsConcerned } from "./contact-channel.ts";
import type { MessageId } from "./id.ts";
import type { DeliveryStatus } from "./message.ts";
import {
  type Delivery,
  type DeliveryError,
  outboxDueAt,
  outcomeUnknown,
  type PendingOutbound,
  type ReplyToken,
} from "./outbox.ts";
import type { Accepted, Turn } from "./turn.ts";

export interface DeliveryChange {
  readonly entry: PendingOutbound;
  readonly status: DeliveryStatus;
  readonly error?: DeliveryError | null;
  readonly providerMessageId?: string | null;
  readonly actor?: Actor;
}

export function toStatus(status: DeliveryStatus, entries: readonly PendingOutbound[]): DeliveryChange[] {
  return entries.map((entry) => ({ entry, status }));
}

/** Changes messages' statuses. Each event carries the outbox as it is after all of them. */
export function change(
  turn: Turn,
  changes: readonly DeliveryChange[],
  delivery: Delivery | null,
  replyToken: ReplyToken | null = turn.state.outbox.replyToken,
): void {
  const { channelKind, pending, hasMorePending } = turn.state;
  const done = new Set(changes.flatMap(({ entry, status }) => (isPending(status) ? [] : [entry.messageId])));
  const remaining = pending.filter(({ messageId }) => !done.has(messageId));
  // What follows the loaded messages was recorded no earlier than the last of them.
  const next = hasMorePending ? (pending.at(-1) ?? { recordedAt: turn.now }) : null;
  const head = remaining[0] ?? next;
  const outbox = { ...turn.state.outbox, delivery, replyToken, dueAt: outboxDueAt(channelKind, delivery, head) };
  if (changes.length === 0) turn.emit(system, { type: "OutboxChanged", outbox });
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

/**
 * Takes messages to a final status without an attempt of theirs being settled. A delivery that is leased stays, so that
 * nothing else is leased before its call has ended. One that waits for another attempt loses them; if it may have
 * arrived, the rest can neither be repeated without them nor sent anew (rule S3).
 */
export function remove(turn: Turn, changes: readonly DeliveryChange[]): void {
  const { delivery } = turn.state.outbox;
  const gone = new Set(changes.map(({ entry }) => entry.messageId));
  if (delivery === null || delivery.lease !== null || !delivery.messageIds.some((id) => gone.has(id))) {
    change(turn, changes, delivery);
    return;
  }
  const rest = pendingOf(turn, delivery.messageIds).filter(({ messageId }) => !gone.has(messageId));
  if (delivery.isAmbiguous) {
    const lost = rest.map((entry) => ({ entry, status: "FAILED" as const, error: outcomeUnknown }));
    change(turn, [...changes, ...lost], null);
  } else {
    const messageIds = rest.map(({ messageId }) => messageId);
    change(turn, changes, rest.length === 0 ? null : { ...delivery, messageIds });
  }
}

/** The lease whose call may still begin or be under way, for those who wait until it no longer can (rule S6). */
export function openLease({ state }: Turn): Pick<Accepted, "openLease"> {
  const { delivery } = state.outbox;
  const [messageId] = delivery?.messageIds ?? [];
  if (delivery === null || delivery.lease === null || messageId === undefined) return {};
  const { grantedAt } = delivery.lease;
  return { openLease: { contactChannelId: state.id, messageId, attempt: delivery.attempt, grantedAt } };
}

/** The pending messages with these ids, in the order of recording. */
export function pendingOf({ state }: Turn, messageIds: readonly MessageId[]): readonly PendingOutbound[] {
  return state.pending.filter(({ messageId }) => messageIds.includes(messageId));
}

function isPending(status: DeliveryStatus): boolean {
  return status === "QUEUED" || status === "SENDING";
}
