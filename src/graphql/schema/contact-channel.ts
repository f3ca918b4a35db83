import { toGlobalId } from "../../domain/global-id.ts";
import { selectInForce } from "../resolve/where.ts";
import { builder } from "./builder.ts";
import { ContactStatus } from "./enums.ts";
import { Node } from "./node.ts";

export const ContactChannel = builder.prismaObject("ContactChannel", {
  description: "A contact's presence on one channel: the unit that is blocked.",
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    id: t.id({ resolve: (contactChannel) => toGlobalId("ContactChannel", contactChannel.id) }),
    contact: t.relation("contact"),
    channel: t.relation("channel"),
    externalId: t.exposeString("externalId", { description: "Who they are to the channel's provider." }),
    displayName: t.exposeString("displayName", { nullable: true, description: "The name they go by on this channel." }),
    status: t.field({
      type: ContactStatus,
      select: (_args, ctx) => ({ blocks: selectInForce(ctx.now) }),
      resolve: ({ blocks }) => (blocks.length > 0 ? "BLOCKED" : "ACTIVE"),
    }),
    blocked: t.boolean({
      description: "Whether `status` is `BLOCKED`.",
      select: (_args, ctx) => ({ blocks: selectInForce(ctx.now) }),
      resolve: ({ blocks }) => blocks.length > 0,
    }),
    reachable: t.exposeBoolean("reachable", {
      description:
        "Whether the contact can be reached: false after they unfollowed or blocked us, which is another thing than our block.",
    }),
    createdAt: t.expose("createdAt", { type: "DateTime" }),
  }),
});
