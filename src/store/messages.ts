import type pg from "pg";
import type { Instant, MessageId } from "../domain/id.ts";

/** The `sentAt` of a message; null if there is no such message. */
export async function findSentAt(pool: pg.Pool, id: MessageId): Promise<Instant | null> {
  const { rows } = await pool.query<{ sent_at: Date }>({ ...sentAt, values: [id] });
  return rows[0]?.sent_at.getTime() ?? null;
}

const sentAt = { name: "message_sent_at", text: "SELECT sent_at FROM message WHERE id = $1" };
