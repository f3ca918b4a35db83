import { type Desk, rowId } from "../support/app.ts";

/** The timeline of a contact on one channel, in recording order. */
export async function timeline(desk: Desk, channel: string, externalId: string) {
  const contactChannel = await desk.app.database.prisma.contactChannel.findUnique({
    where: { channelId_externalId: { channelId: rowId(channel), externalId } },
    include: { messages: { orderBy: { seq: "asc" } } },
  });
  return contactChannel?.messages ?? [];
}
