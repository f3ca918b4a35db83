import { toGlobalId } from "../../domain/global-id.ts";
import { toActor } from "../../store/actor-columns.ts";
import { bySeq, pageOf } from "../resolve/paging.ts";
import { Actor, brandActor } from "./actor.ts";
import { builder } from "./builder.ts";
import { ContactChannel } from "./contact-channel.ts";
import { DeliveryError } from "./delivery-error.ts";
import { DeliveryStatus, MessageDirection, MessageKind } from "./enums.ts";
import { Menu, menuColumn } from "./menu.ts";
import { Node } from "./node.ts";

export const Message = builder.prismaObject("Message", {
  description: "One timeline entry: a message such as a text, an image or a sticker, or an event such as a follow.",
  interfaces: [Node],
  select: { id: true, seq: true },
  fields: (t) => ({
    id: t.id({ resolve: (message) => toGlobalId("Message", message.id) }),
    contactChannel: t.relation("contactChannel"),
    conversation: t.relation("conversation", {
      nullable: true,
      description: "Null for entries recorded before the ContactChannel's first conversation.",
    }),
    seq: t.exposeInt("seq", {
      description:
        "The position in the ContactChannel's timeline, counted from 1. Message lists are sorted by it, ascending.",
    }),
    direction: t.expose("direction", { type: MessageDirection }),
    kind: t.expose("kind", { type: MessageKind }),
    eventType: t.exposeString("eventType", {
      nullable: true,
      description: "The type of an event: `follow`, `postback`, or a partner's own type. Null for messages.",
    }),
    text: t.string({
      nullable: true,
      description: "Null if the entry has no text or was unsent.",
      select: { text: true, unsentAt: true },
      resolve: ({ text, unsentAt }) => (unsentAt === null ? text : null),
    }),
    payload: t.field({
      type: "JSON",
      nullable: true,
      description: "Additional data from the provider. Null if there is none or the entry was unsent.",
      select: { payload: true, unsentAt: true },
      resolve: ({ payload, unsentAt }) => (unsentAt === null ? payload : null),
    }),
    author: t.field({
      type: Actor,
      select: { authorType: true, authorId: true },
      resolve: async ({ authorType, authorId }, _args, ctx) =>
        brandActor(await ctx.actors.load(toActor({ type: authorType, id: authorId }))),
    }),
    clientMessageId: t.exposeString("clientMessageId", {
      nullable: true,
      description:
        "The key that the sender chose: the `idempotencyKey` of `sendMessage` or `startConversation`, or a visitor's `clientMessageId`. It matches an event to an optimistic message.",
    }),
    providerMessageId: t.exposeString("providerMessageId", {
      nullable: true,
      description: "The provider's id of the message. Null if the provider gave none.",
    }),
    sentAt: t.expose("sentAt", {
      type: "DateTime",
      description: "The provider's timestamp if its source is trusted, otherwise the time of arrival.",
    }),
    recordedAt: t.expose("recordedAt", { type: "DateTime" }),
    unsentAt: t.expose("unsentAt", { type: "DateTime", nullable: true }),
    editedAt: t.expose("editedAt", {
      type: "DateTime",
      nullable: true,
      description:
        "When the contact last edited the message. It keeps its text: each edit is an `EVENT` of the type `edit` with the new text and the same `providerMessageId`.",
    }),
    receivedWhileBlocked: t.exposeBoolean("receivedWhileBlocked", {
      description: "Whether a block was in force when the entry arrived or when it was sent.",
    }),
    deliveryStatus: t.expose("deliveryStatus", {
      type: DeliveryStatus,
      nullable: true,
      description: "Null for inbound entries.",
    }),
    deliveryError: t.field({
      type: DeliveryError,
      nullable: true,
      description: "Why the message is `FAILED`, or may have arrived although it is `CANCELED`.",
      select: { deliveryErrorCode: true, deliveryErrorMessage: true },
      resolve: ({ deliveryErrorCode: code, deliveryErrorMessage: message }) =>
        code === null ? null : { code, message: message ?? "" },
    }),
    retryOf: t.relation("retryOf", {
      nullable: true,
      description: "The message that this one sends again.",
    }),
    menu: t.field({
      type: Menu,
      nullable: true,
      description: "The choices that the message offers. Null if it offers none.",
      select: { menu: true },
      resolve: ({ id: messageId, menu: column }) => {
        const menu = menuColumn.parse(column);
        return menu === null ? null : { messageId, menu };
      },
    }),
  }),
});

builder.prismaObjectField(Message, "quotedMessage", (t) =>
  t.field({
    description: "The message that this one quotes. Null if it quotes none, or if the quoted message is not recorded.",
    type: Message,
    nullable: true,
    select: { contactChannelId: true, payload: true, unsentAt: true },
    resolve: ({ contactChannelId, payload, unsentAt }, _args, ctx) => {
      const providerMessageId = unsentAt === null ? quotedIdIn(payload) : null;
      return providerMessageId === null ? null : ctx.quotedMessages.load({ contactChannelId, providerMessageId });
    },
  }),
);

/** LINE names the quoted message in the payload of the message that quotes it. */
function quotedIdIn(payload: unknown): string | null {
  if (typeof payload !== "object" || payload === null || !("quotedMessageId" in payload)) return null;
  return typeof payload.quotedMessageId === "string" ? payload.quotedMessageId : null;
}

builder.prismaObjectField(ContactChannel, "messages", (t) =>
  t.connection({
    description:
      "The whole timeline, inside and outside conversations, oldest first. Use `last` and `before` to page back from the newest.",
    type: Message,
    select: (args, _ctx, nested) => ({ messages: nested(pageOf(bySeq, args).query, ["edges", "node"]) }),
    resolve: ({ messages }, args) => pageOf(bySeq, args).connection(messages),
  }),
);
