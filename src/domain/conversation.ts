import type { Actor } from "./actor.ts";
import type { AgentId, BlockId, ConversationId, Instant } from "./id.ts";

export const ongoingStatuses = ["BOT", "WAITING", "ASSIGNING", "ACTIVE"] as const;
export const terminalStatuses = ["ENDED", "BLOCKED"] as const;
export type OngoingStatus = (typeof ongoingStatuses)[number];
export type TerminalStatus = (typeof terminalStatuses)[number];
export type ConversationStatus = OngoingStatus | TerminalStatus;
export type ConversationEndReason = "RESOLVED" | "BLOCKED" | "INACTIVITY" | "CHANNEL_ARCHIVED";

/** How long an agent has to answer an offer, in milliseconds (rule C3). */
export const OFFER_TIMEOUT = 60_000;

/** One bounded exchange on a ContactChannel. */
export interface Conversation {
  readonly id: ConversationId;
  readonly status: ConversationStatus;
  readonly assigneeId: AgentId | null;
  readonly offeredTo: AgentId | null;
  readonly offerExpiresAt: Instant | null;
  readonly startedAt: Instant;
  readonly lastActivityAt: Instant;
  readonly endedAt: Instant | null;
  readonly endedBy: Actor | null;
  readonly endReason: ConversationEndReason | null;
  readonly statusBeforeEnd: OngoingStatus | null;
  readonly endedByBlockId: BlockId | null;
}

export function isOngoing(status: ConversationStatus): status is OngoingStatus {
  return status !== "ENDED" && status !== "BLOCKED";
}

/** The assignees of these conversations and the agents they are offered to, without duplicates. */
export function agentsOf(...conversations: readonly (Conversation | null)[]): readonly AgentId[] {
  const agents = conversations.flatMap((conversation) => [conversation?.assigneeId, conversation?.offeredTo]);
  return [...new Set(agents.filter((agent) => agent !== undefined && agent !== null))];
}
