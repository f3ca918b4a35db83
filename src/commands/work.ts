import type { Command } from "../domain/command.ts";
import type { ContactChannelId, WorkspaceId } from "../domain/id.ts";
import type { Refusal } from "../domain/refusal.ts";
import type { Accepted } from "../domain/turn.ts";
import type { Address } from "../store/addresses.ts";
import type { IdempotencyClaim } from "../store/idempotency.ts";

/** One command and the ContactChannel it is for: a known one, or an address that becomes one. */
export interface Step {
  readonly contactChannel: ContactChannelId | Address;
  readonly command: Command;
}

/** What one caller asks for: its steps are decided in order and committed together, or, if one of several is refused, not at all. */
export interface Work {
  readonly workspaceId: WorkspaceId;
  readonly steps: readonly Step[];
  readonly idempotency?: IdempotencyClaim;
}

export type Answer = Accepted | Refusal;

/** Too much is waiting already: the caller is told to come again, and a provider does. */
export class Overloaded extends Error {
  constructor(waiting: number) {
    super(`${waiting} commands are waiting already.`);
  }
}
