import type { ContactChannel } from "./contact-channel.ts";
import type { ConversationRef } from "./episode.ts";
import type { BlockId, Instant } from "./id.ts";

/**
 * Decides whether a block suppresses an inbound entry: everything that arrives during a block (rule D1), and what was sent
 * before the latest block ended but arrives later, for example when a provider redelivers it (rule U4). A suppressed entry
 * is recorded and starts nothing. Null if no block suppresses it.
 */
export function suppression(state: ContactChannel, sentAt: Instant): Suppression | null {
  const { block, episodes } = state;
  if (block !== null) return { conversation: block.conversation, blockId: block.id };

  const latest = episodes.at(-1);
  if (latest === undefined || sentAt >= latest.endedAt) return null;
  const sentDuring = episodes.find((episode) => episode.blockedAt <= sentAt && sentAt < episode.endedAt);
  return { conversation: latest.conversation, blockId: sentDuring?.id ?? null };
}

/** Where a suppressed entry is recorded, and the block that it counts for. */
export interface Suppression {
  readonly conversation: ConversationRef | null;
  /** The block during which the entry was sent or arrived; null if sent outside all blocks but before the latest one ended. */
  readonly blockId: BlockId | null;
}
