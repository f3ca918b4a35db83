-- CreateEnum
CREATE TYPE "ChannelKind" AS ENUM ('LINE', 'WEB_CHAT', 'CUSTOM');

-- CreateEnum
CREATE TYPE "ConversationStatus" AS ENUM ('BOT', 'WAITING', 'ASSIGNING', 'ACTIVE', 'ENDED', 'BLOCKED');

-- CreateEnum
CREATE TYPE "ConversationEndReason" AS ENUM ('RESOLVED', 'BLOCKED', 'INACTIVITY');

-- CreateEnum
CREATE TYPE "MessageDirection" AS ENUM ('INBOUND', 'OUTBOUND');

-- CreateEnum
CREATE TYPE "MessageKind" AS ENUM ('TEXT', 'IMAGE', 'VIDEO', 'AUDIO', 'FILE', 'LOCATION', 'STICKER', 'EVENT', 'UNSUPPORTED');

-- CreateEnum
CREATE TYPE "DeliveryStatus" AS ENUM ('QUEUED', 'SENDING', 'SENT', 'FAILED', 'CANCELED');

-- CreateEnum
CREATE TYPE "Role" AS ENUM ('ADMIN', 'AGENT', 'VIEWER');

-- CreateEnum
CREATE TYPE "ActorType" AS ENUM ('Agent', 'ApiKey', 'Contact', 'Bot', 'System');

-- CreateEnum
CREATE TYPE "FlowKind" AS ENUM ('AUTO_REPLY_FIRST_MESSAGE', 'AUTO_REPLY_KEYWORD', 'CHATBOT');

-- CreateTable
CREATE TABLE "workspace" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "workspace_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "agent" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "role" "Role" NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "removed_at" TIMESTAMPTZ(3),

    CONSTRAINT "agent_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_key" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "prefix" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "scopes" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_key_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "channel" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "kind" "ChannelKind" NOT NULL,
    "secret" TEXT,
    "allowed_origins" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "channel_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "flow" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "channel_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "kind" "FlowKind" NOT NULL,
    "definition" JSONB NOT NULL,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "flow_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "contact" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "name" TEXT,
    "last_activity_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "contact_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "contact_channel" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "contact_id" UUID NOT NULL,
    "channel_id" UUID NOT NULL,
    "external_id" TEXT NOT NULL,
    "display_name" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "clock" TIMESTAMPTZ(3),
    "last_seq" INTEGER NOT NULL DEFAULT 0,
    "reachable" BOOLEAN NOT NULL DEFAULT true,
    "reachable_as_of" TIMESTAMPTZ(3),
    "awaiting_first_message" BOOLEAN NOT NULL DEFAULT false,
    "recent_conversation_id" UUID,
    "bot_flow_id" UUID,
    "bot_step_id" TEXT,
    "bot_due_at" TIMESTAMPTZ(3),
    "due_at" TIMESTAMPTZ(3),

    CONSTRAINT "contact_channel_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "conversation" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "contact_channel_id" UUID NOT NULL,
    "contact_id" UUID NOT NULL,
    "channel_id" UUID NOT NULL,
    "status" "ConversationStatus" NOT NULL,
    "assignee_id" UUID,
    "offered_to_id" UUID,
    "offer_expires_at" TIMESTAMPTZ(3),
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "last_activity_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),
    "ended_by_type" "ActorType",
    "ended_by_id" UUID,
    "end_reason" "ConversationEndReason",
    "status_before_end" "ConversationStatus",
    "ended_by_block_id" UUID,

    CONSTRAINT "conversation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "message" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "channel_id" UUID NOT NULL,
    "contact_channel_id" UUID NOT NULL,
    "seq" INTEGER NOT NULL,
    "conversation_id" UUID,
    "direction" "MessageDirection" NOT NULL,
    "kind" "MessageKind" NOT NULL,
    "event_type" TEXT,
    "text" TEXT,
    "payload" JSONB,
    "author_type" "ActorType" NOT NULL,
    "author_id" UUID,
    "sent_at" TIMESTAMPTZ(3) NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL,
    "unsent_at" TIMESTAMPTZ(3),
    "received_while_blocked" BOOLEAN NOT NULL,
    "delivery_status" "DeliveryStatus",
    "leased_at" TIMESTAMPTZ(3),
    "event_id" TEXT,
    "provider_message_id" TEXT,
    "unsends" TEXT,

    CONSTRAINT "message_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "block" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "contact_channel_id" UUID NOT NULL,
    "notes" TEXT,
    "blocked_at" TIMESTAMPTZ(3) NOT NULL,
    "blocked_by_type" "ActorType" NOT NULL,
    "blocked_by_id" UUID,
    "expires_at" TIMESTAMPTZ(3),
    "lifted_at" TIMESTAMPTZ(3),
    "lifted_by_type" "ActorType",
    "lifted_by_id" UUID,
    "lift_notes" TEXT,
    "after_seq" INTEGER NOT NULL,
    "conversation_id" UUID,
    "suppressed_count" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "block_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "log_head" (
    "workspace_id" UUID NOT NULL,
    "position" BIGINT NOT NULL DEFAULT 0,
    "pruned_to" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "log_head_pkey" PRIMARY KEY ("workspace_id")
);

-- CreateTable
CREATE TABLE "event" (
    "workspace_id" UUID NOT NULL,
    "position" BIGINT NOT NULL,
    "id" UUID NOT NULL,
    "type" TEXT NOT NULL,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL,
    "actor_type" "ActorType" NOT NULL,
    "actor_id" UUID,
    "contact_id" UUID NOT NULL,
    "channel_id" UUID NOT NULL,
    "contact_channel_id" UUID NOT NULL,
    "conversation_id" UUID,
    "agent_ids" UUID[],
    "data" JSONB NOT NULL,

    CONSTRAINT "event_pkey" PRIMARY KEY ("workspace_id","position")
);

-- CreateTable
CREATE TABLE "idempotency_key" (
    "workspace_id" UUID NOT NULL,
    "actor_id" UUID NOT NULL,
    "mutation" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "input_hash" TEXT NOT NULL,
    "message_id" UUID,
    "conversation_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_key_pkey" PRIMARY KEY ("workspace_id","actor_id","mutation","key")
);

-- CreateTable
CREATE TABLE "unroutable_event" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "channel_id" UUID NOT NULL,
    "event_id" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "unroutable_event_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "agent_email_key" ON "agent"("email");

-- CreateIndex
CREATE INDEX "agent_workspace_id_idx" ON "agent"("workspace_id");

-- CreateIndex
CREATE UNIQUE INDEX "api_key_hash_key" ON "api_key"("hash");

-- CreateIndex
CREATE INDEX "api_key_workspace_id_idx" ON "api_key"("workspace_id");

-- CreateIndex
CREATE INDEX "channel_workspace_id_idx" ON "channel"("workspace_id");

-- CreateIndex
CREATE INDEX "flow_channel_id_idx" ON "flow"("channel_id");

-- CreateIndex
CREATE INDEX "flow_workspace_id_idx" ON "flow"("workspace_id");

-- CreateIndex
CREATE INDEX "contact_workspace_id_last_activity_at_id_idx" ON "contact"("workspace_id", "last_activity_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "contact_channel_contact_id_idx" ON "contact_channel"("contact_id");

-- CreateIndex
CREATE INDEX "contact_channel_workspace_id_idx" ON "contact_channel"("workspace_id");

-- CreateIndex
CREATE INDEX "contact_channel_due_at_idx" ON "contact_channel"("due_at") WHERE (due_at IS NOT NULL);

-- CreateIndex
CREATE UNIQUE INDEX "contact_channel_channel_id_external_id_key" ON "contact_channel"("channel_id", "external_id");

-- CreateIndex
CREATE INDEX "conversation_workspace_id_last_activity_at_id_idx" ON "conversation"("workspace_id", "last_activity_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "conversation_workspace_id_status_last_activity_at_id_idx" ON "conversation"("workspace_id", "status", "last_activity_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "conversation_contact_id_last_activity_at_id_idx" ON "conversation"("contact_id", "last_activity_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "conversation_ended_by_block_id_idx" ON "conversation"("ended_by_block_id") WHERE (ended_by_block_id IS NOT NULL);

-- CreateIndex
CREATE UNIQUE INDEX "conversation_one_ongoing" ON "conversation"("contact_channel_id") WHERE (status IN ('BOT', 'WAITING', 'ASSIGNING', 'ACTIVE'));

-- CreateIndex
CREATE INDEX "message_conversation_id_seq_idx" ON "message"("conversation_id", "seq");

-- CreateIndex
CREATE INDEX "message_contact_channel_id_provider_message_id_idx" ON "message"("contact_channel_id", "provider_message_id") WHERE (provider_message_id IS NOT NULL);

-- CreateIndex
CREATE INDEX "message_contact_channel_id_unsends_idx" ON "message"("contact_channel_id", "unsends") WHERE (unsends IS NOT NULL);

-- CreateIndex
CREATE INDEX "message_pending" ON "message"("contact_channel_id", "seq") WHERE (delivery_status IN ('QUEUED', 'SENDING'));

-- CreateIndex
CREATE INDEX "message_leased_at_idx" ON "message"("leased_at") WHERE (delivery_status = 'SENDING');

-- CreateIndex
CREATE INDEX "message_outbound" ON "message"("contact_channel_id", "seq") WHERE (direction = 'OUTBOUND');

-- CreateIndex
CREATE UNIQUE INDEX "message_channel_id_event_id_key" ON "message"("channel_id", "event_id");

-- CreateIndex
CREATE UNIQUE INDEX "message_contact_channel_id_seq_key" ON "message"("contact_channel_id", "seq");

-- CreateIndex
CREATE INDEX "block_contact_channel_id_blocked_at_id_idx" ON "block"("contact_channel_id", "blocked_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "block_workspace_id_blocked_at_id_idx" ON "block"("workspace_id", "blocked_at" DESC, "id" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "block_one_in_force" ON "block"("contact_channel_id") WHERE (lifted_at IS NULL);

-- CreateIndex
CREATE INDEX "idempotency_key_created_at_idx" ON "idempotency_key"("created_at");

-- CreateIndex
CREATE UNIQUE INDEX "unroutable_event_channel_id_event_id_key" ON "unroutable_event"("channel_id", "event_id");

-- AddForeignKey
ALTER TABLE "agent" ADD CONSTRAINT "agent_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspace"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_key" ADD CONSTRAINT "api_key_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspace"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "channel" ADD CONSTRAINT "channel_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspace"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "flow" ADD CONSTRAINT "flow_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspace"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "flow" ADD CONSTRAINT "flow_channel_id_fkey" FOREIGN KEY ("channel_id") REFERENCES "channel"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "contact" ADD CONSTRAINT "contact_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspace"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "contact_channel" ADD CONSTRAINT "contact_channel_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspace"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "contact_channel" ADD CONSTRAINT "contact_channel_contact_id_fkey" FOREIGN KEY ("contact_id") REFERENCES "contact"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "contact_channel" ADD CONSTRAINT "contact_channel_channel_id_fkey" FOREIGN KEY ("channel_id") REFERENCES "channel"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "conversation" ADD CONSTRAINT "conversation_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspace"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "conversation" ADD CONSTRAINT "conversation_contact_channel_id_fkey" FOREIGN KEY ("contact_channel_id") REFERENCES "contact_channel"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "conversation" ADD CONSTRAINT "conversation_contact_id_fkey" FOREIGN KEY ("contact_id") REFERENCES "contact"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "conversation" ADD CONSTRAINT "conversation_channel_id_fkey" FOREIGN KEY ("channel_id") REFERENCES "channel"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "conversation" ADD CONSTRAINT "conversation_assignee_id_fkey" FOREIGN KEY ("assignee_id") REFERENCES "agent"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "conversation" ADD CONSTRAINT "conversation_offered_to_id_fkey" FOREIGN KEY ("offered_to_id") REFERENCES "agent"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "conversation" ADD CONSTRAINT "conversation_ended_by_block_id_fkey" FOREIGN KEY ("ended_by_block_id") REFERENCES "block"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "message" ADD CONSTRAINT "message_contact_channel_id_fkey" FOREIGN KEY ("contact_channel_id") REFERENCES "contact_channel"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "message" ADD CONSTRAINT "message_conversation_id_fkey" FOREIGN KEY ("conversation_id") REFERENCES "conversation"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "block" ADD CONSTRAINT "block_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspace"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "block" ADD CONSTRAINT "block_contact_channel_id_fkey" FOREIGN KEY ("contact_channel_id") REFERENCES "contact_channel"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "log_head" ADD CONSTRAINT "log_head_workspace_id_fkey" FOREIGN KEY ("workspace_id") REFERENCES "workspace"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Rows that change with every message keep room for their next version on the same page (HOT updates); the log's head,
-- which each commit of a workspace updates, keeps its page almost to itself.
ALTER TABLE "log_head" SET (fillfactor = 10);
ALTER TABLE "contact_channel" SET (fillfactor = 80);
ALTER TABLE "conversation" SET (fillfactor = 80);
ALTER TABLE "contact" SET (fillfactor = 80);
