import type { WorkspaceId } from "../../domain/id.ts";
import type { Position } from "../../store/log-event.ts";

/** A place in the log of a workspace, as clients see it. */
export function toCursor(workspaceId: WorkspaceId, position: Position): string {
  return Buffer.from(`log:${logOf(workspaceId)}:${position}`).toString("base64url");
}

/** Null for what is no cursor, or one of another workspace: followed here it would be a silent gap. */
export function fromCursor(workspaceId: WorkspaceId, cursor: string): Position | null {
  const [, log, digits] = /^log:(\w+):(\d{1,15})$/.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  return digits === undefined || log !== logOf(workspaceId) ? null : Number(digits);
}

/** The random end of the id, which is enough to tell logs apart. */
function logOf(workspaceId: WorkspaceId): string {
  return workspaceId.slice(-12);
}
