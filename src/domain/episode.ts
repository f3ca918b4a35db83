import type { Actor } from "./actor.ts";
import type { AgentId, BlockId, ConversationId, Instant } from "./id.ts";

/** A conversation as something to record in: its id, and the agent who had it. */
export interface ConversationRef {
  readonly id: ConversationId;
  readonly assigneeId: AgentId | null;
}

/** An episode of blocking that has not been lifted. It holds while `now < expiresAt` (rule B8). */
export interface BlockInForce {
  readonly id: BlockId;
  readonly blockedAt: Instant;
  readonly blockedBy: Actor;
  readonly notes: string | null;
  readonly expiresAt: Instant | null;
  /** The number of the last timeline entry before it. */
  readonly afterSeq: number;
  /** The conversation that was the most recent when the block began, hence all through it (rule D2). */
  readonly conversation: ConversationRef | null;
}

/** An episode that is over: from `blockedAt` up to but not including `endedAt`. */
export interface Episode {
  readonly id: BlockId;
  readonly blockedAt: Instant;
  readonly endedAt: Instant;
  /** The number of the last timeline entry before it. */
  readonly afterSeq: number;
  readonly conversation: ConversationRef | null;
}

/** Whether a block holds at `now` (rule B8). */
export function holds(block: { readonly expiresAt: Instant | null }, now: Instant): boolean {
  return block.expiresAt === null || now < block.expiresAt;
}
