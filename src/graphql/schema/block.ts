import { system } from "../../domain/actor.ts";
import { fromGlobalId, parseGlobalId, toGlobalId } from "../../domain/global-id.ts";
import { toActor } from "../../store/actor-columns.ts";
import type { ActorType, Block as BlockRow, Prisma } from "../../store/generated/client.ts";
import { demand } from "../resolve/context.ts";
import { isGiven } from "../resolve/lookup.ts";
import { byBlockedAt, pageOf } from "../resolve/paging.ts";
import { rowsOf } from "../resolve/rows.ts";
import { anyPart, inForceAt, overAt } from "../resolve/where.ts";
import { Actor, present } from "./actor.ts";
import { builder } from "./builder.ts";
import { ContactChannel } from "./contact-channel.ts";
import { Node } from "./node.ts";

export const Block = builder.prismaObject("Block", {
  description: "One episode of blocking. Episodes are history: they are never deleted, and at most one is in force.",
  interfaces: [Node],
  select: { id: true, blockedAt: true },
  fields: (t) => ({
    id: t.id({ resolve: (block) => toGlobalId("Block", block.id) }),
    contactChannel: t.relation("contactChannel"),
    notes: t.exposeString("notes", { nullable: true, description: "Why, in an agent's words." }),
    blockedAt: t.expose("blockedAt", { type: "DateTime" }),
    blockedBy: t.field({
      type: Actor,
      select: { blockedByType: true, blockedById: true },
      resolve: async ({ blockedByType, blockedById }, _args, ctx) =>
        present(await ctx.actors.load(toActor({ type: blockedByType, id: blockedById }))),
    }),
    expiresAt: t.expose("expiresAt", {
      type: "DateTime",
      nullable: true,
      description: "Null: until somebody lifts it.",
    }),
    active: t.boolean({
      description: "Whether it is in force.",
      select: { liftedAt: true, expiresAt: true },
      resolve: (block, _args, ctx) => endOf(block, ctx.now) === null,
    }),
    liftedAt: t.field({
      type: "DateTime",
      nullable: true,
      description: "When it ended; at `expiresAt`, if nobody lifted it before.",
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
        return present(
          await ctx.actors.load(liftedByType === null ? system : toActor({ type: liftedByType, id: liftedById })),
        );
      },
    }),
    liftNotes: t.exposeString("liftNotes", { nullable: true }),
    endedConversations: t.relation("endedConversations", {
      description: "The conversations that it ended.",
      query: { orderBy: [{ startedAt: "desc" }, { id: "desc" }] },
    }),
    suppressedMessageCount: t.exposeInt("suppressedCount", {
      description: "Messages, not events, that came in for this episode and triggered nothing.",
    }),
  }),
});

/** Rule B8: an expiry counts from its time, also before it is put down. */
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
    description: "All blocks there ever were, newest first.",
    type: Block,
    select: (args, _ctx, nested) => ({ blocks: nested(pageOf(byBlockedAt, args).query, ["edges", "node"]) }),
    resolve: ({ blocks }, args) => pageOf(byBlockedAt, args).connection(blocks),
  }),
);

const BlockFilter = builder.inputType("BlockFilter", {
  description: "All that is given must hold.",
  fields: (t) => ({
    active: t.boolean({ description: "In force, or over." }),
    channelId: t.id(),
    contactId: t.id(),
    blockedById: t.id({ description: "An agent or a key." }),
    search: t.string({ description: "Any part of the notes, whatever the case." }),
  }),
});

builder.queryField("blocks", (t) =>
  t.connection({
    description: "Blocks, newest first.",
    type: Block,
    args: { filter: t.arg({ type: BlockFilter }) },
    resolve: async (_root, { filter, ...args }, ctx, info) => {
      demand(ctx, "READ");
      const page = pageOf(byBlockedAt, args);
      const wanted = filterOf(filter ?? {}, ctx.now);
      if (wanted === null) return page.connection([]);
      const rows = await ctx.prisma.block.findMany({
        ...rowsOf(ctx, info),
        ...page.query,
        where: { AND: [...page.query.where.AND, wanted], workspaceId: ctx.viewer.workspaceId },
      });
      return page.connection(rows);
    },
  }),
);

/** Null where nothing can match. */
function filterOf(filter: typeof BlockFilter.$inferInput, now: Date): Prisma.BlockWhereInput | null {
  const channelId = isGiven(filter.channelId) ? fromGlobalId("Channel", filter.channelId) : undefined;
  const contactId = isGiven(filter.contactId) ? fromGlobalId("Contact", filter.contactId) : undefined;
  const blockedBy = isGiven(filter.blockedById) ? actorOf(filter.blockedById) : undefined;
  if (channelId === null || contactId === null || blockedBy === null) return null;
  return {
    ...(filter.active === null || filter.active === undefined ? {} : filter.active ? inForceAt(now) : overAt(now)),
    ...(channelId === undefined && contactId === undefined
      ? {}
      : {
          contactChannel: {
            ...(channelId === undefined ? {} : { channelId }),
            ...(contactId === undefined ? {} : { contactId }),
          },
        }),
    ...(blockedBy === undefined ? {} : blockedBy),
    ...(filter.search ? { notes: anyPart(filter.search) } : {}),
  };
}

function actorOf(globalId: string): { blockedByType: ActorType; blockedById: string } | null {
  const node = parseGlobalId(globalId);
  if (node?.type !== "Agent" && node?.type !== "ApiKey") return null;
  return { blockedByType: node.type, blockedById: node.id };
}
