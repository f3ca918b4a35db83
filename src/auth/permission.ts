import type { RequestedCommand } from "../domain/command.ts";

/** All permissions; docs/api.md has the table of roles and scopes that grant them. */
export const permissions = [
  "READ",
  /** Reply to, start and end conversations; send messages again, and cancel them. */
  "REPLY",
  /** Take, offer, accept, decline and transfer conversations. */
  "ASSIGN",
  "BLOCK",
  "UNBLOCK",
  "RECORD_INBOUND",
  /** Channels, flows, agents, keys, webhooks. */
  "ADMINISTER",
] as const;
export type Permission = (typeof permissions)[number];

/** The permission that sending each command requires, for mutations and for what they offer beforehand. */
export const permissionFor = {
  SendMessage: "REPLY",
  StartConversation: "REPLY",
  EndConversation: "REPLY",
  RetryMessage: "REPLY",
  CancelMessage: "REPLY",
  SetTyping: "REPLY",
  MarkConversationRead: "REPLY",
  TakeConversation: "ASSIGN",
  OfferConversation: "ASSIGN",
  AcceptConversation: "ASSIGN",
  DeclineConversation: "ASSIGN",
  TransferConversation: "ASSIGN",
  Block: "BLOCK",
  UpdateBlock: "BLOCK",
  Unblock: "UNBLOCK",
} as const satisfies Record<RequestedCommand["type"] | "RetryMessage" | "CancelMessage", Permission>;

export const roles = ["ADMIN", "AGENT", "VIEWER"] as const;
export type Role = (typeof roles)[number];

export const scopes = ["read", "messages:write", "contacts:block", "contacts:unblock", "inbound:write"] as const;
export type Scope = (typeof scopes)[number];

const ofRole: Record<Role, readonly Permission[]> = {
  ADMIN: ["READ", "REPLY", "ASSIGN", "BLOCK", "UNBLOCK", "ADMINISTER"],
  AGENT: ["READ", "REPLY", "ASSIGN", "BLOCK", "UNBLOCK"],
  VIEWER: ["READ"],
};

const ofScope: Record<Scope, Permission> = {
  read: "READ",
  "messages:write": "REPLY",
  "contacts:block": "BLOCK",
  "contacts:unblock": "UNBLOCK",
  "inbound:write": "RECORD_INBOUND",
};

export function permissionsOfRole(role: Role): ReadonlySet<Permission> {
  return new Set(ofRole[role]);
}

/** Unknown scopes grant nothing. */
export function permissionsOfScopes(held: readonly string[]): ReadonlySet<Permission> {
  return new Set(scopes.filter((scope) => held.includes(scope)).map((scope) => ofScope[scope]));
}
