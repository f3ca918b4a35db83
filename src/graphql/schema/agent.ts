import { toGlobalId } from "../../domain/global-id.ts";
import { requirePermission } from "../resolve/context.ts";
import { builder } from "./builder.ts";
import { Role } from "./enums.ts";
import { Node } from "./node.ts";

export const Agent = builder.prismaObject("Agent", {
  description: "A person who works at the help desk.",
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: (agent) => toGlobalId("Agent", agent.id) }),
    name: t.exposeString("name", { nullable: true }),
    email: t.exposeString("email"),
    role: t.expose("role", { type: Role }),
  }),
});

builder.queryField("agents", (t) =>
  t.prismaField({
    description: "The agents of the workspace, ordered by name. Removed agents are not listed.",
    type: ["Agent"],
    resolve: (query, _root, _args, ctx) => {
      requirePermission(ctx, "READ");
      return ctx.prisma.agent.findMany({
        ...query,
        where: { workspaceId: ctx.viewer.workspaceId, removedAt: null },
        orderBy: [{ name: "asc" }, { id: "asc" }],
      });
    },
  }),
);
