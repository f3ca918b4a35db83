import { toGlobalId } from "../../domain/global-id.ts";
import { requirePermission } from "../resolve/context.ts";
import { builder } from "./builder.ts";
import { ChannelKind } from "./enums.ts";
import { Node } from "./node.ts";

export const Channel = builder.prismaObject("Channel", {
  description:
    "A connected channel on which contacts write. Its id is also the `:channelId` in webhook and web chat URLs.",
  interfaces: [Node],
  // Columns are selected explicitly so that the channel secret is never loaded.
  select: { id: true },
  fields: (t) => ({
    id: t.id({ resolve: (channel) => toGlobalId("Channel", channel.id) }),
    name: t.exposeString("name"),
    kind: t.expose("kind", { type: ChannelKind }),
  }),
});

builder.queryField("channels", (t) =>
  t.prismaField({
    description: "All channels of the workspace, ordered by name.",
    type: [Channel],
    resolve: (query, _root, _args, ctx) => {
      requirePermission(ctx, "READ");
      return ctx.prisma.channel.findMany({
        ...query,
        where: { workspaceId: ctx.viewer.workspaceId },
        orderBy: [{ name: "asc" }, { id: "asc" }],
      });
    },
  }),
);
