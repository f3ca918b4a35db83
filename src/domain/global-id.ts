import { type Id, idOf } from "./id.ts";

/** The types that can be asked for by a global id. */
export type NodeType =
  | "Agent"
  | "ApiKey"
  | "Block"
  | "Channel"
  | "Contact"
  | "ContactChannel"
  | "Conversation"
  | "Flow"
  | "Message"
  | "Workspace";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The opaque id under which the API names a row; also the `:channelId` of paths. */
export function toGlobalId(type: NodeType, id: string): string {
  return btoa(`${type}:${id}`).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The id that a global id of this type stands for; null for one that is malformed or of another type: both are simply not found. */
export function fromGlobalId<Type extends NodeType>(type: Type, globalId: string): Id<Type> | null {
  const node = parseGlobalId(globalId);
  return node?.type === type ? idOf<Type>(node.id) : null;
}

/** Type name and id; null where the text is no global id. */
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
