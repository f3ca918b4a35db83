import type pg from "pg";
import { type ContactChannelId, type Instant, idOf, type MessageId, type WorkspaceId } from "../domain/id.ts";

/** A ContactChannel whose `due_at` has passed. */
export interface DueContactChannel {
  readonly workspaceId: WorkspaceId;
  readonly id: ContactChannelId;
}

/** An outbound message whose lease was never settled. */
export interface LostLease {
  readonly workspaceId: WorkspaceId;
  readonly contactChannelId: ContactChannelId;
  readonly messageId: MessageId;
}

/** At most `limit` ContactChannels that are due at `now`, the longest overdue first. */
export async function findDue(pool: pg.Pool, now: Instant, limit: number): Promise<DueContactChannel[]> {
  const { rows } = await pool.query<{ id: string; workspace_id: string }>(
    "SELECT id, workspace_id FROM contact_channel WHERE due_at <= $1 ORDER BY due_at LIMIT $2",
    [new Date(now), limit],
  );
  return rows.map((row) => ({ workspaceId: idOf(row.workspace_id), id: idOf(row.id) }));
}

/** At most `limit` messages that are `SENDING` under a lease granted at `before` or earlier. */
export async function findLostLeases(pool: pg.Pool, before: Instant, limit: number): Promise<LostLease[]> {
  const { rows } = await pool.query<{ id: string; workspace_id: string; contact_channel_id: string }>(
    `SELECT id, workspace_id, contact_channel_id FROM message
     WHERE delivery_status = 'SENDING' AND leased_at <= $1 LIMIT $2`,
    [new Date(before), limit],
  );
  return rows.map((row) => ({
    workspaceId: idOf(row.workspace_id),
    contactChannelId: idOf(row.contact_channel_id),
    messageId: idOf(row.id),
  }));
}
