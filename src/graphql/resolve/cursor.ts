import type { WorkspaceId } from "../../domain/id.ts";
import type { Position } from "../../store/log-event.ts";

/** Encodes a position in a workspace's log as an opaque cursor. */
export function toCursor(workspaceId: WorkspaceId, position: Position): string {
  return Buffer.from(`log:${logIdOf(workspaceId)}:${position}`).toString("base64url");
}

/** Decodes a cursor. Null if it is malformed or of another workspace, from which resuming would silently skip events. */
export function fromCursor(workspaceId: WorkspaceId, cursor: string): Position | null {
  const [, log, digits] = /^log:(\w+):(\d{1,15})$/.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  return digits === undefined || log !== logIdOf(workspaceId) ? null : Number(digits);
}

/** The random suffix of the workspace id, which is enough to distinguish logs. */
function logIdOf(workspaceId: WorkspaceId): string {
  return workspaceId.slice(-12);
}
