import type { Actor } from "./actor.ts";
import type { AgentId, BlockId, ConversationId, Instant, MessageId } from "./id.ts";
import type { JsonValue, MessageKind } from "./message.ts";
import type { DeliveryOutcome } from "./outbox.ts";

/** One provider event, parsed by a channel adapter. Text and payload contain no NUL or lone surrogates (rule O4). */
export interface InboundEntry {
  readonly eventId: string;
  readonly kind: MessageKind;
  /** The type of an event (follow, postback, …); null for a message. */
  readonly eventType: string | null;
  readonly text: string | null;
  readonly payload: JsonValue;
  /** The provider's timestamp if the source is signed; null means the time of arrival. */
  readonly sentAt: Instant | null;
  readonly displayName: string | null;
  /** The key under which a visitor's page sent the message; absent for other sources. */
  readonly clientMessageId?: string;
  readonly providerMessageId: string | null;
  /** The provider's id of the message that this entry unsends (rule O6). */
  readonly unsends: string | null;
  /** Whether this is a later text of the message with the same `providerMessageId`; absent means no. */
  readonly isEdit?: boolean;
  /** Whether the contact can be reached (rule D6); null if the entry does not say. */
  readonly reachable: boolean | null;
  /** LINE's token for one reply to this entry; absent for other sources. */
  readonly replyToken?: string;
  /** LINE's token that marks this entry, and what came before it, as read; absent for other sources. */
  readonly readToken?: string;
  /** False if the provider reports that another party answers (LINE's standby mode): no flow is triggered. */
  readonly automate: boolean;
}

/** A command on one ContactChannel. Its input is validated; `decide` checks whether the current state allows it. */
export type Command =
  | { readonly type: "ReceiveInbound"; readonly entry: InboundEntry }
  | {
      readonly type: "Block";
      readonly actor: Actor;
      readonly notes: string | null;
      readonly expiresAt: Instant | null;
    }
  | {
      readonly type: "Unblock";
      readonly actor: Actor;
      readonly notes: string | null;
    }
  | {
      readonly type: "UpdateBlock";
      readonly actor: Actor;
      readonly blockId: BlockId;
      /** Absent: unchanged; null: removed. */
      readonly notes?: string | null;
      readonly expiresAt?: Instant | null;
    }
  | {
      readonly type: "SendMessage";
      readonly actor: Actor;
      readonly conversationId: ConversationId;
      readonly text: string;
      readonly clientMessageId?: string | null;
    }
  | {
      readonly type: "StartConversation";
      readonly actor: Actor;
      readonly text: string;
      readonly clientMessageId?: string | null;
    }
  | {
      readonly type: "TakeConversation";
      readonly agentId: AgentId;
      readonly conversationId: ConversationId;
    }
  | {
      readonly type: "OfferConversation";
      readonly actor: Actor;
      readonly conversationId: ConversationId;
      readonly agentId: AgentId;
    }
  | {
      readonly type: "AcceptConversation";
      readonly agentId: AgentId;
      readonly conversationId: ConversationId;
    }
  | {
      readonly type: "DeclineConversation";
      readonly agentId: AgentId;
      readonly conversationId: ConversationId;
    }
  | {
      readonly type: "TransferConversation";
      readonly actor: Actor;
      readonly conversationId: ConversationId;
      /** Null: back to the queue. */
      readonly agentId: AgentId | null;
    }
  | {
      readonly type: "EndConversation";
      readonly actor: Actor;
      readonly conversationId: ConversationId;
    }
  | {
      readonly type: "RetryMessage";
      readonly actor: Actor;
      readonly messageId: MessageId;
      /** Whether to send it again although it may have arrived. */
      readonly acceptDuplicate: boolean;
    }
  | {
      readonly type: "CancelMessage";
      readonly actor: Actor;
      readonly messageId: MessageId;
    }
  /** An agent or a key begins or stops to write. */
  | {
      readonly type: "SetTyping";
      readonly conversationId: ConversationId;
      readonly typing: boolean;
    }
  /** An agent has read the conversation up to the entry with this `seq`. */
  | {
      readonly type: "MarkConversationRead";
      readonly conversationId: ConversationId;
      readonly upToSeq: number;
    }
  /** Shows that the chatbot composes its delayed step. */
  | { readonly type: "ShowLoading" }
  /** Requests the lease required to send what is next in the queue (rule B4). */
  | { readonly type: "LeaseOutbound" }
  /** Settles an attempt of the delivery that these messages make up; null: the one whose outcome a partner owes (rule S7). */
  | {
      readonly type: "SettleOutbound";
      readonly messageIds: readonly MessageId[];
      readonly attempt: number | null;
      readonly outcome: DeliveryOutcome;
    }
  /** Ends lost leases and messages that waited too long. */
  | { readonly type: "ExpireOutbound" }
  /** Ends the conversation and cancels the queued messages of a ContactChannel whose channel is archived. */
  | { readonly type: "CloseArchived"; readonly actor: Actor }
  /** Runs everything that is due: block expiry, offer timeout, delayed flow step. */
  | { readonly type: "RunDue" };

/** The commands that a viewer sends. Whether they are refused depends on no flow and on no fact outside the aggregate. */
export type RequestedCommand = Exclude<
  Command,
  {
    readonly type:
      | "ReceiveInbound"
      | "CloseArchived"
      | "RetryMessage"
      | "CancelMessage"
      | "ShowLoading"
      | "LeaseOutbound"
      | "SettleOutbound"
      | "ExpireOutbound"
      | "RunDue";
  }
>;
