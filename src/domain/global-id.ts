import { type Id, idOf, type MessageId } from "./id.ts";

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

/**
 * Names a delivery to a partner by its first message (rule S7). With `attempt` it is a claim, else all attempts of a
 * delivery by URL, whose requests are equal.
 */
export interface DeliveryName {
  readonly messageId: MessageId;
  readonly attempt: number | null;
}

export function toDeliveryId({ messageId, attempt }: DeliveryName): string {
  return toOpaqueId("Delivery", attempt === null ? messageId : `${messageId}:${attempt}`);
}

/** Null if the text is not the id of a delivery. */
export function fromDeliveryId(deliveryId: string): DeliveryName | null {
  const [type, id, attempt, ...rest] = decoded(deliveryId);
  if (type !== "Delivery" || id === undefined || rest.length > 0 || !UUID.test(id)) return null;
  if (attempt !== undefined && !/^[1-9]\d{0,5}$/.test(attempt)) return null;
  return { messageId: idOf<"Message">(id), attempt: attempt === undefined ? null : Number(attempt) };
}

/** Decodes a global id of this type. Null if it is malformed or of another type; callers treat both as not found. */
export function fromGlobalId<Type extends NodeType>(type: Type, globalId: string): Id<Type> | null {
  const node = parseGlobalId(globalId);
  return node?.type === type ? idOf<Type>(node.id) : null;
}

/** The type name and the row id; null if the text is not a global id. */
export function parseGlobalId(globalId: string): { readonly type: string; readonly id: string } | null {
  const [type, id, ...rest] = decoded(globalId);
  return type !== undefined && id !== undefined && rest.length === 0 && UUID.test(id) ? { type, id } : null;
}

/** The parts of an opaque id; none if it is malformed. */
function decoded(opaqueId: string): string[] {
  if (!/^[\w-]{1,100}$/.test(opaqueId)) return [];
  try {
    return atob(opaqueId.replaceAll("-", "+").replaceAll("_", "/")).split(":");
  } catch {
    return [];
  }
}
