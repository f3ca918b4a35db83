import type { ConversationId, MessageId } from "../../domain/id.ts";
import { faultsOf, keyFault, textFault } from "../../domain/input.ts";
import { forbidden, invalidInput } from "../../domain/refusal.ts";
import { carryOutOne, claimOf, made } from "../resolve/carry-out.ts";
import { may } from "../resolve/context.ts";
import { findContactChannels, findConversation } from "../resolve/lookup.ts";
import { existing, find } from "../resolve/rows.ts";
import { builder } from "./builder.ts";
import { Conversation } from "./conversation.ts";
import { Message } from "./message.ts";
import { MAY_NOT, NO_SUCH_CONTACT, NO_SUCH_CONVERSATION, type Outcome, resultUnion, success } from "./result.ts";

const IDEMPOTENCY =
  "Repeat a call under the same key, for 24 hours, and it answers with what the first one made. At most 255 characters.";

const SendMessageInput = builder.inputType("SendMessageInput", {
  fields: (t) => ({
    conversationId: t.id({ required: true }),
    text: t.string({ required: true, description: "At most 5,000 characters." }),
    idempotencyKey: t.string({ description: IDEMPOTENCY }),
  }),
});

const SendMessageSuccess = success<{ readonly messageId: MessageId }>("SendMessage", (t) => ({
  message: t.prismaField({
    type: Message,
    resolve: (query, { messageId }, _args, ctx) => existing(find.message(ctx, query, messageId)),
  }),
}));

builder.mutationField("sendMessage", (t) =>
  t.field({
    description: "Replies in an ongoing conversation. An agent's reply takes a conversation that is nobody's.",
    type: resultUnion("SendMessage", SendMessageSuccess, [
      "NotFound",
      "Forbidden",
      "InvalidInput",
      "ContactBlocked",
      "InvalidTransition",
    ]),
    args: { input: t.arg({ type: SendMessageInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<{ messageId: MessageId }>> => {
      const found = await findConversation(ctx, input.conversationId);
      if (found === null) return NO_SUCH_CONVERSATION;
      if (!may(ctx, "REPLY")) return forbidden(MAY_NOT);
      const invalid = faultsOf(textFault("text", input.text), keyFault("idempotencyKey", input.idempotencyKey));
      if (invalid !== null) return invalid;

      const { contactChannel, conversationId } = found;
      const { text } = input;
      const outcome = await carryOutOne(
        ctx,
        { contactChannel, command: { type: "SendMessage", actor: ctx.viewer.actor, conversationId, text } },
        claimOf(ctx, "sendMessage", input.idempotencyKey, [conversationId, text]),
      );
      return outcome.type === "Accepted" ? { type: "Success", messageId: made(outcome.messageId) } : outcome;
    },
  }),
);

const StartConversationInput = builder.inputType("StartConversationInput", {
  fields: (t) => ({
    contactId: t.id({ required: true }),
    channelId: t.id({ required: true }),
    contactChannelId: t.id({ description: "Which presence, where the contact has several on the channel." }),
    text: t.string({ required: true, description: "At most 5,000 characters." }),
    idempotencyKey: t.string({ description: IDEMPOTENCY }),
  }),
});

interface Started {
  readonly conversationId: ConversationId;
  readonly messageId: MessageId;
}

const StartConversationSuccess = success<Started>("StartConversation", (t) => ({
  conversation: t.prismaField({
    type: Conversation,
    resolve: (query, { conversationId }, _args, ctx) => existing(find.conversation(ctx, query, conversationId)),
  }),
  message: t.prismaField({
    type: Message,
    resolve: (query, { messageId }, _args, ctx) => existing(find.message(ctx, query, messageId)),
  }),
}));

builder.mutationField("startConversation", (t) =>
  t.field({
    description: "Writes to a contact with whom no conversation is ongoing on that channel.",
    type: resultUnion("StartConversation", StartConversationSuccess, [
      "NotFound",
      "Forbidden",
      "InvalidInput",
      "ContactBlocked",
      "InvalidTransition",
    ]),
    args: { input: t.arg({ type: StartConversationInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<Started>> => {
      const found = await findContactChannels(ctx, input);
      if (found === null) return NO_SUCH_CONTACT;
      if (!may(ctx, "REPLY")) return forbidden(MAY_NOT);
      const invalid = faultsOf(textFault("text", input.text), keyFault("idempotencyKey", input.idempotencyKey));
      if (invalid !== null) return invalid;
      const [contactChannel, ...others] = found.contactChannels;
      if (others.length > 0) {
        return invalidInput("contactChannelId", "The contact has several ContactChannels on this channel: choose one.");
      }

      const { text } = input;
      const outcome = await carryOutOne(
        ctx,
        { contactChannel, command: { type: "StartConversation", actor: ctx.viewer.actor, text } },
        claimOf(ctx, "startConversation", input.idempotencyKey, [contactChannel, text]),
      );
      if (outcome.type !== "Accepted") return outcome;
      const { conversationId, messageId } = outcome;
      return { type: "Success", conversationId: made(conversationId), messageId: made(messageId) };
    },
  }),
);
