import { toGlobalId } from "../../domain/global-id.ts";
import { hasPermission, requirePermission } from "../resolve/context.ts";
import { builder } from "./builder.ts";
import { ChannelKind } from "./enums.ts";
import { Node } from "./node.ts";

export const Channel = builder.prismaObject("Channel", {
  description:
    "A connected channel on which contacts write. Its id is also the `:channelId` in webhook and web chat URLs.",
  interfaces: [Node],
  // Columns are selected explicitly so that the sealed secrets are loaded only for the fields about them.
  select: { id: true },
  fields: (t) => ({
    id: t.id({ resolve: (channel) => toGlobalId("Channel", channel.id) }),
    name: t.exposeString("name"),
    kind: t.expose("kind", { type: ChannelKind }),
    webhookUrl: t.string({
      nullable: true,
      description:
        "The URL to enter at LINE as the webhook. Null for other kinds, or if the server does not know its own URL (setting `PUBLIC_URL`).",
      select: { kind: true },
      resolve: ({ id, kind }, _args, { services: { publicUrl } }) =>
        kind === "LINE" && publicUrl !== null ? `${publicUrl}/webhooks/line/${toGlobalId("Channel", id)}` : null,
    }),
    hasChannelSecret: t.boolean({
      description: "Whether a channel secret is set. Secrets are written and never returned.",
      select: { secret: true },
      resolve: ({ secret }) => secret !== null,
    }),
    hasAccessToken: t.boolean({
      description: "Whether a channel access token is set.",
      select: { accessToken: true },
      resolve: ({ accessToken }) => accessToken !== null,
    }),
    hasDeliverySecret: t.boolean({
      description: "Whether there is a secret that signs deliveries to a `deliveryUrl`.",
      select: { deliverySecret: true },
      resolve: ({ deliverySecret }) => deliverySecret !== null,
    }),
    fault: t.string({
      nullable: true,
      description:
        "Why the channel does not work, for people to read: a secret that cannot be decrypted, or credentials that the provider refuses, in which case its messages wait. Null if no fault is known.",
      select: { secret: true, accessToken: true, deliverySecret: true, sendFault: true },
      resolve: (channel, _args, { services }) => services.secrets.open(channel).fault ?? channel.sendFault,
    }),
    showLoading: t.boolean({
      nullable: true,
      description:
        "`LINE`: whether contacts see that an agent or a chatbot writes. Null for other kinds, and without the permission `ADMINISTER`.",
      select: { kind: true, showsLoading: true },
      resolve: ({ kind, showsLoading }, _args, ctx) =>
        kind === "LINE" && hasPermission(ctx, "ADMINISTER") ? showsLoading : null,
    }),
    markAsRead: t.boolean({
      nullable: true,
      description:
        "`LINE`: whether contacts see that their messages were read. Null for other kinds, and without the permission `ADMINISTER`.",
      select: { kind: true, marksRead: true },
      resolve: ({ kind, marksRead }, _args, ctx) =>
        kind === "LINE" && hasPermission(ctx, "ADMINISTER") ? marksRead : null,
    }),
    allowedOrigins: t.stringList({
      nullable: true,
      description:
        "`WEB_CHAT`: the origins whose pages may embed the chat. Null for other kinds, and without the permission `ADMINISTER`.",
      select: { kind: true, allowedOrigins: true },
      resolve: ({ kind, allowedOrigins }, _args, ctx) =>
        kind === "WEB_CHAT" && hasPermission(ctx, "ADMINISTER") ? allowedOrigins : null,
    }),
    deliveryUrl: t.string({
      nullable: true,
      description:
        "`CUSTOM`: where messages to contacts are delivered. Null if there is none, and without the permission `ADMINISTER`.",
      select: { deliveryUrl: true },
      resolve: ({ deliveryUrl }, _args, ctx) => (hasPermission(ctx, "ADMINISTER") ? deliveryUrl : null),
    }),
    archivedAt: t.expose("archivedAt", {
      type: "DateTime",
      nullable: true,
      description: "When the channel was archived. An archived channel still records what contacts send.",
    }),
  }),
});

builder.queryField("channels", (t) =>
  t.prismaField({
    description: "All channels of the workspace, archived ones included, ordered by name, then id.",
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
