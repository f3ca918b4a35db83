import type { Actor } from "./actor.ts";
import type { Conversation, ConversationStatus } from "./conversation.ts";
import type { BlockInForce } from "./episode.ts";
import type { AgentId, BlockId, EventId, FlowId, Instant, MessageId } from "./id.ts";
import type { DeliveryStatus, Message } from "./message.ts";

/** Where a contact stands in a chatbot. With `dueAt` the step is still to be said, at that time; without, its menu awaits an answer. */
export interface BotSession {
  readonly flowId: FlowId;
  readonly stepId: string;
  readonly dueAt: Instant | null;
}

/** What happened to one ContactChannel, with all that folding and saving it needs. */
export type EventBody =
  | { readonly type: "ContactAppeared" }
  | { readonly type: "DisplayNameChanged"; readonly displayName: string }
  | {
      readonly type: "ReachabilityChanged";
      readonly reachable: boolean;
      readonly asOf: Instant;
    }
  | {
      readonly type: "MessageRecorded";
      readonly message: Message;
      /** Whether it moves the conversation and the contact up their lists; not while blocked, nor when it comes late (rules D1, U4). */
      readonly activity: boolean;
      /** The episode whose suppressed messages it counts among. */
      readonly suppressedBy: BlockId | null;
      /** Agents concerned: the assignee of the conversation and the agent offered to. */
      readonly agents: readonly AgentId[];
    }
  | { readonly type: "MessageUnsent"; readonly messageId: MessageId }
  | {
      readonly type: "DeliveryChanged";
      readonly messageId: MessageId;
      readonly seq: number;
      readonly from: DeliveryStatus;
      readonly to: DeliveryStatus;
    }
  | {
      readonly type: "ConversationChanged";
      readonly from: ConversationStatus | null;
      readonly conversation: Conversation;
      /** Assignees and agents offered to, before and after. */
      readonly agents: readonly AgentId[];
    }
  | { readonly type: "BotSessionChanged"; readonly session: BotSession | null }
  | { readonly type: "ContactBlocked"; readonly block: BlockInForce }
  | { readonly type: "BlockUpdated"; readonly block: BlockInForce }
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
