import type pg from "pg";
import type { ContactChannelId } from "../domain/id.ts";

/** The provider's id of the contact. */
export async function findExternalId(pool: pg.Pool, id: ContactChannelId): Promise<string> {
  const { rows } = await pool.query<{ external_id: string }>({ ...externalId, values: [id] });
  const [row] = rows;
  if (row === undefined) throw new Error(`There is no ContactChannel ${id}.`);
  return row.external_id;
}

const externalId = {
  name: "external_id",
  text: "SELECT external_id FROM contact_channel WHERE id = $1",
};
