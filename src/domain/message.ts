import type { Actor } from "./actor.ts";
import type { ConversationId, Instant, MessageId } from "./id.ts";

export const messageKinds = [
  "TEXT",
  "IMAGE",
  "VIDEO",
  "AUDIO",
  "FILE",
  "LOCATION",
  "STICKER",
  "EVENT",
  "UNSUPPORTED",
] as const;
export type MessageKind = (typeof messageKinds)[number];

export type MessageDirection = "INBOUND" | "OUTBOUND";

/**
 * Delivery of an outbound message. `SENDING` means leased (rule B4); on web chat, `SENT` means written to an open
 * stream (rule D7).
 */
export type DeliveryStatus = "QUEUED" | "SENDING" | "SENT" | "FAILED" | "CANCELED";

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** The choices that a chatbot's message offers, for channels that can show them as buttons. */
export interface Menu {
  /** The message without its numbered choices. */
  readonly text: string;
  readonly options: readonly { readonly id: string; readonly label: string }[];
}

/** One timeline entry. `seq` counts the entries of its ContactChannel from 1, in the order of recording (rule D1). */
export interface Message {
  readonly id: MessageId;
  readonly seq: number;
  readonly conversationId: ConversationId | null;
  readonly direction: MessageDirection;
  readonly kind: MessageKind;
  readonly eventType: string | null;
  readonly text: string | null;
  readonly payload: JsonValue;
  readonly author: Actor;
  readonly sentAt: Instant;
  readonly recordedAt: Instant;
  readonly unsentAt: Instant | null;
  /** When the latest edit of it was recorded. The edit is an entry of its own, and this one keeps its text. */
  readonly editedAt: Instant | null;
  readonly receivedWhileBlocked: boolean;
  readonly deliveryStatus: DeliveryStatus | null;
  /** Null if the message offers no choices. */
  readonly menu: Menu | null;
  /** The message that this one sends again (rule S8). */
  readonly retryOf: MessageId | null;
  /** The key that the sending client chose for the message: an idempotency key, or a visitor's `clientMessageId`. */
  readonly clientMessageId: string | null;
  /** The provider's id of the webhook event, unique in a channel (rule O3). */
  readonly eventId: string | null;
  /** The provider's id of the message itself, which an unsend refers to (rule O6). */
  readonly providerMessageId: string | null;
  /** The provider's id of the message that this entry unsends (rule O6). */
  readonly unsends: string | null;
}

/** Whether an entry is a message as the rules define it, not an event. Only messages start conversations (rule C1). */
export function isMessage(entry: { readonly eventType: string | null }): boolean {
  return entry.eventType === null;
}
