import { permissions } from "../../auth/permission.ts";
import type {
  ContactChannelAction as ContactChannelActionName,
  ConversationAction as ConversationActionName,
} from "../../domain/allowed-actions.ts";
import { ongoingStatuses, terminalStatuses } from "../../domain/conversation.ts";
import { messageKinds } from "../../domain/message.ts";
import { auditActions } from "../../store/audit-log.ts";
import { builder } from "./builder.ts";

export const ContactStatus = builder.enumType("ContactStatus", {
  description: "Whether a contact or a ContactChannel is blocked.",
  values: ["ACTIVE", "BLOCKED"] as const,
});

export const ConversationStatus = builder.enumType("ConversationStatus", {
  description: "`BOT`, `WAITING`, `ASSIGNING` and `ACTIVE` are ongoing; `ENDED` and `BLOCKED` are terminal.",
  values: [...ongoingStatuses, ...terminalStatuses],
});

export const ConversationEndReason = builder.enumType("ConversationEndReason", {
  description: "Why a conversation ended.",
  values: ["RESOLVED", "BLOCKED", "INACTIVITY", "CHANNEL_ARCHIVED"] as const,
});

export const ConversationAction = builder.enumType("ConversationAction", {
  description: "What a viewer may be allowed to do with a conversation. `NOTE` is reserved: it is not allowed yet.",
  values: {
    REPLY: { description: "`sendMessage`" },
    TAKE: { description: "`takeConversation`" },
    OFFER: { description: "`offerConversation`, to some agent" },
    ACCEPT: { description: "`acceptConversation`" },
    DECLINE: { description: "`declineConversation`" },
    TRANSFER: { description: "`transferConversation`, to the queue or to some agent" },
    END: { description: "`endConversation`" },
    NOTE: { description: "Never allowed yet, because no mutation writes notes." },
  } satisfies Record<ConversationActionName, { readonly description: string }>,
});

export const ContactChannelAction = builder.enumType("ContactChannelAction", {
  description: "What a viewer may be allowed to do with a ContactChannel.",
  values: {
    BLOCK: { description: "`blockContact`. Blocking again is allowed, and changes nothing." },
    UNBLOCK: { description: "`unblockContact`. Without a block in force it is allowed, and changes nothing." },
    UPDATE_BLOCK: { description: "`updateBlock`, of the block in force" },
    START: { description: "`startConversation`" },
  } satisfies Record<ContactChannelActionName, { readonly description: string }>,
});

export const ContactStatusCause = builder.enumType("ContactStatusCause", {
  description: "What changed a contact's block. `UPDATED`: the notes or the expiry of the block in force changed.",
  values: ["BLOCKED", "UNBLOCKED", "EXPIRED", "UPDATED"] as const,
});

export const ChannelKind = builder.enumType("ChannelKind", {
  description: "The kind of a channel. A `CUSTOM` channel is run by a partner.",
  values: ["LINE", "WEB_CHAT", "CUSTOM"] as const,
});

export const MessageDirection = builder.enumType("MessageDirection", {
  description: "`INBOUND` is from the contact, `OUTBOUND` is to the contact.",
  values: ["INBOUND", "OUTBOUND"] as const,
});

export const MessageKind = builder.enumType("MessageKind", {
  description: "The kind of a timeline entry. An `UNSUPPORTED` entry is stored raw, without interpretation.",
  values: messageKinds,
});

export const DeliveryStatus = builder.enumType("DeliveryStatus", {
  description:
    "Delivery state of an outbound message: waiting, being sent, sent, refused by the provider, or canceled by a block.",
  values: ["QUEUED", "SENDING", "SENT", "FAILED", "CANCELED"] as const,
});

export const ReportedDeliveryStatus = builder.enumType("ReportedDeliveryStatus", {
  description: "How a delivery by a partner ended.",
  values: ["SENT", "FAILED"] as const,
});

export const MessageChange = builder.enumType("MessageChange", {
  description: "What changed about a message.",
  values: {
    DELIVERY: { description: "Its delivery status." },
    UNSENT: { description: "The contact has withdrawn it." },
    EDITED: { description: "The contact has edited it; the new text is an entry of its own." },
    ATTACHMENT: { description: "Its attachment. Not reported yet." },
  } as const,
});

export const ContactField = builder.enumType("ContactField", {
  description: "What changed about a contact.",
  values: {
    NAME: { description: "The contact's name, or their display name on a channel." },
    REACHABLE: { description: "Whether the contact can be reached on a channel." },
  } as const,
});

export const DeskEventType = builder.enumType("DeskEventType", {
  description: "The types of events that `deskEvents` can select.",
  values: [
    "MESSAGE_RECORDED",
    "MESSAGE_CHANGED",
    "CONVERSATION_CHANGED",
    "CONVERSATION_ENDED",
    "CONTACT_STATUS_CHANGED",
    "CONTACT_CHANGED",
  ] as const,
});

export const Role = builder.enumType("Role", {
  description:
    "The role of an agent: `VIEWER` reads; `AGENT` also handles conversations and blocks; `ADMIN` also administers the workspace.",
  values: ["ADMIN", "AGENT", "VIEWER"] as const,
});

export const Permission = builder.enumType("Permission", {
  description: "An action that a viewer can be permitted to perform.",
  values: permissions,
});

export const ApiKeyScope = builder.enumType("ApiKeyScope", {
  description: "What an API key permits.",
  values: {
    READ: { value: "read" },
    MESSAGES_WRITE: { value: "messages:write", description: "Reply to, start and end conversations." },
    CONTACTS_BLOCK: { value: "contacts:block" },
    CONTACTS_UNBLOCK: { value: "contacts:unblock" },
    INBOUND_WRITE: {
      value: "inbound:write",
      description: "Run `CUSTOM` channels: record inbound messages and events, and deliver messages to contacts.",
    },
  } as const,
});

export const ChannelProblem = builder.enumType("ChannelProblem", {
  description: "Why the test of a channel failed.",
  values: {
    NO_ACCESS_TOKEN: { description: "No access token is set." },
    UNREADABLE_SECRET: { description: "The stored access token cannot be decrypted." },
    UNAUTHORIZED: { description: "LINE refuses the access token." },
    UNREACHABLE: { description: "LINE could not be reached, or its response was not understood." },
  } as const,
});

export const AuditAction = builder.enumType("AuditAction", {
  description: "What was changed. `CONTACT_UNBLOCKED` is also the expiry of a block, with the actor `System`.",
  values: auditActions,
});

export const FlowKind = builder.enumType("FlowKind", {
  description: "What a flow does, and when it is triggered.",
  values: ["AUTO_REPLY_FIRST_MESSAGE", "AUTO_REPLY_KEYWORD", "CHATBOT"] as const,
});
