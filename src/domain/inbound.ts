import type { Actor } from "./actor.ts";
import { answerMenu, openingChatbot, replyToFirstMessage, replyToKeyword, startChatbot } from "./automation.ts";
import type { InboundEntry } from "./command.ts";
import { agentsConcerned, type ContactChannel } from "./contact-channel.ts";
import { agentsOf } from "./conversation.ts";
import type { ConversationRef } from "./episode.ts";
import type { BlockId, Instant, MessageId } from "./id.ts";
import { isMessage } from "./message.ts";
import type { ReplyToken } from "./outbox.ts";
import type { ReadToken } from "./signal.ts";
import { beginConversation } from "./transition.ts";
import { type Accepted, accepted, type EntryRef, type Turn } from "./turn.ts";

/** Records a provider event exactly once and runs the flows that it triggers (rules C1, D1–D3, D6, U2–U4, O3, O6). */
export function receive(turn: Turn, entry: InboundEntry): Accepted {
  if (turn.facts.duplicateOf !== null) return accepted(turn, { messageId: turn.facts.duplicateOf });

  const sentAt = Math.min(entry.sentAt ?? turn.now, turn.now);
  updateContact(turn, entry, sentAt);
  const suppressed = suppression(turn.state, sentAt);
  let messageId: MessageId;
  if (suppressed !== null) {
    messageId = record(turn, entry, sentAt, {
      conversation: suppressed.conversation,
      suppressed: true,
      blockId: suppressed.blockId,
    });
  } else if (turn.state.channelArchived) {
    messageId = record(turn, entry, sentAt, { conversation: turn.state.recentConversation });
  } else if (isMessage(entry)) {
    messageId = receiveMessage(turn, entry, sentAt);
  } else {
    messageId = receiveEvent(turn, entry, sentAt);
  }
  const { unsendTargets, editTarget } = turn.facts;
  for (const target of unsendTargets) changeEntry(turn, "MessageUnsent", target);
  if (editTarget !== null) changeEntry(turn, "MessageEdited", editTarget);
  return accepted(turn, { messageId });
}

function changeEntry(turn: Turn, type: "MessageUnsent" | "MessageEdited", target: EntryRef): void {
  turn.emit(contactOf(turn), { type, ...target, agents: agentsConcerned(turn.state, target) });
}

/**
 * Decides whether a block suppresses an inbound entry: everything that arrives during a block (rule D1), and what was sent
 * before the latest block ended but arrives later, for example when a provider redelivers it (rule U4). A suppressed entry
 * is recorded and starts nothing. Null if no block suppresses it.
 */
function suppression(state: ContactChannel, sentAt: Instant): Suppression | null {
  const { block, episodes } = state;
  if (block !== null) return { conversation: block.conversation, blockId: block.id };

  const latest = episodes.at(-1);
  if (latest === undefined || sentAt >= latest.endedAt) return null;
  const sentDuring = episodes.find((episode) => episode.blockedAt <= sentAt && sentAt < episode.endedAt);
  return { conversation: latest.conversation, blockId: sentDuring?.id ?? null };
}

/** Where a suppressed entry is recorded, and the block that it counts for. */
interface Suppression {
  readonly conversation: ConversationRef | null;
  /** The block during which the entry was sent or arrived; null if sent outside all blocks but before the latest one ended. */
  readonly blockId: BlockId | null;
}

/**
 * Rule C1: a message joins the ongoing conversation or starts one. Rule U2: the first message after an unblock triggers
 * no default flow if an agent or an API key has already started a conversation.
 */
function receiveMessage(turn: Turn, entry: InboundEntry, sentAt: Instant): MessageId {
  const { conversation, awaitingFirstMessage } = turn.state;
  const text = entry.text ?? "";
  if (conversation === null) {
    const chatbot = entry.automate ? openingChatbot(turn.flows) : null;
    beginConversation(turn, contactOf(turn), chatbot === null ? "WAITING" : "BOT", null);
    const messageId = record(turn, entry, sentAt, {
      conversation: turn.state.recentConversation,
    });
    if (chatbot !== null) startChatbot(turn, chatbot);
    else if (entry.automate) replyToKeyword(turn, text) || replyToFirstMessage(turn);
    return messageId;
  }
  const messageId = record(turn, entry, sentAt, { conversation });
  if (entry.automate && !awaitingFirstMessage) {
    if (conversation.status === "BOT") answerMenu(turn, text);
    else if (conversation.status === "WAITING") replyToKeyword(turn, text);
  }
  return messageId;
}

/** Rules C1 and U3: events do not start conversations. A postback in a `BOT` conversation answers its menu. */
function receiveEvent(turn: Turn, entry: InboundEntry, sentAt: Instant): MessageId {
  const { conversation, recentConversation } = turn.state;
  const messageId = record(turn, entry, sentAt, {
    conversation: conversation ?? recentConversation,
  });
  if (conversation?.status === "BOT" && entry.eventType === "postback" && entry.automate) {
    answerMenu(turn, postbackData(entry));
  }
  return messageId;
}

function record(
  turn: Turn,
  entry: InboundEntry,
  sentAt: Instant,
  where: {
    conversation: ConversationRef | null;
    suppressed?: boolean;
    blockId?: BlockId | null;
  },
): MessageId {
  const { state } = turn;
  const { conversation, suppressed = false, blockId = null } = where;
  const id = turn.newId<"Message">();
  const isOngoing = conversation !== null && state.conversation?.id === conversation.id;
  turn.emit(contactOf(turn), {
    type: "MessageRecorded",
    message: {
      id,
      seq: state.lastSeq + 1,
      conversationId: conversation?.id ?? null,
      direction: "INBOUND",
      kind: entry.kind,
      eventType: entry.eventType,
      text: entry.text,
      payload: entry.payload,
      author: contactOf(turn),
      sentAt,
      recordedAt: turn.now,
      unsentAt: turn.facts.alreadyUnsent ? turn.now : null,
      editedAt: turn.facts.alreadyEdited ? turn.now : null,
      receivedWhileBlocked: blockId !== null,
      deliveryStatus: null,
      menu: null,
      retryOf: null,
      eventId: entry.eventId,
      clientMessageId: entry.clientMessageId ?? null,
      providerMessageId: entry.providerMessageId,
      unsends: entry.unsends,
    },
    activity: !suppressed,
    suppressedBy: isMessage(entry) ? blockId : null,
    agents: isOngoing ? agentsOf(state.conversation) : conversation?.assigneeId ? [conversation.assigneeId] : [],
    replyToken: newestReplyToken(turn, entry, sentAt),
    readToken: newestReadToken(turn, entry, sentAt),
  });
  return id;
}

/** The token of the entry, unless the entry is older than the one whose token is kept: a late redelivery, for example. */
function newestReplyToken({ state }: Turn, { replyToken }: InboundEntry, sentAt: Instant): ReplyToken | null {
  const { replyToken: kept } = state.outbox;
  if (replyToken === undefined || (kept !== null && kept.receivedAt > sentAt)) return null;
  return { token: replyToken, receivedAt: sentAt };
}

/** The same for the permission to mark as read, on a channel that does so. */
function newestReadToken({ state }: Turn, { readToken }: InboundEntry, sentAt: Instant): ReadToken | null {
  const { readToken: kept } = state.outbox.signals;
  if (readToken === undefined || !state.channelMarksRead || (kept !== null && kept.sentAt > sentAt)) return null;
  return { token: readToken, seq: state.lastSeq + 1, sentAt };
}

/** Updates the name and the reachability of the contact, which are independent of blocks (rule D6). */
function updateContact(turn: Turn, entry: InboundEntry, sentAt: Instant): void {
  const { state } = turn;
  if (state.clock === null && state.lastSeq === 0) turn.emit(contactOf(turn), { type: "ContactAppeared" });
  if (entry.displayName !== null && entry.displayName !== state.displayName) {
    turn.emit(contactOf(turn), {
      type: "DisplayNameChanged",
      displayName: entry.displayName,
    });
  }
  if (entry.reachable !== null && (state.reachableAsOf === null || state.reachableAsOf <= sentAt)) {
    turn.emit(
      contactOf(turn),
      entry.reachable === state.reachable
        ? { type: "ReachabilityConfirmed", asOf: sentAt }
        : { type: "ReachabilityChanged", reachable: entry.reachable, asOf: sentAt },
    );
  }
}

function postbackData(entry: InboundEntry): string {
  const { payload } = entry;
  const data = payload !== null && typeof payload === "object" && "data" in payload ? payload.data : null;
  return typeof data === "string" ? data : (entry.text ?? "");
}

function contactOf(turn: Turn): Actor {
  return { type: "Contact", id: turn.state.contactId };
}
