import { v7 as uuidv7 } from "uuid";
import { type Desk, globalId, rowId, type TestWorkspace } from "./app.ts";

/** Inserts a contact with one ContactChannel. */
export async function seedContact(
  desk: Desk,
  contact: {
    readonly name?: string;
    readonly displayName?: string;
    readonly externalId?: string;
    readonly at?: number;
    readonly workspace?: TestWorkspace;
    readonly channel?: string;
  } = {},
): Promise<{ contactId: string; contactChannelId: string; rows: { contactId: string; contactChannelId: string } }> {
  const workspace = contact.workspace ?? desk;
  const { prisma } = desk.app.database;
  const createdAt = new Date(contact.at ?? desk.clock.now());
  const workspaceId = rowId(workspace.id);
  const rows = { contactId: uuidv7(), contactChannelId: uuidv7() };
  await prisma.contact.create({
    data: { id: rows.contactId, workspaceId, name: contact.name ?? null, lastActivityAt: createdAt, createdAt },
  });
  await seedContactChannel(desk, rows.contactId, { ...contact, id: rows.contactChannelId });
  return {
    contactId: globalId("Contact", rows.contactId),
    contactChannelId: globalId("ContactChannel", rows.contactChannelId),
    rows,
  };
}

/** Inserts another ContactChannel of a contact, as after a merge. */
export async function seedContactChannel(
  desk: Desk,
  contactId: string,
  given: {
    readonly id?: string;
    readonly displayName?: string;
    readonly externalId?: string;
    readonly workspace?: TestWorkspace;
    readonly channel?: string;
  } = {},
): Promise<string> {
  const workspace = given.workspace ?? desk;
  const id = given.id ?? uuidv7();
  await desk.app.database.prisma.contactChannel.create({
    data: {
      id,
      workspaceId: rowId(workspace.id),
      contactId,
      channelId: rowId(given.channel ?? workspace.line),
      externalId: given.externalId ?? `person-${id}`,
      displayName: given.displayName ?? null,
      createdAt: new Date(desk.clock.now()),
    },
  });
  return globalId("ContactChannel", id);
}

/** Inserts a conversation with this many text messages. */
export async function seedConversation(
  desk: Desk,
  of: { readonly contactId: string; readonly contactChannelId: string },
  messages: number,
  at = desk.clock.now(),
): Promise<string> {
  const { prisma } = desk.app.database;
  const contactChannel = await prisma.contactChannel.findUniqueOrThrow({ where: { id: of.contactChannelId } });
  const { workspaceId, channelId } = contactChannel;
  const id = uuidv7();
  const startedAt = new Date(at);
  const common = { workspaceId, channelId, contactChannelId: of.contactChannelId };
  await prisma.conversation.create({
    data: { id, ...common, contactId: of.contactId, status: "ENDED", startedAt, lastActivityAt: startedAt },
  });
  await prisma.message.createMany({
    data: Array.from({ length: messages }, (_, index) => ({
      id: uuidv7(),
      ...common,
      conversationId: id,
      seq: contactChannel.lastSeq + index + 1,
      direction: "INBOUND" as const,
      kind: "TEXT" as const,
      text: `text ${index + 1}`,
      authorType: "Contact" as const,
      authorId: of.contactId,
      sentAt: startedAt,
      recordedAt: startedAt,
      receivedWhileBlocked: false,
    })),
  });
  await prisma.contactChannel.update({
    where: { id: of.contactChannelId },
    data: { lastSeq: contactChannel.lastSeq + messages, recentConversationId: id },
  });
  return globalId("Conversation", id);
}
