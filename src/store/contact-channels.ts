import type { ChannelKind } from "../domain/channel-kind.ts";
import type { ContactChannel } from "../domain/contact-channel.ts";
import {
  type Conversation,
  type ConversationEndReason,
  type ConversationStatus,
  isOngoing,
} from "../domain/conversation.ts";
import type { ConversationRef } from "../domain/episode.ts";
import { type ContactChannelId, type Instant, idOf } from "../domain/id.ts";
import type { DeliveryStatus } from "../domain/message.ts";
import { type Delivery, type PendingOutbound, QUEUE_WINDOW } from "../domain/outbox.ts";
import { noSignals, type Signals } from "../domain/signal.ts";
import { type ActorColumns, toActor } from "./actor-columns.ts";
import type { Statement, Tx } from "./database.ts";

/**
 * Takes the row locks that serialize commands, in id order (rule O1). Load in a later statement: a statement that
 * waited for a lock still sees other tables as they were before it waited.
 */
export async function lockContactChannels(tx: Tx, ids: readonly ContactChannelId[]): Promise<void> {
  await tx.query(lockRows, [ids]);
}

/** For which ContactChannels pending messages are loaded: all of them, or the first `QUEUE_WINDOW`. */
export interface PendingToLoad {
  readonly all: readonly ContactChannelId[];
  readonly first: readonly ContactChannelId[];
}

/** Loads complete aggregates, pending outbound messages as far as they are asked for. */
export async function loadContactChannels(
  tx: Tx,
  ids: readonly ContactChannelId[],
  { all, first }: PendingToLoad,
): Promise<ContactChannel[]> {
  const rows = await tx.query<Row>(loadRows, [ids, all, first, QUEUE_WINDOW + 1]);
  const isComplete = new Set<string>(all);
  return rows.map((row) => toContactChannel(row, isComplete.has(row.id) ? Number.POSITIVE_INFINITY : QUEUE_WINDOW));
}

const lockRows: Statement = {
  name: "contact_channel_lock",
  text: "SELECT id FROM contact_channel WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE",
};

/** A pending message `m` of a conversation `mc` as JSON. */
export const pendingJson = `json_build_object(
  'messageId', m.id, 'seq', m.seq, 'conversationId', m.conversation_id, 'assigneeId', mc.assignee_id, 'status', m.delivery_status,
  'recordedAt', m.recorded_at, 'attempts', m.attempts, 'hasMenu', m.menu IS NOT NULL)`;

export interface PendingJson {
  messageId: string;
  seq: number;
  conversationId: string | null;
  assigneeId: string | null;
  status: DeliveryStatus;
  recordedAt: string;
  attempts: number;
  hasMenu: boolean;
}

export function toPending(row: PendingJson): PendingOutbound {
  const { messageId, conversationId, assigneeId, recordedAt, ...rest } = row;
  return {
    ...rest,
    messageId: idOf(messageId),
    conversationId: conversationId === null ? null : idOf(conversationId),
    agents: assigneeId === null ? [] : [idOf<"Agent">(assigneeId)],
    recordedAt: Date.parse(recordedAt),
  };
}

const loadRows: Statement = {
  name: "contact_channel_load",
  text: `
    SELECT cc.id, cc.workspace_id, cc.contact_id, cc.channel_id, channel.kind,
           channel.archived_at IS NOT NULL AS archived, channel.shows_loading, channel.marks_read, cc.display_name, cc.clock, cc.last_seq,
           cc.reachable, cc.reachable_as_of, cc.awaiting_first_message, cc.bot_flow_id, cc.bot_step_id, cc.bot_due_at,
           cv.id AS conversation_id, cv.status, cv.assignee_id, cv.offered_to_id, cv.offer_expires_at, cv.started_at,
           cv.last_activity_at, cv.ended_at, cv.ended_by_type, cv.ended_by_id, cv.end_reason, cv.status_before_end,
           cv.ended_by_block_id,
           (SELECT json_agg(json_build_object(
                     'id', b.id, 'notes', b.notes, 'blockedAt', b.blocked_at, 'expiresAt', b.expires_at,
                     'liftedAt', b.lifted_at, 'blockedBy', json_build_object('type', b.blocked_by_type, 'id', b.blocked_by_id),
                     'conversationId', b.conversation_id, 'afterSeq', b.after_seq, 'assigneeId', bc.assignee_id)
                   ORDER BY b.lifted_at NULLS LAST, b.id)
            FROM block b LEFT JOIN conversation bc ON bc.id = b.conversation_id
            WHERE b.contact_channel_id = cc.id) AS blocks,
           cc.delivery, cc.reply_token, cc.reply_token_at, cc.outbound_due_at, cc.signals,
           CASE WHEN cc.id = ANY($2::uuid[]) OR cc.id = ANY($3::uuid[]) THEN
             (SELECT json_agg(${pendingJson} ORDER BY m.seq)
              FROM (SELECT * FROM message
                    WHERE contact_channel_id = cc.id AND delivery_status IN ('QUEUED', 'SENDING')
                    ORDER BY seq LIMIT CASE WHEN cc.id = ANY($2::uuid[]) THEN NULL ELSE $4::int END) AS m
              LEFT JOIN conversation mc ON mc.id = m.conversation_id)
           END AS pending
    FROM contact_channel cc
    JOIN channel ON channel.id = cc.channel_id
    LEFT JOIN conversation cv ON cv.id = cc.recent_conversation_id
    WHERE cc.id = ANY($1::uuid[])`,
};

interface ConversationRow {
  conversation_id: string | null;
  status: ConversationStatus | null;
  assignee_id: string | null;
  offered_to_id: string | null;
  offer_expires_at: Date | null;
  started_at: Date | null;
  last_activity_at: Date | null;
  ended_at: Date | null;
  ended_by_type: ActorColumns["type"] | null;
  ended_by_id: string | null;
  end_reason: ConversationEndReason | null;
  status_before_end: ConversationStatus | null;
  ended_by_block_id: string | null;
}

interface Row extends ConversationRow {
  id: string;
  workspace_id: string;
  contact_id: string;
  channel_id: string;
  kind: ChannelKind;
  archived: boolean;
  shows_loading: boolean;
  marks_read: boolean;
  display_name: string | null;
  clock: Date | null;
  last_seq: number;
  reachable: boolean;
  reachable_as_of: Date | null;
  awaiting_first_message: boolean;
  bot_flow_id: string | null;
  bot_step_id: string | null;
  bot_due_at: Date | null;
  blocks: BlockJson[] | null;
  delivery: Delivery | null;
  reply_token: string | null;
  reply_token_at: Date | null;
  outbound_due_at: Date | null;
  signals: Signals | null;
  pending: PendingJson[] | null;
}

interface BlockJson {
  id: string;
  notes: string | null;
  blockedAt: string;
  expiresAt: string | null;
  liftedAt: string | null;
  blockedBy: ActorColumns;
  conversationId: string | null;
  afterSeq: number;
  assigneeId: string | null;
}

function toContactChannel(row: Row, window: number): ContactChannel {
  const blocks = row.blocks ?? [];
  const inForce = blocks.find((block) => block.liftedAt === null);
  const conversation = toConversation(row);
  const pending = row.pending ?? [];
  return {
    id: idOf(row.id),
    workspaceId: idOf(row.workspace_id),
    contactId: idOf(row.contact_id),
    channelId: idOf(row.channel_id),
    channelKind: row.kind,
    channelArchived: row.archived,
    channelShowsLoading: row.shows_loading,
    channelMarksRead: row.marks_read,
    displayName: row.display_name,
    clock: instant(row.clock),
    lastSeq: row.last_seq,
    reachable: row.reachable,
    reachableAsOf: instant(row.reachable_as_of),
    block:
      inForce === undefined
        ? null
        : {
            id: idOf(inForce.id),
            blockedAt: Date.parse(inForce.blockedAt),
            blockedBy: toActor(inForce.blockedBy),
            notes: inForce.notes,
            expiresAt: inForce.expiresAt === null ? null : Date.parse(inForce.expiresAt),
            afterSeq: inForce.afterSeq,
            conversation: refOf(inForce.conversationId, inForce.assigneeId),
          },
    episodes: blocks.flatMap((block) =>
      block.liftedAt === null
        ? []
        : [
            {
              id: idOf<"Block">(block.id),
              blockedAt: Date.parse(block.blockedAt),
              endedAt: Date.parse(block.liftedAt),
              afterSeq: block.afterSeq,
              conversation: refOf(block.conversationId, block.assigneeId),
            },
          ],
    ),
    awaitingFirstMessage: row.awaiting_first_message,
    conversation: conversation !== null && isOngoing(conversation.status) ? conversation : null,
    recentConversation: refOf(row.conversation_id, row.assignee_id),
    botSession:
      row.bot_flow_id === null || row.bot_step_id === null
        ? null
        : { flowId: idOf(row.bot_flow_id), stepId: row.bot_step_id, dueAt: instant(row.bot_due_at) },
    pending: pending.slice(0, window).map(toPending),
    hasMorePending: pending.length > window,
    outbox: {
      delivery: row.delivery,
      replyToken:
        row.reply_token === null || row.reply_token_at === null
          ? null
          : { token: row.reply_token, receivedAt: row.reply_token_at.getTime() },
      dueAt: instant(row.outbound_due_at),
      signals: row.signals ?? noSignals,
    },
  };
}

function toConversation(row: ConversationRow): Conversation | null {
  const { conversation_id: id, status, started_at: startedAt, last_activity_at: lastActivityAt } = row;
  if (id === null || status === null || startedAt === null || lastActivityAt === null) return null;
  const { status_before_end: before } = row;
  return {
    id: idOf(id),
    status,
    assigneeId: row.assignee_id === null ? null : idOf(row.assignee_id),
    offeredTo: row.offered_to_id === null ? null : idOf(row.offered_to_id),
    offerExpiresAt: instant(row.offer_expires_at),
    startedAt: startedAt.getTime(),
    lastActivityAt: lastActivityAt.getTime(),
    endedAt: instant(row.ended_at),
    endedBy: row.ended_by_type === null ? null : toActor({ type: row.ended_by_type, id: row.ended_by_id }),
    endReason: row.end_reason,
    statusBeforeEnd: before !== null && isOngoing(before) ? before : null,
    endedByBlockId: row.ended_by_block_id === null ? null : idOf(row.ended_by_block_id),
  };
}

function refOf(conversationId: string | null, assigneeId: string | null): ConversationRef | null {
  return conversationId === null
    ? null
    : { id: idOf(conversationId), assigneeId: assigneeId === null ? null : idOf(assigneeId) };
}

function instant(date: Date | null): Instant | null {
  return date === null ? null : date.getTime();
}
