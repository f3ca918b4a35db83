import { permissionFor } from "../../auth/permission.ts";
import { type BlockPreview as Preview, previewBlock } from "../../domain/preview-block.ts";
import { loadContactChannels } from "../../store/contact-channels.ts";
import { requestError } from "../errors.ts";
import { requirePermission } from "../resolve/context.ts";
import { findContactChannels } from "../resolve/lookup.ts";
import { builder } from "./builder.ts";
import { CappedCount } from "./capped-count.ts";
import { ContactChannel } from "./contact-channel.ts";
import { Conversation } from "./conversation.ts";

const BlockPreview = builder.objectRef<Preview>("BlockPreview").implement({
  description: "What `blockContact` would do now. Nothing is reserved: it may do something else later.",
  fields: (t) => ({
    contactChannels: t.prismaField({
      description: "The ContactChannels that would be blocked, oldest first. Those already blocked are left out.",
      type: [ContactChannel],
      resolve: (query, { contactChannelIds }, _args, ctx) =>
        ctx.prisma.contactChannel.findMany({
          ...query,
          where: { id: { in: [...contactChannelIds] }, workspaceId: ctx.viewer.workspaceId },
          orderBy: [{ createdAt: "asc" }, { id: "asc" }],
        }),
    }),
    endingConversations: t.prismaField({
      description: "The ongoing conversations that would end, newest first.",
      type: [Conversation],
      resolve: (query, { endingConversationIds }, _args, ctx) =>
        ctx.prisma.conversation.findMany({
          ...query,
          where: { id: { in: [...endingConversationIds] }, workspaceId: ctx.viewer.workspaceId },
          orderBy: [{ startedAt: "desc" }, { id: "desc" }],
        }),
    }),
    cancelingMessages: t.expose("cancelingMessages", {
      type: CappedCount,
      description: "Number of `QUEUED` messages that would be canceled.",
    }),
    droppingOffers: t.exposeInt("droppingOffers", {
      description: "Number of offers to agents that would be withdrawn.",
    }),
    droppingBotSessions: t.exposeInt("droppingBotSessions", {
      description: "Number of chatbot sessions that would end.",
    }),
  }),
});

builder.queryField("previewBlock", (t) =>
  t.field({
    description:
      "What `blockContact` would do with the same ids, decided in the same way; nothing is changed. Requires the permissions `READ` and `BLOCK`; null without them. If nothing matches the ids, it is null with the error `NOT_FOUND`.",
    type: BlockPreview,
    // Nullable, so that a viewer who may not block gets the rest of the query.
    nullable: true,
    args: {
      contactId: t.arg.id({ required: true }),
      channelId: t.arg.id(),
      contactChannelId: t.arg.id(),
    },
    resolve: async (_root, args, ctx) => {
      requirePermission(ctx, "READ");
      requirePermission(ctx, permissionFor.Block);
      const found = await findContactChannels(ctx, args);
      if (found === null) {
        throw requestError(
          "NOT_FOUND",
          "No contact in this workspace matches contactId, channelId and contactChannelId.",
        );
      }
      const ids = found.contactChannels;
      const states = await ctx.services.database.transaction((tx) =>
        loadContactChannels(tx, ids, { all: ids, first: [] }),
      );
      return previewBlock(states, ctx.viewer.actor, ctx.now.getTime());
    },
  }),
);
