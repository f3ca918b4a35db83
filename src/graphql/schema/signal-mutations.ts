import { permissionFor } from "../../auth/permission.ts";
import type { Command } from "../../domain/command.ts";
import { fromGlobalId } from "../../domain/global-id.ts";
import type { ContactChannelId, ConversationId } from "../../domain/id.ts";
import { forbidden, notFound } from "../../domain/refusal.ts";
import { type Context, hasPermission } from "../resolve/context.ts";
import { executeStep } from "../resolve/execute-steps.ts";
import { findConversation } from "../resolve/lookup.ts";
import { existing, find } from "../resolve/rows.ts";
import { builder } from "./builder.ts";
import { Conversation } from "./conversation.ts";
import { NO_SUCH_CONVERSATION, type Outcome, PERMISSION_DENIED, resultUnion, success } from "./result.ts";

interface Signaled {
  readonly conversationId: ConversationId;
}

/** The success types of both mutations. */
const successTypes = {
  SetTyping: signalSuccess("SetTyping"),
  MarkConversationRead: signalSuccess("MarkConversationRead"),
};

function signalSuccess(mutation: string) {
  return success<Signaled>(mutation, (t) => ({
    conversation: t.prismaField({
      type: Conversation,
      resolve: (query, { conversationId }, _args, ctx) => existing(find.conversation(ctx, query, conversationId)),
    }),
  }));
}

const SetTypingInput = builder.inputType("SetTypingInput", {
  fields: (t) => ({ conversationId: t.id({ required: true }), typing: t.boolean({ required: true }) }),
});

builder.mutationField("setTyping", (t) =>
  t.field({
    description:
      "Tells that the viewer writes in an ongoing conversation, or no longer does. A `LINE` channel with `showLoading` shows it to the contact for 20 seconds, or until the next message. Repeat it while the viewer writes: the sign is renewed every 10 seconds at most.",
    type: resultUnion("SetTyping", successTypes.SetTyping, [
      "NotFound",
      "Forbidden",
      "ContactBlocked",
      "InvalidTransition",
    ]),
    args: { input: t.arg({ type: SetTypingInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<Signaled>> => {
      const found = await findConversation(ctx, input.conversationId);
      if (found === null) return NO_SUCH_CONVERSATION;
      if (!hasPermission(ctx, permissionFor.SetTyping)) return forbidden(PERMISSION_DENIED);
      const { contactChannel, conversationId } = found;
      return signal(ctx, contactChannel, { type: "SetTyping", conversationId, typing: input.typing });
    },
  }),
);

const MarkConversationReadInput = builder.inputType("MarkConversationReadInput", {
  fields: (t) => ({
    conversationId: t.id({ required: true }),
    upToMessageId: t.id({ required: true, description: "The last message of the conversation that was read." }),
  }),
});

builder.mutationField("markConversationRead", (t) =>
  t.field({
    description:
      "Tells that a conversation was read up to a message. A `LINE` channel with `markAsRead` shows it to the contact as soon as their newest message was read.",
    type: resultUnion("MarkConversationRead", successTypes.MarkConversationRead, [
      "NotFound",
      "Forbidden",
      "ContactBlocked",
    ]),
    args: { input: t.arg({ type: MarkConversationReadInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<Signaled>> => {
      const found = await findConversation(ctx, input.conversationId);
      if (found === null) return NO_SUCH_CONVERSATION;
      const { contactChannel, conversationId } = found;
      const upToSeq = await findSeq(ctx, input.upToMessageId, conversationId);
      if (upToSeq === null) return NO_SUCH_MESSAGE;
      if (!hasPermission(ctx, permissionFor.MarkConversationRead)) return forbidden(PERMISSION_DENIED);
      return signal(ctx, contactChannel, { type: "MarkConversationRead", conversationId, upToSeq });
    },
  }),
);

const NO_SUCH_MESSAGE = notFound("No message in this conversation has this upToMessageId.");

/** Executes a command and makes the call that it grants, without waiting for it. */
async function signal(
  ctx: Context,
  contactChannel: ContactChannelId,
  command: Extract<Command, { readonly type: "SetTyping" | "MarkConversationRead" }>,
): Promise<Outcome<Signaled>> {
  const requestedAt = performance.now();
  const outcome = await executeStep(ctx, { contactChannel, command });
  if (outcome.type !== "Accepted") return outcome;
  if (outcome.signal !== undefined) ctx.services.sendSignal(outcome.signal, requestedAt);
  return { type: "Success", conversationId: command.conversationId };
}

/** The position of a message of the conversation in its timeline, which never changes; null if there is none. */
async function findSeq(ctx: Context, globalId: string, conversationId: ConversationId): Promise<number | null> {
  const messageId = fromGlobalId("Message", globalId);
  const row = messageId === null ? null : await find.message(ctx, {}, messageId);
  return row?.conversationId === conversationId ? row.seq : null;
}
