import type pg from "pg";
import { type ContactChannelId, type Instant, idOf, type MessageId } from "../domain/id.ts";
import type { Address } from "./addresses.ts";

/** The parts of an outbound message that its delivery needs. */
export interface OutboundMessage {
  readonly id: MessageId;
  readonly seq: number;
  readonly status: "QUEUED" | "SENDING" | "SENT";
  readonly text: string;
  readonly sentAt: Instant;
  readonly author: { readonly type: "Agent"; readonly name: string } | { readonly type: "Bot" };
}

/** Where a new web-chat stream of a ContactChannel starts. */
export interface StreamStart {
  readonly contactChannelId: ContactChannelId;
  /** Every outbound message up to this `seq` is settled; messages sent from now on have a higher one. */
  readonly settledTo: number;
}

/** Queries for web-chat delivery. Messages are sent in `seq` order, so pending messages follow the sent ones. */
export interface OutboundReads {
  /** Null for a visitor who has not written yet. */
  streamStart(address: Address): Promise<StreamStart | null>;
  /** The `seq` of the outbound message with this id; null if this ContactChannel has none. */
  seqOf(contactChannelId: ContactChannelId, messageId: string): Promise<number | null>;
  /** The `seq` just before the last `count` sent messages; 0 if none was sent. */
  beforeLast(contactChannelId: ContactChannelId, count: number): Promise<number>;
  /** Sent messages with a `seq` above `after`, and pending messages, at most `limit` of each, in `seq` order. */
  undelivered(contactChannelId: ContactChannelId, after: number, limit: number): Promise<OutboundMessage[]>;
  /** The visitor ids of these ContactChannels. */
  visitors(
    ids: readonly ContactChannelId[],
  ): Promise<{ readonly contactChannelId: ContactChannelId; readonly visitorId: string }[]>;
}

export function outboundReads(pool: pg.Pool): OutboundReads {
  return {
    streamStart: async ({ channelId, externalId }) => {
      const [row] = await all<{ id: string; settled_to: number }>(findStreamStart, [channelId, externalId]);
      return row === undefined ? null : { contactChannelId: idOf(row.id), settledTo: row.settled_to };
    },
    seqOf: async (contactChannelId, messageId) => {
      const [row] = await all<{ seq: number }>(findSeq, [contactChannelId, messageId]);
      return row?.seq ?? null;
    },
    beforeLast: async (contactChannelId, count) => {
      const [row] = await all<{ seq: number | null }>(findBeforeLast, [contactChannelId, count]);
      return row?.seq ?? 0;
    },
    undelivered: async (contactChannelId, after, limit) => {
      const rows = await all<UndeliveredRow>(findUndelivered, [contactChannelId, after, limit]);
      return rows.map(toOutboundMessage);
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

interface UndeliveredRow {
  id: string;
  seq: number;
  status: OutboundMessage["status"];
  text: string | null;
  sent_at: Date;
  agent_name: string | null;
}

function toOutboundMessage(row: UndeliveredRow): OutboundMessage {
  return {
    id: idOf(row.id),
    seq: row.seq,
    status: row.status,
    text: row.text ?? "",
    sentAt: row.sent_at.getTime(),
    // Visitors see an agent's name; which flow or API key wrote is internal.
    author: row.agent_name === null ? { type: "Bot" } : { type: "Agent", name: row.agent_name },
  };
}

const findStreamStart = {
  name: "web_chat_stream_start",
  text: `
    SELECT cc.id, coalesce((SELECT min(seq) - 1 FROM message
                            WHERE contact_channel_id = cc.id AND delivery_status IN ('QUEUED', 'SENDING')),
                           cc.last_seq) AS settled_to
    FROM contact_channel cc WHERE cc.channel_id = $1 AND cc.external_id = $2`,
};

const findSeq = {
  name: "web_chat_seq",
  text: "SELECT seq FROM message WHERE id = $2 AND contact_channel_id = $1 AND direction = 'OUTBOUND'",
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
    SELECT m.id, m.seq, m.delivery_status AS status, m.text, m.sent_at, agent.name AS agent_name
    FROM (
      (SELECT * FROM message
       WHERE contact_channel_id = $1 AND direction = 'OUTBOUND' AND delivery_status = 'SENT' AND seq > $2
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
