import type { Actor } from "./actor.ts";
import type { AgentId, BlockId, ConversationId, Instant } from "./id.ts";

/** A conversation that entries are recorded in: its id and its assignee. */
export interface ConversationRef {
  readonly id: ConversationId;
  readonly assigneeId: AgentId | null;
}

/** A block that has not been lifted. It holds while `now < expiresAt` (rule B8). */
export interface BlockInForce {
  readonly id: BlockId;
  readonly blockedAt: Instant;
  readonly blockedBy: Actor;
  readonly notes: string | null;
  readonly expiresAt: Instant | null;
  /** The `seq` of the last timeline entry before the block. */
  readonly afterSeq: number;
  /** The most recent conversation when the block began, and therefore throughout the block (rule D2). */
  readonly conversation: ConversationRef | null;
}

/** A past block, from `blockedAt` up to but not including `endedAt`. */
export interface Episode {
  readonly id: BlockId;
  readonly blockedAt: Instant;
  readonly endedAt: Instant;
  /** The `seq` of the last timeline entry before the block. */
  readonly afterSeq: number;
  readonly conversation: ConversationRef | null;
}

/** Whether a block holds at `now` (rule B8). */
export function holds(block: { readonly expiresAt: Instant | null }, now: Instant): boolean {
  return block.expiresAt === null || now < block.expiresAt;
}
