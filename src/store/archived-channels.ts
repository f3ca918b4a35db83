import type pg from "pg";
import type { Actor } from "../domain/actor.ts";
import { type ChannelId, type ContactChannelId, type Instant, idOf, type WorkspaceId } from "../domain/id.ts";
import { type ActorColumns, toActor } from "./actor-columns.ts";

/** An archived channel on which something may still be open. */
export interface ClosingChannel {
  readonly id: ChannelId;
  readonly workspaceId: WorkspaceId;
  readonly archivedAt: Instant;
  readonly archivedBy: Actor;
}

/** The archived channels that are not known to be closed; with `id`, only this one. */
export async function findClosing(pool: pg.Pool, id?: ChannelId): Promise<ClosingChannel[]> {
  const { rows } = await pool.query<{
    id: string;
    workspace_id: string;
    archived_at: Date;
    type: ActorColumns["type"] | null;
    archived_by_id: string | null;
  }>(
    `SELECT id, workspace_id, archived_at, archived_by_type AS type, archived_by_id FROM channel
     WHERE archived_at IS NOT NULL AND closed_at IS NULL AND ($1::uuid IS NULL OR id = $1)`,
    [id ?? null],
  );
  return rows.map((row) => ({
    id: idOf(row.id),
    workspaceId: idOf(row.workspace_id),
    archivedAt: row.archived_at.getTime(),
    archivedBy: toActor({ type: row.type ?? "System", id: row.archived_by_id }),
  }));
}

/** At most `limit` ContactChannels with an ongoing conversation or a queued message, in id order, after `after`. */
export async function findOpen(
  pool: pg.Pool,
  channelId: ChannelId,
  after: ContactChannelId | null,
  limit: number,
): Promise<ContactChannelId[]> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT cc.id FROM contact_channel cc
     WHERE cc.channel_id = $1 AND ($2::uuid IS NULL OR cc.id > $2)
       AND (EXISTS (SELECT FROM conversation c WHERE c.contact_channel_id = cc.id
                      AND c.status IN ('BOT', 'WAITING', 'ASSIGNING', 'ACTIVE'))
            OR EXISTS (SELECT FROM message m WHERE m.contact_channel_id = cc.id AND m.delivery_status = 'QUEUED'))
     ORDER BY cc.id LIMIT $3`,
    [channelId, after, limit],
  );
  return rows.map(({ id }) => idOf(id));
}

export async function markClosed(pool: pg.Pool, channelId: ChannelId, now: Instant): Promise<void> {
  await pool.query("UPDATE channel SET closed_at = $2 WHERE id = $1", [channelId, new Date(now)]);
}
