/** The contract of the inboxes in inbox-relay.ts and inbox-urql.ts. The program in inbox-check.ts checks both against it. */

/** One agent's inbox, which the desk's events keep right in a normalized cache. */
export interface Inbox {
  /** The lists as the cache holds them now, with at most `PAGE` rows each. */
  cached(): Lists;
  /** The same lists, read from the server past the cache. */
  fresh(): Promise<Lists>;
  /** Loads the timeline of a conversation; from then on it is one of `timelines`. */
  open(conversationId: string): Promise<void>;
  /**
   * Sends a mutation; resolves with the `__typename` of its result. A `SEND` shows its message at once, and the event or
   * the answer replaces it, whichever comes first.
   *
   * @throws Error if no answer arrives; the action may have happened nevertheless
   */
  act(action: Action): Promise<string>;
  close(): Promise<void>;
}

export interface InboxOptions {
  /** Deskgate's address. */
  readonly desk: string;
  /** An agent's token. */
  readonly token: string;
  /** Called for each event, after it has been applied to the cache. */
  onEvent(event: { readonly cursor: string; readonly recordedMessageId: string | null }): void;
  /** Called if the subscription has failed and the inbox receives no more events. */
  onError(error: Error): void;
}

/** Opens an inbox: loads its lists and subscribes to the events after them. */
export type OpenInbox = (options: InboxOptions) => Promise<Inbox>;

/** The rows that a list has at most, here and on the server: its first ones, or the latest of a timeline. */
export const PAGE = 100;

/** Everything that an inbox displays, in the server's order. */
export interface Lists {
  /** `ACTIVE` conversations of the viewer. */
  readonly mine: readonly ConversationRow[];
  readonly waiting: readonly ConversationRow[];
  /** `ASSIGNING` conversations, to whomever they are offered. */
  readonly offered: readonly ConversationRow[];
  readonly bot: readonly ConversationRow[];
  readonly ended: readonly ConversationRow[];
  readonly blocked: readonly ConversationRow[];
  readonly contacts: readonly ContactRow[];
  /** Contacts with the status `BLOCKED`. */
  readonly blockedContacts: readonly ContactRow[];
  /** Blocks in force. */
  readonly blocks: readonly BlockRow[];
  /** The messages of the opened conversations, by the conversation's id. */
  readonly timelines: Readonly<Record<string, readonly MessageRow[]>>;
}

export interface ConversationRow {
  readonly id: string;
  readonly sortKey: string;
  readonly status: string;
  readonly blocked: boolean;
  readonly allowedActions: readonly string[];
  readonly assignee: { readonly id: string; readonly name: string | null } | null;
  readonly offeredTo: { readonly id: string; readonly name: string | null } | null;
  readonly offerExpiresAt: string | null;
  readonly endReason: string | null;
  readonly contact: { readonly id: string; readonly name: string | null };
  readonly lastMessage: { readonly id: string; readonly text: string | null } | null;
}

export interface ContactRow {
  readonly id: string;
  readonly sortKey: string;
  readonly name: string | null;
  readonly status: string;
  readonly channels: readonly {
    readonly id: string;
    readonly channelId: string;
    readonly reachable: boolean;
    readonly allowedActions: readonly string[];
    readonly activeBlockId: string | null;
  }[];
}

export interface BlockRow {
  readonly id: string;
  readonly sortKey: string;
  readonly notes: string | null;
  readonly expiresAt: string | null;
  readonly suppressedMessageCount: number;
  readonly contactChannelId: string;
  readonly contact: { readonly id: string; readonly name: string | null };
}

export interface MessageRow {
  readonly id: string;
  readonly seq: number;
  readonly direction: string;
  readonly kind: string;
  readonly text: string | null;
  readonly unsentAt: string | null;
  readonly deliveryStatus: string | null;
  readonly clientMessageId: string | null;
}

/** What an agent does. `key` is the idempotency key, and then the message's `clientMessageId`. */
export type Action =
  | { readonly type: "SEND"; readonly conversationId: string; readonly text: string; readonly key: string }
  | { readonly type: "TAKE" | "ACCEPT" | "DECLINE" | "END"; readonly conversationId: string }
  | { readonly type: "OFFER"; readonly conversationId: string; readonly agentId: string }
  /** To the queue if there is no agent. */
  | { readonly type: "TRANSFER"; readonly conversationId: string; readonly agentId: string | null }
  | {
      readonly type: "START";
      readonly contactId: string;
      readonly contactChannelId: string;
      readonly channelId: string;
      readonly text: string;
      readonly key: string;
    }
  | {
      readonly type: "BLOCK";
      readonly contactId: string;
      readonly contactChannelId: string;
      readonly notes: string | null;
      readonly expiresAt: string | null;
    }
  | { readonly type: "UNBLOCK"; readonly contactId: string; readonly contactChannelId: string }
  | {
      readonly type: "UPDATE_BLOCK";
      readonly blockId: string;
      readonly notes: string | null;
      readonly expiresAt: string | null;
    };
