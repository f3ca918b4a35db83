import type pg from "pg";
import { type ContactChannelId, type Instant, idOf, type MessageId } from "../domain/id.ts";
import type { Menu } from "../domain/message.ts";
import type { Address } from "./addresses.ts";

/** A timeline entry as a web-chat visitor may see it. */
export interface ChatEntry {
  readonly id: MessageId;
  readonly seq: number;
  /** The delivery status; `OWN` for what the visitor wrote. */
  readonly status: "QUEUED" | "SENDING" | "SENT" | "OWN";
  readonly text: string;
  readonly menu: Menu | null;
  readonly sentAt: Instant;
  readonly author:
    | { readonly type: "Agent"; readonly name: string }
    | { readonly type: "Bot" }
    | { readonly type: "Visitor" };
  /** The visitor's own key of what they wrote; null for everything else. */
  readonly clientMessageId: string | null;
}

/** Where a new web-chat stream of a ContactChannel starts. */
export interface StreamStart {
  readonly contactChannelId: ContactChannelId;
  /** Every outbound message up to this `seq` is settled; messages sent from now on have a higher one. */
  readonly settledTo: number;
  /** The `seq` just before the most recent conversation; 0 if there is none. */
  readonly beforeConversation: number;
  readonly lastSeq: number;
}

/** Which entries a stream still needs. */
export interface EntriesWanted {
  /** Entries with a higher `seq`; pending messages have one. */
  readonly after: number;
  /** Whether the visitor's own entries are included. */
  readonly own: boolean;
  /** Most entries of each status. */
  readonly limit: number;
}

/** Queries for web-chat delivery. Messages are sent in `seq` order, so pending messages follow the sent ones. */
export interface ChatReads {
  /** Null for a visitor who has not written yet. */
  streamStart(address: Address): Promise<StreamStart | null>;
  /** The `seq` of the entry with this id; null if this ContactChannel has none. */
  seqOf(
    contactChannelId: ContactChannelId,
    messageId: string,
  ): Promise<{ readonly seq: number; readonly isOwn: boolean } | null>;
  /** The `seq` just before the last `count` sent messages; 0 if none was sent. */
  beforeLast(contactChannelId: ContactChannelId, count: number): Promise<number>;
  /** Sent messages, the visitor's own entries if they are wanted, and pending messages, in `seq` order. */
  undelivered(contactChannelId: ContactChannelId, wanted: EntriesWanted): Promise<ChatEntry[]>;
  /** The visitor ids of these ContactChannels. */
  visitors(
    ids: readonly ContactChannelId[],
  ): Promise<{ readonly contactChannelId: ContactChannelId; readonly visitorId: string }[]>;
}

export function chatReads(pool: pg.Pool): ChatReads {
  return {
    streamStart: async ({ channelId, externalId }) => {
      const [row] = await all<StreamStartRow>(findStreamStart, [channelId, externalId]);
      if (row === undefined) return null;
      const { id, settled_to: settledTo, before_conversation: beforeConversation, last_seq: lastSeq } = row;
      return { contactChannelId: idOf(id), settledTo, beforeConversation, lastSeq };
    },
    seqOf: async (contactChannelId, messageId) => {
      const [row] = await all<{ seq: number; is_own: boolean }>(findSeq, [contactChannelId, messageId]);
      return row === undefined ? null : { seq: row.seq, isOwn: row.is_own };
    },
    beforeLast: async (contactChannelId, count) => {
      const [row] = await all<{ seq: number | null }>(findBeforeLast, [contactChannelId, count]);
      return row?.seq ?? 0;
    },
    undelivered: async (contactChannelId, { after, own, limit }) => {
      const rows = await all<EntryRow>(findUndelivered, [contactChannelId, after, limit, own]);
      return rows.map(toEntry);
    },
    visitors: async (ids) => {
      const rows = await all<{ id: string; external_id: string }>(findVisitors, [ids]);
      return rows.map((row) => ({ contactChannelId: idOf(row.id), visitorId: row.external_id }));
    },
  };

  async function all<Row extends pg.QueryResultRow>(
    statement: { readonly name: string; readonly text: string },
    values: readonly unknown[],
  ): Promise<Row[]> {
    const { rows } = await pool.query<Row>({ ...statement, values: [...values] });
    return rows;
  }
}

interface StreamStartRow {
  id: string;
  settled_to: number;
  before_conversation: number;
  last_seq: number;
}

interface EntryRow {
  id: string;
  seq: number;
  status: ChatEntry["status"];
  text: string | null;
  menu: Menu | null;
  sent_at: Date;
  agent_name: string | null;
  client_message_id: string | null;
}

function toEntry(row: EntryRow): ChatEntry {
  const isOwn = row.status === "OWN";
  return {
    id: idOf(row.id),
    seq: row.seq,
    status: row.status,
    text: row.text ?? "",
    menu: row.menu,
    sentAt: row.sent_at.getTime(),
    author: authorOf(row, isOwn),
    // That of an outbound message is the idempotency key of an agent or a partner.
    clientMessageId: isOwn ? row.client_message_id : null,
  };
}

/** Visitors see an agent's name; which flow or API key wrote is internal. */
function authorOf({ agent_name: name }: EntryRow, isOwn: boolean): ChatEntry["author"] {
  if (isOwn) return { type: "Visitor" };
  return name === null ? { type: "Bot" } : { type: "Agent", name };
}

const findStreamStart = {
  name: "web_chat_stream_start",
  text: `
    SELECT cc.id, coalesce((SELECT min(seq) - 1 FROM message
                            WHERE contact_channel_id = cc.id AND delivery_status IN ('QUEUED', 'SENDING')),
                           cc.last_seq) AS settled_to,
           coalesce((SELECT min(seq) - 1 FROM message WHERE conversation_id = cc.recent_conversation_id), 0)
             AS before_conversation,
           cc.last_seq
    FROM contact_channel cc WHERE cc.channel_id = $1 AND cc.external_id = $2`,
};

const findSeq = {
  name: "web_chat_seq",
  text: "SELECT seq, direction = 'INBOUND' AS is_own FROM message WHERE id = $2 AND contact_channel_id = $1",
};

const findBeforeLast = {
  name: "web_chat_before_last",
  text: `
    SELECT min(seq) - 1 AS seq FROM (
      SELECT seq FROM message
      WHERE contact_channel_id = $1 AND direction = 'OUTBOUND' AND delivery_status = 'SENT'
      ORDER BY seq DESC LIMIT $2) AS last`,
};

const findUndelivered = {
  name: "web_chat_undelivered",
  text: `
    SELECT m.id, m.seq, coalesce(m.delivery_status::text, 'OWN') AS status, m.text, m.menu, m.sent_at,
           agent.name AS agent_name, m.client_message_id
    FROM (
      (SELECT * FROM message
       WHERE contact_channel_id = $1 AND direction = 'OUTBOUND' AND delivery_status = 'SENT' AND seq > $2
       ORDER BY seq LIMIT $3)
      UNION ALL
      (SELECT * FROM message
       WHERE $4 AND contact_channel_id = $1 AND direction = 'INBOUND' AND seq > $2
       ORDER BY seq LIMIT $3)
      UNION ALL
      (SELECT * FROM message
       WHERE contact_channel_id = $1 AND delivery_status IN ('QUEUED', 'SENDING')
       ORDER BY seq LIMIT $3)
    ) AS m
    LEFT JOIN agent ON m.author_type = 'Agent' AND agent.id = m.author_id
    ORDER BY m.seq`,
};

const findVisitors = {
  name: "web_chat_visitors",
  text: "SELECT id, external_id FROM contact_channel WHERE id = ANY($1::uuid[])",
};
