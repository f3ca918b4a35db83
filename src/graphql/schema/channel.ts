import { toGlobalId } from "../../domain/global-id.ts";
import { demand } from "../resolve/context.ts";
import { builder } from "./builder.ts";
import { ChannelKind } from "./enums.ts";
import { Node } from "./node.ts";

export const Channel = builder.prismaObject("Channel", {
  description: "A connected place where contacts write. Its id is also the `:channelId` of webhook and chat addresses.",
  interfaces: [Node],
  // Named columns only, so that its secret does not even leave the database.
  select: { id: true },
  fields: (t) => ({
    id: t.id({ resolve: (channel) => toGlobalId("Channel", channel.id) }),
    name: t.exposeString("name"),
    kind: t.expose("kind", { type: ChannelKind }),
  }),
});

builder.queryField("channels", (t) =>
  t.prismaField({
    description: "All channels, by name.",
    type: [Channel],
    resolve: (query, _root, _args, ctx) => {
      demand(ctx, "READ");
      return ctx.prisma.channel.findMany({
        ...query,
        where: { workspaceId: ctx.viewer.workspaceId },
        orderBy: [{ name: "asc" }, { id: "asc" }],
      });
    },
  }),
);
