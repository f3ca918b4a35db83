import { permissionFor } from "../../auth/permission.ts";
import type { ConversationId } from "../../domain/id.ts";
import { forbidden, invalidInput, notFound } from "../../domain/refusal.ts";
import { type Context, hasPermission } from "../resolve/context.ts";
import { executeStep, requiredId } from "../resolve/execute-steps.ts";
import { findAgent, findConversation, isGiven } from "../resolve/lookup.ts";
import { existing, find } from "../resolve/rows.ts";
import { builder } from "./builder.ts";
import { Conversation } from "./conversation.ts";
import { NO_SUCH_CONVERSATION, type Outcome, PERMISSION_DENIED, resultUnion, success } from "./result.ts";

interface Transitioned {
  readonly conversationId: ConversationId;
  readonly changed: boolean;
}

/** The success types of the mutations that return only the conversation. */
const successTypes = {
  Take: transitionSuccess("TakeConversation"),
  Offer: transitionSuccess("OfferConversation"),
  Accept: transitionSuccess("AcceptConversation"),
  Decline: transitionSuccess("DeclineConversation"),
  Transfer: transitionSuccess("TransferConversation"),
  End: transitionSuccess("EndConversation"),
};

function transitionSuccess(mutation: string) {
  return success<Transitioned>(mutation, (t) => ({
    conversation: t.prismaField({
      type: Conversation,
      resolve: (query, { conversationId }, _args, ctx) => existing(find.conversation(ctx, query, conversationId)),
    }),
    changed: t.exposeBoolean("changed", {
      description: "False if the conversation was already in the requested state.",
    }),
  }));
}

const TakeConversationInput = builder.inputType("TakeConversationInput", {
  fields: (t) => ({ conversationId: t.id({ required: true }) }),
});

builder.mutationField("takeConversation", (t) =>
  t.field({
    description: "Assigns an ongoing conversation to the viewer, even if another agent has it.",
    type: resultUnion("TakeConversation", successTypes.Take, [
      "NotFound",
      "Forbidden",
      "ContactBlocked",
      "InvalidTransition",
    ]),
    args: { input: t.arg({ type: TakeConversationInput, required: true }) },
    resolve: (_root, { input }, ctx) => transitionAsAgent(ctx, input.conversationId, "TakeConversation"),
  }),
);

const AcceptConversationInput = builder.inputType("AcceptConversationInput", {
  fields: (t) => ({ conversationId: t.id({ required: true }) }),
});

builder.mutationField("acceptConversation", (t) =>
  t.field({
    description: "Accepts an offer made to the viewer.",
    type: resultUnion("AcceptConversation", successTypes.Accept, [
      "NotFound",
      "Forbidden",
      "ContactBlocked",
      "InvalidTransition",
    ]),
    args: { input: t.arg({ type: AcceptConversationInput, required: true }) },
    resolve: (_root, { input }, ctx) => transitionAsAgent(ctx, input.conversationId, "AcceptConversation"),
  }),
);

const DeclineConversationInput = builder.inputType("DeclineConversationInput", {
  fields: (t) => ({ conversationId: t.id({ required: true }) }),
});

builder.mutationField("declineConversation", (t) =>
  t.field({
    description: "Declines an offer made to the viewer. The conversation returns to the queue.",
    type: resultUnion("DeclineConversation", successTypes.Decline, ["NotFound", "Forbidden", "InvalidTransition"]),
    args: { input: t.arg({ type: DeclineConversationInput, required: true }) },
    resolve: (_root, { input }, ctx) => transitionAsAgent(ctx, input.conversationId, "DeclineConversation"),
  }),
);

const EndConversationInput = builder.inputType("EndConversationInput", {
  fields: (t) => ({ conversationId: t.id({ required: true }) }),
});

builder.mutationField("endConversation", (t) =>
  t.field({
    description: "Ends an ongoing conversation with the reason `RESOLVED`.",
    type: resultUnion("EndConversation", successTypes.End, ["NotFound", "Forbidden", "InvalidTransition"]),
    args: { input: t.arg({ type: EndConversationInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<Transitioned>> => {
      const found = await findConversation(ctx, input.conversationId);
      if (found === null) return NO_SUCH_CONVERSATION;
      if (!hasPermission(ctx, permissionFor.EndConversation)) return forbidden(PERMISSION_DENIED);
      const { contactChannel, conversationId } = found;
      const { actor } = ctx.viewer;
      return toOutcome(
        await executeStep(ctx, { contactChannel, command: { type: "EndConversation", actor, conversationId } }),
      );
    },
  }),
);

const OfferConversationInput = builder.inputType("OfferConversationInput", {
  fields: (t) => ({ conversationId: t.id({ required: true }), agentId: t.id({ required: true }) }),
});

builder.mutationField("offerConversation", (t) =>
  t.field({
    description: "Offers a waiting conversation to an agent, who has 60 seconds to accept it.",
    type: resultUnion("OfferConversation", successTypes.Offer, [
      "NotFound",
      "Forbidden",
      "InvalidInput",
      "ContactBlocked",
      "InvalidTransition",
    ]),
    args: { input: t.arg({ type: OfferConversationInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<Transitioned>> => {
      const found = await findConversation(ctx, input.conversationId);
      if (found === null) return NO_SUCH_CONVERSATION;
      const agent = await findAgent(ctx, input.agentId);
      if (agent === null) return NO_SUCH_AGENT;
      if (!hasPermission(ctx, permissionFor.OfferConversation)) return forbidden(PERMISSION_DENIED);
      if (agent.role === "VIEWER") return AGENT_IS_VIEWER;
      const { contactChannel, conversationId } = found;
      const { actor } = ctx.viewer;
      return toOutcome(
        await executeStep(ctx, {
          contactChannel,
          command: { type: "OfferConversation", actor, conversationId, agentId: agent.id },
        }),
      );
    },
  }),
);

const TransferConversationInput = builder.inputType("TransferConversationInput", {
  fields: (t) => ({
    conversationId: t.id({ required: true }),
    agentId: t.id({ description: "The agent to offer it to. Without it, the conversation returns to the queue." }),
  }),
});

builder.mutationField("transferConversation", (t) =>
  t.field({
    description: "Transfers an active conversation: offers it to an agent, or returns it to the queue.",
    type: resultUnion("TransferConversation", successTypes.Transfer, [
      "NotFound",
      "Forbidden",
      "InvalidInput",
      "ContactBlocked",
      "InvalidTransition",
    ]),
    args: { input: t.arg({ type: TransferConversationInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<Transitioned>> => {
      const found = await findConversation(ctx, input.conversationId);
      if (found === null) return NO_SUCH_CONVERSATION;
      const agent = isGiven(input.agentId) ? await findAgent(ctx, input.agentId) : undefined;
      if (agent === null) return NO_SUCH_AGENT;
      if (!hasPermission(ctx, permissionFor.TransferConversation)) return forbidden(PERMISSION_DENIED);
      if (agent?.role === "VIEWER") return AGENT_IS_VIEWER;
      const { contactChannel, conversationId } = found;
      const { actor } = ctx.viewer;
      return toOutcome(
        await executeStep(ctx, {
          contactChannel,
          command: { type: "TransferConversation", actor, conversationId, agentId: agent?.id ?? null },
        }),
      );
    },
  }),
);

const NO_SUCH_AGENT = notFound("No agent in this workspace has this agentId.");
const AGENT_IS_VIEWER = invalidInput("agentId", "Must be an agent with the role ADMIN or AGENT; this one is a VIEWER.");

/** Executes a transition that only an agent can request, and only for themselves. */
async function transitionAsAgent(
  ctx: Context,
  globalId: string,
  type: "TakeConversation" | "AcceptConversation" | "DeclineConversation",
): Promise<Outcome<Transitioned>> {
  const found = await findConversation(ctx, globalId);
  if (found === null) return NO_SUCH_CONVERSATION;
  const { actor } = ctx.viewer;
  if (actor.type !== "Agent" || !hasPermission(ctx, permissionFor[type])) return forbidden(PERMISSION_DENIED);
  const { contactChannel, conversationId } = found;
  return toOutcome(await executeStep(ctx, { contactChannel, command: { type, agentId: actor.id, conversationId } }));
}

function toOutcome(outcome: Awaited<ReturnType<typeof executeStep>>): Outcome<Transitioned> {
  if (outcome.type !== "Accepted") return outcome;
  return { type: "Success", conversationId: requiredId(outcome.conversationId), changed: outcome.changed };
}
