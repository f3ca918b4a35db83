import { fromGlobalId } from "../../domain/global-id.ts";
import { type BlockId, type ContactChannelId, type ContactId, type ConversationId, idOf } from "../../domain/id.ts";
import { faultsOf, instantOf, notesFault } from "../../domain/input.ts";
import { forbidden, notFound } from "../../domain/refusal.ts";
import { trimNotes } from "../../domain/text.ts";
import { carryOut, carryOutOne } from "../resolve/carry-out.ts";
import { may } from "../resolve/context.ts";
import { findContactChannels } from "../resolve/lookup.ts";
import { existing, find } from "../resolve/rows.ts";
import { Block } from "./block.ts";
import { builder } from "./builder.ts";
import { Contact } from "./contact.ts";
import { Conversation } from "./conversation.ts";
import { MAY_NOT, NO_SUCH_CONTACT, type Outcome, resultUnion, success } from "./result.ts";

/** What was done to the blocks of a contact. */
interface Blocking {
  readonly contactId: ContactId;
  readonly blockIds: readonly BlockId[];
  readonly endedIds: readonly ConversationId[];
  readonly changed: boolean;
}

const BlockContactInput = builder.inputType("BlockContactInput", {
  fields: (t) => ({
    contactId: t.id({ required: true }),
    channelId: t.id({ description: "Only there; without it everywhere." }),
    contactChannelId: t.id({ description: "Only this presence of the contact." }),
    notes: t.string({ description: "Why; at most 2,000 characters." }),
    expiresAt: t.field({
      type: "DateTime",
      description: "Until when, in the future; without it until somebody lifts it.",
    }),
  }),
});

const BlockContactSuccess = success<Blocking>("BlockContact", (t) => ({
  contact: t.prismaField({
    type: Contact,
    resolve: (query, { contactId }, _args, ctx) => existing(find.contact(ctx, query, contactId)),
  }),
  blocks: t.prismaField({
    description: "All blocks in force for this request, also those from before.",
    type: [Block],
    resolve: (query, { blockIds }, _args, ctx) =>
      ctx.prisma.block.findMany({
        ...query,
        where: { id: { in: [...blockIds] }, workspaceId: ctx.viewer.workspaceId },
        orderBy: [{ blockedAt: "desc" }, { id: "desc" }],
      }),
  }),
  endedConversations: t.prismaField({
    description: "The conversations that this call ended.",
    type: [Conversation],
    resolve: (query, { endedIds }, _args, ctx) =>
      ctx.prisma.conversation.findMany({
        ...query,
        where: { id: { in: [...endedIds] }, workspaceId: ctx.viewer.workspaceId },
        orderBy: [{ startedAt: "desc" }, { id: "desc" }],
      }),
  }),
  changed: t.exposeBoolean("changed", { description: "False if the contact was blocked there already." }),
}));

builder.mutationField("blockContact", (t) =>
  t.field({
    description:
      "Blocks a contact: on a channel, on one presence, or everywhere. Ends what is ongoing there and calls off what was still to be sent.",
    type: resultUnion("BlockContact", BlockContactSuccess, ["NotFound", "Forbidden", "InvalidInput"]),
    args: { input: t.arg({ type: BlockContactInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<Blocking>> => {
      const found = await findContactChannels(ctx, input);
      if (found === null) return NO_SUCH_CONTACT;
      if (!may(ctx, "BLOCK")) return forbidden(MAY_NOT);
      const invalid = faultsOf(notesFault("notes", input.notes));
      if (invalid !== null) return invalid;

      const { actor } = ctx.viewer;
      const command = {
        type: "Block",
        actor,
        notes: trimNotes(input.notes),
        expiresAt: instantOf(input.expiresAt),
      } as const;
      const outcome = await carryOut(ctx, stepsOf(found.contactChannels, command));
      if (outcome.type !== "Done") return outcome;
      const changed = outcome.accepted.filter((step) => step.changed);
      return {
        type: "Success",
        contactId: found.contactId,
        blockIds: outcome.accepted.flatMap(({ blockId }) => blockId ?? []),
        endedIds: changed.flatMap(({ conversationId }) => conversationId ?? []),
        changed: changed.length > 0,
      };
    },
  }),
);

const UnblockContactInput = builder.inputType("UnblockContactInput", {
  fields: (t) => ({
    contactId: t.id({ required: true }),
    channelId: t.id({ description: "Only there; without it everywhere." }),
    contactChannelId: t.id({ description: "Only this presence of the contact." }),
    notes: t.string({ description: "Why; at most 2,000 characters." }),
  }),
});

const UnblockContactSuccess = success<Blocking>("UnblockContact", (t) => ({
  contact: t.prismaField({
    type: Contact,
    resolve: (query, { contactId }, _args, ctx) => existing(find.contact(ctx, query, contactId)),
  }),
  blocks: t.prismaField({
    description: "The blocks that this call lifted.",
    type: [Block],
    resolve: (query, { blockIds }, _args, ctx) =>
      ctx.prisma.block.findMany({
        ...query,
        where: { id: { in: [...blockIds] }, workspaceId: ctx.viewer.workspaceId },
        orderBy: [{ blockedAt: "desc" }, { id: "desc" }],
      }),
  }),
  changed: t.exposeBoolean("changed", { description: "False if nothing was blocked there." }),
}));

builder.mutationField("unblockContact", (t) =>
  t.field({
    description:
      "Lifts the blocks of a contact and does nothing else: conversations that were ended stay so, nothing is sent.",
    type: resultUnion("UnblockContact", UnblockContactSuccess, ["NotFound", "Forbidden", "InvalidInput"]),
    args: { input: t.arg({ type: UnblockContactInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<Blocking>> => {
      const found = await findContactChannels(ctx, input);
      if (found === null) return NO_SUCH_CONTACT;
      if (!may(ctx, "UNBLOCK")) return forbidden(MAY_NOT);
      const invalid = faultsOf(notesFault("notes", input.notes));
      if (invalid !== null) return invalid;

      const command = { type: "Unblock", actor: ctx.viewer.actor, notes: trimNotes(input.notes) } as const;
      const outcome = await carryOut(ctx, stepsOf(found.contactChannels, command));
      if (outcome.type !== "Done") return outcome;
      const lifted = outcome.accepted.filter((step) => step.changed);
      return {
        type: "Success",
        contactId: found.contactId,
        blockIds: lifted.flatMap(({ blockId }) => blockId ?? []),
        endedIds: [],
        changed: lifted.length > 0,
      };
    },
  }),
);

const UpdateBlockInput = builder.inputType("UpdateBlockInput", {
  fields: (t) => ({
    blockId: t.id({ required: true }),
    notes: t.string({ description: "Absent: unchanged; null or empty: none." }),
    expiresAt: t.field({ type: "DateTime", description: "Absent: unchanged; null: until somebody lifts it." }),
  }),
});

const UpdateBlockSuccess = success<{ readonly blockId: BlockId; readonly changed: boolean }>("UpdateBlock", (t) => ({
  block: t.prismaField({
    type: Block,
    resolve: (query, { blockId }, _args, ctx) => existing(find.block(ctx, query, blockId)),
  }),
  changed: t.exposeBoolean("changed", { description: "False if it said so already." }),
}));

builder.mutationField("updateBlock", (t) =>
  t.field({
    description: "Changes notes or expiry of a block in force.",
    type: resultUnion("UpdateBlock", UpdateBlockSuccess, ["NotFound", "Forbidden", "InvalidInput"]),
    args: { input: t.arg({ type: UpdateBlockInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<{ blockId: BlockId; changed: boolean }>> => {
      const blockId = fromGlobalId("Block", input.blockId);
      const block = blockId === null ? null : await find.block(ctx, {}, blockId);
      if (blockId === null || block === null) return notFound("There is no such block.");
      if (!may(ctx, "BLOCK")) return forbidden(MAY_NOT);
      const invalid = faultsOf(notesFault("notes", input.notes));
      if (invalid !== null) return invalid;

      const outcome = await carryOutOne(ctx, {
        contactChannel: idOf<"ContactChannel">(block.contactChannelId),
        command: {
          type: "UpdateBlock",
          actor: ctx.viewer.actor,
          blockId,
          ...(input.notes === undefined ? {} : { notes: trimNotes(input.notes) }),
          ...(input.expiresAt === undefined ? {} : { expiresAt: instantOf(input.expiresAt) }),
        },
      });
      return outcome.type === "Accepted" ? { type: "Success", blockId, changed: outcome.changed } : outcome;
    },
  }),
);

function stepsOf<Command>(contactChannels: readonly ContactChannelId[], command: Command) {
  return contactChannels.map((contactChannel) => ({ contactChannel, command }));
}
