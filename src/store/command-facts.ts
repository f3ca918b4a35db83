import type { ConversationStatus } from "../domain/conversation.ts";
import {
  type ChannelId,
  type ContactChannelId,
  type ContactId,
  type ConversationId,
  type Instant,
  idOf,
  type MessageId,
} from "../domain/id.ts";
import type { DeliveryStatus, Menu } from "../domain/message.ts";
import type { PendingOutbound } from "../domain/outbox.ts";
import type { EntryRef, OutboundFact } from "../domain/turn.ts";
import { type PendingJson, pendingJson, toPending } from "./contact-channels.ts";
import type { Statement, Tx } from "./database.ts";

/** The keys by which an inbound event is looked up. */
export interface InboundKey {
  readonly contactChannelId: ContactChannelId;
  readonly eventId: string;
  readonly providerMessageId: string | null;
  readonly unsends: string | null;
  readonly isEdit: boolean;
}

/** What is already recorded about an inbound event. */
export interface RecordedInbound {
  readonly contactChannelId: ContactChannelId;
  readonly channelId: ChannelId;
  readonly eventId: string;
  readonly duplicateOf: MessageId | null;
  readonly unsendTargets: readonly EntryRef[];
  readonly editTarget: EntryRef | null;
  readonly alreadyUnsent: boolean;
  readonly alreadyEdited: boolean;
}

/** Looks up what is already recorded of these events: duplicates, and messages that unsends and edits refer to (rules O3, O6). */
export async function findInbound(tx: Tx, keys: readonly InboundKey[]): Promise<RecordedInbound[]> {
  if (keys.length === 0) return [];
  const refersToMessages = keys.some((key) => key.providerMessageId !== null || key.unsends !== null);
  const rows = await tx.query<{
    contactChannelId: string;
    channelId: string;
    eventId: string;
    duplicate_of: string | null;
    unsend_targets?: EntryJson[] | null;
    edit_target?: EntryJson | null;
    already_unsent?: boolean | null;
    already_edited?: boolean | null;
  }>(refersToMessages ? findInboundAndRefs : findDuplicates, [JSON.stringify(keys)]);
  return rows.map((row) => ({
    contactChannelId: idOf(row.contactChannelId),
    channelId: idOf(row.channelId),
    eventId: row.eventId,
    duplicateOf: row.duplicate_of === null ? null : idOf(row.duplicate_of),
    unsendTargets: (row.unsend_targets ?? []).map(toEntryRef),
    editTarget: row.edit_target ? toEntryRef(row.edit_target) : null,
    alreadyUnsent: row.already_unsent ?? false,
    alreadyEdited: row.already_edited ?? false,
  }));
}

interface EntryJson {
  id: string;
  conversationId: string | null;
  assigneeId: string | null;
}

function toEntryRef({ id, conversationId, assigneeId }: EntryJson): EntryRef {
  return {
    messageId: idOf(id),
    conversationId: conversationId === null ? null : idOf(conversationId),
    agents: assigneeId === null ? [] : [idOf(assigneeId)],
  };
}

/** The statuses of conversations, read under the lock. */
export async function findConversationStatuses(
  tx: Tx,
  ids: readonly ConversationId[],
): Promise<ReadonlyMap<ConversationId, ConversationStatus>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.query<{ id: string; status: ConversationStatus }>(findStatuses, [ids]);
  return new Map(rows.map((row) => [idOf<"Conversation">(row.id), row.status]));
}

/** An outbound message, where it belongs, and the status of its conversation. */
export interface FoundOutbound extends OutboundFact {
  readonly contactChannelId: ContactChannelId;
  readonly conversationStatus: ConversationStatus | null;
}

/** The outbound messages with these ids, for a retry or a cancellation (rule S8). */
export async function findOutboundMessages(
  tx: Tx,
  ids: readonly MessageId[],
): Promise<ReadonlyMap<MessageId, FoundOutbound>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.query<OutboundRow>(findOutbound, [ids]);
  return new Map(
    rows.map((row) => {
      const messageId = idOf<"Message">(row.id);
      const fact = {
        messageId,
        contactChannelId: idOf<"ContactChannel">(row.contact_channel_id),
        conversationId: row.conversation_id === null ? null : idOf<"Conversation">(row.conversation_id),
        conversationStatus: row.conversation_status,
        text: row.text ?? "",
        menu: row.menu,
        status: row.delivery_status,
        errorCode: row.delivery_error_code,
        retriedBy: row.retried_by === null ? null : idOf<"Message">(row.retried_by),
      };
      return [messageId, fact];
    }),
  );
}

interface OutboundRow {
  id: string;
  contact_channel_id: string;
  conversation_id: string | null;
  conversation_status: ConversationStatus | null;
  text: string | null;
  menu: Menu | null;
  delivery_status: DeliveryStatus;
  delivery_error_code: string | null;
  retried_by: string | null;
}

/** The messages of attempts that succeeded, pending or not (rule S2). */
export async function findAttempted(
  tx: Tx,
  ids: readonly MessageId[],
): Promise<ReadonlyMap<MessageId, PendingOutbound>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.query<{ pending: PendingJson }>(findAttemptedRows, [ids]);
  return new Map(rows.map((row) => toPending(row.pending)).map((entry) => [entry.messageId, entry]));
}

/**
 * Those of these contacts that are blocked on some channel at `now`. Locks the contacts first, in id order, so that one
 * transaction at a time decides a contact's status (rule B7), even when different channels are affected.
 */
export async function findBlocked(
  tx: Tx,
  contactIds: readonly ContactId[],
  now: Instant,
): Promise<ReadonlySet<ContactId>> {
  if (contactIds.length === 0) return new Set();
  await lockContacts(tx, contactIds);
  const rows = await tx.query<{ contact_id: string }>(findBlockedRows, [contactIds, new Date(now)]);
  return new Set(rows.map((row) => idOf<"Contact">(row.contact_id)));
}

export async function lockContacts(tx: Tx, contactIds: readonly ContactId[]): Promise<void> {
  await tx.query(lockContactRows, [contactIds]);
}

const lockContactRows: Statement = {
  name: "contact_lock",
  text: "SELECT id FROM contact WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE",
};

/** The entry `m` in its conversation `c` as JSON. */
const entryJson = `json_build_object('id', m.id, 'conversationId', m.conversation_id, 'assigneeId', c.assignee_id)`;

const inboundKeys = `
  json_to_recordset($1::json) AS k ("contactChannelId" uuid, "eventId" text, "providerMessageId" text,
                                    unsends text, "isEdit" bool)
  JOIN contact_channel cc ON cc.id = k."contactChannelId"`;

const findDuplicates: Statement = {
  name: "inbound_find_duplicates",
  text: `
    SELECT k."contactChannelId", cc.channel_id AS "channelId", k."eventId", m.id AS duplicate_of
    FROM ${inboundKeys} JOIN message m ON m.channel_id = cc.channel_id AND m.event_id = k."eventId"`,
};

const findInboundAndRefs: Statement = {
  name: "inbound_find",
  text: `
    SELECT k."contactChannelId", cc.channel_id AS "channelId", k."eventId",
           (SELECT id FROM message WHERE channel_id = cc.channel_id AND event_id = k."eventId") AS duplicate_of,
           (SELECT json_agg(${entryJson} ORDER BY m.seq)
            FROM message m LEFT JOIN conversation c ON c.id = m.conversation_id
            WHERE m.contact_channel_id = k."contactChannelId"
              AND m.provider_message_id = k.unsends AND m.direction = 'INBOUND' AND m.unsent_at IS NULL) AS unsend_targets,
           (SELECT ${entryJson}
            FROM message m LEFT JOIN conversation c ON c.id = m.conversation_id
            WHERE k."isEdit" AND m.contact_channel_id = k."contactChannelId"
              AND m.provider_message_id = k."providerMessageId" AND m.direction = 'INBOUND'
              AND m.event_type IS NULL AND m.unsent_at IS NULL ORDER BY m.seq LIMIT 1) AS edit_target,
           (SELECT true FROM message WHERE contact_channel_id = k."contactChannelId"
              AND unsends = k."providerMessageId" LIMIT 1) AS already_unsent,
           (SELECT true FROM message WHERE NOT k."isEdit" AND contact_channel_id = k."contactChannelId"
              AND provider_message_id = k."providerMessageId" AND event_type = 'edit' LIMIT 1) AS already_edited
    FROM ${inboundKeys}`,
};

const findOutbound: Statement = {
  name: "message_find_outbound",
  text: `
    SELECT m.id, m.contact_channel_id, m.conversation_id, cv.status AS conversation_status, m.text, m.menu,
           m.delivery_status, m.delivery_error_code,
           (SELECT id FROM message WHERE retry_of_id = m.id ORDER BY seq DESC LIMIT 1) AS retried_by
    FROM message m LEFT JOIN conversation cv ON cv.id = m.conversation_id
    WHERE m.id = ANY($1::uuid[]) AND m.direction = 'OUTBOUND'`,
};

const findAttemptedRows: Statement = {
  name: "message_find_attempted",
  text: `
    SELECT ${pendingJson} AS pending
    FROM message m LEFT JOIN conversation mc ON mc.id = m.conversation_id
    WHERE m.id = ANY($1::uuid[]) AND m.direction = 'OUTBOUND'`,
};

const findStatuses: Statement = {
  name: "conversation_statuses",
  text: "SELECT id, status FROM conversation WHERE id = ANY($1::uuid[])",
};

const findBlockedRows: Statement = {
  name: "contact_blocked",
  text: `
    SELECT DISTINCT cc.contact_id FROM contact_channel cc JOIN block b ON b.contact_channel_id = cc.id
    WHERE cc.contact_id = ANY($1::uuid[]) AND b.lifted_at IS NULL AND (b.expires_at IS NULL OR b.expires_at > $2)`,
};
