import { fromGlobalId } from "../../domain/global-id.ts";
import { type ContactChannelId, type ContactId, type ConversationId, idOf, type MessageId } from "../../domain/id.ts";
import type { ChannelRecord, Directory } from "../../store/directory.ts";
import type { Context } from "./context.ts";
import { find } from "./rows.ts";

/** A contact and the ContactChannels that an input selects (rule B2). */
export interface FoundContactChannels {
  readonly contactId: ContactId;
  readonly contactChannels: readonly [ContactChannelId, ...ContactChannelId[]];
}

/**
 * Finds the ContactChannels that an input selects, in id order; null if there are none. A ContactChannel's contact and
 * channel never change, so this lookup is safe before the lock.
 */
export async function findContactChannels(
  ctx: Context,
  input: {
    readonly contactId: string;
    readonly channelId?: string | null | undefined;
    readonly contactChannelId?: string | null | undefined;
  },
): Promise<FoundContactChannels | null> {
  const contactId = fromGlobalId("Contact", input.contactId);
  const channelId = isGiven(input.channelId) ? fromGlobalId("Channel", input.channelId) : undefined;
  const id = isGiven(input.contactChannelId) ? fromGlobalId("ContactChannel", input.contactChannelId) : undefined;
  if (contactId === null || channelId === null || id === null) return null;
  const rows = await ctx.prisma.contactChannel.findMany({
    where: {
      workspaceId: ctx.viewer.workspaceId,
      contactId,
      ...(channelId === undefined ? {} : { channelId }),
      ...(id === undefined ? {} : { id }),
    },
    select: { id: true },
    orderBy: { id: "asc" },
  });
  const [first, ...others] = rows.map((row) => idOf<"ContactChannel">(row.id));
  return first === undefined ? null : { contactId, contactChannels: [first, ...others] };
}

/** Finds a conversation of the viewer's workspace and its ContactChannel; null if there is none. */
export async function findConversation(
  ctx: Context,
  globalId: string,
): Promise<{ readonly contactChannel: ContactChannelId; readonly conversationId: ConversationId } | null> {
  const conversationId = fromGlobalId("Conversation", globalId);
  const row = conversationId === null ? null : await find.conversation(ctx, {}, conversationId);
  return conversationId === null || row === null
    ? null
    : { contactChannel: idOf<"ContactChannel">(row.contactChannelId), conversationId };
}

/** Finds an outbound message of the viewer's workspace and its ContactChannel; null if there is none. */
export async function findOutboundMessage(
  ctx: Context,
  globalId: string,
): Promise<{ readonly contactChannel: ContactChannelId; readonly messageId: MessageId } | null> {
  const messageId = fromGlobalId("Message", globalId);
  const row = messageId === null ? null : await find.message(ctx, {}, messageId);
  return messageId === null || row?.direction !== "OUTBOUND"
    ? null
    : { contactChannel: idOf<"ContactChannel">(row.contactChannelId), messageId };
}

/** Finds a channel of the viewer's workspace; null if there is none. May be up to a second old. */
export async function findChannel(ctx: Context, globalId: string): Promise<ChannelRecord | null> {
  const id = fromGlobalId("Channel", globalId);
  const channel = id === null ? null : await ctx.services.directory.channel(id);
  return channel?.workspaceId === ctx.viewer.workspaceId ? channel : null;
}

/** Finds an agent of the viewer's workspace; null if there is none or the agent was removed. */
export async function findAgent(ctx: Context, globalId: string): ReturnType<Directory["agent"]> {
  const id = fromGlobalId("Agent", globalId);
  const agent = id === null ? null : await ctx.services.directory.agent(id);
  return agent?.workspaceId === ctx.viewer.workspaceId ? agent : null;
}

export function isGiven<Value>(value: Value | null | undefined): value is Value {
  return value !== null && value !== undefined;
}
