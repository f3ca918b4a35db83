import type { Actor } from "../domain/actor.ts";
import type { ConversationEndReason, ConversationStatus } from "../domain/conversation.ts";
import type {
  AgentId,
  BlockId,
  ChannelId,
  ContactChannelId,
  ContactId,
  ConversationId,
  EventId,
  Instant,
  MessageId,
  WorkspaceId,
} from "../domain/id.ts";
import type { DeliveryStatus, MessageDirection } from "../domain/message.ts";

/** The position of an event in its workspace's log: 1, 2, 3, … without gaps, in commit order (rule O2). */
export type Position = number;

export type ContactStatus = "ACTIVE" | "BLOCKED";
export type ContactStatusCause = "BLOCKED" | "UNBLOCKED" | "EXPIRED" | "UPDATED";

/** The scalars of an event, as of the event. Never a message's text, which an unsend must hide for good (rule O6). */
export type EventData =
  | { readonly type: "ContactAppeared" }
  | { readonly type: "DisplayNameChanged" }
  | { readonly type: "ReachabilityChanged"; readonly reachable: boolean }
  | {
      readonly type: "MessageRecorded";
      readonly messageId: MessageId;
      readonly seq: number;
      readonly direction: MessageDirection;
    }
  | { readonly type: "MessageUnsent"; readonly messageId: MessageId }
  | { readonly type: "MessageEdited"; readonly messageId: MessageId }
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
      readonly to: ConversationStatus;
      readonly reason: ConversationEndReason | null;
    }
  | { readonly type: "BotSessionChanged" }
  | {
      readonly type: "ContactStatusChanged";
      readonly status: ContactStatus;
      readonly contactStatus: ContactStatus;
      readonly blockId: BlockId;
      readonly cause: ContactStatusCause;
    };

/** The ids that subscriptions filter by. */
export interface EventScope {
  readonly contactId: ContactId;
  readonly channelId: ChannelId;
  readonly contactChannelId: ContactChannelId;
  readonly conversationId: ConversationId | null;
  readonly agentIds: readonly AgentId[];
}

/** An event that is not yet in the log. */
export interface NewLogEvent extends EventScope {
  readonly id: EventId;
  readonly occurredAt: Instant;
  readonly actor: Actor;
  readonly data: EventData;
}

/** An event in the log. */
export interface LogEvent extends NewLogEvent {
  readonly workspaceId: WorkspaceId;
  readonly position: Position;
}
