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
import { recordOutbound } from "./outbound.ts";
import { invalidTransition, type Refusal } from "./refusal.ts";
import { type Accepted, accepted, contactBlocked, type Turn } from "./turn.ts";

/** Starts a conversation; the caller has made sure that none is ongoing (rule C2). */
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

/** Moves the ongoing conversation; a chatbot's session does not outlive `BOT`. */
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
    | { readonly status: "ENDED"; readonly reason: "RESOLVED" | "INACTIVITY" }
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

/** An offer that nobody took up lapses at its deadline, whenever that is noticed (rule C3). */
export function lapseOffer(turn: Turn): void {
  const { conversation } = turn.state;
  if (conversation === null || conversation.offerExpiresAt === null || turn.now < conversation.offerExpiresAt) return;
  changeConversation(turn, system, conversation, { status: "WAITING", assigneeId: null }, conversation.offerExpiresAt);
}

/** Rule C3, none → ACTIVE. A key has no hands: its conversation is nobody's until an agent answers (rule C4). */
export function start(turn: Turn, actor: Actor, text: string): Accepted | Refusal {
  const { block, conversation } = turn.state;
  if (block !== null) return contactBlocked(block);
  if (conversation !== null) return invalidTransition(conversation.status, "ACTIVE");
  beginConversation(turn, actor, "ACTIVE", actor.type === "Agent" ? actor.id : null);
  const messageId = recordOutbound(turn, actor, text);
  return accepted(turn, {
    messageId,
    conversationId: turn.state.conversation?.id ?? null,
  });
}

/** Rule C3, any ongoing → ACTIVE, also from another agent. */
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

/** Rule C3, ASSIGNING → ACTIVE, by the agent who was offered it. */
export function accept(turn: Turn, agentId: AgentId, conversationId: ConversationId): Accepted | Refusal {
  return withOngoing(turn, conversationId, "ACTIVE", (conversation) => {
    if (conversation.offeredTo !== agentId) return invalidTransition(conversation.status, "ACTIVE");
    assign(turn, { type: "Agent", id: agentId }, conversation, agentId);
    return accepted(turn, { conversationId });
  });
}

/** Rule C3, ASSIGNING → WAITING. It reaches nobody, so after a block it is an invalid transition, not a refusal for the block (rule C5). */
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

/** Rule C3, any ongoing → ENDED; like declining, an invalid transition after a block (rule C5). */
export function end(turn: Turn, actor: Actor, conversationId: ConversationId): Accepted | Refusal {
  const conversation = ongoing(turn, conversationId);
  if (conversation === null) return invalidTransition(turn.facts.conversationStatus, "ENDED");
  endConversation(turn, actor, conversation, {
    status: "ENDED",
    reason: "RESOLVED",
  });
  return accepted(turn, { conversationId });
}

/** Rule C4: an agent's message takes a conversation that is nobody's; a key's changes neither status nor assignee. */
export function send(turn: Turn, actor: Actor, conversationId: ConversationId, text: string): Accepted | Refusal {
  return withOngoing(turn, conversationId, "ACTIVE", (conversation) => {
    if (actor.type === "Agent" && conversation.assigneeId === null) assign(turn, actor, conversation, actor.id);
    const messageId = recordOutbound(turn, actor, text);
    return accepted(turn, { messageId, conversationId });
  });
}

/** The order of rule C5 for every path towards the contact: blocked first, then whether the conversation still goes on. */
function withOngoing(
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
