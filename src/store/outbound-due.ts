import type pg from "pg";
import { type ChannelId, type ContactChannelId, type Instant, idOf, type WorkspaceId } from "../domain/id.ts";
import type { OpenLease } from "../domain/turn.ts";
import type { DueContactChannel } from "./due.ts";

/** A queue of outbound messages whose head is due. */
export interface DueQueue {
  readonly workspaceId: WorkspaceId;
  readonly channelId: ChannelId;
  readonly contactChannelId: ContactChannelId;
}

/**
 * The queues that are due at `now` on channels that can send: the longest overdue first, at most `perChannel` of each
 * channel, so that no channel hides another.
 */
export async function findDueQueues(pool: pg.Pool, now: Instant, perChannel: number): Promise<DueQueue[]> {
  const { rows } = await pool.query<DueRow>({ ...dueQueues, values: [new Date(now), perChannel] });
  return rows.map(toDueQueue);
}

/** The same for one channel, whose partner asks for its deliveries (rule S7). */
export async function findDueQueuesOf(
  pool: pg.Pool,
  channelId: ChannelId,
  now: Instant,
  limit: number,
): Promise<DueQueue[]> {
  const { rows } = await pool.query<DueRow>({ ...dueQueuesOfChannel, values: [channelId, new Date(now), limit] });
  return rows.map(toDueQueue);
}

/** ContactChannels with a lease that is lost at `now`, or with a message that has been due since `overdueSince`; at most `limit` of each. */
export async function findExpiredOutbound(
  pool: pg.Pool,
  now: Instant,
  overdueSince: Instant,
  limit: number,
): Promise<DueContactChannel[]> {
  const { rows } = await pool.query<{ id: string; workspace_id: string }>({
    ...expiredOutbound,
    values: [new Date(now), new Date(overdueSince), limit],
  });
  return rows.map((row) => ({ workspaceId: idOf(row.workspace_id), id: idOf(row.id) }));
}

/** Deletes the reply tokens that were received at `before` or earlier. */
export async function forgetReplyTokens(pool: pg.Pool, before: Instant): Promise<void> {
  await pool.query({ ...deleteReplyTokens, values: [new Date(before)] });
}

/** Whether the lease has been neither settled nor taken by a partner. */
export async function isLeaseOpen(pool: pg.Pool, lease: OpenLease): Promise<boolean> {
  const { contactChannelId, messageId, attempt } = lease;
  const { rowCount } = await pool.query({ ...openLease, values: [contactChannelId, messageId, attempt] });
  return rowCount === 1;
}

interface DueRow {
  id: string;
  workspace_id: string;
  channel_id: string;
}

function toDueQueue(row: DueRow): DueQueue {
  return {
    workspaceId: idOf(row.workspace_id),
    channelId: idOf(row.channel_id),
    contactChannelId: idOf(row.id),
  };
}

const dueQueues = {
  name: "outbound_due",
  text: `
    SELECT due.* FROM channel c CROSS JOIN LATERAL (
      SELECT id, workspace_id, channel_id FROM contact_channel
      WHERE channel_id = c.id AND outbound_due_at <= $1 ORDER BY outbound_due_at LIMIT $2) AS due
    WHERE c.archived_at IS NULL AND c.send_fault IS NULL
      AND (c.kind = 'LINE' AND c.access_token IS NOT NULL OR c.kind = 'CUSTOM' AND c.delivery_url IS NOT NULL)`,
};

const dueQueuesOfChannel = {
  name: "outbound_due_of_channel",
  text: `
    SELECT id, workspace_id, channel_id FROM contact_channel
    WHERE channel_id = $1 AND outbound_due_at <= $2 ORDER BY outbound_due_at LIMIT $3`,
};

const expiredOutbound = {
  name: "outbound_expired",
  text: `
    (SELECT id, workspace_id FROM contact_channel WHERE lease_expires_at <= $1 ORDER BY lease_expires_at LIMIT $3)
    UNION
    (SELECT overdue.* FROM channel c CROSS JOIN LATERAL (
       SELECT id, workspace_id FROM contact_channel
       WHERE channel_id = c.id AND outbound_due_at <= $2 ORDER BY outbound_due_at LIMIT $3) AS overdue
     LIMIT $3)`,
};

const deleteReplyTokens = {
  name: "reply_token_delete",
  text: "UPDATE contact_channel SET reply_token = NULL, reply_token_at = NULL WHERE reply_token_at <= $1",
};

const openLease = {
  name: "lease_open",
  text: `
    SELECT 1 FROM contact_channel
    WHERE id = $1 AND lease_expires_at IS NOT NULL AND delivery->'lease'->'isTaken' IS NULL
      AND delivery->'messageIds'->>0 = $2 AND (delivery->>'attempt')::int = $3`,
};
