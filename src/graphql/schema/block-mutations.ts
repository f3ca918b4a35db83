import { permissionFor } from "../../auth/permission.ts";
import { fromGlobalId } from "../../domain/global-id.ts";
import { type BlockId, type ContactChannelId, type ContactId, type ConversationId, idOf } from "../../domain/id.ts";
import { checkNotes, instantOf, refuseInvalid } from "../../domain/input.ts";
import { forbidden, notFound } from "../../domain/refusal.ts";
import { trimNotes } from "../../domain/text.ts";
import { type Context, hasPermission } from "../resolve/context.ts";
import { executeStep, executeSteps } from "../resolve/execute-steps.ts";
import { findContactChannels } from "../resolve/lookup.ts";
import { byBlockedAt } from "../resolve/paging.ts";
import { existing, find } from "../resolve/rows.ts";
import { Block } from "./block.ts";
import { builder } from "./builder.ts";
import { Contact } from "./contact.ts";
import { Conversation } from "./conversation.ts";
import { NO_SUCH_CONTACT, type Outcome, PERMISSION_DENIED, resultUnion, success } from "./result.ts";

/** The effect of blocking or unblocking a contact. */
interface BlockingResult {
  readonly contactId: ContactId;
  readonly blockIds: readonly BlockId[];
  readonly endedIds: readonly ConversationId[];
  readonly canceledMessageCount: number;
  readonly changed: boolean;
}

const BlockContactInput = builder.inputType("BlockContactInput", {
  fields: (t) => ({
    contactId: t.id({ required: true }),
    channelId: t.id({
      description:
        "Block the contact only on this channel. Without `channelId` and `contactChannelId`, every unblocked ContactChannel of the contact is blocked.",
    }),
    contactChannelId: t.id({ description: "Block only this ContactChannel of the contact." }),
    notes: t.string({
      description: "The reason for the block. At most 2,000 characters after trimming; empty means none.",
    }),
    expiresAt: t.field({
      type: "DateTime",
      description: "When the block expires; must be in the future. Without it, the block lasts until it is lifted.",
    }),
  }),
});

const BlockContactSuccess = success<BlockingResult>("BlockContact", (t) => ({
  contact: t.prismaField({
    type: Contact,
    resolve: (query, { contactId }, _args, ctx) => existing(find.contact(ctx, query, contactId)),
  }),
  blocks: t.prismaField({
    description: "The blocks in force on the selected ContactChannels, including those that already existed.",
    type: [Block],
    resolve: (query, { blockIds }, _args, ctx) => findBlocks(ctx, query, blockIds),
  }),
  endedConversations: t.prismaField({
    description: "The conversations that this mutation ended.",
    type: [Conversation],
    resolve: (query, { endedIds }, _args, ctx) =>
      ctx.prisma.conversation.findMany({
        ...query,
        where: { id: { in: [...endedIds] }, workspaceId: ctx.viewer.workspaceId },
        orderBy: [{ startedAt: "desc" }, { id: "desc" }],
      }),
  }),
  canceledMessageCount: t.exposeInt("canceledMessageCount", {
    description: "How many queued messages this mutation canceled.",
  }),
  changed: t.exposeBoolean("changed", { description: "False if every selected ContactChannel was already blocked." }),
}));

builder.mutationField("blockContact", (t) =>
  t.field({
    description:
      "Blocks a contact on one channel, on one ContactChannel, or everywhere. Ends the ongoing conversations there and cancels everything pending towards the contact, queued messages included.",
    type: resultUnion("BlockContact", BlockContactSuccess, ["NotFound", "Forbidden", "InvalidInput"]),
    args: { input: t.arg({ type: BlockContactInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<BlockingResult>> => {
      const found = await findContactChannels(ctx, input);
      if (found === null) return NO_SUCH_CONTACT;
      if (!hasPermission(ctx, permissionFor.Block)) return forbidden(PERMISSION_DENIED);
      const invalid = refuseInvalid(checkNotes("notes", input.notes));
      if (invalid !== null) return invalid;

      const { actor } = ctx.viewer;
      const command = {
        type: "Block",
        actor,
        notes: trimNotes(input.notes),
        expiresAt: instantOf(input.expiresAt),
      } as const;
      const outcome = await executeSteps(ctx, stepsOf(found.contactChannels, command));
      if (outcome.type !== "Done") return outcome;
      // Rule S6: nothing begins after this answer.
      const open = outcome.accepted.flatMap(({ openLease, openSignals = [] }) => [
        ...(openLease === undefined ? [] : [openLease]),
        ...openSignals,
      ]);
      await Promise.all(open.map((lease) => ctx.services.leaseClosed(lease)));
      const changed = outcome.accepted.filter((step) => step.changed);
      return {
        type: "Success",
        contactId: found.contactId,
        blockIds: outcome.accepted.flatMap(({ blockId }) => blockId ?? []),
        endedIds: changed.flatMap(({ conversationId }) => conversationId ?? []),
        canceledMessageCount: changed.reduce((sum, step) => sum + (step.canceledMessageCount ?? 0), 0),
        changed: changed.length > 0,
      };
    },
  }),
);

const UnblockContactInput = builder.inputType("UnblockContactInput", {
  fields: (t) => ({
    contactId: t.id({ required: true }),
    channelId: t.id({
      description:
        "Unblock the contact only on this channel. Without `channelId` and `contactChannelId`, every blocked ContactChannel of the contact is unblocked.",
    }),
    contactChannelId: t.id({ description: "Unblock only this ContactChannel of the contact." }),
    notes: t.string({
      description: "The reason for unblocking. At most 2,000 characters after trimming; empty means none.",
    }),
  }),
});

const UnblockContactSuccess = success<BlockingResult>("UnblockContact", (t) => ({
  contact: t.prismaField({
    type: Contact,
    resolve: (query, { contactId }, _args, ctx) => existing(find.contact(ctx, query, contactId)),
  }),
  blocks: t.prismaField({
    description: "The blocks that this mutation lifted.",
    type: [Block],
    resolve: (query, { blockIds }, _args, ctx) => findBlocks(ctx, query, blockIds),
  }),
  changed: t.exposeBoolean("changed", { description: "False if no selected ContactChannel was blocked." }),
}));

builder.mutationField("unblockContact", (t) =>
  t.field({
    description:
      "Lifts the blocks of a contact and does nothing else: ended conversations stay ended, no flow starts, and nothing is sent.",
    type: resultUnion("UnblockContact", UnblockContactSuccess, ["NotFound", "Forbidden", "InvalidInput"]),
    args: { input: t.arg({ type: UnblockContactInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<BlockingResult>> => {
      const found = await findContactChannels(ctx, input);
      if (found === null) return NO_SUCH_CONTACT;
      if (!hasPermission(ctx, permissionFor.Unblock)) return forbidden(PERMISSION_DENIED);
      const invalid = refuseInvalid(checkNotes("notes", input.notes));
      if (invalid !== null) return invalid;

      const command = { type: "Unblock", actor: ctx.viewer.actor, notes: trimNotes(input.notes) } as const;
      const outcome = await executeSteps(ctx, stepsOf(found.contactChannels, command));
      if (outcome.type !== "Done") return outcome;
      const lifted = outcome.accepted.filter((step) => step.changed);
      return {
        type: "Success",
        contactId: found.contactId,
        blockIds: lifted.flatMap(({ blockId }) => blockId ?? []),
        endedIds: [],
        canceledMessageCount: 0,
        changed: lifted.length > 0,
      };
    },
  }),
);

const UpdateBlockInput = builder.inputType("UpdateBlockInput", {
  fields: (t) => ({
    blockId: t.id({ required: true }),
    notes: t.string({ description: "Omit to keep the notes; null or an empty string removes them." }),
    expiresAt: t.field({
      type: "DateTime",
      description: "Must be in the future. Omit to keep the expiry; null removes it.",
    }),
  }),
});

const UpdateBlockSuccess = success<{ readonly blockId: BlockId; readonly changed: boolean }>("UpdateBlock", (t) => ({
  block: t.prismaField({
    type: Block,
    resolve: (query, { blockId }, _args, ctx) => existing(find.block(ctx, query, blockId)),
  }),
  changed: t.exposeBoolean("changed", { description: "False if the block already had these notes and this expiry." }),
}));

builder.mutationField("updateBlock", (t) =>
  t.field({
    description: "Changes the notes or the expiry of a block in force.",
    type: resultUnion("UpdateBlock", UpdateBlockSuccess, ["NotFound", "Forbidden", "InvalidInput"]),
    args: { input: t.arg({ type: UpdateBlockInput, required: true }) },
    resolve: async (_root, { input }, ctx): Promise<Outcome<{ blockId: BlockId; changed: boolean }>> => {
      const blockId = fromGlobalId("Block", input.blockId);
      const block = blockId === null ? null : await find.block(ctx, {}, blockId);
      if (blockId === null || block === null) return notFound("No block in this workspace has this blockId.");
      if (!hasPermission(ctx, permissionFor.UpdateBlock)) return forbidden(PERMISSION_DENIED);
      const invalid = refuseInvalid(checkNotes("notes", input.notes));
      if (invalid !== null) return invalid;

      const outcome = await executeStep(ctx, {
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

/** These blocks of the viewer's workspace, newest first. */
function findBlocks(ctx: Context, query: object, ids: readonly BlockId[]) {
  return ctx.prisma.block.findMany({
    ...query,
    where: { id: { in: [...ids] }, workspaceId: ctx.viewer.workspaceId },
    orderBy: byBlockedAt.orderBy(true),
  });
}
