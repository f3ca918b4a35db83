import type { Actor } from "./actor.ts";
import { endConversation } from "./transition.ts";
import type { Turn } from "./turn.ts";
import { cancelQueued } from "./withdrawal.ts";

/**
 * Ends what is still open on an archived channel: the ongoing conversation and the queued messages. Every command does
 * this first, because a command that was in flight when the channel was archived may have started a conversation.
 */
export function closeArchived(turn: Turn, actor: Actor): void {
  if (!turn.state.channelArchived) return;
  // First, so that the agent to whom the conversation is offered is told as well.
  cancelQueued(turn);
  const { conversation } = turn.state;
  if (conversation !== null)
    endConversation(turn, actor, conversation, { status: "ENDED", reason: "CHANNEL_ARCHIVED" });
}
