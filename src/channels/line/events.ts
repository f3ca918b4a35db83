import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { InboundEntry } from "../../domain/command.ts";
import type { Instant } from "../../domain/id.ts";
import type { JsonValue, MessageKind } from "../../domain/message.ts";
import { toStorable } from "../../domain/text.ts";
import { isRecord, type Json, storableId, storableJson } from "../provider-json.ts";

/** One event of one person. */
export interface LineEvent {
  /** LINE's id of the person. */
  readonly externalId: string;
  readonly entry: InboundEntry;
}

/** An event that names no person and that we could not interpret (rule O4). */
export interface UnroutableLineEvent {
  readonly eventId: string;
  readonly payload: JsonValue;
}

/** What one webhook body carries, each part in the order of the body. */
export interface LineDelivery {
  readonly events: readonly LineEvent[];
  readonly unroutable: readonly UnroutableLineEvent[];
  /** How many events are nobody's by their nature: of a group, a room or the account itself. */
  readonly ignored: number;
}

/**
 * Whether the header is what LINE computes over this body: base64(HMAC-SHA256(channel secret, raw body)). Takes the same
 * time wherever a forged one differs.
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
 * Reads a webhook body as LINE sends it: `{ destination, events: [...] }`. What cannot be interpreted is kept raw; no
 * event of a person is dropped, whatever its shape (rule O4). Null where the body is no such thing at all.
 *
 * @see https://developers.line.biz/en/reference/messaging-api/#webhook-event-objects
 */
export function parseLine(body: unknown): LineDelivery | null {
  if (!isRecord(body) || !Array.isArray(body.events)) return null;
  const events: LineEvent[] = [];
  const unroutable: UnroutableLineEvent[] = [];
  let ignored = 0;
  const given: readonly unknown[] = body.events;
  for (const event of given) {
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

/** What the event is, apart from what every event carries. */
type Content = Pick<InboundEntry, "kind" | "eventType" | "text" | "payload" | "providerMessageId" | "unsends">;

function entryOf(event: Json, isFromUser: boolean): InboundEntry {
  const { timestamp } = event;
  const content = isFromUser ? contentOf(event) : uninterpreted(event, UNKNOWN);
  return {
    eventId: eventIdOf(event),
    ...content,
    sentAt: isInstant(timestamp) ? timestamp : null,
    displayName: null,
    reachable: content.kind === "EVENT" ? (reachableAfter.get(content.eventType) ?? null) : null,
    // In standby another party answers the person.
    automate: event.mode !== "standby",
  };
}

function contentOf(event: Json): Content {
  const { type } = event;
  if (typeof type !== "string") return uninterpreted(event, UNKNOWN);
  if (type === "message") return messageOf(event);
  const detailKey = detailKeys.get(type);
  if (detailKey === undefined) return uninterpreted(event, nameOf(type));
  if (detailKey === null) return { ...nothing, kind: "EVENT", eventType: type };

  const detail = event[detailKey];
  if (!isRecord(detail)) {
    return withoutDetail.has(type) ? { ...nothing, kind: "EVENT", eventType: type } : uninterpreted(event, UNKNOWN);
  }
  const unsends = type === "unsend" ? storableId(detail.messageId) : null;
  if (type === "unsend" && unsends === null) return uninterpreted(event, UNKNOWN);
  return { ...nothing, kind: "EVENT", eventType: type, payload: storableJson(detail, notForAgents), unsends };
}

function messageOf(event: Json): Content {
  const { message } = event;
  if (!isRecord(message) || typeof message.type !== "string") return uninterpreted(event, UNKNOWN);
  const providerMessageId = storableId(message.id);
  const kind = messageKinds.get(message.type);
  const { type, id, text, ...details } = message;
  const written = typeof text === "string" ? toStorable(text) : null;
  if (kind !== undefined && (kind !== "TEXT" || written !== null)) {
    const isBare = Object.keys(details).every((key) => notForAgents.has(key));
    const payload = isBare ? null : storableJson(details, notForAgents);
    return { ...nothing, kind, text: written, payload, providerMessageId };
  }
  // Still a message, because the person wrote something: it starts a conversation (rule C1).
  return { ...uninterpreted(event, null), providerMessageId };
}

function uninterpreted(event: Json, eventType: string | null): Content {
  return { ...nothing, kind: "UNSUPPORTED", eventType, payload: storableJson(event, notForAgents) };
}

const nothing: Omit<Content, "kind"> = {
  eventType: null,
  text: null,
  payload: null,
  providerMessageId: null,
  unsends: null,
};

/** The type given to an event that has none, or not the shape of its type. */
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

/** Where each type of event that we know keeps its details; null where it has none. */
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

/** `unfollow` is how LINE says that the person has blocked the account (rule D6). */
const reachableAfter: ReadonlyMap<string | null, boolean> = new Map([
  ["follow", true],
  ["unfollow", false],
]);

/** Events whose details LINE may leave out. */
const withoutDetail: ReadonlySet<string> = new Set(["follow", "activated"]);

/** Events that concern the account, not a person. */
const accountEvents: ReadonlySet<unknown> = new Set(["botSuspended", "botResumed", "module", "delivery"]);

/** What lets its holder act for the account or the person, and says nothing to a reader. */
const notForAgents: ReadonlySet<string> = new Set(["replyToken", "quoteToken", "markAsReadToken", "nonce"]);

function userIdOf(source: Json): string | null {
  const { userId } = source;
  // Longer than any id of LINE's, and than what an index can hold: no id.
  return typeof userId === "string" && userId.trim() !== "" && userId.length <= MAX_NAME ? toStorable(userId) : null;
}

function eventIdOf(event: Json): string {
  const id = storableId(event.webhookEventId);
  if (id !== null) return id;
  // A repeat differs in `deliveryContext` alone, and is to have the same id (rule O3).
  const { deliveryContext, ...same } = event;
  return digestOf(same);
}

function rawOf(event: unknown): UnroutableLineEvent {
  return {
    eventId: isRecord(event) ? eventIdOf(event) : digestOf(event),
    payload: storableJson(event, notForAgents),
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
