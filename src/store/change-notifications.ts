import type pg from "pg";
import { idOf, type WorkspaceId } from "../domain/id.ts";

/** The PostgreSQL channel for change notifications between instances. */
const CHANNEL = "deskgate_log";

/** Calls back for each change notification from another connection. */
export async function listen(client: pg.Client, onGrown: (workspaceId: WorkspaceId) => void): Promise<void> {
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  client.on("notification", ({ processId, payload }) => {
    if (processId !== rows[0]?.pid && payload !== undefined) onGrown(idOf(payload));
  });
  await client.query(`LISTEN ${CHANNEL}`);
}

/** Sends one change notification per workspace, because a payload is limited to 8,000 bytes. */
export async function notifyGrown(client: pg.Client, workspaceIds: readonly WorkspaceId[]): Promise<void> {
  await client.query({ ...notify, values: [workspaceIds] });
}

const notify = {
  name: "log_grown_notify",
  text: `SELECT pg_notify('${CHANNEL}', id) FROM unnest($1::text[]) AS id`,
};
