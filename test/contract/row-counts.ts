import type { Desk } from "../support/app.ts";

/** How much there is of everything that is recorded. */
export async function rowCounts(desk: Desk): Promise<unknown> {
  const tables = ["message", "event", "block", "contact_channel", "contact", "conversation", "idempotency_key"];
  const counts = tables.map((table) => `(SELECT count(*) FROM ${table}) AS ${table}`);
  return (await desk.app.database.pool.query(`SELECT ${counts.join(", ")}`)).rows;
}
