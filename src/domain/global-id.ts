import { type Id, idOf } from "./id.ts";

/** The types that have global ids. */
export type NodeType =
  | "Agent"
  | "ApiKey"
  | "AuditLogEntry"
  | "Block"
  | "Bot"
  | "Channel"
  | "Contact"
  | "ContactChannel"
  | "Conversation"
  | "Flow"
  | "Message"
  | "Workspace";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The opaque id of a row in the API; also the `:channelId` of URL paths. */
export function toGlobalId(type: NodeType, id: string): string {
  return toOpaqueId(type, id);
}

/** An id that is unique across all types, also for a type that cannot be looked up by id. */
export function toOpaqueId(type: string, id: string): string {
  return btoa(`${type}:${id}`).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Decodes a global id of this type. Null if it is malformed or of another type; callers treat both as not found. */
export function fromGlobalId<Type extends NodeType>(type: Type, globalId: string): Id<Type> | null {
  const node = parseGlobalId(globalId);
  return node?.type === type ? idOf<Type>(node.id) : null;
}

/** The type name and the row id; null if the text is not a global id. */
export function parseGlobalId(globalId: string): { readonly type: string; readonly id: string } | null {
  if (!/^[\w-]{1,100}$/.test(globalId)) return null;
  let plain: string;
  try {
    plain = atob(globalId.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return null;
  }
  const [type, id, ...rest] = plain.split(":");
  return type !== undefined && id !== undefined && rest.length === 0 && UUID.test(id) ? { type, id } : null;
}
