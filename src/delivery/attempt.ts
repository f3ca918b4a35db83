import type { Executor } from "../commands/executor.ts";
import type { StepResult } from "../commands/work.ts";
import type { Command } from "../domain/command.ts";
import type { ContactChannelId, Instant, WorkspaceId } from "../domain/id.ts";
import type { DeliveryOutcome, GrantedLease } from "../domain/outbox.ts";
import type { Clock } from "../platform/clock.ts";
import { beginDeadline } from "./begin-deadline.ts";
import type { Begin } from "./http-call.ts";
import type { OpenLeases } from "./open-leases.ts";

export interface AttemptOptions {
  readonly executor: Executor;
  readonly clock: Clock;
  readonly openLeases: OpenLeases;
}

/** The queue of outbound messages of one ContactChannel. */
export interface Queue {
  readonly workspaceId: WorkspaceId;
  readonly contactChannelId: ContactChannelId;
}

/** An attempt that was made. */
export interface Attempt {
  readonly outcome: DeliveryOutcome;
  /** When the queue is next due; null if there is nothing to send. */
  readonly nextDueAt: Instant | null;
}

/**
 * Makes one attempt to send what is next in the queue: takes the lease, calls `send`, and settles the lease with its
 * outcome (rules S1, S2). If the lease is too old to begin, it is given back without a call.
 *
 * @returns null if no lease was granted
 */
export async function attempt(
  options: AttemptOptions,
  queue: Queue,
  send: (lease: GrantedLease, begin: Begin) => Promise<DeliveryOutcome>,
): Promise<Attempt | null> {
  const granted = await requestLease(options, queue);
  if (granted === null) return null;
  const { openLeases } = options;
  const { lease, deadline } = granted;
  const { messageIds, attempt: number } = lease;
  const begin = openLeases.open(lease, deadline);
  let outcome: DeliveryOutcome = { type: "NOT_BEGUN" };
  try {
    if (performance.now() <= begin.deadline) outcome = await send(lease, begin);
  } finally {
    // Also if `send` throws, which is a bug: no block has to wait for the lease, which is lost after 30 s.
    openLeases.close(lease);
  }
  const settled = await execute(options, queue, { type: "SettleOutbound", messageIds, attempt: number, outcome });
  return { outcome, nextDueAt: settled?.type === "Accepted" ? (settled.outboundDueAt ?? null) : null };
}

/** A lease, and the time, as `performance.now()` tells it, after which its call must not begin (rule S6). */
export interface Granted {
  readonly lease: GrantedLease;
  readonly deadline: number;
}

/** Requests the lease for what is next in the queue; null if none was granted. */
export async function requestLease(options: AttemptOptions, queue: Queue): Promise<Granted | null> {
  const requestedAt = performance.now();
  const lease = leaseOf(await execute(options, queue, { type: "LeaseOutbound" }));
  if (lease === null) return null;
  return { lease, deadline: beginDeadline(options.clock, lease.grantedAt, requestedAt) };
}

async function execute(
  { executor }: AttemptOptions,
  { workspaceId, contactChannelId }: Queue,
  command: Command,
): Promise<StepResult | undefined> {
  const [result] = await executor.execute({ workspaceId, steps: [{ contactChannel: contactChannelId, command }] });
  return result;
}

function leaseOf(result: StepResult | undefined): GrantedLease | null {
  return result?.type === "Accepted" ? (result.lease ?? null) : null;
}
