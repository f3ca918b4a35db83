import { permissionFor } from "../../auth/permission.ts";
import type { MessageId } from "../../domain/id.ts";
import { forbidden } from "../../domain/refusal.ts";
import { hasPermission } from "../resolve/context.ts";
import { executeStep, requiredId } from "../resolve/execute-steps.ts";
import { findOutboundMessage } from "../resolve/lookup.ts";
import { existing, find } from "../resolve/rows.ts";
import { builder } from "./builder.ts";
import { Message } from "./message.ts";
import { NO_SUCH_OUTBOUND_MESSAGE, type Outcome, PERMISSION_DENIED, resultUnion, success } from "./result.ts";

const RetryMessageInput = builder.inputType("RetryMessageInput", {
  fields: (t) => ({
    messageId: t.id({ required: true, description: "An outbound message that is `FAILED` or `CANCELED`." }),
    acceptDuplicate: t.boolean({
      description:
        "Must be true if the `deliveryError` of the message is `OUTCOME_UNKNOWN`: the contact may then get it twice.",
    }),
  }),
});

interface Retried {
  readonly messageId: MessageId;
  readonly changed: boolean;
}

const RetryMessageSuccess = success<Retried>("RetryMessage", (t) => ({
  message: t.prismaField({
    description: "The new message, whose `retryOf` is the given one.",
    type: Message,
    resolve: (query, { messageId }, _args, ctx) => existing(find.message(ctx, query, messageId)),
  }),
  changed: t.exposeBoolean("changed", { description: "False if the message had already been sent again." }),
}));

builder.mutationField("retryMessage", (t) =>
  t.field({
    description:
      "Sends a message again that failed or was canceled: as a new message at the end of the queue, only in an ongoing conversation.",
    type: resultUnion("RetryMessage", RetryMessageSuccess, [
      "NotFound",
      "Forbidden",
      "InvalidInput",
      "ContactBlocked",
      "InvalidTransition",
    ]),
    args: { input: t.arg({ type: RetryMessageInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<Retried>> => {
      const found = await findOutboundMessage(ctx, input.messageId);
      if (found === null) return NO_SUCH_OUTBOUND_MESSAGE;
      if (!hasPermission(ctx, permissionFor.RetryMessage)) return forbidden(PERMISSION_DENIED);
      const { contactChannel, messageId } = found;
      const { actor } = ctx.viewer;
      const acceptDuplicate = input.acceptDuplicate ?? false;
      const outcome = await executeStep(ctx, {
        contactChannel,
        command: { type: "RetryMessage", actor, messageId, acceptDuplicate },
      });
      if (outcome.type !== "Accepted") return outcome;
      return { type: "Success", messageId: requiredId(outcome.messageId), changed: outcome.changed };
    },
  }),
);

const CancelMessageInput = builder.inputType("CancelMessageInput", {
  fields: (t) => ({
    messageId: t.id({ required: true, description: "An outbound message that is `QUEUED`." }),
  }),
});

const CancelMessageSuccess = success<{ readonly messageId: MessageId }>("CancelMessage", (t) => ({
  message: t.prismaField({
    type: Message,
    resolve: (query, { messageId }, _args, ctx) => existing(find.message(ctx, query, messageId)),
  }),
}));

builder.mutationField("cancelMessage", (t) =>
  t.field({
    description: "Cancels a message that is still `QUEUED`.",
    type: resultUnion("CancelMessage", CancelMessageSuccess, ["NotFound", "Forbidden", "InvalidTransition"]),
    args: { input: t.arg({ type: CancelMessageInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<{ messageId: MessageId }>> => {
      const found = await findOutboundMessage(ctx, input.messageId);
      if (found === null) return NO_SUCH_OUTBOUND_MESSAGE;
      if (!hasPermission(ctx, permissionFor.CancelMessage)) return forbidden(PERMISSION_DENIED);
      const { contactChannel, messageId } = found;
      const { actor } = ctx.viewer;
      const outcome = await executeStep(ctx, { contactChannel, command: { type: "CancelMessage", actor, messageId } });
      return outcome.type === "Accepted" ? { type: "Success", messageId } : outcome;
    },
  }),
);
