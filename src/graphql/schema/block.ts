import { system } from "../../domain/actor.ts";
import { fromGlobalId, parseGlobalId, toGlobalId } from "../../domain/global-id.ts";
import { toActor } from "../../store/actor-columns.ts";
import type { ActorType, Block as BlockRow, Prisma } from "../../store/generated/client.ts";
import { requirePermission } from "../resolve/context.ts";
import { isGiven } from "../resolve/lookup.ts";
import { byBlockedAt, pageOf, SORT_KEY, sortKey } from "../resolve/paging.ts";
import { nodeSelection } from "../resolve/rows.ts";
import { containsText, inForceAt, notInForceAt } from "../resolve/where.ts";
import { Actor, brandActor } from "./actor.ts";
import { builder } from "./builder.ts";
import { ContactChannel } from "./contact-channel.ts";
import { Node } from "./node.ts";

export const Block = builder.prismaObject("Block", {
  description:
    "One episode of blocking a ContactChannel. Blocks are never deleted; at most one per ContactChannel is in force.",
  interfaces: [Node],
  select: { id: true, blockedAt: true },
  fields: (t) => ({
    id: t.id({ resolve: (block) => toGlobalId("Block", block.id) }),
    contactChannel: t.relation("contactChannel"),
    notes: t.exposeString("notes", { nullable: true, description: "The reason for the block." }),
    blockedAt: t.expose("blockedAt", { type: "DateTime" }),
    blockedBy: t.field({
      type: Actor,
      select: { blockedByType: true, blockedById: true },
      resolve: async ({ blockedByType, blockedById }, _args, ctx) =>
        brandActor(await ctx.actors.load(toActor({ type: blockedByType, id: blockedById }))),
    }),
    sortKey: t.string({ description: SORT_KEY, resolve: ({ blockedAt, id }) => sortKey(blockedAt, id) }),
    expiresAt: t.expose("expiresAt", {
      type: "DateTime",
      nullable: true,
      description: "When the block expires. Null if it lasts until it is lifted.",
    }),
    active: t.boolean({
      description: "Whether the block is in force.",
      select: { liftedAt: true, expiresAt: true },
      resolve: (block, _args, ctx) => endOf(block, ctx.now) === null,
    }),
    liftedAt: t.field({
      type: "DateTime",
      nullable: true,
      description: "When the block was lifted, or `expiresAt` if it expired. Null while it is in force.",
      select: { liftedAt: true, expiresAt: true },
      resolve: (block, _args, ctx) => endOf(block, ctx.now),
    }),
    liftedBy: t.field({
      type: Actor,
      nullable: true,
      select: { liftedAt: true, liftedByType: true, liftedById: true, expiresAt: true },
      resolve: async (block, _args, ctx) => {
        if (endOf(block, ctx.now) === null) return null;
        const { liftedByType, liftedById } = block;
        return brandActor(
          await ctx.actors.load(liftedByType === null ? system : toActor({ type: liftedByType, id: liftedById })),
        );
      },
    }),
    liftNotes: t.exposeString("liftNotes", { nullable: true }),
    endedConversations: t.relation("endedConversations", {
      description: "The conversations that this block ended.",
      query: { orderBy: [{ startedAt: "desc" }, { id: "desc" }] },
    }),
    suppressedMessageCount: t.exposeInt("suppressedCount", {
      description:
        "Number of messages, events excluded, received while blocked during this episode. They triggered nothing.",
    }),
  }),
});

/** When the block ended; null while in force. An expiry takes effect on time, even before it is recorded (rule B8). */
function endOf({ liftedAt, expiresAt }: Pick<BlockRow, "liftedAt" | "expiresAt">, now: Date): Date | null {
  return liftedAt ?? (expiresAt !== null && expiresAt <= now ? expiresAt : null);
}

builder.prismaObjectField(ContactChannel, "activeBlock", (t) =>
  t.field({
    description: "The block in force, if any.",
    type: Block,
    nullable: true,
    select: (_args, ctx, nested) => ({ blocks: nested({ where: inForceAt(ctx.now), take: 1 }) }),
    resolve: ({ blocks }) => blocks.at(0) ?? null,
  }),
);

builder.prismaObjectField(ContactChannel, "blockHistory", (t) =>
  t.connection({
    description: "All blocks of this ContactChannel, newest first.",
    type: Block,
    select: (args, _ctx, nested) => ({ blocks: nested(pageOf(byBlockedAt, args).query, ["edges", "node"]) }),
    resolve: ({ blocks }, args) => pageOf(byBlockedAt, args).connection(blocks),
  }),
);

const BlockFilter = builder.inputType("BlockFilter", {
  description: "Conditions are combined with AND.",
  fields: (t) => ({
    active: t.boolean({ description: "True selects blocks in force, false selects ended blocks." }),
    channelId: t.id(),
    contactId: t.id(),
    blockedById: t.id({ description: "The id of an `Agent` or an `ApiKey`." }),
    search: t.string({ description: "Case-insensitive substring of the notes." }),
  }),
});

builder.queryField("blocks", (t) =>
  t.connection({
    description: "Blocks, newest first.",
    type: Block,
    args: { filter: t.arg({ type: BlockFilter }) },
    resolve: async (_root, { filter, ...args }, ctx, info) => {
      requirePermission(ctx, "READ");
      const page = pageOf(byBlockedAt, args);
      const conditions = toWhere(filter ?? {}, ctx.now);
      if (conditions === null) return page.connection([]);
      const rows = await ctx.prisma.block.findMany({
        ...nodeSelection(ctx, info),
        ...page.query,
        where: { AND: [...page.query.where.AND, conditions], workspaceId: ctx.viewer.workspaceId },
      });
      return page.connection(rows);
    },
  }),
);

/** Null if an id is malformed or of another type, so that nothing can match. */
function toWhere(filter: typeof BlockFilter.$inferInput, now: Date): Prisma.BlockWhereInput | null {
  const channelId = isGiven(filter.channelId) ? fromGlobalId("Channel", filter.channelId) : undefined;
  const contactId = isGiven(filter.contactId) ? fromGlobalId("Contact", filter.contactId) : undefined;
  const blockedBy = isGiven(filter.blockedById) ? blockedByColumns(filter.blockedById) : undefined;
  if (channelId === null || contactId === null || blockedBy === null) return null;
  return {
    ...(filter.active === null || filter.active === undefined
      ? {}
      : filter.active
        ? inForceAt(now)
        : notInForceAt(now)),
    ...(channelId === undefined && contactId === undefined
      ? {}
      : {
          contactChannel: {
            ...(channelId === undefined ? {} : { channelId }),
            ...(contactId === undefined ? {} : { contactId }),
          },
        }),
    ...(blockedBy === undefined ? {} : blockedBy),
    ...(filter.search ? { notes: containsText(filter.search) } : {}),
  };
}

function blockedByColumns(globalId: string): { blockedByType: ActorType; blockedById: string } | null {
  const node = parseGlobalId(globalId);
  if (node?.type !== "Agent" && node?.type !== "ApiKey") return null;
  return { blockedByType: node.type, blockedById: node.id };
}
