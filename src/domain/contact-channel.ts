import { assertNever } from "./assert-never.ts";
import type { ChannelKind } from "./channel-kind.ts";
import { agentsOf, type Conversation, isOngoing } from "./conversation.ts";
import type { BlockInForce, ConversationRef, Episode } from "./episode.ts";
import type { BotSession, DomainEvent } from "./event.ts";
import type { AgentId, ChannelId, ContactChannelId, ContactId, ConversationId, Instant, WorkspaceId } from "./id.ts";
import { isMessage, type Message } from "./message.ts";
import { type Outbox, outboxDueAt, type PendingOutbound } from "./outbox.ts";

/** The aggregate: the state of one contact on one channel that decisions depend on. */
export interface ContactChannel {
  readonly id: ContactChannelId;
  readonly workspaceId: WorkspaceId;
  readonly contactId: ContactId;
  readonly channelId: ChannelId;
  readonly channelKind: ChannelKind;
  /** An archived channel goes on recording inbound entries and starts nothing. */
  readonly channelArchived: boolean;
  /** Settings of the channel: which signals its contacts get. Only LINE has any. */
  readonly channelShowsLoading: boolean;
  readonly channelMarksRead: boolean;
  readonly displayName: string | null;
  /** The time of the last decision, no later decision has an earlier time (rule O1); null before the first. */
  readonly clock: Instant | null;
  readonly lastSeq: number;
  readonly reachable: boolean;
  /** The provider's time of the last follow or unfollow, so that a late event does not override a newer one (rule O3). */
  readonly reachableAsOf: Instant | null;
  readonly block: BlockInForce | null;
  /** Past blocks, oldest first. */
  readonly episodes: readonly Episode[];
  /** True from an unblock until the first new message (rule U2). */
  readonly awaitingFirstMessage: boolean;
  readonly conversation: Conversation | null;
  readonly recentConversation: ConversationRef | null;
  readonly botSession: BotSession | null;
  /** Outbound messages that are `QUEUED` or `SENDING`, in `seq` order. Loaded only for commands that need them. */
  readonly pending: readonly PendingOutbound[];
  /** Whether others follow those in `pending`, which are then only the first of the queue. */
  readonly hasMorePending: boolean;
  readonly outbox: Outbox;
}

/** The agents concerned by a change of this entry: the assignee of its conversation and the agent it is offered to. */
export function agentsConcerned(
  { conversation, recentConversation }: ContactChannel,
  entry: { readonly conversationId: ConversationId | null; readonly agents: readonly AgentId[] },
): readonly AgentId[] {
  if (entry.conversationId === null) return [];
  if (conversation?.id === entry.conversationId) return agentsOf(conversation);
  if (recentConversation?.id !== entry.conversationId) return entry.agents;
  return recentConversation.assigneeId === null ? [] : [recentConversation.assigneeId];
}

function pendingOf(
  { id, seq, conversationId, recordedAt, menu }: Message,
  agents: readonly AgentId[],
): PendingOutbound {
  return {
    messageId: id,
    seq,
    conversationId,
    agents,
    status: "QUEUED",
    recordedAt,
    attempts: 0,
    hasMenu: menu !== null,
  };
}

function isNextPending({ hasMorePending }: ContactChannel, { deliveryStatus }: Message): boolean {
  return deliveryStatus === "QUEUED" && !hasMorePending;
}

/** Delivery is due as of the first message that is queued, unless one is leased; what follows is found when that one has gone out. */
function outboxAfter(
  { outbox, channelKind }: ContactChannel,
  { message, replyToken, readToken }: Extract<DomainEvent, { readonly type: "MessageRecorded" }>,
): Outbox {
  const isQueued = message.deliveryStatus === "QUEUED";
  return {
    ...outbox,
    replyToken: replyToken ?? outbox.replyToken,
    dueAt: outbox.dueAt ?? (isQueued ? outboxDueAt(channelKind, outbox.delivery, message) : null),
    signals: readToken === null ? outbox.signals : { ...outbox.signals, readToken },
  };
}

/** Rules S2 and S6: a call that is under way when a block comes may finish, but is not repeated. */
function blockedOutbox(outbox: Outbox): Outbox {
  return outbox.delivery === null ? outbox : { ...outbox, delivery: { ...outbox.delivery, isBlocked: true } };
}

/** Folds one event into the state. */
export function evolve(state: ContactChannel, event: DomainEvent): ContactChannel {
  switch (event.type) {
    case "ContactAppeared":
      return state;
    case "DisplayNameChanged":
      return { ...state, displayName: event.displayName };
    case "ReachabilityChanged":
      return {
        ...state,
        reachable: event.reachable,
        reachableAsOf: event.asOf,
      };
    case "ReachabilityConfirmed":
      return { ...state, reachableAsOf: event.asOf };
    case "MessageRecorded": {
      const { message } = event;
      const { conversation } = state;
      const isFirstNew = message.direction === "INBOUND" && isMessage(message) && event.activity;
      return {
        ...state,
        lastSeq: message.seq,
        awaitingFirstMessage: state.awaitingFirstMessage && !isFirstNew,
        conversation:
          conversation !== null && event.activity
            ? { ...conversation, lastActivityAt: message.recordedAt }
            : conversation,
        pending: isNextPending(state, message) ? [...state.pending, pendingOf(message, event.agents)] : state.pending,
        outbox: outboxAfter(state, event),
      };
    }
    case "MessageUnsent":
    case "MessageEdited":
      return state;
    case "DeliveryChanged":
      return {
        ...state,
        pending: state.pending.flatMap((entry) => {
          if (entry.messageId !== event.messageId) return [entry];
          if (event.to !== "QUEUED" && event.to !== "SENDING") return [];
          return [{ ...entry, status: event.to, attempts: event.attempt ?? entry.attempts }];
        }),
        outbox: event.outbox,
      };
    case "OutboxChanged":
      return { ...state, outbox: event.outbox };
    case "ConversationChanged": {
      const { conversation } = event;
      return {
        ...state,
        conversation: isOngoing(conversation.status) ? conversation : null,
        recentConversation: {
          id: conversation.id,
          assigneeId: conversation.assigneeId,
        },
      };
    }
    case "BotSessionChanged":
      return { ...state, botSession: event.session };
    case "ContactBlocked":
      return { ...state, block: event.block, outbox: blockedOutbox(state.outbox) };
    case "BlockUpdated":
      return { ...state, block: event.block };
    case "BlockLifted": {
      const { id, blockedAt, afterSeq, conversation } = event.block;
      return {
        ...state,
        block: null,
        episodes: [...state.episodes, { id, blockedAt, endedAt: event.liftedAt, afterSeq, conversation }],
        awaitingFirstMessage: true,
      };
    }
    default:
      return assertNever(event);
  }
}

/** The earliest time at which a block expiry, an offer timeout or a delayed flow step is due; null if there is none. */
export function dueAt(state: ContactChannel): Instant | null {
  const times = [state.block?.expiresAt, state.conversation?.offerExpiresAt, state.botSession?.dueAt].filter(
    (time) => time !== undefined && time !== null,
  );
  return times.length === 0 ? null : Math.min(...times);
}
