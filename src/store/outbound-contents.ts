import type pg from "pg";
import { type ContactChannelId, type ConversationId, type Instant, idOf, type MessageId } from "../domain/id.ts";
import type { Menu } from "../domain/message.ts";

/** What a provider's API needs of an outbound message. */
export interface OutboundContents {
  readonly id: MessageId;
  readonly conversationId: ConversationId | null;
  readonly contactChannelId: ContactChannelId;
  /** The provider's id of the contact. */
  readonly externalId: string;
  readonly text: string;
  readonly menu: Menu | null;
  readonly recordedAt: Instant;
}

/** The contents of these messages, in the same order; null where there is no such message. */
export async function findOutboundContents(
  pool: pg.Pool,
  ids: readonly MessageId[],
): Promise<(OutboundContents | null)[]> {
  const { rows } = await pool.query<Row>({ ...contents, values: [[...ids]] });
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => {
    const row = byId.get(id);
    if (row === undefined) return null;
    const { external_id: externalId, text, menu, recorded_at: recordedAt } = row;
    return {
      id: idOf<"Message">(id),
      conversationId: row.conversation_id === null ? null : idOf<"Conversation">(row.conversation_id),
      contactChannelId: idOf<"ContactChannel">(row.contact_channel_id),
      externalId,
      text: text ?? "",
      menu,
      recordedAt: recordedAt.getTime(),
    };
  });
}

interface Row {
  id: string;
  conversation_id: string | null;
  contact_channel_id: string;
  external_id: string;
  text: string | null;
  menu: Menu | null;
  recorded_at: Date;
}

const contents = {
  name: "outbound_contents",
  text: `
    SELECT m.id, m.conversation_id, m.contact_channel_id, cc.external_id, m.text, m.menu, m.recorded_at
    FROM message m JOIN contact_channel cc ON cc.id = m.contact_channel_id
    WHERE m.id = ANY($1::uuid[])`,
};
