import { toGlobalId } from "../../domain/global-id.ts";
import { selectInForce } from "../resolve/where.ts";
import { builder } from "./builder.ts";
import { ContactStatus } from "./enums.ts";
import { Node } from "./node.ts";

export const ContactChannel = builder.prismaObject("ContactChannel", {
  description: "A contact's identity on one channel. A block applies to one ContactChannel.",
  interfaces: [Node],
  select: { id: true },
  fields: (t) => ({
    id: t.id({ resolve: (contactChannel) => toGlobalId("ContactChannel", contactChannel.id) }),
    contact: t.relation("contact"),
    channel: t.relation("channel"),
    externalId: t.exposeString("externalId", { description: "The contact's id at the channel's provider." }),
    displayName: t.exposeString("displayName", {
      nullable: true,
      description: "The contact's display name on this channel.",
    }),
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
        "Whether messages can reach the contact. False after the contact unfollowed or blocked us; independent of `blocked`.",
    }),
    createdAt: t.expose("createdAt", { type: "DateTime" }),
  }),
});
