import type pg from "pg";
import { idOf, type WorkspaceId } from "../domain/id.ts";

/** The PostgreSQL channel on which instances notify each other of grown logs. */
const CHANNEL = "deskgate_log";

/** Calls back for each workspace whose log another connection says has grown. */
export async function listen(client: pg.Client, onGrown: (workspaceId: WorkspaceId) => void): Promise<void> {
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  client.on("notification", ({ processId, payload }) => {
    if (processId !== rows[0]?.pid && payload !== undefined) onGrown(idOf(payload));
  });
  await client.query(`LISTEN ${CHANNEL}`);
}

/** Notifies all who listen, with one notification for each workspace: a payload holds 8,000 bytes at most. */
export async function notifyGrown(client: pg.Client, workspaceIds: readonly WorkspaceId[]): Promise<void> {
  await client.query({ ...notify, values: [workspaceIds] });
}

const notify = {
  name: "log_grown_notify",
  text: `SELECT pg_notify('${CHANNEL}', id) FROM unnest($1::text[]) AS id`,
};
