import { isOngoing } from "../../domain/conversation.ts";
import { toOpaqueId } from "../../domain/global-id.ts";
import type { EventData, LogEvent } from "../../store/log-event.ts";
import { toCursor } from "../resolve/cursor.ts";
import { byActivity } from "../resolve/paging.ts";
import { existing, find } from "../resolve/rows.ts";
import { Actor, brandActor } from "./actor.ts";
import { Block } from "./block.ts";
import { builder } from "./builder.ts";
import { Contact } from "./contact.ts";
import { ContactChannel } from "./contact-channel.ts";
import { Conversation } from "./conversation.ts";
import {
  ContactField,
  ContactStatus,
  ContactStatusCause,
  ConversationEndReason,
  ConversationStatus,
  DeliveryStatus,
  MessageChange,
} from "./enums.ts";
import { Message } from "./message.ts";

/** An event whose data is of one of these types. */
export type EventOf<Type extends EventData["type"]> = LogEvent & { readonly data: Extract<EventData, { type: Type }> };

export type MessageChanged = EventOf<"MessageUnsent" | "MessageEdited" | "DeliveryChanged">;
export type ContactChanged = EventOf<"DisplayNameChanged" | "ReachabilityChanged">;

export const isMessageRecorded = hasType("MessageRecorded");
export const isMessageChanged = hasType("MessageUnsent", "MessageEdited", "DeliveryChanged");
export const isContactChanged = hasType("DisplayNameChanged", "ReachabilityChanged");
export const isConversationChanged = hasType("ConversationChanged");
export const isContactStatusChanged = hasType("ContactStatusChanged");

/** A change to a terminal status; it always has a reason. */
export function isConversationEnd(event: LogEvent): event is EventOf<"ConversationChanged"> {
  return isConversationChanged(event) && !isOngoing(event.data.to);
}

function hasType<Type extends EventData["type"]>(...types: readonly Type[]) {
  const wanted: ReadonlySet<string> = new Set(types);
  return (event: LogEvent): event is EventOf<Type> => wanted.has(event.data.type);
}

export type DeskEventName =
  | "MessageRecordedEvent"
  | "MessageChangedEvent"
  | "ConversationChangedEvent"
  | "ConversationEndedEvent"
  | "ContactStatusChangedEvent"
  | "ContactChangedEvent";

/** The schema type under which `deskEvents` delivers an event; null for events that clients do not get. */
export function deskEventNameOf(event: LogEvent): DeskEventName | null {
  if (isConversationEnd(event)) return "ConversationEndedEvent";
  switch (event.data.type) {
    case "MessageRecorded":
      return "MessageRecordedEvent";
    case "MessageUnsent":
    case "MessageEdited":
    case "DeliveryChanged":
      return "MessageChangedEvent";
    case "ConversationChanged":
      return "ConversationChangedEvent";
    case "ContactStatusChanged":
      return "ContactStatusChangedEvent";
    case "DisplayNameChanged":
    case "ReachabilityChanged":
      return "ContactChangedEvent";
    case "ContactAppeared":
    case "BotSessionChanged":
      return null;
  }
}

export const DeskEvent = builder.interfaceRef<LogEvent>("DeskEvent").implement({
  description:
    "An immutable event from the event log. Its scalar fields have the values as of the event; the objects it references are read in their current state.",
  resolveType: (event) => deskEventNameOf(event) ?? undefined,
  fields: (t) => ({
    id: t.id({
      description: "Unique over all types: the end of a conversation has another id as a `ConversationChangedEvent`.",
      resolve: ({ id }, _args, _ctx, { parentType }) => toOpaqueId(parentType.name, id),
    }),
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

export const ConversationChangedEvent = builder
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

export const ConversationEndedEvent = builder
  .objectRef<EventOf<"ConversationChanged">>("ConversationEndedEvent")
  .implement({
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
      from: t.field({ type: ConversationStatus, nullable: true, resolve: ({ data }) => data.from }),
      to: t.field({ type: ConversationStatus, resolve: ({ data }) => data.to }),
    }),
  });

export const MessageRecordedEvent = builder.objectRef<EventOf<"MessageRecorded">>("MessageRecordedEvent").implement({
  description: "A timeline entry was recorded, inbound or outbound. Also fires while the contact is blocked.",
  interfaces: [DeskEvent],
  fields: (t) => ({
    message: t.prismaField({
      type: Message,
      resolve: (query, { data }, _args, ctx) => existing(find.message(ctx, query, data.messageId)),
    }),
  }),
});

export const MessageChangedEvent = builder.objectRef<MessageChanged>("MessageChangedEvent").implement({
  description: "The delivery status of a message changed, or the message was unsent.",
  interfaces: [DeskEvent],
  fields: (t) => ({
    message: t.prismaField({
      type: Message,
      resolve: (query, { data }, _args, ctx) => existing(find.message(ctx, query, data.messageId)),
    }),
    change: t.field({
      description: "What changed.",
      type: MessageChange,
      resolve: ({ data }) => changeOf[data.type],
    }),
    deliveryStatus: t.field({
      description: "The delivery status as of the event. Null if `change` is not `DELIVERY`.",
      type: DeliveryStatus,
      nullable: true,
      resolve: ({ data }) => (data.type === "DeliveryChanged" ? data.to : null),
    }),
  }),
});

const changeOf = { MessageUnsent: "UNSENT", MessageEdited: "EDITED", DeliveryChanged: "DELIVERY" } as const;

export const ContactChangedEvent = builder.objectRef<ContactChanged>("ContactChangedEvent").implement({
  description: "A contact's name or reachability changed on one of their channels.",
  interfaces: [DeskEvent],
  fields: (t) => ({
    contact: t.prismaField({
      type: Contact,
      resolve: (query, { contactId }, _args, ctx) => existing(find.contact(ctx, query, contactId)),
    }),
    contactChannel: t.prismaField({
      description: "The ContactChannel on which the change was noticed.",
      type: ContactChannel,
      resolve: (query, { contactChannelId }, _args, ctx) => existing(find.contactChannel(ctx, query, contactChannelId)),
    }),
    changed: t.field({
      description: "What changed.",
      type: [ContactField],
      resolve: ({ data }) => [data.type === "DisplayNameChanged" ? ("NAME" as const) : ("REACHABLE" as const)],
    }),
  }),
});

/** Most conversations that an event about a block lists. */
const MAX_AFFECTED = 100;

export const ContactStatusChangedEvent = builder
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
      conversations: t.prismaField({
        description: `The conversations of the ContactChannel whose \`blocked\` this event changes, by last activity, at most ${MAX_AFFECTED}. What a block ended stays blocked. Empty for \`UPDATED\`.`,
        type: [Conversation],
        resolve: (query, { contactChannelId, data }, _args, ctx) =>
          data.cause === "UPDATED"
            ? []
            : ctx.prisma.conversation.findMany({
                ...query,
                where: {
                  workspaceId: ctx.viewer.workspaceId,
                  contactChannelId,
                  OR: [
                    { status: { not: "BLOCKED" as const } },
                    ...(data.cause === "BLOCKED" ? [{ endedByBlockId: data.blockId }] : []),
                  ],
                },
                orderBy: byActivity.orderBy(true),
                take: MAX_AFFECTED,
              }),
      }),
      status: t.field({
        description: "The contact's status on this channel.",
        type: ContactStatus,
        resolve: ({ data }) => data.status,
      }),
      contactStatus: t.field({
        description: "The contact's status across all channels, after the whole commit that the event belongs to.",
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

function conversationIdOf({ conversationId }: LogEvent): string {
  if (conversationId === null) throw new Error("A conversation event has no conversationId.");
  return conversationId;
}
