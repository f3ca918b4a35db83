import { fromGlobalId } from "../../domain/global-id.ts";
import { type ContactChannelId, type ContactId, type ConversationId, idOf } from "../../domain/id.ts";
import type { Directory } from "../../store/directory.ts";
import type { Context } from "./context.ts";
import { find } from "./rows.ts";

/** The presences of a contact that an input names; null if there are none (rule B2). */
export interface Presences {
  readonly contactId: ContactId;
  readonly targets: readonly [ContactChannelId, ...ContactChannelId[]];
}

/** Which contact and channel a presence belongs to never changes, so looking it up before the lock is safe. */
export async function findPresences(
  ctx: Context,
  input: {
    readonly contactId: string;
    readonly channelId?: string | null | undefined;
    readonly contactChannelId?: string | null | undefined;
  },
): Promise<Presences | null> {
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
  return first === undefined ? null : { contactId, targets: [first, ...others] };
}

/** A conversation, and where commands about it go; null if there is none here. */
export async function findConversation(
  ctx: Context,
  globalId: string,
): Promise<{ readonly target: ContactChannelId; readonly conversationId: ConversationId } | null> {
  const conversationId = fromGlobalId("Conversation", globalId);
  const row = conversationId === null ? null : await find.conversation(ctx, {}, conversationId);
  return conversationId === null || row === null
    ? null
    : { target: idOf<"ContactChannel">(row.contactChannelId), conversationId };
}

/** An agent who works here now. */
export async function findAgent(ctx: Context, globalId: string): ReturnType<Directory["agent"]> {
  const id = fromGlobalId("Agent", globalId);
  const agent = id === null ? null : await ctx.services.directory.agent(id);
  return agent?.workspaceId === ctx.viewer.workspaceId ? agent : null;
}

export function isGiven<Value>(value: Value | null | undefined): value is Value {
  return value !== null && value !== undefined;
}
