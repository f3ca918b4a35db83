-- DropIndex
DROP INDEX "message_leased_at_idx";

-- AlterTable
ALTER TABLE "channel" ADD COLUMN     "api_url" TEXT,
ADD COLUMN     "delivery_secret" TEXT,
ADD COLUMN     "marks_read" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "send_fault" TEXT,
ADD COLUMN     "shows_loading" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "contact_channel" ADD COLUMN     "delivery" JSONB,
ADD COLUMN     "lease_expires_at" TIMESTAMPTZ(3),
ADD COLUMN     "outbound_due_at" TIMESTAMPTZ(3),
ADD COLUMN     "reply_token" TEXT,
ADD COLUMN     "reply_token_at" TIMESTAMPTZ(3),
ADD COLUMN     "signals" JSONB;

-- AlterTable
ALTER TABLE "message" ADD COLUMN     "attempts" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "delivery_error_code" TEXT,
ADD COLUMN     "delivery_error_message" TEXT,
ADD COLUMN     "menu" JSONB,
ADD COLUMN     "retry_of_id" UUID;

-- CreateIndex
CREATE INDEX "contact_channel_channel_id_outbound_due_at_idx" ON "contact_channel"("channel_id", "outbound_due_at") WHERE (outbound_due_at IS NOT NULL);

-- CreateIndex
CREATE INDEX "contact_channel_lease_expires_at_idx" ON "contact_channel"("lease_expires_at") WHERE (lease_expires_at IS NOT NULL);

-- CreateIndex
CREATE INDEX "contact_channel_reply_token_at_idx" ON "contact_channel"("reply_token_at") WHERE (reply_token_at IS NOT NULL);

-- CreateIndex
CREATE INDEX "message_retry_of_id_idx" ON "message"("retry_of_id") WHERE (retry_of_id IS NOT NULL);

-- AddForeignKey
ALTER TABLE "message" ADD CONSTRAINT "message_retry_of_id_fkey" FOREIGN KEY ("retry_of_id") REFERENCES "message"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- Leases of earlier versions had no attempt that could be settled: their messages are queued again.
UPDATE "message" SET "delivery_status" = 'QUEUED' WHERE "delivery_status" = 'SENDING';

-- Messages that wait on channels without streams are now delivered, or fail if they are older than 12 hours (rule S4).
UPDATE "contact_channel" cc SET "outbound_due_at" = m."recorded_at"
FROM (SELECT "contact_channel_id", min("recorded_at") AS "recorded_at" FROM "message"
      WHERE "delivery_status" = 'QUEUED' GROUP BY "contact_channel_id") m, "channel" c
WHERE m."contact_channel_id" = cc."id" AND c."id" = cc."channel_id" AND c."kind" <> 'WEB_CHAT';
