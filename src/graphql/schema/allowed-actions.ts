import { permissionFor } from "../../auth/permission.ts";
import {
  allowedContactChannelActions,
  allowedConversationActions,
  type Requester,
  type Standing,
} from "../../domain/allowed-actions.ts";
import { idOf } from "../../domain/id.ts";
import { instantOf } from "../../domain/input.ts";
import type {
  Channel as ChannelRow,
  ContactChannel as ContactChannelRow,
  Conversation as ConversationRow,
} from "../../store/generated/client.ts";
import { type Context, hasPermission } from "../resolve/context.ts";
import { viewerDependent } from "../resolve/viewer-dependent.ts";
import { selectInForce } from "../resolve/where.ts";
import { builder } from "./builder.ts";
import { ContactChannel } from "./contact-channel.ts";
import { Conversation, selectOngoing } from "./conversation.ts";
import { ContactChannelAction, ConversationAction } from "./enums.ts";

/** Whether the channel is archived decides as well. */
const archived = { select: { archivedAt: true } } as const;

/** The columns of a conversation that decide about actions. */
const columns = { id: true, status: true, assigneeId: true, offeredToId: true, offerExpiresAt: true } as const;

builder.prismaObjectField(Conversation, "allowedActions", (t) =>
  t.field({
    description:
      "What the viewer may do with the conversation now. Actions in the list are not refused, all others are, unless the conversation changes in between or the input is invalid.",
    type: [ConversationAction],
    extensions: viewerDependent,
    select: (_args, ctx) => ({
      ...columns,
      contactChannel: { select: { clock: true, channel: archived, blocks: selectInForce(ctx.now) } },
    }),
    resolve: (conversation, _args, ctx) =>
      allowedConversationActions(
        standingOf(conversation.contactChannel, conversation),
        idOf<"Conversation">(conversation.id),
        requesterOf(ctx),
        ctx.now.getTime(),
      ),
  }),
);

builder.prismaObjectField(ContactChannel, "allowedActions", (t) =>
  t.field({
    description:
      "What the viewer may do with the ContactChannel now. Actions in the list are not refused, all others are, unless the ContactChannel changes in between or the input is invalid.",
    type: [ContactChannelAction],
    extensions: viewerDependent,
    select: (_args, ctx) => ({
      clock: true,
      channel: archived,
      blocks: selectInForce(ctx.now),
      conversations: { ...selectOngoing, select: columns },
    }),
    resolve: (contactChannel, _args, ctx) =>
      allowedContactChannelActions(
        standingOf(contactChannel, contactChannel.conversations.at(0)),
        requesterOf(ctx),
        ctx.now.getTime(),
      ),
  }),
);

function standingOf(
  {
    clock,
    channel,
    blocks,
  }: Pick<ContactChannelRow, "clock"> & {
    readonly channel: Pick<ChannelRow, "archivedAt">;
    readonly blocks: readonly { readonly id: string; readonly expiresAt: Date | null }[];
  },
  conversation: Pick<ConversationRow, keyof typeof columns> | undefined,
): Standing {
  const block = blocks.at(0);
  return {
    clock: instantOf(clock),
    channelArchived: channel.archivedAt !== null,
    block: block === undefined ? null : { id: idOf(block.id), expiresAt: instantOf(block.expiresAt) },
    conversation:
      conversation === undefined
        ? null
        : {
            id: idOf(conversation.id),
            status: conversation.status,
            assigneeId: conversation.assigneeId === null ? null : idOf(conversation.assigneeId),
            offeredTo: conversation.offeredToId === null ? null : idOf(conversation.offeredToId),
            offerExpiresAt: instantOf(conversation.offerExpiresAt),
          },
  };
}

function requesterOf(ctx: Context): Requester {
  return { actor: ctx.viewer.actor, permits: (command) => hasPermission(ctx, permissionFor[command]) };
}
