import type { WorkspaceId } from "../domain/id.ts";
import { type ChannelFlow, type FlowRow, readFlow } from "./definition.ts";

/** Converts the enabled flow rows of a workspace, in their order, without those that cannot be read. */
export type ReadFlows = (workspaceId: WorkspaceId, rows: readonly FlowRow[]) => readonly ChannelFlow[];

export interface FlowFaultReports {
  /** A row turned out to be unreadable, or unreadable for another reason than before. */
  onFault(flow: { readonly flowId: string; readonly workspaceId: WorkspaceId }, fault: string): void;
  /** How many rows of all workspaces were unreadable when they were last read. */
  onCount(unreadable: number): void;
}

/** Creates a reader that skips unreadable rows, so that one of them affects no other flow, and reports each fault once. */
export function flowReader({ onFault, onCount }: FlowFaultReports): ReadFlows {
  const faults = new Map<WorkspaceId, ReadonlyMap<string, string>>();
  return (workspaceId, rows) => {
    const known = faults.get(workspaceId);
    const current = new Map<string, string>();
    const flows = rows.flatMap((row) => {
      const { flow, fault } = readFlow(row);
      if (flow !== null) return [flow];
      current.set(row.id, fault);
      if (known?.get(row.id) !== fault) onFault({ flowId: row.id, workspaceId }, fault);
      return [];
    });
    if (current.size === 0) faults.delete(workspaceId);
    else faults.set(workspaceId, current);
    onCount(faults.values().reduce((sum, { size }) => sum + size, 0));
    return flows;
  };
}
