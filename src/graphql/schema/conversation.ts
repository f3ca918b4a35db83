import { ongoingStatuses } from "../../domain/conversation.ts";
import { fromGlobalId, toGlobalId } from "../../domain/global-id.ts";
import { toActor } from "../../store/actor-columns.ts";
import type { Prisma } from "../../store/generated/client.ts";
import { demand } from "../resolve/context.ts";
import { isGiven } from "../resolve/lookup.ts";
import { byActivity, bySeq, pageOf } from "../resolve/paging.ts";
import { find, rowsOf } from "../resolve/rows.ts";
import { selectInForce } from "../resolve/where.ts";
import { Actor, present } from "./actor.ts";
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
      description: "Whether a block ended it, or the contact is blocked on its channel now.",
      select: (_args, ctx) => ({ status: true, contactChannel: { select: { blocks: selectInForce(ctx.now) } } }),
      resolve: ({ status, contactChannel }) => status === "BLOCKED" || contactChannel.blocks.length > 0,
    }),
    assignee: t.relation("assignee", { nullable: true }),
    offeredTo: t.relation("offeredTo", { nullable: true, description: "Who may accept it, while it is `ASSIGNING`." }),
    startedAt: t.expose("startedAt", { type: "DateTime" }),
    endedAt: t.expose("endedAt", { type: "DateTime", nullable: true }),
    endedBy: t.field({
      type: Actor,
      nullable: true,
      select: { endedByType: true, endedById: true },
      resolve: async ({ endedByType, endedById }, _args, ctx) =>
        endedByType === null ? null : present(await ctx.actors.load(toActor({ type: endedByType, id: endedById }))),
    }),
    endReason: t.expose("endReason", { type: ConversationEndReason, nullable: true }),
    statusBeforeEnd: t.expose("statusBeforeEnd", { type: ConversationStatus, nullable: true }),
    lastActivityAt: t.expose("lastActivityAt", {
      type: "DateTime",
      description: "Its place in lists; what comes in while blocked does not move it.",
    }),
    messages: t.connection({
      description: "Oldest first. `last`/`before` page back from the newest.",
      type: Message,
      select: (args, _ctx, nested) => ({ messages: nested(pageOf(bySeq, args).query, ["edges", "node"]) }),
      resolve: ({ messages }, args) => pageOf(bySeq, args).connection(messages),
    }),
  }),
});

builder.prismaObjectField(Contact, "conversations", (t) =>
  t.connection({
    description: "By last activity, newest first, over all channels.",
    type: Conversation,
    select: (args, _ctx, nested) => ({ conversations: nested(pageOf(byActivity, args).query, ["edges", "node"]) }),
    resolve: ({ conversations }, args) => pageOf(byActivity, args).connection(conversations),
  }),
);

builder.prismaObjectField(ContactChannel, "currentConversation", (t) =>
  t.field({
    description: "The ongoing one, if any.",
    type: Conversation,
    nullable: true,
    select: (_args, _ctx, nested) => ({
      conversations: nested({ where: { status: { in: [...ongoingStatuses] } }, take: 1 }),
    }),
    resolve: ({ conversations }) => conversations.at(0) ?? null,
  }),
);

const ConversationFilter = builder.inputType("ConversationFilter", {
  description: "All that is given must hold.",
  fields: (t) => ({
    status: t.field({ type: [ConversationStatus], description: "Any of these." }),
    channelId: t.id(),
    contactId: t.id(),
    assigneeId: t.id({ description: "Whose it is." }),
  }),
});

builder.queryField("conversation", (t) =>
  t.prismaField({
    description: "A conversation by id; null if there is none here.",
    type: Conversation,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (query, _root, args, ctx) => {
      demand(ctx, "READ");
      const id = fromGlobalId("Conversation", args.id);
      return id === null ? null : find.conversation(ctx, query, id);
    },
  }),
);

builder.queryField("conversations", (t) =>
  t.connection({
    description: "Conversations by last activity, newest first.",
    type: Conversation,
    args: { filter: t.arg({ type: ConversationFilter }) },
    resolve: async (_root, { filter, ...args }, ctx, info) => {
      demand(ctx, "READ");
      const page = pageOf(byActivity, args);
      const wanted = filterOf(filter ?? {});
      if (wanted === null) return page.connection([]);
      const rows = await ctx.prisma.conversation.findMany({
        ...rowsOf(ctx, info),
        ...page.query,
        where: { ...page.query.where, ...wanted, workspaceId: ctx.viewer.workspaceId },
      });
      return page.connection(rows);
    },
  }),
);

/** Null where nothing can match. */
function filterOf(filter: typeof ConversationFilter.$inferInput): Prisma.ConversationWhereInput | null {
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
