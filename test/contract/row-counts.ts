import type { Desk } from "../support/app.ts";

/** The row counts of all tables that mutations write. */
export async function rowCounts(desk: Desk): Promise<unknown> {
  const tables = [
    "message",
    "event",
    "block",
    "contact_channel",
    "contact",
    "conversation",
    "idempotency_key",
    "audit_log_entry",
  ];
  const counts = tables.map((table) => `(SELECT count(*) FROM ${table}) AS ${table}`);
  return (await desk.app.database.pool.query(`SELECT ${counts.join(", ")}`)).rows;
}
