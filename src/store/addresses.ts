import {
  type ChannelId,
  type ContactChannelId,
  type ContactId,
  type Instant,
  idOf,
  type WorkspaceId,
} from "../domain/id.ts";
import type { Statement, Tx } from "./database.ts";

/** A channel and the provider's id of a contact on it. */
export interface Address {
  readonly channelId: ChannelId;
  readonly externalId: string;
}

/** A row to insert if the address is unknown. */
export interface NewContactChannel extends Address {
  readonly id: ContactChannelId;
  readonly contactId: ContactId;
}

export interface KnownAddress extends Address {
  readonly id: ContactChannelId;
}

/** Inserts missing rows in (channel, externalId) order and returns the ids of all addresses (rule O1). */
export async function ensureContactChannels(
  tx: Tx,
  workspaceId: WorkspaceId,
  wanted: readonly NewContactChannel[],
  now: Instant,
): Promise<KnownAddress[]> {
  const json = JSON.stringify(wanted);
  await tx.query(insertMissing, [workspaceId, json, new Date(now)]);
  const rows = await tx.query<{ id: string; channel_id: string; external_id: string }>(findByAddress, [json]);
  return rows.map((row) => ({
    id: idOf(row.id),
    channelId: idOf(row.channel_id),
    externalId: row.external_id,
  }));
}

/** Deletes ContactChannels that the same transaction inserted, and their contacts. */
export function removeContactChannels(tx: Tx, ids: readonly ContactChannelId[]): void {
  tx.write(removeRows, [ids]);
}

const insertMissing: Statement = {
  name: "contact_channel_insert",
  text: `
    WITH wanted AS (
      SELECT * FROM json_to_recordset($2::json) AS w (id uuid, "contactId" uuid, "channelId" uuid, "externalId" text)
    ), inserted AS (
      INSERT INTO contact_channel (id, workspace_id, contact_id, channel_id, external_id, created_at)
      SELECT id, $1::uuid, "contactId", "channelId", "externalId", $3::timestamptz
      FROM wanted ORDER BY "channelId", "externalId"
      ON CONFLICT (channel_id, external_id) DO NOTHING
      RETURNING contact_id
    )
    INSERT INTO contact (id, workspace_id, last_activity_at, created_at)
    SELECT contact_id, $1::uuid, $3::timestamptz, $3::timestamptz FROM inserted`,
};

const removeRows: Statement = {
  name: "contact_channel_remove",
  text: `
    WITH removed AS (DELETE FROM contact_channel WHERE id = ANY($1::uuid[]) RETURNING contact_id)
    DELETE FROM contact WHERE id IN (SELECT contact_id FROM removed)`,
};

const findByAddress: Statement = {
  name: "contact_channel_find",
  text: `
    SELECT c.id, c.channel_id, c.external_id
    FROM json_to_recordset($1::json) AS w ("channelId" uuid, "externalId" text)
    JOIN contact_channel c ON c.channel_id = w."channelId" AND c.external_id = w."externalId"`,
};
