import { permissionFor } from "../../auth/permission.ts";
import type { ConversationId, MessageId } from "../../domain/id.ts";
import { checkKey, checkText, refuseInvalid } from "../../domain/input.ts";
import { forbidden, invalidInput } from "../../domain/refusal.ts";
import { hasPermission } from "../resolve/context.ts";
import { executeStep, idempotencyClaim, requiredId } from "../resolve/execute-steps.ts";
import { findContactChannels, findConversation } from "../resolve/lookup.ts";
import { existing, find } from "../resolve/rows.ts";
import { builder } from "./builder.ts";
import { Conversation } from "./conversation.ts";
import { Message } from "./message.ts";
import {
  NO_SUCH_CONTACT,
  NO_SUCH_CONVERSATION,
  type Outcome,
  PERMISSION_DENIED,
  resultUnion,
  success,
} from "./result.ts";

const IDEMPOTENCY =
  "For 24 hours, repeating a call with the same key and input returns the result of the first call; other input under the same key is refused. At most 255 characters.";

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
    description:
      "Sends a message in an ongoing conversation. An agent who sends in an unassigned conversation takes it.",
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
      if (!hasPermission(ctx, permissionFor.SendMessage)) return forbidden(PERMISSION_DENIED);
      const invalid = refuseInvalid(checkText("text", input.text), checkKey("idempotencyKey", input.idempotencyKey));
      if (invalid !== null) return invalid;

      const { contactChannel, conversationId } = found;
      const { text, idempotencyKey: clientMessageId = null } = input;
      const outcome = await executeStep(
        ctx,
        {
          contactChannel,
          command: { type: "SendMessage", actor: ctx.viewer.actor, conversationId, text, clientMessageId },
        },
        idempotencyClaim(ctx, "sendMessage", input.idempotencyKey, [conversationId, text]),
      );
      return outcome.type === "Accepted" ? { type: "Success", messageId: requiredId(outcome.messageId) } : outcome;
    },
  }),
);

const StartConversationInput = builder.inputType("StartConversationInput", {
  fields: (t) => ({
    contactId: t.id({ required: true }),
    channelId: t.id({ required: true }),
    contactChannelId: t.id({ description: "Required if the contact has several ContactChannels on the channel." }),
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
    description:
      "Starts a conversation with its first message. The contact must not have an ongoing conversation on that channel.",
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
      if (!hasPermission(ctx, permissionFor.StartConversation)) return forbidden(PERMISSION_DENIED);
      const invalid = refuseInvalid(checkText("text", input.text), checkKey("idempotencyKey", input.idempotencyKey));
      if (invalid !== null) return invalid;
      const [contactChannel, ...others] = found.contactChannels;
      if (others.length > 0) {
        return invalidInput(
          "contactChannelId",
          "Required, because the contact has several ContactChannels on this channel.",
        );
      }

      const { text, idempotencyKey: clientMessageId = null } = input;
      const outcome = await executeStep(
        ctx,
        { contactChannel, command: { type: "StartConversation", actor: ctx.viewer.actor, text, clientMessageId } },
        idempotencyClaim(ctx, "startConversation", input.idempotencyKey, [contactChannel, text]),
      );
      if (outcome.type !== "Accepted") return outcome;
      const { conversationId, messageId } = outcome;
      return { type: "Success", conversationId: requiredId(conversationId), messageId: requiredId(messageId) };
    },
  }),
);
