import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { PrismaClient } from "../src/store/generated/client.ts";

/** A message of a known contact with an ongoing conversation. */
export interface PeerMessage {
  readonly workspaceId: string;
  readonly channelId: string;
  readonly externalId: string;
  readonly eventId: string;
  readonly text: string;
}

/** Another way to record an inbound message, with the same rows, indexes and guarantees as Deskgate. */
export interface Peer {
  record(message: PeerMessage): Promise<void>;
  close(): Promise<void>;
}

const CONNECTIONS = 16;

/** (a) One message per commit, with one prepared statement through `pg`. */
export function preparedStatement(url: string): Peer {
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS });
  return {
    record: async (message) => {
      await pool.query({
        name: "record",
        text: `
          WITH person AS (
            SELECT id, contact_id, recent_conversation_id, last_seq FROM contact_channel
            WHERE channel_id = $1 AND external_id = $2 FOR NO KEY UPDATE
          ), recorded AS (
            INSERT INTO message (id, workspace_id, channel_id, contact_channel_id, seq, conversation_id, direction, kind, text,
                                 author_type, author_id, sent_at, recorded_at, received_while_blocked, event_id,
                                 provider_message_id)
            SELECT $3, $4, $1, person.id, person.last_seq + 1, person.recent_conversation_id, 'INBOUND', 'TEXT', $5,
                   'Contact', person.contact_id, now(), now(), false, $6, $6
            FROM person ON CONFLICT (channel_id, event_id) DO NOTHING RETURNING id, seq, contact_channel_id, conversation_id
          ), touched_channel AS (
            UPDATE contact_channel SET last_seq = recorded.seq, clock = now()
            FROM recorded WHERE contact_channel.id = recorded.contact_channel_id
          ), touched_conversation AS (
            UPDATE conversation SET last_activity_at = now()
            FROM recorded WHERE conversation.id = recorded.conversation_id
          ), touched_contact AS (
            UPDATE contact SET last_activity_at = now() FROM person WHERE contact.id = person.contact_id
          ), head AS (
            UPDATE log_head SET position = position + 1 WHERE workspace_id = $4 RETURNING position
          )
          INSERT INTO event (workspace_id, position, id, type, occurred_at, actor_type, actor_id, contact_id, channel_id,
                             contact_channel_id, conversation_id, agent_ids, data)
          SELECT $4, head.position, $7, 'MessageRecorded', now(), 'Contact', person.contact_id, person.contact_id, $1,
                 person.id, person.recent_conversation_id, '{}',
                 jsonb_build_object('messageId', recorded.id, 'seq', recorded.seq, 'direction', 'INBOUND')
          FROM head, person, recorded`,
        values: [
          message.channelId,
          message.externalId,
          uuidv7(),
          message.workspaceId,
          message.text,
          message.eventId,
          uuidv7(),
        ],
      });
    },
    close: () => pool.end(),
  };
}

/** (b) One message per commit, with Prisma's interactive transaction and one call per step. */
export function interactiveTransaction(url: string): Peer {
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS });
  const prisma = new PrismaClient({
    adapter: new PrismaPg(pool),
    transactionOptions: { maxWait: 30_000, timeout: 30_000 },
  });
  return {
    record: async ({ workspaceId, channelId, externalId, eventId, text }) => {
      await prisma.$transaction(async (tx) => {
        await tx.$queryRaw`SELECT id FROM contact_channel WHERE channel_id = ${channelId}::uuid AND external_id = ${externalId} FOR NO KEY UPDATE`;
        const contactChannel = await tx.contactChannel.findUniqueOrThrow({
          where: { channelId_externalId: { channelId, externalId } },
        });
        const known = await tx.message.findUnique({ where: { channelId_eventId: { channelId, eventId } } });
        if (known !== null) return;
        const now = new Date();
        const conversationId = contactChannel.recentConversationId;
        const message = await tx.message.create({
          data: {
            id: uuidv7(),
            workspaceId,
            channelId,
            contactChannelId: contactChannel.id,
            seq: contactChannel.lastSeq + 1,
            conversationId,
            direction: "INBOUND",
            kind: "TEXT",
            text,
            authorType: "Contact",
            authorId: contactChannel.contactId,
            sentAt: now,
            recordedAt: now,
            receivedWhileBlocked: false,
            eventId,
            providerMessageId: eventId,
          },
        });
        await tx.contactChannel.update({
          where: { id: contactChannel.id },
          data: { lastSeq: message.seq, clock: now },
        });
        if (conversationId !== null) {
          await tx.conversation.update({ where: { id: conversationId }, data: { lastActivityAt: now } });
        }
        await tx.contact.update({ where: { id: contactChannel.contactId }, data: { lastActivityAt: now } });
        const { position } = await tx.logHead.update({
          where: { workspaceId },
          data: { position: { increment: 1 } },
        });
        await tx.event.create({
          data: {
            workspaceId,
            position,
            id: uuidv7(),
            type: "MessageRecorded",
            occurredAt: now,
            actorType: "Contact",
            actorId: contactChannel.contactId,
            contactId: contactChannel.contactId,
            channelId,
            contactChannelId: contactChannel.id,
            conversationId,
            agentIds: [],
            data: { messageId: message.id, seq: message.seq, direction: "INBOUND" },
          },
        });
      });
    },
    close: async () => {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}
