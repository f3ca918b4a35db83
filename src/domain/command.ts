import type { Actor } from "./actor.ts";
import type { AgentId, BlockId, ConversationId, Instant, MessageId } from "./id.ts";
import type { JsonValue, MessageKind } from "./message.ts";

/** What an adapter understood of one provider event. Text and payload are already free of NUL and lone surrogates (rule O4). */
export interface InboundEntry {
  readonly eventId: string;
  readonly kind: MessageKind;
  /** Names an event (follow, postback, …); null for a message. */
  readonly eventType: string | null;
  readonly text: string | null;
  readonly payload: JsonValue;
  /** The provider's own time where the source is signed, else null: arrival. */
  readonly sentAt: Instant | null;
  readonly displayName: string | null;
  readonly providerMessageId: string | null;
  /** The provider's id of the message that this entry takes back (rule O6). */
  readonly unsends: string | null;
  /** What the entry says of whether the contact can be reached (rule D6). */
  readonly reachable: boolean | null;
  /** False where the provider says that another party answers (LINE's standby mode). */
  readonly automate: boolean;
}

/** What can be asked of one ContactChannel. Input is valid in form; whether it is allowed now is for `decide`. */
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
      /** Absent: unchanged; null: none. */
      readonly notes?: string | null;
      readonly expiresAt?: Instant | null;
    }
  | {
      readonly type: "SendMessage";
      readonly actor: Actor;
      readonly conversationId: ConversationId;
      readonly text: string;
    }
  | {
      readonly type: "StartConversation";
      readonly actor: Actor;
      readonly text: string;
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
  /** Asks for the lease under which one outbound message may be handed over (rule B4). */
  | { readonly type: "LeaseOutbound"; readonly messageId: MessageId }
  | {
      readonly type: "SettleOutbound";
      readonly messageId: MessageId;
      /** `NOT_BEGUN`: the call was given up before it began. */
      readonly result: "SENT" | "FAILED" | "NOT_BEGUN";
    }
  /** Runs what has fallen due: expiry, offer time-out, delayed flow step. */
  | { readonly type: "RunDue" };
