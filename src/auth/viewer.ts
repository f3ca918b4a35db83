import type { Actor } from "../domain/actor.ts";
import type { Instant, WorkspaceId } from "../domain/id.ts";
import type { Permission, Role } from "./permission.ts";

/** Who asks: an agent or a partner's key, in the one workspace they belong to. */
export interface Viewer {
  readonly actor: Extract<Actor, { type: "Agent" | "ApiKey" }>;
  readonly workspaceId: WorkspaceId;
  /** Null for a key. */
  readonly role: Role | null;
  readonly permissions: ReadonlySet<Permission>;
  /** When the token ends; null for a key. */
  readonly expiresAt: Instant | null;
}
