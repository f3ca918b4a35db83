import { queryFromInfo } from "@pothos/plugin-prisma";
import type { GraphQLResolveInfo } from "graphql";
import type { Context } from "./context.ts";

/** Rows by id, of the viewer's own workspace only: every read of one thing goes this way. `query` is what to load of it. */
export const find = {
  agent: (ctx: Context, query: object, id: string) => ctx.prisma.agent.findFirst({ ...query, ...here(ctx, id) }),
  apiKey: (ctx: Context, query: object, id: string) => ctx.prisma.apiKey.findFirst({ ...query, ...here(ctx, id) }),
  block: (ctx: Context, query: object, id: string) => ctx.prisma.block.findFirst({ ...query, ...here(ctx, id) }),
  channel: (ctx: Context, query: object, id: string) => ctx.prisma.channel.findFirst({ ...query, ...here(ctx, id) }),
  contact: (ctx: Context, query: object, id: string) => ctx.prisma.contact.findFirst({ ...query, ...here(ctx, id) }),
  contactChannel: (ctx: Context, query: object, id: string) =>
    ctx.prisma.contactChannel.findFirst({ ...query, ...here(ctx, id) }),
  conversation: (ctx: Context, query: object, id: string) =>
    ctx.prisma.conversation.findFirst({ ...query, ...here(ctx, id) }),
  flow: (ctx: Context, query: object, id: string) => ctx.prisma.flow.findFirst({ ...query, ...here(ctx, id) }),
  message: (ctx: Context, query: object, id: string) => ctx.prisma.message.findFirst({ ...query, ...here(ctx, id) }),
  workspace: (ctx: Context, query: object, id: string) =>
    ctx.prisma.workspace.findFirst({ ...query, where: { AND: [{ id }, { id: ctx.viewer.workspaceId }] } }),
};

/** A row that is known to be there, because we have just written it or because rows of its kind are never deleted. */
export async function existing<Row>(row: Promise<Row | null>): Promise<Row> {
  const found = await row;
  if (found === null) throw new Error("A row that must be there is not.");
  return found;
}

function here({ viewer }: Context, id: string) {
  return { where: { id, workspaceId: viewer.workspaceId } };
}

/** What a field that is a connection has to load of its rows, to be spread into the call that finds them. */
export function rowsOf(context: Context, info: GraphQLResolveInfo): object {
  return queryFromInfo({ context, info, path: ["edges", "node"] });
}

/** What has to be loaded of the one row that a field answers, taken as this type. */
export function rowOf(context: Context, info: GraphQLResolveInfo, typeName: string): object {
  return queryFromInfo({ context, info, typeName });
}
