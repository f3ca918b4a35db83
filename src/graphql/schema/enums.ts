import { permissions } from "../../auth/permission.ts";
import { ongoingStatuses, terminalStatuses } from "../../domain/conversation.ts";
import { messageKinds } from "../../domain/message.ts";
import { builder } from "./builder.ts";

export const ContactStatus = builder.enumType("ContactStatus", {
  description: "Whether somebody is blocked.",
  values: ["ACTIVE", "BLOCKED"] as const,
});

export const ConversationStatus = builder.enumType("ConversationStatus", {
  description: "`BOT`, `WAITING`, `ASSIGNING` and `ACTIVE` are ongoing; `ENDED` and `BLOCKED` are for good.",
  values: [...ongoingStatuses, ...terminalStatuses],
});

export const ConversationEndReason = builder.enumType("ConversationEndReason", {
  description: "Why a conversation is over.",
  values: ["RESOLVED", "BLOCKED", "INACTIVITY"] as const,
});

export const ContactStatusCause = builder.enumType("ContactStatusCause", {
  description: "What changed a block: `UPDATED` is its notes or its expiry while it is in force.",
  values: ["BLOCKED", "UNBLOCKED", "EXPIRED", "UPDATED"] as const,
});

export const ChannelKind = builder.enumType("ChannelKind", {
  description: "`CUSTOM` is a channel that a partner runs.",
  values: ["LINE", "WEB_CHAT", "CUSTOM"] as const,
});

export const MessageDirection = builder.enumType("MessageDirection", {
  description: "`INBOUND` is from the contact, `OUTBOUND` towards them.",
  values: ["INBOUND", "OUTBOUND"] as const,
});

export const MessageKind = builder.enumType("MessageKind", {
  description: "What a timeline entry is. `UNSUPPORTED` is kept as it came, uninterpreted.",
  values: messageKinds,
});

export const DeliveryStatus = builder.enumType("DeliveryStatus", {
  description:
    "How far an outbound message got: waiting, being handed over, handed over, refused, or called off by a block.",
  values: ["QUEUED", "SENDING", "SENT", "FAILED", "CANCELED"] as const,
});

export const Role = builder.enumType("Role", {
  description: "What an agent may do: everything, the daily work, or only read.",
  values: ["ADMIN", "AGENT", "VIEWER"] as const,
});

export const Permission = builder.enumType("Permission", {
  description: "One thing that a viewer may do.",
  values: permissions,
});

export const ApiKeyScope = builder.enumType("ApiKeyScope", {
  description: "What a partner's key is good for.",
  values: {
    READ: { value: "read" },
    MESSAGES_WRITE: { value: "messages:write", description: "Reply to, start and end conversations." },
    CONTACTS_BLOCK: { value: "contacts:block" },
    CONTACTS_UNBLOCK: { value: "contacts:unblock" },
    INBOUND_WRITE: { value: "inbound:write", description: "Record what comes in on `CUSTOM` channels." },
  } as const,
});

export const FlowKind = builder.enumType("FlowKind", {
  description: "What an automation does, and when.",
  values: ["AUTO_REPLY_FIRST_MESSAGE", "AUTO_REPLY_KEYWORD", "CHATBOT"] as const,
});
