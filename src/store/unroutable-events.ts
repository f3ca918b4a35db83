import type pg from "pg";
import type { ChannelId, Instant, WorkspaceId } from "../domain/id.ts";
import type { JsonValue } from "../domain/message.ts";

/** A provider event without a contact that we could not interpret, stored raw (rule O4). */
export interface UnroutableEvent {
  readonly id: string;
  readonly eventId: string;
  readonly payload: JsonValue;
}

/** Stores events of one channel; a repeated event id changes nothing (rule O3). */
export async function insertUnroutable(
  pool: pg.Pool,
  channel: { readonly id: ChannelId; readonly workspaceId: WorkspaceId },
  events: readonly UnroutableEvent[],
  now: Instant,
): Promise<void> {
  await pool.query({ ...insert, values: [channel.workspaceId, channel.id, new Date(now), JSON.stringify(events)] });
}

const insert = {
  name: "unroutable_event_insert",
  text: `
    INSERT INTO unroutable_event (id, workspace_id, channel_id, event_id, payload, received_at)
    SELECT id, $1, $2, "eventId", coalesce(payload, 'null'), $3
    FROM json_to_recordset($4::json) AS e (id uuid, "eventId" text, payload jsonb)
    ON CONFLICT (channel_id, event_id) DO NOTHING`,
};
