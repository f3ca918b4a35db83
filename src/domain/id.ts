/** Branded identifiers: a ContactId cannot be passed where a BlockId is expected. All are time-ordered UUIDs (rule O5). */
declare const brand: unique symbol;

export type Id<Kind extends string> = string & { readonly [brand]: Kind };

export type WorkspaceId = Id<"Workspace">;
export type ChannelId = Id<"Channel">;
export type ContactId = Id<"Contact">;
export type ContactChannelId = Id<"ContactChannel">;
export type ConversationId = Id<"Conversation">;
export type MessageId = Id<"Message">;
export type BlockId = Id<"Block">;
export type AgentId = Id<"Agent">;
export type ApiKeyId = Id<"ApiKey">;
export type FlowId = Id<"Flow">;
export type EventId = Id<"Event">;
export type SignalId = Id<"Signal">;

/** Brands a string known to identify a `Kind`: read from the database, newly generated, or decoded from a global id. */
export function idOf<Kind extends string>(value: string): Id<Kind> {
  return value as Id<Kind>;
}

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;
