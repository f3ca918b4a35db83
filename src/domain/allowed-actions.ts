import { type Actor, system } from "./actor.ts";
import { assertNever } from "./assert-never.ts";
import type { RequestedCommand } from "./command.ts";
import type { ContactChannel } from "./contact-channel.ts";
import { type Conversation, isOngoing } from "./conversation.ts";
import { dryRun } from "./dry-run.ts";
import type { BlockInForce } from "./episode.ts";
import { type ConversationId, type Instant, idOf } from "./id.ts";
import { emptyOutbox } from "./outbox.ts";

export const conversationActions = ["REPLY", "TAKE", "OFFER", "ACCEPT", "DECLINE", "TRANSFER", "END", "NOTE"] as const;
export type ConversationAction = (typeof conversationActions)[number];

export const contactChannelActions = ["BLOCK", "UNBLOCK", "UPDATE_BLOCK", "START"] as const;
export type ContactChannelAction = (typeof contactChannelActions)[number];

/** The part of a ContactChannel on which it depends whether a viewer's command is refused. */
export interface Standing {
  readonly clock: Instant | null;
  readonly channelArchived: boolean;
  readonly block: Pick<BlockInForce, "id" | "expiresAt"> | null;
  /** The conversation that is asked about; for actions on the ContactChannel, the ongoing one. */
  readonly conversation: Pick<Conversation, "id" | "status" | "assigneeId" | "offeredTo" | "offerExpiresAt"> | null;
}

/** The agent or the API key that would act. */
export interface Requester {
  readonly actor: Extract<Actor, { readonly type: "Agent" | "ApiKey" }>;
  /** Whether the requester has the permission to send this command. */
  readonly permits: (command: RequestedCommand["type"]) => boolean;
}

/** The actions on a conversation that the requester's mutation would not be refused for at `now`. */
export function allowedConversationActions(
  standing: Standing,
  conversationId: ConversationId,
  requester: Requester,
  now: Instant,
): ConversationAction[] {
  const state = stateOf(standing);
  return conversationActions.filter((action) =>
    isAccepted(state, conversationCommand(action, conversationId, requester), requester, now),
  );
}

/** The actions on a ContactChannel that the requester's mutation would not be refused for at `now`. */
export function allowedContactChannelActions(
  standing: Standing,
  requester: Requester,
  now: Instant,
): ContactChannelAction[] {
  const state = stateOf(standing);
  return contactChannelActions.filter((action) =>
    isAccepted(state, contactChannelCommand(action, state, requester), requester, now),
  );
}

/** No rule is repeated here: the functions that decide the command decide whether it is allowed. */
function isAccepted(
  state: ContactChannel,
  command: RequestedCommand | null,
  requester: Requester,
  now: Instant,
): boolean {
  return command !== null && requester.permits(command.type) && dryRun(state, command, now).result.type === "Accepted";
}

/** The command that the action's mutation sends; null if the requester cannot send one. */
function conversationCommand(
  action: ConversationAction,
  conversationId: ConversationId,
  { actor }: Requester,
): RequestedCommand | null {
  const own = actor.type === "Agent" ? { agentId: actor.id, conversationId } : null;
  switch (action) {
    case "REPLY":
      return { type: "SendMessage", actor, conversationId, text: "" };
    case "TAKE":
      return own && { type: "TakeConversation", ...own };
    case "OFFER":
      return { type: "OfferConversation", actor, conversationId, agentId: anyAgent };
    case "ACCEPT":
      return own && { type: "AcceptConversation", ...own };
    case "DECLINE":
      return own && { type: "DeclineConversation", ...own };
    case "TRANSFER":
      return { type: "TransferConversation", actor, conversationId, agentId: null };
    case "END":
      return { type: "EndConversation", actor, conversationId };
    case "NOTE":
      // No mutation writes notes yet.
      return null;
    default:
      return assertNever(action);
  }
}

function contactChannelCommand(
  action: ContactChannelAction,
  { block }: ContactChannel,
  { actor }: Requester,
): RequestedCommand | null {
  switch (action) {
    case "BLOCK":
      return { type: "Block", actor, notes: null, expiresAt: null };
    case "UNBLOCK":
      return { type: "Unblock", actor, notes: null };
    case "UPDATE_BLOCK":
      return block && { type: "UpdateBlock", actor, blockId: block.id };
    case "START":
      return { type: "StartConversation", actor, text: "" };
    default:
      return assertNever(action);
  }
}

/** To whom a conversation is offered does not change whether it can be offered. */
const anyAgent = idOf<"Agent">("");

/** An aggregate with this standing. Everything else is neutral, because no viewer's command is refused for it. */
function stateOf({ clock, channelArchived, block, conversation }: Standing): ContactChannel {
  return {
    id: idOf(""),
    workspaceId: idOf(""),
    contactId: idOf(""),
    channelId: idOf(""),
    channelKind: "CUSTOM",
    channelArchived,
    channelShowsLoading: false,
    channelMarksRead: false,
    displayName: null,
    clock,
    lastSeq: 0,
    reachable: true,
    reachableAsOf: null,
    block: block && { blockedAt: 0, blockedBy: system, notes: null, afterSeq: 0, conversation: null, ...block },
    episodes: [],
    awaitingFirstMessage: false,
    conversation:
      conversation !== null && isOngoing(conversation.status)
        ? {
            startedAt: 0,
            lastActivityAt: 0,
            endedAt: null,
            endedBy: null,
            endReason: null,
            statusBeforeEnd: null,
            endedByBlockId: null,
            ...conversation,
          }
        : null,
    recentConversation: null,
    botSession: null,
    pending: [],
    hasMorePending: false,
    outbox: emptyOutbox,
  };
}
