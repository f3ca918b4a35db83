import type { LogEvent } from "../../store/log-event.ts";
import { requirePermission } from "../resolve/context.ts";
import { toCursor } from "../resolve/cursor.ts";
import { sourceStream } from "../resolve/source-stream.ts";
import { builder } from "./builder.ts";
import {
  ContactChangedEvent,
  ContactStatusChangedEvent,
  ConversationChangedEvent,
  ConversationEndedEvent,
  DeskEvent,
  type DeskEventName,
  deskEventNameOf,
  isContactChanged,
  isContactStatusChanged,
  isConversationChanged,
  isConversationEnd,
  isMessageChanged,
  isMessageRecorded,
  MessageChangedEvent,
  MessageRecordedEvent,
} from "./desk-events.ts";
import { DeskEventType } from "./enums.ts";

const AFTER = "Replays every event later than this cursor, then continues live.";
const FILTER = "Conditions are combined with AND.";

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

const DeskEventsFilter = builder.inputType("DeskEventsFilter", {
  description: FILTER,
  fields: (t) => ({
    types: t.field({ type: [DeskEventType], description: "Any of these types; all if absent." }),
    contactId: t.id(),
    channelId: t.id(),
    conversationId: t.id(),
    assigneeId: t.id({ description: "Events about conversations assigned or offered to this agent." }),
  }),
});

builder.subscriptionField("deskEvents", (t) =>
  t.field({
    description:
      "Emits every event in the order of the event log, each once. The end of a conversation comes as a `ConversationEndedEvent` alone, whichever of its two types is selected.",
    type: DeskEvent,
    args: { filter: t.arg({ type: DeskEventsFilter }), after: t.arg({ type: "Cursor", description: AFTER }) },
    subscribe: (_root, args, ctx) => {
      const types = args.filter?.types ?? null;
      return sourceStream(ctx, args, (event): event is LogEvent => {
        const name = deskEventNameOf(event);
        return name !== null && (types === null || selectedBy[name].some((type) => types.includes(type)));
      });
    },
    resolve: (event) => event,
  }),
);

/** The members of `DeskEventType` that select an event. */
const selectedBy: Readonly<Record<DeskEventName, readonly (typeof DeskEventType)["$inferType"][]>> = {
  MessageRecordedEvent: ["MESSAGE_RECORDED"],
  MessageChangedEvent: ["MESSAGE_CHANGED"],
  ConversationChangedEvent: ["CONVERSATION_CHANGED"],
  ConversationEndedEvent: ["CONVERSATION_CHANGED", "CONVERSATION_ENDED"],
  ContactStatusChangedEvent: ["CONTACT_STATUS_CHANGED"],
  ContactChangedEvent: ["CONTACT_CHANGED"],
};

/** The filter of a subscription to events about conversations. */
function conversationFilter(name: string, assigneeId: string) {
  return builder.inputType(name, {
    description: FILTER,
    fields: (t) => ({
      contactId: t.id(),
      channelId: t.id(),
      conversationId: t.id(),
      assigneeId: t.id({ description: assigneeId }),
    }),
  });
}

const ConversationChangedFilter = conversationFilter(
  "ConversationChangedFilter",
  "Conversations assigned or offered to this agent, before or after the change.",
);

builder.subscriptionField("conversationChanged", (t) =>
  t.field({
    description: "Emits every change of a conversation's status, assignee or offer, including its end.",
    type: ConversationChangedEvent,
    args: { filter: t.arg({ type: ConversationChangedFilter }), after: t.arg({ type: "Cursor", description: AFTER }) },
    subscribe: (_root, args, ctx) => sourceStream(ctx, args, isConversationChanged),
    resolve: (event) => event,
  }),
);

const ConversationEndedFilter = conversationFilter(
  "ConversationEndedFilter",
  "Conversations that were assigned or offered to this agent.",
);

builder.subscriptionField("conversationEnded", (t) =>
  t.field({
    description: "Emits when a conversation ends.",
    type: ConversationEndedEvent,
    args: { filter: t.arg({ type: ConversationEndedFilter }), after: t.arg({ type: "Cursor", description: AFTER }) },
    subscribe: (_root, args, ctx) => sourceStream(ctx, args, isConversationEnd),
    resolve: (event) => event,
  }),
);

const MessageRecordedFilter = conversationFilter(
  "MessageRecordedFilter",
  "Entries of conversations assigned or offered to this agent.",
);

builder.subscriptionField("messageRecorded", (t) =>
  t.field({
    description: "Emits when a timeline entry is recorded.",
    type: MessageRecordedEvent,
    args: { filter: t.arg({ type: MessageRecordedFilter }), after: t.arg({ type: "Cursor", description: AFTER }) },
    subscribe: (_root, args, ctx) => sourceStream(ctx, args, isMessageRecorded),
    resolve: (event) => event,
  }),
);

const MessageChangedFilter = conversationFilter(
  "MessageChangedFilter",
  "Messages of conversations assigned or offered to this agent.",
);

builder.subscriptionField("messageChanged", (t) =>
  t.field({
    description: "Emits when the delivery status of a message changes, and when a message is unsent.",
    type: MessageChangedEvent,
    args: { filter: t.arg({ type: MessageChangedFilter }), after: t.arg({ type: "Cursor", description: AFTER }) },
    subscribe: (_root, args, ctx) => sourceStream(ctx, args, isMessageChanged),
    resolve: (event) => event,
  }),
);

/** The filter of a subscription to events about contacts. */
function contactFilter(name: string) {
  return builder.inputType(name, { description: FILTER, fields: (t) => ({ contactId: t.id(), channelId: t.id() }) });
}

const ContactStatusChangedFilter = contactFilter("ContactStatusChangedFilter");

builder.subscriptionField("contactStatusChanged", (t) =>
  t.field({
    description: "Emits when a block starts, is updated, is lifted or expires.",
    type: ContactStatusChangedEvent,
    args: { filter: t.arg({ type: ContactStatusChangedFilter }), after: t.arg({ type: "Cursor", description: AFTER }) },
    subscribe: (_root, args, ctx) => sourceStream(ctx, args, isContactStatusChanged),
    resolve: (event) => event,
  }),
);

const ContactChangedFilter = contactFilter("ContactChangedFilter");

builder.subscriptionField("contactChanged", (t) =>
  t.field({
    description: "Emits when a contact's name or reachability changes.",
    type: ContactChangedEvent,
    args: { filter: t.arg({ type: ContactChangedFilter }), after: t.arg({ type: "Cursor", description: AFTER }) },
    subscribe: (_root, args, ctx) => sourceStream(ctx, args, isContactChanged),
    resolve: (event) => event,
  }),
);
