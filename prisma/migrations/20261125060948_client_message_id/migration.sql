-- AlterTable
ALTER TABLE "message" ADD COLUMN     "client_message_id" TEXT;

-- A visitor's event id is "<visitor id>:<clientMessageId>".
UPDATE "message" m SET "client_message_id" = substr(m."event_id", length(cc."external_id") + 2)
FROM "contact_channel" cc JOIN "channel" c ON c."id" = cc."channel_id"
WHERE cc."id" = m."contact_channel_id" AND c."kind" = 'WEB_CHAT' AND m."direction" = 'INBOUND'
  AND starts_with(m."event_id", cc."external_id" || ':');
