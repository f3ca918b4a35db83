import type { Command } from "../domain/command.ts";
import type { ContactChannelId, WorkspaceId } from "../domain/id.ts";
import type { Refusal } from "../domain/refusal.ts";
import type { Accepted } from "../domain/turn.ts";
import type { Address } from "../store/addresses.ts";
import { TransactionNotStarted } from "../store/database.ts";
import type { IdempotencyClaim } from "../store/idempotency.ts";

/** One command and its ContactChannel, given by id or by an address that is resolved to one. */
export interface Step {
  readonly contactChannel: ContactChannelId | Address;
  readonly command: Command;
}

/** A caller's unit of work. Steps are decided in order; if one of several is refused, none of them takes effect. */
export interface WorkItem {
  readonly workspaceId: WorkspaceId;
  readonly steps: readonly Step[];
  readonly idempotency?: IdempotencyClaim;
}

export type StepResult = Accepted | Refusal;

/** The command queue is full. The caller should try again later, as providers do. */
export class Overloaded extends Error {
  constructor(waiting: number) {
    super(`The command queue is full: ${waiting} commands are waiting.`);
  }
}

/** The database refused the work in every attempt for a reason that passes: a lock, a deadlock or a conflict. */
export class TemporarilyRefused extends Error {
  constructor(cause: unknown) {
    super("The database refused the work in every attempt, for a reason that passes.", { cause });
  }
}

/** Whether nothing is wrong with the work itself and nothing was written: the caller should try again in a moment. */
export function isTemporary(error: unknown): boolean {
  return error instanceof TemporarilyRefused || error instanceof TransactionNotStarted;
}
