import type { Actor } from "./actor.ts";
import type { Conversation, ConversationStatus } from "./conversation.ts";
import type { BlockInForce } from "./episode.ts";
import type { AgentId, BlockId, ConversationId, EventId, FlowId, Instant, MessageId } from "./id.ts";
import type { DeliveryStatus, Message } from "./message.ts";
import type { DeliveryError, Outbox, ReplyToken } from "./outbox.ts";
import type { ReadToken } from "./signal.ts";

/** The contact's position in a chatbot. With `dueAt`, the step runs then; without it, its menu awaits an answer. */
export interface BotSession {
  readonly flowId: FlowId;
  readonly stepId: string;
  readonly dueAt: Instant | null;
}

/** A change of one ContactChannel, with everything that folding and saving it needs. */
export type EventBody =
  | { readonly type: "ContactAppeared" }
  | { readonly type: "DisplayNameChanged"; readonly displayName: string }
  | {
      readonly type: "ReachabilityChanged";
      readonly reachable: boolean;
      readonly asOf: Instant;
    }
  /** The provider said again what is known, so that only its time is new. It is not in the log. */
  | { readonly type: "ReachabilityConfirmed"; readonly asOf: Instant }
  | {
      readonly type: "MessageRecorded";
      readonly message: Message;
      /** Whether the conversation and the contact move up in lists. False if received during a block, or sent before the latest one ended (rules D1, U4). */
      readonly activity: boolean;
      /** The block that counts it as suppressed; null if none. */
      readonly suppressedBy: BlockId | null;
      /** The assignee of the conversation and the agent it is offered to. */
      readonly agents: readonly AgentId[];
      /** LINE's permission to reply to this entry; null if there is none. */
      readonly replyToken: ReplyToken | null;
      /** LINE's permission to mark this entry as read; null if it is not to be kept. */
      readonly readToken: ReadToken | null;
    }
  | {
      readonly type: "MessageUnsent";
      readonly messageId: MessageId;
      readonly conversationId: ConversationId | null;
      readonly agents: readonly AgentId[];
    }
  | {
      readonly type: "MessageEdited";
      readonly messageId: MessageId;
      readonly conversationId: ConversationId | null;
      readonly agents: readonly AgentId[];
    }
  | {
      readonly type: "DeliveryChanged";
      readonly messageId: MessageId;
      readonly seq: number;
      readonly conversationId: ConversationId | null;
      readonly agents: readonly AgentId[];
      readonly from: DeliveryStatus;
      readonly to: DeliveryStatus;
      /** The number of the attempt that begins; null for other changes. */
      readonly attempt: number | null;
      readonly error: DeliveryError | null;
      /** The provider's id of the message, once it has accepted it. */
      readonly providerMessageId: string | null;
      /** The outbox after the whole decision. */
      readonly outbox: Outbox;
    }
  /** A change of the outbox that changes no message's status. It is not in the log. */
  | { readonly type: "OutboxChanged"; readonly outbox: Outbox }
  | {
      readonly type: "ConversationChanged";
      readonly from: ConversationStatus | null;
      readonly conversation: Conversation;
      /** The assignees and the agents offered to, before and after the change. */
      readonly agents: readonly AgentId[];
    }
  | { readonly type: "BotSessionChanged"; readonly session: BotSession | null }
  | { readonly type: "ContactBlocked"; readonly block: BlockInForce }
  | { readonly type: "BlockUpdated"; readonly before: BlockInForce; readonly block: BlockInForce }
  | {
      readonly type: "BlockLifted";
      readonly block: BlockInForce;
      readonly cause: "UNBLOCKED" | "EXPIRED";
      readonly liftedAt: Instant;
      readonly liftNotes: string | null;
    };

export type DomainEvent = EventBody & {
  readonly id: EventId;
  readonly occurredAt: Instant;
  readonly actor: Actor;
};
