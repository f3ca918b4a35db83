import { isOngoing } from "../../domain/conversation.ts";
import type { LogEvent } from "../../store/log-event.ts";
import { requirePermission } from "../resolve/context.ts";
import { toCursor } from "../resolve/cursor.ts";
import { existing, find } from "../resolve/rows.ts";
import { type EventOf, hasType, sourceStream } from "../resolve/source-stream.ts";
import { Actor, brandActor } from "./actor.ts";
import { Block } from "./block.ts";
import { builder } from "./builder.ts";
import { ContactChannel } from "./contact-channel.ts";
import { Conversation } from "./conversation.ts";
import { ContactStatus, ContactStatusCause, ConversationEndReason, ConversationStatus } from "./enums.ts";
import { Message } from "./message.ts";

const AFTER = "Replays every event later than this cursor, then continues live.";

const DeskEvent = builder.interfaceRef<LogEvent>("DeskEvent").implement({
  description:
    "An immutable event from the event log. Its scalar fields have the values as of the event; the objects it references are read in their current state.",
  fields: (t) => ({
    id: t.exposeID("id"),
    cursor: t.field({
      description: "Pass this as `after` to resume after this event.",
      type: "Cursor",
      resolve: ({ workspaceId, position }) => toCursor(workspaceId, position),
    }),
    occurredAt: t.field({ type: "DateTime", resolve: ({ occurredAt }) => new Date(occurredAt) }),
    actor: t.field({
      type: Actor,
      resolve: async ({ actor }, _args, ctx) => brandActor(await ctx.actors.load(actor)),
    }),
  }),
});

builder.queryField("logCursor", (t) =>
  t.field({
    description:
      "The current position of the event log. Read it before loading lists, then subscribe with it as `after`, so that no event in between is missed.",
    type: "Cursor",
    resolve: async (_root, _args, ctx) => {
      requirePermission(ctx, "READ");
      const { workspaceId } = ctx.viewer;
      const { position } = await ctx.prisma.logHead.findUniqueOrThrow({ where: { workspaceId } });
      return toCursor(workspaceId, Number(position));
    },
  }),
);

const ConversationChangedEvent = builder
  .objectRef<EventOf<"ConversationChanged">>("ConversationChangedEvent")
  .implement({
    description: "A conversation started or ended, or its status, assignee or offer changed.",
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
  description: "Conditions are combined with AND.",
  fields: (t) => ({
    contactId: t.id(),
    channelId: t.id(),
    conversationId: t.id(),
    assigneeId: t.id({ description: "Conversations assigned or offered to this agent, before or after the change." }),
  }),
});

builder.subscriptionField("conversationChanged", (t) =>
  t.field({
    description: "Emits every change of a conversation's status, assignee or offer, including its end.",
    type: ConversationChangedEvent,
    args: { filter: t.arg({ type: ConversationChangedFilter }), after: t.arg({ type: "Cursor", description: AFTER }) },
    subscribe: (_root, args, ctx) => sourceStream(ctx, args, hasType("ConversationChanged")),
    resolve: (event) => event,
  }),
);

/** A change to a terminal status; it always has a reason. */
type EndEvent = EventOf<"ConversationChanged">;

function isEnd(event: LogEvent): event is EndEvent {
  return event.data.type === "ConversationChanged" && !isOngoing(event.data.to);
}

const ConversationEndedEvent = builder.objectRef<EndEvent>("ConversationEndedEvent").implement({
  description: "A conversation ended because it was resolved, blocked or inactive.",
  interfaces: [DeskEvent],
  fields: (t) => ({
    conversation: t.prismaField({
      type: Conversation,
      resolve: (query, event, _args, ctx) => existing(find.conversation(ctx, query, conversationIdOf(event))),
    }),
    reason: t.field({
      type: ConversationEndReason,
      resolve: ({ data }) => {
        if (data.reason === null) throw new Error("The event of a conversation's end has no reason.");
        return data.reason;
      },
    }),
  }),
});

const ConversationEndedFilter = builder.inputType("ConversationEndedFilter", {
  description: "Conditions are combined with AND.",
  fields: (t) => ({
    contactId: t.id(),
    channelId: t.id(),
    conversationId: t.id(),
    assigneeId: t.id({ description: "Conversations that were assigned or offered to this agent." }),
  }),
});

builder.subscriptionField("conversationEnded", (t) =>
  t.field({
    description: "Emits when a conversation ends.",
    type: ConversationEndedEvent,
    args: { filter: t.arg({ type: ConversationEndedFilter }), after: t.arg({ type: "Cursor", description: AFTER }) },
    subscribe: (_root, args, ctx) => sourceStream(ctx, args, isEnd),
    resolve: (event) => event,
  }),
);

const MessageRecordedEvent = builder.objectRef<EventOf<"MessageRecorded">>("MessageRecordedEvent").implement({
  description: "A timeline entry was recorded, inbound or outbound. Also fires while the contact is blocked.",
  interfaces: [DeskEvent],
  fields: (t) => ({
    message: t.prismaField({
      type: Message,
      resolve: (query, { data }, _args, ctx) => existing(find.message(ctx, query, data.messageId)),
    }),
  }),
});

const MessageRecordedFilter = builder.inputType("MessageRecordedFilter", {
  description: "Conditions are combined with AND.",
  fields: (t) => ({
    contactId: t.id(),
    channelId: t.id(),
    conversationId: t.id(),
    assigneeId: t.id({ description: "Entries of conversations assigned or offered to this agent." }),
  }),
});

builder.subscriptionField("messageRecorded", (t) =>
  t.field({
    description: "Emits when a timeline entry is recorded.",
    type: MessageRecordedEvent,
    args: { filter: t.arg({ type: MessageRecordedFilter }), after: t.arg({ type: "Cursor", description: AFTER }) },
    subscribe: (_root, args, ctx) => sourceStream(ctx, args, hasType("MessageRecorded")),
    resolve: (event) => event,
  }),
);

const ContactStatusChangedEvent = builder
  .objectRef<EventOf<"ContactStatusChanged">>("ContactStatusChangedEvent")
  .implement({
    description: "A contact was blocked or unblocked on a channel, or the block in force was updated.",
    interfaces: [DeskEvent],
    fields: (t) => ({
      contactChannel: t.prismaField({
        type: ContactChannel,
        resolve: (query, { contactChannelId }, _args, ctx) =>
          existing(find.contactChannel(ctx, query, contactChannelId)),
      }),
      status: t.field({
        description: "The contact's status on this channel.",
        type: ContactStatus,
        resolve: ({ data }) => data.status,
      }),
      contactStatus: t.field({
        description: "The contact's status across all channels.",
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
  description: "Conditions are combined with AND.",
  fields: (t) => ({ contactId: t.id(), channelId: t.id() }),
});

builder.subscriptionField("contactStatusChanged", (t) =>
  t.field({
    description: "Emits when a block starts, is updated, is lifted or expires.",
    type: ContactStatusChangedEvent,
    args: { filter: t.arg({ type: ContactStatusChangedFilter }), after: t.arg({ type: "Cursor", description: AFTER }) },
    subscribe: (_root, args, ctx) => sourceStream(ctx, args, hasType("ContactStatusChanged")),
    resolve: (event) => event,
  }),
);

function conversationIdOf({ conversationId }: LogEvent): string {
  if (conversationId === null) throw new Error("A conversation event has no conversationId.");
  return conversationId;
}
