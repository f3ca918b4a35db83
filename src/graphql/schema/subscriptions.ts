import { isOngoing } from "../../domain/conversation.ts";
import type { LogEvent } from "../../store/log-event.ts";
import { demand } from "../resolve/context.ts";
import { toCursor } from "../resolve/cursor.ts";
import { existing, find } from "../resolve/rows.ts";
import { type EventOf, isOf, sourceStream } from "../resolve/source-stream.ts";
import { Actor, present } from "./actor.ts";
import { Block } from "./block.ts";
import { builder } from "./builder.ts";
import { ContactChannel } from "./contact-channel.ts";
import { Conversation } from "./conversation.ts";
import { ContactStatus, ContactStatusCause, ConversationEndReason, ConversationStatus } from "./enums.ts";
import { Message } from "./message.ts";

const AFTER = "Replays everything later than this, then goes on live.";

const DeskEvent = builder.interfaceRef<LogEvent>("DeskEvent").implement({
  description:
    "An immutable fact from the event log. Its own scalars are as of the event; the objects it points to are read as they are now.",
  fields: (t) => ({
    id: t.exposeID("id"),
    cursor: t.field({
      description: "Subscribe with `after` this to go on from here.",
      type: "Cursor",
      resolve: ({ workspaceId, position }) => toCursor(workspaceId, position),
    }),
    occurredAt: t.field({ type: "DateTime", resolve: ({ occurredAt }) => new Date(occurredAt) }),
    actor: t.field({
      type: Actor,
      resolve: async ({ actor }, _args, ctx) => present(await ctx.actors.load(actor)),
    }),
  }),
});

builder.queryField("logCursor", (t) =>
  t.field({
    description:
      "The log's position now. Read it before the lists, then subscribe with `after` it: nothing is missed in between.",
    type: "Cursor",
    resolve: async (_root, _args, ctx) => {
      demand(ctx, "READ");
      const { workspaceId } = ctx.viewer;
      const { position } = await ctx.prisma.logHead.findUniqueOrThrow({ where: { workspaceId } });
      return toCursor(workspaceId, Number(position));
    },
  }),
);

const ConversationChangedEvent = builder
  .objectRef<EventOf<"ConversationChanged">>("ConversationChangedEvent")
  .implement({
    description: "A conversation started, ended, or changed its status, assignee or offer.",
    interfaces: [DeskEvent],
    fields: (t) => ({
      conversation: t.prismaField({
        type: Conversation,
        resolve: (query, event, _args, ctx) => existing(find.conversation(ctx, query, conversationIdOf(event))),
      }),
      from: t.field({ type: ConversationStatus, nullable: true, resolve: ({ data }) => data.from }),
      to: t.field({ type: ConversationStatus, resolve: ({ data }) => data.to }),
    }),
  });

const ConversationChangedFilter = builder.inputType("ConversationChangedFilter", {
  description: "All that is given must hold.",
  fields: (t) => ({
    contactId: t.id(),
    channelId: t.id(),
    conversationId: t.id(),
    assigneeId: t.id({ description: "Assigned or offered to this agent, before or after." }),
  }),
});

builder.subscriptionField("conversationChanged", (t) =>
  t.field({
    description: "Every change of a conversation's status, assignee or offer, ends included.",
    type: ConversationChangedEvent,
    args: { filter: t.arg({ type: ConversationChangedFilter }), after: t.arg({ type: "Cursor", description: AFTER }) },
    subscribe: (_root, args, ctx) => sourceStream(ctx, args, isOf("ConversationChanged")),
    resolve: (event) => event,
  }),
);

/** The end of a conversation; then it has a reason. */
type End = EventOf<"ConversationChanged">;

function isEnd(event: LogEvent): event is End {
  return event.data.type === "ConversationChanged" && !isOngoing(event.data.to);
}

const ConversationEndedEvent = builder.objectRef<End>("ConversationEndedEvent").implement({
  description: "A conversation is over: resolved, blocked or abandoned.",
  interfaces: [DeskEvent],
  fields: (t) => ({
    conversation: t.prismaField({
      type: Conversation,
      resolve: (query, event, _args, ctx) => existing(find.conversation(ctx, query, conversationIdOf(event))),
    }),
    reason: t.field({
      type: ConversationEndReason,
      resolve: ({ data }) => {
        if (data.reason === null) throw new Error("A conversation ended without a reason.");
        return data.reason;
      },
    }),
  }),
});

const ConversationEndedFilter = builder.inputType("ConversationEndedFilter", {
  description: "All that is given must hold.",
  fields: (t) => ({
    contactId: t.id(),
    channelId: t.id(),
    conversationId: t.id(),
    assigneeId: t.id({ description: "Assigned or offered to this agent." }),
  }),
});

builder.subscriptionField("conversationEnded", (t) =>
  t.field({
    description: "Conversations that are over.",
    type: ConversationEndedEvent,
    args: { filter: t.arg({ type: ConversationEndedFilter }), after: t.arg({ type: "Cursor", description: AFTER }) },
    subscribe: (_root, args, ctx) => sourceStream(ctx, args, isEnd),
    resolve: (event) => event,
  }),
);

const MessageRecordedEvent = builder.objectRef<EventOf<"MessageRecorded">>("MessageRecordedEvent").implement({
  description: "A timeline entry was recorded, in or out, also while the contact is blocked.",
  interfaces: [DeskEvent],
  fields: (t) => ({
    message: t.prismaField({
      type: Message,
      resolve: (query, { data }, _args, ctx) => existing(find.message(ctx, query, data.messageId)),
    }),
  }),
});

const MessageRecordedFilter = builder.inputType("MessageRecordedFilter", {
  description: "All that is given must hold.",
  fields: (t) => ({
    contactId: t.id(),
    channelId: t.id(),
    conversationId: t.id(),
    assigneeId: t.id({ description: "In a conversation assigned or offered to this agent." }),
  }),
});

builder.subscriptionField("messageRecorded", (t) =>
  t.field({
    description: "Timeline entries as they are recorded.",
    type: MessageRecordedEvent,
    args: { filter: t.arg({ type: MessageRecordedFilter }), after: t.arg({ type: "Cursor", description: AFTER }) },
    subscribe: (_root, args, ctx) => sourceStream(ctx, args, isOf("MessageRecorded")),
    resolve: (event) => event,
  }),
);

const ContactStatusChangedEvent = builder
  .objectRef<EventOf<"ContactStatusChanged">>("ContactStatusChangedEvent")
  .implement({
    description: "A contact was blocked or unblocked on a channel, or the block in force was changed.",
    interfaces: [DeskEvent],
    fields: (t) => ({
      contactChannel: t.prismaField({
        type: ContactChannel,
        resolve: (query, { contactChannelId }, _args, ctx) =>
          existing(find.contactChannel(ctx, query, contactChannelId)),
      }),
      status: t.field({
        description: "On this channel.",
        type: ContactStatus,
        resolve: ({ data }) => data.status,
      }),
      contactStatus: t.field({
        description: "Over all channels of the contact.",
        type: ContactStatus,
        resolve: ({ data }) => data.contactStatus,
      }),
      block: t.prismaField({
        type: Block,
        resolve: (query, { data }, _args, ctx) => existing(find.block(ctx, query, data.blockId)),
      }),
      cause: t.field({ type: ContactStatusCause, resolve: ({ data }) => data.cause }),
    }),
  });

const ContactStatusChangedFilter = builder.inputType("ContactStatusChangedFilter", {
  description: "All that is given must hold.",
  fields: (t) => ({ contactId: t.id(), channelId: t.id() }),
});

builder.subscriptionField("contactStatusChanged", (t) =>
  t.field({
    description: "Blocks that came into force, were lifted, expired or were changed.",
    type: ContactStatusChangedEvent,
    args: { filter: t.arg({ type: ContactStatusChangedFilter }), after: t.arg({ type: "Cursor", description: AFTER }) },
    subscribe: (_root, args, ctx) => sourceStream(ctx, args, isOf("ContactStatusChanged")),
    resolve: (event) => event,
  }),
);

function conversationIdOf({ conversationId }: LogEvent): string {
  if (conversationId === null) throw new Error("An event of a conversation names none.");
  return conversationId;
}
