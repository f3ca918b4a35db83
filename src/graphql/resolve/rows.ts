import { queryFromInfo } from "@pothos/plugin-prisma";
import type { GraphQLResolveInfo } from "graphql";
import type { Context } from "./context.ts";

/**
 * Finds a row by id in the viewer's workspace. All reads of single rows use this. `query` is the Prisma selection. Prisma
 * reads those with the same selection that are wanted at the same moment, as by the items of a list, in one statement.
 */
export const find = {
  agent: (ctx: Context, query: object, id: string) =>
    ctx.prisma.agent.findUnique({ ...query, ...inWorkspace(ctx, id) }),
  apiKey: (ctx: Context, query: object, id: string) =>
    ctx.prisma.apiKey.findUnique({ ...query, ...inWorkspace(ctx, id) }),
  auditLogEntry: (ctx: Context, query: object, id: string) =>
    ctx.prisma.auditLogEntry.findUnique({ ...query, ...inWorkspace(ctx, id) }),
  block: (ctx: Context, query: object, id: string) =>
    ctx.prisma.block.findUnique({ ...query, ...inWorkspace(ctx, id) }),
  channel: (ctx: Context, query: object, id: string) =>
    ctx.prisma.channel.findUnique({ ...query, ...inWorkspace(ctx, id) }),
  contact: (ctx: Context, query: object, id: string) =>
    ctx.prisma.contact.findUnique({ ...query, ...inWorkspace(ctx, id) }),
  contactChannel: (ctx: Context, query: object, id: string) =>
    ctx.prisma.contactChannel.findUnique({ ...query, ...inWorkspace(ctx, id) }),
  conversation: (ctx: Context, query: object, id: string) =>
    ctx.prisma.conversation.findUnique({ ...query, ...inWorkspace(ctx, id) }),
  flow: (ctx: Context, query: object, id: string) => ctx.prisma.flow.findUnique({ ...query, ...inWorkspace(ctx, id) }),
  message: (ctx: Context, query: object, id: string) =>
    ctx.prisma.message.findUnique({ ...query, ...inWorkspace(ctx, id) }),
  workspace: (ctx: Context, query: object, id: string) =>
    ctx.prisma.workspace.findFirst({ ...query, where: { AND: [{ id }, { id: ctx.viewer.workspaceId }] } }),
};

/** Unwraps a row that must exist, because it was just written or because such rows are never deleted. */
export async function existing<Row>(row: Promise<Row | null>): Promise<Row> {
  const found = await row;
  if (found === null) throw new Error("A row that must exist was not found.");
  return found;
}

function inWorkspace({ viewer }: Context, id: string) {
  return { where: { id, workspaceId: viewer.workspaceId } };
}

/** The Prisma selection for the nodes of a connection field, to spread into `findMany`. */
export function nodeSelection(context: Context, info: GraphQLResolveInfo): object {
  return queryFromInfo({ context, info, path: ["edges", "node"] });
}

/** The Prisma selection for a field that returns one row, read as the schema type `typeName`. */
export function rowSelection(context: Context, info: GraphQLResolveInfo, typeName: string): object {
  return queryFromInfo({ context, info, typeName });
}
