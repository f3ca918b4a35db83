import type { Actor } from "./actor.ts";
import { agentsOf } from "./conversation.ts";
import type { MessageId } from "./id.ts";
import type { Menu } from "./message.ts";
import type { Turn } from "./turn.ts";

/** What an outbound message says, and where it comes from. */
export interface OutboundContent {
  readonly text: string;
  readonly menu?: Menu | null;
  readonly clientMessageId?: string | null | undefined;
  readonly retryOf?: MessageId | null;
}

/** Records an outbound text in the ongoing conversation as `QUEUED`. */
export function recordOutbound(turn: Turn, author: Actor, content: OutboundContent): MessageId {
  const { conversation, lastSeq } = turn.state;
  const { text, menu = null, clientMessageId = null, retryOf = null } = content;
  const id = turn.newId<"Message">();
  turn.emit(author, {
    type: "MessageRecorded",
    message: {
      id,
      seq: lastSeq + 1,
      conversationId: conversation?.id ?? null,
      direction: "OUTBOUND",
      kind: "TEXT",
      eventType: null,
      text,
      payload: null,
      author,
      sentAt: turn.now,
      recordedAt: turn.now,
      unsentAt: null,
      editedAt: null,
      receivedWhileBlocked: false,
      deliveryStatus: "QUEUED",
      menu,
      retryOf,
      eventId: null,
      clientMessageId,
      providerMessageId: null,
      unsends: null,
    },
    activity: true,
    suppressedBy: null,
    agents: agentsOf(conversation),
    replyToken: null,
    readToken: null,
  });
  return id;
}
