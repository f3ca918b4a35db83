import type pg from "pg";
import { type ContactChannelId, type Instant, idOf, type WorkspaceId } from "../domain/id.ts";

/** A ContactChannel whose `due_at` has passed. */
export interface DueContactChannel {
  readonly workspaceId: WorkspaceId;
  readonly id: ContactChannelId;
}

/** At most `limit` ContactChannels that are due at `now`, the longest overdue first. */
export async function findDue(pool: pg.Pool, now: Instant, limit: number): Promise<DueContactChannel[]> {
  const { rows } = await pool.query<{ id: string; workspace_id: string }>(
    "SELECT id, workspace_id FROM contact_channel WHERE due_at <= $1 ORDER BY due_at LIMIT $2",
    [new Date(now), limit],
  );
  return rows.map((row) => ({ workspaceId: idOf(row.workspace_id), id: idOf(row.id) }));
}
