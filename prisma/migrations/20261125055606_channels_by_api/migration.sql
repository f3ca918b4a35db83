-- CreateEnum
CREATE TYPE "AuditAction" AS ENUM ('CHANNEL_CREATED', 'CHANNEL_UPDATED', 'CHANNEL_ARCHIVED', 'API_KEY_CREATED', 'API_KEY_REVOKED', 'FLOW_CREATED', 'FLOW_UPDATED', 'CONTACT_BLOCKED', 'BLOCK_UPDATED', 'CONTACT_UNBLOCKED');

-- CreateEnum
CREATE TYPE "AuditSubjectType" AS ENUM ('Channel', 'ApiKey', 'Flow', 'Contact');

-- AlterEnum
ALTER TYPE "ConversationEndReason" ADD VALUE 'CHANNEL_ARCHIVED';

-- AlterTable
ALTER TABLE "channel" ADD COLUMN     "access_token" TEXT,
ADD COLUMN     "archived_at" TIMESTAMPTZ(3),
ADD COLUMN     "archived_by_id" UUID,
ADD COLUMN     "archived_by_type" "ActorType",
ADD COLUMN     "closed_at" TIMESTAMPTZ(3),
ADD COLUMN     "delivery_url" TEXT;

-- CreateTable
CREATE TABLE "audit_log_entry" (
    "id" UUID NOT NULL,
    "workspace_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "actor_type" "ActorType" NOT NULL,
    "actor_id" UUID,
    "action" "AuditAction" NOT NULL,
    "subject_type" "AuditSubjectType" NOT NULL,
    "subject_id" UUID NOT NULL,
    "before" JSONB,
    "after" JSONB,

    CONSTRAINT "audit_log_entry_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "audit_log_entry_workspace_id_at_id_idx" ON "audit_log_entry"("workspace_id", "at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "audit_log_entry_actor_id_at_id_idx" ON "audit_log_entry"("actor_id", "at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "audit_log_entry_subject_id_at_id_idx" ON "audit_log_entry"("subject_id", "at" DESC, "id" DESC);
