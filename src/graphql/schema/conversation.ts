import { ongoingStatuses } from "../../domain/conversation.ts";
import { fromGlobalId, toGlobalId } from "../../domain/global-id.ts";
import { toActor } from "../../store/actor-columns.ts";
import type { Prisma } from "../../store/generated/client.ts";
import { requirePermission } from "../resolve/context.ts";
import { isGiven } from "../resolve/lookup.ts";
import { byActivity, bySeq, pageOf } from "../resolve/paging.ts";
import { find, nodeSelection } from "../resolve/rows.ts";
import { selectInForce } from "../resolve/where.ts";
import { Actor, brandActor } from "./actor.ts";
import { builder } from "./builder.ts";
import { Contact } from "./contact.ts";
import { ContactChannel } from "./contact-channel.ts";
import { ConversationEndReason, ConversationStatus } from "./enums.ts";
import { Message } from "./message.ts";
import { Node } from "./node.ts";

export const Conversation = builder.prismaObject("Conversation", {
  description: "One bounded exchange with a contact on one channel.",
  interfaces: [Node],
  select: { id: true, lastActivityAt: true },
  fields: (t) => ({
    id: t.id({ resolve: (conversation) => toGlobalId("Conversation", conversation.id) }),
    contact: t.relation("contact"),
    contactChannel: t.relation("contactChannel"),
    channel: t.relation("channel"),
    status: t.expose("status", { type: ConversationStatus }),
    blocked: t.boolean({
      description: "True if a block ended the conversation, or if the contact is currently blocked on its channel.",
      select: (_args, ctx) => ({ status: true, contactChannel: { select: { blocks: selectInForce(ctx.now) } } }),
      resolve: ({ status, contactChannel }) => status === "BLOCKED" || contactChannel.blocks.length > 0,
    }),
    assignee: t.relation("assignee", { nullable: true }),
    offeredTo: t.relation("offeredTo", {
      nullable: true,
      description: "The agent who may accept the conversation while it is `ASSIGNING`.",
    }),
    startedAt: t.expose("startedAt", { type: "DateTime" }),
    endedAt: t.expose("endedAt", { type: "DateTime", nullable: true }),
    endedBy: t.field({
      type: Actor,
      nullable: true,
      select: { endedByType: true, endedById: true },
      resolve: async ({ endedByType, endedById }, _args, ctx) =>
        endedByType === null ? null : brandActor(await ctx.actors.load(toActor({ type: endedByType, id: endedById }))),
    }),
    endReason: t.expose("endReason", { type: ConversationEndReason, nullable: true }),
    statusBeforeEnd: t.expose("statusBeforeEnd", { type: ConversationStatus, nullable: true }),
    lastActivityAt: t.expose("lastActivityAt", {
      type: "DateTime",
      description: "The sort key of conversation lists. Events, and messages received while blocked, do not change it.",
    }),
    messages: t.connection({
      description: "Oldest first. Use `last` and `before` to page back from the newest.",
      type: Message,
      select: (args, _ctx, nested) => ({ messages: nested(pageOf(bySeq, args).query, ["edges", "node"]) }),
      resolve: ({ messages }, args) => pageOf(bySeq, args).connection(messages),
    }),
  }),
});

builder.prismaObjectField(Contact, "conversations", (t) =>
  t.connection({
    description: "Conversations on all channels, ordered by last activity, most recent first.",
    type: Conversation,
    select: (args, _ctx, nested) => ({ conversations: nested(pageOf(byActivity, args).query, ["edges", "node"]) }),
    resolve: ({ conversations }, args) => pageOf(byActivity, args).connection(conversations),
  }),
);

/** Selects the ongoing conversation. All fields use this same selection, so that one query serves them all. */
export const selectOngoing = { where: { status: { in: [...ongoingStatuses] } }, take: 1 };

builder.prismaObjectField(ContactChannel, "currentConversation", (t) =>
  t.field({
    description: "The ongoing conversation, if any.",
    type: Conversation,
    nullable: true,
    select: (_args, _ctx, nested) => ({ conversations: nested(selectOngoing) }),
    resolve: ({ conversations }) => conversations.at(0) ?? null,
  }),
);

const ConversationFilter = builder.inputType("ConversationFilter", {
  description: "Conditions are combined with AND.",
  fields: (t) => ({
    status: t.field({ type: [ConversationStatus], description: "Any of these statuses." }),
    channelId: t.id(),
    contactId: t.id(),
    assigneeId: t.id({ description: "The assigned agent." }),
  }),
});

builder.queryField("conversation", (t) =>
  t.prismaField({
    description: "The conversation with this id; null if there is none in this workspace.",
    type: Conversation,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (query, _root, args, ctx) => {
      requirePermission(ctx, "READ");
      const id = fromGlobalId("Conversation", args.id);
      return id === null ? null : find.conversation(ctx, query, id);
    },
  }),
);

builder.queryField("conversations", (t) =>
  t.connection({
    description: "Conversations ordered by last activity, most recent first.",
    type: Conversation,
    args: { filter: t.arg({ type: ConversationFilter }) },
    resolve: async (_root, { filter, ...args }, ctx, info) => {
      requirePermission(ctx, "READ");
      const page = pageOf(byActivity, args);
      const conditions = toWhere(filter ?? {});
      if (conditions === null) return page.connection([]);
      const rows = await ctx.prisma.conversation.findMany({
        ...nodeSelection(ctx, info),
        ...page.query,
        where: { ...page.query.where, ...conditions, workspaceId: ctx.viewer.workspaceId },
      });
      return page.connection(rows);
    },
  }),
);

/** Null if an id is malformed or of another type, so that nothing can match. */
function toWhere(filter: typeof ConversationFilter.$inferInput): Prisma.ConversationWhereInput | null {
  const channelId = isGiven(filter.channelId) ? fromGlobalId("Channel", filter.channelId) : undefined;
  const contactId = isGiven(filter.contactId) ? fromGlobalId("Contact", filter.contactId) : undefined;
  const assigneeId = isGiven(filter.assigneeId) ? fromGlobalId("Agent", filter.assigneeId) : undefined;
  if (channelId === null || contactId === null || assigneeId === null) return null;
  return {
    ...(filter.status ? { status: { in: [...filter.status] } } : {}),
    ...(channelId === undefined ? {} : { channelId }),
    ...(contactId === undefined ? {} : { contactId }),
    ...(assigneeId === undefined ? {} : { assigneeId }),
  };
}
