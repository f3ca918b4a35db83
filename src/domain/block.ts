import { type Actor, system } from "./actor.ts";
import { type BlockInForce, holds } from "./episode.ts";
import type { BlockId, Instant } from "./id.ts";
import { openLease } from "./outbox-changes.ts";
import { invalidInput, type Refusal } from "./refusal.ts";
import { openSignals } from "./signaling.ts";
import { endConversation } from "./transition.ts";
import { type Accepted, accepted, type Turn } from "./turn.ts";
import { cancelQueued } from "./withdrawal.ts";

/** Rule B8: a block ends at its `expiresAt`, however late the expiry is recorded. */
export function expireBlock(turn: Turn): void {
  const { block } = turn.state;
  if (block === null || block.expiresAt === null || holds(block, turn.now)) return;
  turn.emit(
    system,
    {
      type: "BlockLifted",
      block,
      cause: "EXPIRED",
      liftedAt: block.expiresAt,
      liftNotes: null,
    },
    block.expiresAt,
  );
}

/** Rules B3, B4 and B6: in one decision, blocks, cancels queued messages and ends the ongoing conversation. */
export function block(turn: Turn, actor: Actor, notes: string | null, expiresAt: Instant | null): Accepted | Refusal {
  const { state } = turn;
  if (expiresAt !== null && expiresAt <= turn.now) return expiryNotInFuture;
  if (state.block !== null)
    return accepted(turn, { blockId: state.block.id, ...openLease(turn), ...openSignals(turn) });

  const blockId = turn.newId<"Block">();
  turn.emit(actor, {
    type: "ContactBlocked",
    block: {
      id: blockId,
      blockedAt: turn.now,
      blockedBy: actor,
      notes,
      expiresAt,
      afterSeq: state.lastSeq,
      conversation: state.recentConversation,
    },
  });
  // First, so that the agent to whom the conversation is offered is told as well.
  const canceledMessageCount = cancelQueued(turn);
  const { conversation } = turn.state;
  if (conversation !== null)
    endConversation(turn, actor, conversation, {
      status: "BLOCKED",
      reason: "BLOCKED",
      blockId,
    });
  return accepted(turn, {
    blockId,
    conversationId: conversation?.id ?? null,
    canceledMessageCount,
    ...openLease(turn),
    ...openSignals(turn),
  });
}

/** Rules U1 and U5: lifts the block and does nothing else. */
export function unblock(turn: Turn, actor: Actor, notes: string | null): Accepted {
  const { block } = turn.state;
  if (block === null) return accepted(turn, {});
  turn.emit(actor, {
    type: "BlockLifted",
    block,
    cause: "UNBLOCKED",
    liftedAt: turn.now,
    liftNotes: notes,
  });
  return accepted(turn, { blockId: block.id });
}

/** Rule B6: changes the notes or the expiry of a block. Only a block in force can be changed. */
export function updateBlock(
  turn: Turn,
  actor: Actor,
  change: {
    readonly blockId: BlockId;
    readonly notes?: string | null;
    readonly expiresAt?: Instant | null;
  },
): Accepted | Refusal {
  const { block } = turn.state;
  if (block?.id !== change.blockId) {
    return invalidInput("blockId", "This block is no longer in force. Only a block in force can be changed.");
  }
  const updated: BlockInForce = {
    ...block,
    notes: change.notes === undefined ? block.notes : change.notes,
    expiresAt: change.expiresAt === undefined ? block.expiresAt : change.expiresAt,
  };
  if (updated.notes === block.notes && updated.expiresAt === block.expiresAt) {
    return accepted(turn, { blockId: block.id });
  }
  if (!holds(updated, turn.now)) return expiryNotInFuture;
  turn.emit(actor, { type: "BlockUpdated", before: block, block: updated });
  return accepted(turn, { blockId: block.id });
}

const expiryNotInFuture = invalidInput("expiresAt", "Must be in the future.");
