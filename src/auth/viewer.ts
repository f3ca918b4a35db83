import type { Actor } from "../domain/actor.ts";
import type { Instant, WorkspaceId } from "../domain/id.ts";
import type { Permission, Role } from "./permission.ts";

/** The authenticated caller: an agent or an API key, in the workspace that it belongs to. */
export interface Viewer {
  readonly actor: Extract<Actor, { type: "Agent" | "ApiKey" }>;
  readonly workspaceId: WorkspaceId;
  /** Null for an API key. */
  readonly role: Role | null;
  readonly permissions: ReadonlySet<Permission>;
  /** When the token expires; null for an API key, or if the token does not expire. */
  readonly expiresAt: Instant | null;
}
