import { v7 as uuidv7 } from "uuid";
import { toGlobalId } from "../src/domain/global-id.ts";
import { idOf } from "../src/domain/id.ts";
import { toCursor } from "../src/graphql/resolve/cursor.ts";

/** How many messages come at the same moment when they are not paced: for us one commit, for others one turn. */
export const BURST = 50;

/** The subscription that everybody sends, where nothing else is said. */
export const DOCUMENT = document("Desk", "cursor");

/** Another subscription that gives as many bytes: what differs is the name of one field of the result. */
export function otherDocument(n: number): string {
  return document(`Desk${n}`, `${String(n).padStart(6, "c")}: cursor`);
}

function document(name: string, cursor: string): string {
  return `subscription ${name}($filter: MessageRecordedFilter) {
    messageRecorded(filter: $filter) { id ${cursor} occurredAt message { id kind direction text sentAt } }
  }`;
}

/** The part of our schema that the document needs, for those who have no schema of their own. */
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

/** Before the number in a text; nothing else in a message has this sign. */
export const MARK = "#";
export const DIGITS = 6;

export function textOf(n: number): string {
  return `${MARK}${String(n).padStart(DIGITS, "0")} Where is my order? It was to come on Monday, and now it is Thursday.`;
}

/** As many digits as our own positions have meanwhile. */
const FIRST_POSITION = 10_000;

/** What we would tell about the message with this number, for those who have no log to read it from. */
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
