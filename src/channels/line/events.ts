import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { InboundEntry } from "../../domain/command.ts";
import type { Instant } from "../../domain/id.ts";
import type { JsonValue, MessageKind } from "../../domain/message.ts";
import { toStorable } from "../../domain/text.ts";
import { isRecord, type Json, storableId, storableJson } from "../provider-json.ts";

/** An event of one person. */
export interface LineEvent {
  /** LINE's id of the person. */
  readonly externalId: string;
  readonly entry: InboundEntry;
}

/** An event without a user id that could not be interpreted (rule O4). */
export interface UnroutableLineEvent {
  readonly eventId: string;
  readonly payload: JsonValue;
}

/** The contents of one webhook body, each list in the order of the body. */
export interface LineWebhookBody {
  readonly events: readonly LineEvent[];
  readonly unroutable: readonly UnroutableLineEvent[];
  /** Number of events that do not belong to a person: those of groups, rooms and the account itself. */
  readonly ignored: number;
}

/**
 * Verifies the signature header of a webhook: base64(HMAC-SHA256(channel secret, raw body)). The comparison takes
 * constant time.
 *
 * @see https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/
 */
export function verifyLineSignature(secret: string, rawBody: Buffer, header: string | undefined): boolean {
  if (header === undefined) return false;
  const expected = Buffer.from(createHmac("sha256", secret).update(rawBody).digest("base64"));
  const given = Buffer.from(header);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/**
 * Parses a webhook body of LINE: `{ destination, events: [...] }`. Events that cannot be interpreted are kept raw, so
 * no event of a person is lost (rule O4). Null if the body has another format.
 *
 * @see https://developers.line.biz/en/reference/messaging-api/#webhook-event-objects
 */
export function parseLine(body: unknown): LineWebhookBody | null {
  if (!isRecord(body) || !Array.isArray(body.events)) return null;
  const events: LineEvent[] = [];
  const unroutable: UnroutableLineEvent[] = [];
  let ignored = 0;
  const rawEvents: readonly unknown[] = body.events;
  for (const event of rawEvents) {
    if (!isRecord(event)) {
      unroutable.push(rawOf(event));
      continue;
    }
    const source = isRecord(event.source) ? event.source : {};
    if (source.type === "group" || source.type === "room") {
      ignored += 1;
      continue;
    }
    const externalId = userIdOf(source);
    if (externalId !== null) events.push({ externalId, entry: entryOf(event, source.type === "user") });
    else if (accountEvents.has(event.type)) ignored += 1;
    else unroutable.push(rawOf(event));
  }
  return { events, unroutable, ignored };
}

/** The part of an entry that depends on the type of the event. */
type Content = Pick<InboundEntry, "kind" | "eventType" | "text" | "payload" | "providerMessageId" | "unsends">;

function entryOf(event: Json, isFromUser: boolean): InboundEntry {
  const { timestamp, replyToken, message } = event;
  const readToken = isRecord(message) ? message.markAsReadToken : undefined;
  const content = isFromUser ? contentOf(event) : uninterpreted(event, UNKNOWN);
  return {
    eventId: eventIdOf(event),
    ...content,
    sentAt: isInstant(timestamp) ? timestamp : null,
    displayName: null,
    reachable: content.kind === "EVENT" ? (reachableAfter.get(content.eventType) ?? null) : null,
    // In standby mode another module answers the person.
    automate: event.mode !== "standby",
    ...(isToken(replyToken) && event.mode !== "standby" ? { replyToken } : {}),
    ...(isToken(readToken) && event.mode !== "standby" ? { readToken } : {}),
  };
}

/** Whether it can be stored as it is (rule O4). */
function isToken(value: unknown): value is string {
  return typeof value === "string" && value !== "" && toStorable(value) === value;
}

function contentOf(event: Json): Content {
  const { type } = event;
  if (typeof type !== "string") return uninterpreted(event, UNKNOWN);
  if (type === "message") return messageOf(event);
  const detailKey = detailKeys.get(type);
  if (detailKey === undefined) return uninterpreted(event, nameOf(type));
  if (detailKey === null) return { ...noContent, kind: "EVENT", eventType: type };

  const detail = event[detailKey];
  if (!isRecord(detail)) {
    return withOptionalDetail.has(type)
      ? { ...noContent, kind: "EVENT", eventType: type }
      : uninterpreted(event, UNKNOWN);
  }
  const unsends = type === "unsend" ? storableId(detail.messageId) : null;
  if (type === "unsend" && unsends === null) return uninterpreted(event, UNKNOWN);
  return { ...noContent, kind: "EVENT", eventType: type, payload: storableJson(detail, secretKeys), unsends };
}

function messageOf(event: Json): Content {
  const { message } = event;
  if (!isRecord(message) || typeof message.type !== "string") return uninterpreted(event, UNKNOWN);
  const providerMessageId = storableId(message.id);
  const kind = messageKinds.get(message.type);
  const { type, id, text, ...details } = message;
  const storable = typeof text === "string" ? toStorable(text) : null;
  if (kind !== undefined && (kind !== "TEXT" || storable !== null)) {
    const isBare = Object.keys(details).every((key) => secretKeys.has(key));
    const payload = isBare ? null : storableJson(details, secretKeys);
    return { ...noContent, kind, text: storable, payload, providerMessageId };
  }
  // An unsupported message is still a message: it starts a conversation (rule C1).
  return { ...uninterpreted(event, null), providerMessageId };
}

function uninterpreted(event: Json, eventType: string | null): Content {
  return { ...noContent, kind: "UNSUPPORTED", eventType, payload: storableJson(event, secretKeys) };
}

const noContent: Omit<Content, "kind"> = {
  eventType: null,
  text: null,
  payload: null,
  providerMessageId: null,
  unsends: null,
};

/** The type recorded for an event without a type, or without the details of its type. */
const UNKNOWN = "unknown";

const messageKinds: ReadonlyMap<string, MessageKind> = new Map([
  ["text", "TEXT"],
  ["image", "IMAGE"],
  ["video", "VIDEO"],
  ["audio", "AUDIO"],
  ["file", "FILE"],
  ["location", "LOCATION"],
  ["sticker", "STICKER"],
]);

/** The key under which each known type of event has its details; null if it has none. */
const detailKeys: ReadonlyMap<string, string | null> = new Map([
  ["unsend", "unsend"],
  ["follow", "follow"],
  ["unfollow", null],
  ["join", null],
  ["leave", null],
  ["memberJoined", "joined"],
  ["memberLeft", "left"],
  ["postback", "postback"],
  ["videoPlayComplete", "videoPlayComplete"],
  ["beacon", "beacon"],
  ["accountLink", "link"],
  ["membership", "membership"],
  ["things", "things"],
  ["module", "module"],
  ["activated", "chatControl"],
  ["deactivated", null],
  ["botSuspended", null],
  ["botResumed", null],
  ["delivery", "delivery"],
]);

/** LINE sends `unfollow` when the person blocks the account (rule D6). */
const reachableAfter: ReadonlyMap<string | null, boolean> = new Map([
  ["follow", true],
  ["unfollow", false],
]);

/** Event types whose details are optional. */
const withOptionalDetail: ReadonlySet<string> = new Set(["follow", "activated"]);

/** Event types that concern the account, not a person. */
const accountEvents: ReadonlySet<unknown> = new Set(["botSuspended", "botResumed", "module", "delivery"]);

/** Tokens that let their holder act for the account or the person; the payload never has them. */
const secretKeys: ReadonlySet<string> = new Set(["replyToken", "quoteToken", "markAsReadToken", "nonce"]);

function userIdOf(source: Json): string | null {
  const { userId } = source;
  // LINE's ids are far shorter than this limit, and an index cannot hold longer ones.
  return typeof userId === "string" && userId.trim() !== "" && userId.length <= MAX_NAME ? toStorable(userId) : null;
}

function eventIdOf(event: Json): string {
  const id = storableId(event.webhookEventId);
  if (id !== null) return id;
  // A redelivery differs only in `deliveryContext` and must have the same id (rule O3).
  const { deliveryContext, ...stable } = event;
  return digestOf(stable);
}

function rawOf(event: unknown): UnroutableLineEvent {
  return {
    eventId: isRecord(event) ? eventIdOf(event) : digestOf(event),
    payload: storableJson(event, secretKeys),
  };
}

function digestOf(event: unknown): string {
  return `sha256:${createHash("sha256")
    .update(JSON.stringify(storableJson(event)))
    .digest("hex")}`;
}

function nameOf(type: string): string {
  return type !== "" && type.length <= MAX_NAME ? toStorable(type) : UNKNOWN;
}

function isInstant(timestamp: unknown): timestamp is Instant {
  return typeof timestamp === "number" && Number.isSafeInteger(timestamp) && timestamp > 0;
}

const MAX_NAME = 255;
