import type { ContactChannel } from "../domain/contact-channel.ts";
import { dueAt } from "../domain/contact-channel.ts";
import { type Conversation, isOngoing } from "../domain/conversation.ts";
import type { BlockInForce } from "../domain/episode.ts";
import type { DomainEvent } from "../domain/event.ts";
import type { BlockId, ContactId, ConversationId, Instant, MessageId, WorkspaceId } from "../domain/id.ts";
import type { DeliveryStatus, Message } from "../domain/message.ts";
import { toActorColumns } from "./actor-columns.ts";
import type { Statement, Tx } from "./database.ts";

/** One event with the aggregate that it happened to, as it was before the batch where only its fixed ids matter. */
export interface DecidedEvent {
  readonly of: ContactChannel;
  readonly event: DomainEvent;
}

/**
 * Writes the outcome of a batch of decisions in a few multi-row statements: folds the events into rows first, so that
 * what happens several times to one row in one batch is written once.
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
  // Blocks before the conversations that they end; lifted ones before new ones; ended conversations before new ones.
  update(updateBlocks, [...rows.blockChanges.values()]);
  insert(insertBlocks, [...rows.newBlocks.values()]);
  insert(upsertConversations, rows.conversationRows());
  update(touchConversations, rows.touchedConversationRows());
  insert(insertMessages, [...rows.newMessages.values()].map(messageRow));
  update(updateMessages, [...rows.messageChanges.values()]);
  update(updateContactChannels, after.map(contactChannelRow));
  update(updateContacts, rows.contactRows());
}

interface BlockChange {
  readonly id: BlockId;
  suppressed: number;
  terms?: { readonly notes: string | null; readonly expiresAt: string | null };
  lift?: Lift;
}

interface Lift {
  readonly at: string;
  readonly by: { readonly type: string; readonly id: string | null };
  readonly notes: string | null;
}

interface NewBlock {
  readonly contactChannelId: string;
  block: BlockInForce;
  suppressed: number;
  lift: Lift | null;
}

interface MessageChange {
  readonly id: MessageId;
  deliveryStatus?: DeliveryStatus;
  leasedAt?: string;
  unsentAt?: string;
}

/** The rows that a batch touches, each once. */
class RowChanges {
  readonly newBlocks = new Map<BlockId, NewBlock>();
  readonly blockChanges = new Map<BlockId, BlockChange>();
  readonly newMessages = new Map<MessageId, { of: ContactChannel; message: Message; leasedAt: string | null }>();
  readonly messageChanges = new Map<MessageId, MessageChange>();
  readonly contacts = new Map<ContactId, { id: ContactId; name: string | null; lastActivityAt: string | null }>();
  readonly #conversations = new Map<ConversationId, { of: ContactChannel; conversation: Conversation }>();
  readonly #active = new Set<ConversationId>();
  readonly #touched: { readonly id: ConversationId; readonly lastActivityAt: string }[] = [];

  add(of: ContactChannel, event: DomainEvent): void {
    switch (event.type) {
      case "MessageRecorded":
        this.newMessages.set(event.message.id, { of, message: event.message, leasedAt: null });
        if (event.suppressedBy !== null) this.#suppress(event.suppressedBy);
        if (event.activity) {
          this.#contact(of.contactId).lastActivityAt = iso(event.message.recordedAt);
          if (event.message.conversationId !== null) this.#active.add(event.message.conversationId);
        }
        break;
      case "MessageUnsent":
        this.#changeMessage(event.messageId, { unsentAt: event.occurredAt });
        break;
      case "DeliveryChanged":
        this.#changeMessage(event.messageId, { deliveryStatus: event.to, at: event.occurredAt });
        break;
      case "ConversationChanged":
        this.#conversations.set(event.conversation.id, { of, conversation: event.conversation });
        break;
      case "ContactBlocked":
        this.newBlocks.set(event.block.id, { contactChannelId: of.id, block: event.block, suppressed: 0, lift: null });
        break;
      case "BlockUpdated": {
        const created = this.newBlocks.get(event.block.id);
        const { notes, expiresAt } = event.block;
        if (created !== undefined) created.block = event.block;
        else this.#blockChange(event.block.id).terms = { notes, expiresAt: iso(expiresAt) };
        break;
      }
      case "BlockLifted": {
        const lift: Lift = {
          at: iso(event.liftedAt),
          by: toActorColumns(event.actor),
          notes: event.liftNotes,
        };
        const created = this.newBlocks.get(event.block.id);
        if (created !== undefined) created.lift = lift;
        else this.#blockChange(event.block.id).lift = lift;
        break;
      }
      case "DisplayNameChanged":
        this.#contact(of.contactId).name = event.displayName;
        break;
      case "ContactAppeared":
      case "ReachabilityChanged":
      case "BotSessionChanged":
        break;
    }
  }

  /** An ongoing conversation is written as it stands after the batch; one that is over is moved by nothing any more. */
  addOngoing(of: ContactChannel): void {
    const { conversation } = of;
    if (conversation === null) return;
    const { id, lastActivityAt } = conversation;
    if (this.#conversations.has(id)) this.#conversations.set(id, { of, conversation });
    else if (this.#active.has(id)) this.#touched.push({ id, lastActivityAt: iso(lastActivityAt) });
  }

  /** Ended ones first: the index that allows one ongoing conversation looks at each row as it comes (rule C2). */
  conversationRows(): object[] {
    const rows = [...this.#conversations.values()].map(({ of, conversation }) => conversationRow(of, conversation));
    return rows.toSorted((a, b) => Number(isOngoing(a.status)) - Number(isOngoing(b.status)));
  }

  /** Those of which nothing changed but that something was said. */
  touchedConversationRows(): object[] {
    return this.#touched;
  }

  /** In id order, in which all transactions touch contacts. */
  contactRows(): object[] {
    return [...this.contacts.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  #contact(id: ContactId): { id: ContactId; name: string | null; lastActivityAt: string | null } {
    return getOrSet(this.contacts, id, () => ({ id, name: null, lastActivityAt: null }));
  }

  #blockChange(id: BlockId): BlockChange {
    return getOrSet(this.blockChanges, id, () => ({ id, suppressed: 0 }));
  }

  #suppress(id: BlockId): void {
    const block = this.newBlocks.get(id) ?? this.#blockChange(id);
    block.suppressed += 1;
  }

  #changeMessage(id: MessageId, change: { unsentAt?: Instant; deliveryStatus?: DeliveryStatus; at?: Instant }): void {
    const created = this.newMessages.get(id);
    const leasedAt = change.deliveryStatus === "SENDING" && change.at !== undefined ? iso(change.at) : null;
    if (created !== undefined) {
      const { unsentAt, deliveryStatus } = created.message;
      created.message = {
        ...created.message,
        unsentAt: change.unsentAt ?? unsentAt,
        deliveryStatus: change.deliveryStatus ?? deliveryStatus,
      };
      created.leasedAt = leasedAt ?? created.leasedAt;
      return;
    }
    const row = getOrSet(this.messageChanges, id, (): MessageChange => ({ id }));
    if (change.unsentAt !== undefined) row.unsentAt = iso(change.unsentAt);
    if (change.deliveryStatus !== undefined) row.deliveryStatus = change.deliveryStatus;
    if (leasedAt !== null) row.leasedAt = leasedAt;
  }
}

function messageRow({
  of,
  message,
  leasedAt,
}: {
  of: ContactChannel;
  message: Message;
  leasedAt: string | null;
}): object {
  return {
    ...message,
    channelId: of.channelId,
    contactChannelId: of.id,
    author: toActorColumns(message.author),
    sentAt: iso(message.sentAt),
    recordedAt: iso(message.recordedAt),
    unsentAt: iso(message.unsentAt),
    leasedAt,
  };
}

function conversationRow(of: ContactChannel, conversation: Conversation) {
  return {
    ...conversation,
    contactChannelId: of.id,
    contactId: of.contactId,
    channelId: of.channelId,
    offerExpiresAt: iso(conversation.offerExpiresAt),
    startedAt: iso(conversation.startedAt),
    lastActivityAt: iso(conversation.lastActivityAt),
    endedAt: iso(conversation.endedAt),
    endedBy: conversation.endedBy === null ? null : toActorColumns(conversation.endedBy),
  };
}

function contactChannelRow(state: ContactChannel): object {
  return {
    id: state.id,
    displayName: state.displayName,
    clock: iso(state.clock),
    lastSeq: state.lastSeq,
    reachable: state.reachable,
    reachableAsOf: iso(state.reachableAsOf),
    awaitingFirstMessage: state.awaitingFirstMessage,
    recentConversationId: state.recentConversation?.id ?? null,
    botFlowId: state.botSession?.flowId ?? null,
    botStepId: state.botSession?.stepId ?? null,
    botDueAt: iso(state.botSession?.dueAt ?? null),
    dueAt: iso(dueAt(state)),
  };
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
                         text, payload, author_type, author_id, sent_at, recorded_at, unsent_at, received_while_blocked,
                         delivery_status, leased_at, event_id, provider_message_id, unsends)
    SELECT id, $2, "channelId", "contactChannelId", seq, "conversationId", direction, kind, "eventType",
           text, payload, (author->>'type')::"ActorType", (author->>'id')::uuid, "sentAt", "recordedAt", "unsentAt",
           "receivedWhileBlocked", "deliveryStatus", "leasedAt", "eventId", "providerMessageId", unsends
    FROM json_to_recordset($1::json) AS m (
      id uuid, "channelId" uuid, "contactChannelId" uuid, seq int, "conversationId" uuid, direction "MessageDirection",
      kind "MessageKind", "eventType" text, text text, payload jsonb, author json, "sentAt" timestamptz,
      "recordedAt" timestamptz, "unsentAt" timestamptz, "receivedWhileBlocked" bool, "deliveryStatus" "DeliveryStatus",
      "leasedAt" timestamptz, "eventId" text, "providerMessageId" text, unsends text)`,
};

const updateMessages: Statement = {
  name: "message_update",
  text: `
    UPDATE message m SET
      delivery_status = coalesce(u."deliveryStatus", m.delivery_status),
      leased_at = coalesce(u."leasedAt", m.leased_at),
      unsent_at = coalesce(u."unsentAt", m.unsent_at)
    FROM json_to_recordset($1::json) AS u (
      id uuid, "deliveryStatus" "DeliveryStatus", "leasedAt" timestamptz, "unsentAt" timestamptz)
    WHERE m.id = u.id`,
};

const updateContactChannels: Statement = {
  name: "contact_channel_update",
  text: `
    UPDATE contact_channel c SET
      display_name = u."displayName", clock = u.clock, last_seq = u."lastSeq", reachable = u.reachable,
      reachable_as_of = u."reachableAsOf", awaiting_first_message = u."awaitingFirstMessage",
      recent_conversation_id = u."recentConversationId", bot_flow_id = u."botFlowId", bot_step_id = u."botStepId",
      bot_due_at = u."botDueAt", due_at = u."dueAt"
    FROM json_to_recordset($1::json) AS u (
      id uuid, "displayName" text, clock timestamptz, "lastSeq" int, reachable bool, "reachableAsOf" timestamptz,
      "awaitingFirstMessage" bool, "recentConversationId" uuid, "botFlowId" uuid, "botStepId" text,
      "botDueAt" timestamptz, "dueAt" timestamptz)
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

function iso(instant: Instant): string;
function iso(instant: Instant | null): string | null;
function iso(instant: Instant | null): string | null {
  return instant === null ? null : new Date(instant).toISOString();
}

function getOrSet<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
