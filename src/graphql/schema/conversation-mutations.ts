import type { ConversationId } from "../../domain/id.ts";
import { forbidden, invalidInput, notFound } from "../../domain/refusal.ts";
import { carryOutOne, made } from "../resolve/carry-out.ts";
import { type Context, may } from "../resolve/context.ts";
import { findAgent, findConversation, isGiven } from "../resolve/lookup.ts";
import { existing, find } from "../resolve/rows.ts";
import { builder } from "./builder.ts";
import { Conversation } from "./conversation.ts";
import { MAY_NOT, NO_SUCH_CONVERSATION, type Outcome, resultUnion, success } from "./result.ts";

interface Moved {
  readonly conversationId: ConversationId;
  readonly changed: boolean;
}

/** The mutations that move a conversation and answer nothing but it. */
const moves = {
  Take: moveSuccess("TakeConversation"),
  Offer: moveSuccess("OfferConversation"),
  Accept: moveSuccess("AcceptConversation"),
  Decline: moveSuccess("DeclineConversation"),
  Transfer: moveSuccess("TransferConversation"),
  End: moveSuccess("EndConversation"),
};

function moveSuccess(mutation: string) {
  return success<Moved>(mutation, (t) => ({
    conversation: t.prismaField({
      type: Conversation,
      resolve: (query, { conversationId }, _args, ctx) => existing(find.conversation(ctx, query, conversationId)),
    }),
    changed: t.exposeBoolean("changed", { description: "False if it was so already." }),
  }));
}

const TakeConversationInput = builder.inputType("TakeConversationInput", {
  fields: (t) => ({ conversationId: t.id({ required: true }) }),
});

builder.mutationField("takeConversation", (t) =>
  t.field({
    description: "Makes an ongoing conversation the viewer's own, whoever had it.",
    type: resultUnion("TakeConversation", moves.Take, ["NotFound", "Forbidden", "ContactBlocked", "InvalidTransition"]),
    args: { input: t.arg({ type: TakeConversationInput, required: true }) },
    resolve: (_root, { input }, ctx) => moveAsAgent(ctx, input.conversationId, "TakeConversation"),
  }),
);

const AcceptConversationInput = builder.inputType("AcceptConversationInput", {
  fields: (t) => ({ conversationId: t.id({ required: true }) }),
});

builder.mutationField("acceptConversation", (t) =>
  t.field({
    description: "Takes up an offer made to the viewer.",
    type: resultUnion("AcceptConversation", moves.Accept, [
      "NotFound",
      "Forbidden",
      "ContactBlocked",
      "InvalidTransition",
    ]),
    args: { input: t.arg({ type: AcceptConversationInput, required: true }) },
    resolve: (_root, { input }, ctx) => moveAsAgent(ctx, input.conversationId, "AcceptConversation"),
  }),
);

const DeclineConversationInput = builder.inputType("DeclineConversationInput", {
  fields: (t) => ({ conversationId: t.id({ required: true }) }),
});

builder.mutationField("declineConversation", (t) =>
  t.field({
    description: "Turns down an offer made to the viewer; the conversation goes back to the queue.",
    type: resultUnion("DeclineConversation", moves.Decline, ["NotFound", "Forbidden", "InvalidTransition"]),
    args: { input: t.arg({ type: DeclineConversationInput, required: true }) },
    resolve: (_root, { input }, ctx) => moveAsAgent(ctx, input.conversationId, "DeclineConversation"),
  }),
);

const EndConversationInput = builder.inputType("EndConversationInput", {
  fields: (t) => ({ conversationId: t.id({ required: true }) }),
});

builder.mutationField("endConversation", (t) =>
  t.field({
    description: "Ends an ongoing conversation as resolved.",
    type: resultUnion("EndConversation", moves.End, ["NotFound", "Forbidden", "InvalidTransition"]),
    args: { input: t.arg({ type: EndConversationInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<Moved>> => {
      const found = await findConversation(ctx, input.conversationId);
      if (found === null) return NO_SUCH_CONVERSATION;
      if (!may(ctx, "REPLY")) return forbidden(MAY_NOT);
      const { contactChannel, conversationId } = found;
      const { actor } = ctx.viewer;
      return moved(
        await carryOutOne(ctx, { contactChannel, command: { type: "EndConversation", actor, conversationId } }),
      );
    },
  }),
);

const OfferConversationInput = builder.inputType("OfferConversationInput", {
  fields: (t) => ({ conversationId: t.id({ required: true }), agentId: t.id({ required: true }) }),
});

builder.mutationField("offerConversation", (t) =>
  t.field({
    description: "Offers a waiting conversation to an agent, who has 60 seconds to accept.",
    type: resultUnion("OfferConversation", moves.Offer, [
      "NotFound",
      "Forbidden",
      "InvalidInput",
      "ContactBlocked",
      "InvalidTransition",
    ]),
    args: { input: t.arg({ type: OfferConversationInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<Moved>> => {
      const found = await findConversation(ctx, input.conversationId);
      if (found === null) return NO_SUCH_CONVERSATION;
      const agent = await findAgent(ctx, input.agentId);
      if (agent === null) return NO_SUCH_AGENT;
      if (!may(ctx, "ASSIGN")) return forbidden(MAY_NOT);
      if (agent.role === "VIEWER") return CANNOT_ANSWER;
      const { contactChannel, conversationId } = found;
      const { actor } = ctx.viewer;
      return moved(
        await carryOutOne(ctx, {
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
    agentId: t.id({ description: "To whom; without it back to the queue." }),
  }),
});

builder.mutationField("transferConversation", (t) =>
  t.field({
    description: "Passes an active conversation on, to an agent or back to the queue.",
    type: resultUnion("TransferConversation", moves.Transfer, [
      "NotFound",
      "Forbidden",
      "InvalidInput",
      "ContactBlocked",
      "InvalidTransition",
    ]),
    args: { input: t.arg({ type: TransferConversationInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<Moved>> => {
      const found = await findConversation(ctx, input.conversationId);
      if (found === null) return NO_SUCH_CONVERSATION;
      const agent = isGiven(input.agentId) ? await findAgent(ctx, input.agentId) : undefined;
      if (agent === null) return NO_SUCH_AGENT;
      if (!may(ctx, "ASSIGN")) return forbidden(MAY_NOT);
      if (agent?.role === "VIEWER") return CANNOT_ANSWER;
      const { contactChannel, conversationId } = found;
      const { actor } = ctx.viewer;
      return moved(
        await carryOutOne(ctx, {
          contactChannel,
          command: { type: "TransferConversation", actor, conversationId, agentId: agent?.id ?? null },
        }),
      );
    },
  }),
);

const NO_SUCH_AGENT = notFound("There is no such agent.");
const CANNOT_ANSWER = invalidInput("agentId", "This agent may only read, so cannot have conversations.");

/** What only an agent can do, for themselves. */
async function moveAsAgent(
  ctx: Context,
  globalId: string,
  type: "TakeConversation" | "AcceptConversation" | "DeclineConversation",
): Promise<Outcome<Moved>> {
  const found = await findConversation(ctx, globalId);
  if (found === null) return NO_SUCH_CONVERSATION;
  const { actor } = ctx.viewer;
  if (actor.type !== "Agent" || !may(ctx, "ASSIGN")) return forbidden(MAY_NOT);
  const { contactChannel, conversationId } = found;
  return moved(await carryOutOne(ctx, { contactChannel, command: { type, agentId: actor.id, conversationId } }));
}

function moved(outcome: Awaited<ReturnType<typeof carryOutOne>>): Outcome<Moved> {
  if (outcome.type !== "Accepted") return outcome;
  return { type: "Success", conversationId: made(outcome.conversationId), changed: outcome.changed };
}
