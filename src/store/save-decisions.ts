import type { ContactChannel } from "../domain/contact-channel.ts";
import type { WorkspaceId } from "../domain/id.ts";
import { saveAuditEntries } from "./audit-log.ts";
import type { Statement, Tx } from "./database.ts";
import { contactChannelRow, type DecidedEvent, RowChanges } from "./row-changes.ts";

/**
 * Saves a batch of decisions with a few multi-row statements. Events are folded into rows first, so that several
 * changes of one row are written once.
 */
export function saveDecisions(
  tx: Tx,
  workspaceId: WorkspaceId,
  after: readonly ContactChannel[],
  events: readonly DecidedEvent[],
): void {
  const rows = new RowChanges();
  for (const { of, event } of events) rows.add(of, event);
  for (const state of after) rows.addOngoing(state);

  const insert = (statement: Statement, values: readonly unknown[]): void => {
    if (values.length > 0) tx.write(statement, [JSON.stringify(values), workspaceId]);
  };
  const update = (statement: Statement, values: readonly unknown[]): void => {
    if (values.length > 0) tx.write(statement, [JSON.stringify(values)]);
  };
  // Blocks before the conversations that they end, lifted blocks before new ones, ended conversations before new ones.
  update(updateBlocks, rows.blockChangeRows());
  insert(insertBlocks, rows.newBlockRows());
  insert(upsertConversations, rows.conversationRows());
  update(touchConversations, rows.touchedConversationRows());
  insert(insertMessages, rows.newMessageRows());
  update(updateMessages, rows.messageChangeRows());
  update(updateContactChannels, after.map(contactChannelRow));
  update(updateContacts, rows.contactRows());
  saveAuditEntries(tx, workspaceId, events);
}

const insertBlocks: Statement = {
  name: "block_insert",
  text: `
    INSERT INTO block (id, workspace_id, contact_channel_id, notes, blocked_at, blocked_by_type, blocked_by_id, expires_at,
                       lifted_at, lifted_by_type, lifted_by_id, lift_notes, after_seq, conversation_id, suppressed_count)
    SELECT (b.block->>'id')::uuid, $2, "contactChannelId", b.block->>'notes',
           to_timestamp((b.block->>'blockedAt')::float8 / 1000),
           (b.block->'blockedBy'->>'type')::"ActorType", (b.block->'blockedBy'->>'id')::uuid,
           to_timestamp((b.block->>'expiresAt')::float8 / 1000),
           (b.lift->>'at')::timestamptz, (b.lift->'by'->>'type')::"ActorType", (b.lift->'by'->>'id')::uuid,
           b.lift->>'notes', (b.block->>'afterSeq')::int, (b.block->'conversation'->>'id')::uuid, suppressed
    FROM json_to_recordset($1::json) AS b ("contactChannelId" uuid, block json, lift json, suppressed int)`,
};

const updateBlocks: Statement = {
  name: "block_update",
  text: `
    UPDATE block b SET
      suppressed_count = b.suppressed_count + u.suppressed,
      notes = CASE WHEN u.terms IS NULL THEN b.notes ELSE u.terms->>'notes' END,
      expires_at = CASE WHEN u.terms IS NULL THEN b.expires_at ELSE (u.terms->>'expiresAt')::timestamptz END,
      lifted_at = coalesce((u.lift->>'at')::timestamptz, b.lifted_at),
      lifted_by_type = coalesce((u.lift->'by'->>'type')::"ActorType", b.lifted_by_type),
      lifted_by_id = coalesce((u.lift->'by'->>'id')::uuid, b.lifted_by_id),
      lift_notes = coalesce(u.lift->>'notes', b.lift_notes)
    FROM json_to_recordset($1::json) AS u (id uuid, suppressed int, terms json, lift json)
    WHERE b.id = u.id`,
};

const upsertConversations: Statement = {
  name: "conversation_upsert",
  text: `
    INSERT INTO conversation (id, workspace_id, contact_channel_id, contact_id, channel_id, status, assignee_id, offered_to_id,
                              offer_expires_at, started_at, last_activity_at, ended_at, ended_by_type, ended_by_id,
                              end_reason, status_before_end, ended_by_block_id)
    SELECT id, $2, "contactChannelId", "contactId", "channelId", status, "assigneeId", "offeredTo",
           "offerExpiresAt", "startedAt", "lastActivityAt", "endedAt",
           ("endedBy"->>'type')::"ActorType", ("endedBy"->>'id')::uuid, "endReason", "statusBeforeEnd", "endedByBlockId"
    FROM json_to_recordset($1::json) AS c (
      id uuid, "contactChannelId" uuid, "contactId" uuid, "channelId" uuid, status "ConversationStatus", "assigneeId" uuid,
      "offeredTo" uuid, "offerExpiresAt" timestamptz, "startedAt" timestamptz, "lastActivityAt" timestamptz,
      "endedAt" timestamptz, "endedBy" json, "endReason" "ConversationEndReason",
      "statusBeforeEnd" "ConversationStatus", "endedByBlockId" uuid)
    ON CONFLICT (id) DO UPDATE SET
      status = excluded.status, assignee_id = excluded.assignee_id, offered_to_id = excluded.offered_to_id,
      offer_expires_at = excluded.offer_expires_at, last_activity_at = excluded.last_activity_at,
      ended_at = excluded.ended_at, ended_by_type = excluded.ended_by_type, ended_by_id = excluded.ended_by_id,
      end_reason = excluded.end_reason, status_before_end = excluded.status_before_end,
      ended_by_block_id = excluded.ended_by_block_id`,
};

const touchConversations: Statement = {
  name: "conversation_touch",
  text: `
    UPDATE conversation c SET last_activity_at = u."lastActivityAt"
    FROM json_to_recordset($1::json) AS u (id uuid, "lastActivityAt" timestamptz)
    WHERE c.id = u.id`,
};

const insertMessages: Statement = {
  name: "message_insert",
  text: `
    INSERT INTO message (id, workspace_id, channel_id, contact_channel_id, seq, conversation_id, direction, kind, event_type,
                         text, payload, author_type, author_id, sent_at, recorded_at, unsent_at, edited_at, received_while_blocked,
                         delivery_status, leased_at, attempts, delivery_error_code, delivery_error_message, menu, retry_of_id,
                         event_id, provider_message_id, unsends, client_message_id)
    SELECT id, $2, "channelId", "contactChannelId", seq, "conversationId", direction, kind, "eventType",
           text, payload, (author->>'type')::"ActorType", (author->>'id')::uuid, "sentAt", "recordedAt", "unsentAt", "editedAt",
           "receivedWhileBlocked", "deliveryStatus", "leasedAt", attempts, "errorCode", "errorMessage", menu, "retryOf",
           "eventId", "providerMessageId", unsends, "clientMessageId"
    FROM json_to_recordset($1::json) AS m (
      id uuid, "channelId" uuid, "contactChannelId" uuid, seq int, "conversationId" uuid, direction "MessageDirection",
      kind "MessageKind", "eventType" text, text text, payload jsonb, author json, "sentAt" timestamptz,
      "recordedAt" timestamptz, "unsentAt" timestamptz, "editedAt" timestamptz, "receivedWhileBlocked" bool, "deliveryStatus" "DeliveryStatus",
      "leasedAt" timestamptz, attempts int, "errorCode" text, "errorMessage" text, menu jsonb, "retryOf" uuid,
      "eventId" text, "providerMessageId" text, unsends text, "clientMessageId" text)`,
};

const updateMessages: Statement = {
  name: "message_update",
  text: `
    UPDATE message m SET
      unsent_at = coalesce(u."unsentAt", m.unsent_at),
      edited_at = coalesce(u."editedAt", m.edited_at),
      delivery_status = coalesce(u.status, m.delivery_status),
      leased_at = coalesce(u."leasedAt", m.leased_at),
      attempts = coalesce(u.attempts, m.attempts),
      delivery_error_code = CASE WHEN u.status IS NULL THEN m.delivery_error_code ELSE u."errorCode" END,
      delivery_error_message = CASE WHEN u.status IS NULL THEN m.delivery_error_message ELSE u."errorMessage" END,
      provider_message_id = coalesce(u."providerMessageId", m.provider_message_id)
    FROM json_to_recordset($1::json) AS u (
      id uuid, "unsentAt" timestamptz, "editedAt" timestamptz, status "DeliveryStatus", "leasedAt" timestamptz, attempts int,
      "errorCode" text, "errorMessage" text, "providerMessageId" text)
    WHERE m.id = u.id`,
};

const updateContactChannels: Statement = {
  name: "contact_channel_update",
  text: `
    UPDATE contact_channel c SET
      display_name = u."displayName", clock = u.clock, last_seq = u."lastSeq", reachable = u.reachable,
      reachable_as_of = u."reachableAsOf", awaiting_first_message = u."awaitingFirstMessage",
      recent_conversation_id = u."recentConversationId", bot_flow_id = u."botFlowId", bot_step_id = u."botStepId",
      bot_due_at = u."botDueAt", due_at = u."dueAt", delivery = u.delivery, lease_expires_at = u."leaseExpiresAt",
      reply_token = u."replyToken", reply_token_at = u."replyTokenAt", outbound_due_at = u."outboundDueAt",
      signals = u.signals
    FROM json_to_recordset($1::json) AS u (
      id uuid, "displayName" text, clock timestamptz, "lastSeq" int, reachable bool, "reachableAsOf" timestamptz,
      "awaitingFirstMessage" bool, "recentConversationId" uuid, "botFlowId" uuid, "botStepId" text,
      "botDueAt" timestamptz, "dueAt" timestamptz, delivery jsonb, "leaseExpiresAt" timestamptz, "replyToken" text,
      "replyTokenAt" timestamptz, "outboundDueAt" timestamptz, signals jsonb)
    WHERE c.id = u.id`,
};

const updateContacts: Statement = {
  name: "contact_update",
  text: `
    UPDATE contact c SET
      name = coalesce(c.name, u.name),
      last_activity_at = greatest(c.last_activity_at, u."lastActivityAt")
    FROM json_to_recordset($1::json) AS u (id uuid, name text, "lastActivityAt" timestamptz)
    WHERE c.id = u.id`,
};
