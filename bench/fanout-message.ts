import { v7 as uuidv7 } from "uuid";
import { toGlobalId } from "../src/domain/global-id.ts";
import { idOf } from "../src/domain/id.ts";
import { toCursor } from "../src/graphql/resolve/cursor.ts";

/** Unpaced messages that are published together: in one commit of Deskgate, in one event-loop turn of the others. */
export const BURST = 50;

/** The subscription of all subscribers, unless stated otherwise. */
export const DOCUMENT = document("Desk", "cursor");

/** A different subscription whose results have the same size: only the alias of one field differs. */
export function otherDocument(n: number): string {
  return document(`Desk${n}`, `${String(n).padStart(6, "c")}: cursor`);
}

function document(name: string, cursor: string): string {
  return `subscription ${name}($filter: MessageRecordedFilter) {
    messageRecorded(filter: $filter) { id ${cursor} occurredAt message { id kind direction text sentAt } }
  }`;
}

/** The part of Deskgate's schema that the document needs, for the other servers. */
export const TYPES = `
  scalar Cursor
  scalar DateTime
  enum MessageKind { TEXT }
  enum MessageDirection { INBOUND OUTBOUND }
  type Message { id: ID! kind: MessageKind! direction: MessageDirection! text: String sentAt: DateTime! }
  type MessageRecordedEvent { id: ID! cursor: Cursor! occurredAt: DateTime! message: Message! }
  input MessageRecordedFilter { conversationId: ID }
  type Query { ready: Boolean! }
  type Subscription { messageRecorded(filter: MessageRecordedFilter): MessageRecordedEvent! }`;

/** Precedes the number in a text, and occurs nowhere else in a message. */
export const MARK = "#";
export const DIGITS = 6;

export function textOf(n: number): string {
  return `${MARK}${String(n).padStart(DIGITS, "0")} Where is my order? It was to come on Monday, and now it is Thursday.`;
}

/** Gives cursors as many digits as those of Deskgate have in the benchmark. */
const FIRST_POSITION = 10_000;

/** The event of the message with this number, for the servers that have no event log. */
export function eventOf(n: number) {
  const id = uuidv7();
  const now = new Date().toISOString();
  return {
    id,
    cursor: toCursor(idOf(id), FIRST_POSITION + n),
    occurredAt: now,
    message: { id: toGlobalId("Message", id), kind: "TEXT", direction: "INBOUND", text: textOf(n), sentAt: now },
  };
}

export type DeskEvent = ReturnType<typeof eventOf>;
