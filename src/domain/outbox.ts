import type { ChannelKind } from "./channel-kind.ts";
import type { AgentId, ConversationId, Instant, MessageId } from "./id.ts";
import type { DeliveryStatus } from "./message.ts";
import { noSignals, type Signals } from "./signal.ts";

/** An outbound message that has not reached a final delivery status. */
export interface PendingOutbound {
  readonly messageId: MessageId;
  readonly seq: number;
  readonly conversationId: ConversationId | null;
  /** The agents whom an old conversation concerns; the state knows better about the most recent one. */
  readonly agents: readonly AgentId[];
  readonly status: DeliveryStatus;
  readonly recordedAt: Instant;
  /** How often it was leased. */
  readonly attempts: number;
  readonly hasMenu: boolean;
}

/** How one call reaches the contact. On LINE a reply is free and a push is not; the other channels only push. */
export type DeliveryCall = { readonly type: "PUSH" } | ({ readonly type: "REPLY" } & ReplyToken);

/** LINE's permission to reply to an inbound event, once, within about a minute. */
export interface ReplyToken {
  readonly token: string;
  readonly receivedAt: Instant;
}

/** A lease: the permission to begin one call (rule B4). No other is granted before it is settled or has expired. */
export interface Lease {
  readonly grantedAt: Instant;
  readonly expiresAt: Instant;
  /** The partner has taken the delivery: the call is over, and its outcome is reported later (rule S7). */
  readonly isTaken?: true;
}

/**
 * What travels to the contact in one call, however often the call is attempted: its messages are fixed by the first
 * attempt that began (rule S3). It is identified by its first message.
 */
export interface Delivery {
  /** In the order of recording; never empty. */
  readonly messageIds: readonly MessageId[];
  /** The number of the latest attempt, counted from 1. */
  readonly attempt: number;
  readonly call: DeliveryCall;
  /** The lease of the latest attempt; null between attempts. */
  readonly lease: Lease | null;
  /** When the next attempt may begin; null while leased. */
  readonly retryAt: Instant | null;
  /** How many attempts have failed. */
  readonly failures: number;
  /** Whether an earlier attempt may have arrived, so that only an exact repeat is safe (rules S3, S5). */
  readonly isAmbiguous: boolean;
  /** Whether a block came since the lease was granted, so that the call is not repeated (rules S2, S6). */
  readonly isBlocked: boolean;
}

/** What delivery keeps of a ContactChannel besides its pending messages. */
export interface Outbox {
  /** The delivery that is in progress or to be repeated. */
  readonly delivery: Delivery | null;
  /** The reply token of the newest inbound event, unless it was used. */
  readonly replyToken: ReplyToken | null;
  /** When the next call is due; null while one is leased, and if nothing is to be sent. */
  readonly dueAt: Instant | null;
  readonly signals: Signals;
}

export const emptyOutbox: Outbox = { delivery: null, replyToken: null, dueAt: null, signals: noSignals };

/** A granted lease, as the sender gets it. */
export interface GrantedLease {
  readonly messageIds: readonly MessageId[];
  readonly attempt: number;
  readonly call: DeliveryCall;
  /** How many attempts of this delivery have failed. */
  readonly failures: number;
  readonly grantedAt: Instant;
}

/** Why a message was not delivered, or may not have been. */
export interface DeliveryError {
  /** `OUTCOME_UNKNOWN`, `EXPIRED`, `QUOTA_EXCEEDED`, `REJECTED`, or the code that a partner reported. */
  readonly code: string;
  readonly message: string;
}

export const outcomeUnknown: DeliveryError = {
  code: "OUTCOME_UNKNOWN",
  message: "The message may have arrived. It is not sent again, because it could then arrive twice.",
};

export const deliveryExpired: DeliveryError = {
  code: "EXPIRED",
  message: "The message could not be delivered within 12 hours.",
};

/** How an attempt ended. */
export type DeliveryOutcome =
  /** The provider accepted it. `providerMessageIds` are in the order of the messages. */
  | { readonly type: "SENT"; readonly providerMessageIds?: readonly string[] }
  /** The partner has taken it and reports the outcome later (rule S7). */
  | { readonly type: "TAKEN" }
  /** The provider refused it for good. */
  | { readonly type: "FAILED"; readonly error: DeliveryError }
  /** LINE: the reply token is used or too old. */
  | { readonly type: "INVALID_REPLY_TOKEN" }
  /** To be repeated after `delay` milliseconds. `isAmbiguous`: it may have arrived. */
  | { readonly type: "AGAIN"; readonly isAmbiguous: boolean; readonly delay: number }
  /** The call was given up before it began, or refused for a reason that lies with the channel. */
  | { readonly type: "NOT_BEGUN" };

/** How many of the first pending messages are loaded for a lease or its settling. */
export const QUEUE_WINDOW = 20;
/** Age in milliseconds after which a lease is lost (rule S2). */
export const LEASE_TIMEOUT = 30_000;
/** How long a partner may take to report the outcome of a message that it has taken, in milliseconds (rule S7). */
export const TAKEN_TIMEOUT = 300_000;
/** Age in milliseconds after which a message that is still not sent fails (rule S4). */
export const DELIVERY_TIMEOUT = 12 * 60 * 60_000;
/** Milliseconds after the grant of a lease within which the call must begin (rule S6). */
export const BEGIN_WITHIN = 1_000;
/** Milliseconds after the grant of a lease after which its call has begun or was given up (rule S6). */
export const LAPSED_AFTER = 1_500;
/** Age in milliseconds up to which a reply token is used (rule S3). */
const REPLY_WITHIN = 50_000;
/** The most messages in one call of LINE's API. */
const MAX_MESSAGES_PER_CALL = 5;

export function replyMayBegin({ receivedAt }: ReplyToken, at: Instant): boolean {
  return at - receivedAt <= REPLY_WITHIN;
}

/** The delay before the next attempt, in milliseconds: growing up to five minutes, with jitter from `random` in [0, 1) (rule S4). */
export function retryDelay(failures: number, random: number): number {
  const longest = Math.min(300_000, 1_000 * 2 ** failures);
  return Math.round((longest * (1 + random)) / 2);
}

/** How many of the first pending messages travel in one call. LINE shows a menu's buttons only below the last message. */
export function callSize(channelKind: ChannelKind, pending: readonly Pick<PendingOutbound, "hasMenu">[]): number {
  if (channelKind !== "LINE") return 1;
  const untilMenu = pending.findIndex(({ hasMenu }) => hasMenu) + 1;
  return Math.min(MAX_MESSAGES_PER_CALL, untilMenu === 0 ? pending.length : untilMenu);
}

/** When the next call is due; null while one is leased. On web chat the visitor's stream sends, whenever it is open. */
export function outboxDueAt(
  channelKind: ChannelKind,
  delivery: Delivery | null,
  head: Pick<PendingOutbound, "recordedAt"> | null,
): Instant | null {
  if (channelKind === "WEB_CHAT" || delivery?.lease != null || head === null) return null;
  const { recordedAt } = head;
  return Math.min(Math.max(recordedAt, delivery?.retryAt ?? recordedAt), recordedAt + DELIVERY_TIMEOUT);
}
