import { type Actor, system } from "./actor.ts";
import {
  agentsOf,
  type Conversation,
  type ConversationStatus,
  isOngoing,
  OFFER_TIMEOUT,
  type OngoingStatus,
} from "./conversation.ts";
import type { AgentId, BlockId, ConversationId } from "./id.ts";
import { type OutboundContent, recordOutbound } from "./outbound.ts";
import { invalidInput, invalidTransition, type Refusal } from "./refusal.ts";
import { type Accepted, accepted, contactBlocked, type Turn } from "./turn.ts";

/** Starts a conversation. The caller must make sure that none is ongoing (rule C2). */
export function beginConversation(turn: Turn, actor: Actor, status: OngoingStatus, assigneeId: AgentId | null): void {
  const conversation: Conversation = {
    id: turn.newId<"Conversation">(),
    status,
    assigneeId,
    offeredTo: null,
    offerExpiresAt: null,
    startedAt: turn.now,
    lastActivityAt: turn.now,
    endedAt: null,
    endedBy: null,
    endReason: null,
    statusBeforeEnd: null,
    endedByBlockId: null,
  };
  turn.emit(actor, {
    type: "ConversationChanged",
    from: null,
    conversation,
    agents: agentsOf(conversation),
  });
}

/** Changes the ongoing conversation. Leaving `BOT` also ends the bot session. */
export function changeConversation(
  turn: Turn,
  actor: Actor,
  from: Conversation,
  change: Partial<Conversation>,
  occurredAt = turn.now,
): void {
  const conversation: Conversation = {
    ...from,
    offeredTo: null,
    offerExpiresAt: null,
    ...change,
  };
  if (conversation.status !== "BOT" && turn.state.botSession !== null) {
    turn.emit(actor, { type: "BotSessionChanged", session: null }, occurredAt);
  }
  turn.emit(
    actor,
    {
      type: "ConversationChanged",
      from: from.status,
      conversation,
      agents: agentsOf(from, conversation),
    },
    occurredAt,
  );
}

export function endConversation(
  turn: Turn,
  actor: Actor,
  conversation: Conversation,
  end:
    | { readonly status: "ENDED"; readonly reason: "RESOLVED" | "INACTIVITY" | "CHANNEL_ARCHIVED" }
    | {
        readonly status: "BLOCKED";
        readonly reason: "BLOCKED";
        readonly blockId: BlockId;
      },
): void {
  changeConversation(turn, actor, conversation, {
    status: end.status,
    endedAt: turn.now,
    endedBy: actor,
    endReason: end.reason,
    statusBeforeEnd: isOngoing(conversation.status) ? conversation.status : null,
    endedByBlockId: end.status === "BLOCKED" ? end.blockId : null,
  });
}

/** Expires an unanswered offer as of its deadline, however late that is processed (rule C3). */
export function lapseOffer(turn: Turn): void {
  const { conversation } = turn.state;
  if (conversation === null || conversation.offerExpiresAt === null || turn.now < conversation.offerExpiresAt) return;
  changeConversation(turn, system, conversation, { status: "WAITING", assigneeId: null }, conversation.offerExpiresAt);
}

/**
 * Rule C3, none → ACTIVE, refused on an archived channel. A conversation that an API key starts is unassigned until an
 * agent replies (rule C4).
 */
export function start(turn: Turn, actor: Actor, content: OutboundContent): Accepted | Refusal {
  const { block, channelArchived, conversation } = turn.state;
  if (channelArchived) return channelIsArchived;
  if (block !== null) return contactBlocked(block);
  if (conversation !== null) return invalidTransition(conversation.status, "ACTIVE");
  beginConversation(turn, actor, "ACTIVE", actor.type === "Agent" ? actor.id : null);
  const messageId = recordOutbound(turn, actor, content);
  return accepted(turn, {
    messageId,
    conversationId: turn.state.conversation?.id ?? null,
  });
}

/** Rule C3, any ongoing → ACTIVE, even if another agent has it. */
export function take(turn: Turn, agentId: AgentId, conversationId: ConversationId): Accepted | Refusal {
  return withOngoing(turn, conversationId, "ACTIVE", (conversation) => {
    if (conversation.status === "ACTIVE" && conversation.assigneeId === agentId)
      return accepted(turn, { conversationId });
    assign(turn, { type: "Agent", id: agentId }, conversation, agentId);
    return accepted(turn, { conversationId });
  });
}

/** Rule C3, WAITING → ASSIGNING. */
export function offer(turn: Turn, actor: Actor, conversationId: ConversationId, agentId: AgentId): Accepted | Refusal {
  return withOngoing(turn, conversationId, "ASSIGNING", (conversation) => {
    if (conversation.status !== "WAITING") return invalidTransition(conversation.status, "ASSIGNING");
    offerTo(turn, actor, conversation, agentId);
    return accepted(turn, { conversationId });
  });
}

/** Rule C3, ASSIGNING → ACTIVE, by the agent it was offered to. */
export function accept(turn: Turn, agentId: AgentId, conversationId: ConversationId): Accepted | Refusal {
  return withOngoing(turn, conversationId, "ACTIVE", (conversation) => {
    if (conversation.offeredTo !== agentId) return invalidTransition(conversation.status, "ACTIVE");
    assign(turn, { type: "Agent", id: agentId }, conversation, agentId);
    return accepted(turn, { conversationId });
  });
}

/**
 * Rule C3, ASSIGNING → WAITING. Declining sends nothing to the contact, so after a block it is refused as an invalid
 * transition, not as blocked (rule C5).
 */
export function decline(turn: Turn, agentId: AgentId, conversationId: ConversationId): Accepted | Refusal {
  const conversation = ongoing(turn, conversationId);
  if (conversation === null || conversation.offeredTo !== agentId) {
    return invalidTransition(conversation?.status ?? turn.facts.conversationStatus, "WAITING");
  }
  changeConversation(turn, { type: "Agent", id: agentId }, conversation, {
    status: "WAITING",
    assigneeId: null,
  });
  return accepted(turn, { conversationId });
}

/** Rule C3, ACTIVE → WAITING (to the queue) or ASSIGNING (to an agent). */
export function transfer(
  turn: Turn,
  actor: Actor,
  conversationId: ConversationId,
  agentId: AgentId | null,
): Accepted | Refusal {
  const to = agentId === null ? "WAITING" : "ASSIGNING";
  return withOngoing(turn, conversationId, to, (conversation) => {
    if (conversation.status !== "ACTIVE") return invalidTransition(conversation.status, to);
    if (agentId === null)
      changeConversation(turn, actor, conversation, {
        status: "WAITING",
        assigneeId: null,
      });
    else offerTo(turn, actor, conversation, agentId);
    return accepted(turn, { conversationId });
  });
}

/** Rule C3, any ongoing → ENDED. After a block it is an invalid transition, like `decline` (rule C5). */
export function end(turn: Turn, actor: Actor, conversationId: ConversationId): Accepted | Refusal {
  const conversation = ongoing(turn, conversationId);
  if (conversation === null) return invalidTransition(turn.facts.conversationStatus, "ENDED");
  endConversation(turn, actor, conversation, {
    status: "ENDED",
    reason: "RESOLVED",
  });
  return accepted(turn, { conversationId });
}

/** Rule C4: an agent who sends in an unassigned conversation becomes its assignee; a message of an API key changes nothing else. */
export function send(
  turn: Turn,
  actor: Actor,
  conversationId: ConversationId,
  content: OutboundContent,
): Accepted | Refusal {
  return withOngoing(turn, conversationId, "ACTIVE", (conversation) => {
    if (actor.type === "Agent" && conversation.assigneeId === null) assign(turn, actor, conversation, actor.id);
    const messageId = recordOutbound(turn, actor, content);
    return accepted(turn, { messageId, conversationId });
  });
}

/** Rule C5 for commands that a block refuses: checks for a block first, then that the conversation is ongoing. */
export function withOngoing(
  turn: Turn,
  conversationId: ConversationId,
  to: ConversationStatus,
  act: (conversation: Conversation) => Accepted | Refusal,
): Accepted | Refusal {
  if (turn.state.block !== null) return contactBlocked(turn.state.block);
  const conversation = ongoing(turn, conversationId);
  return conversation === null ? invalidTransition(turn.facts.conversationStatus, to) : act(conversation);
}

function ongoing(turn: Turn, conversationId: ConversationId): Conversation | null {
  const { conversation } = turn.state;
  return conversation?.id === conversationId ? conversation : null;
}

function assign(turn: Turn, actor: Actor, conversation: Conversation, agentId: AgentId): void {
  changeConversation(turn, actor, conversation, {
    status: "ACTIVE",
    assigneeId: agentId,
  });
}

function offerTo(turn: Turn, actor: Actor, conversation: Conversation, agentId: AgentId): void {
  changeConversation(turn, actor, conversation, {
    status: "ASSIGNING",
    assigneeId: null,
    offeredTo: agentId,
    offerExpiresAt: turn.now + OFFER_TIMEOUT,
  });
}

const channelIsArchived = invalidInput("channelId", "This channel is archived, so nothing can be started on it.");
