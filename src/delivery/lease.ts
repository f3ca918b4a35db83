import type { Executor } from "../commands/executor.ts";
import type { StepResult } from "../commands/work.ts";
import type { Command } from "../domain/command.ts";
import type { ContactChannelId, Instant, MessageId, WorkspaceId } from "../domain/id.ts";
import type { Clock } from "../platform/clock.ts";

/** One outbound message of a ContactChannel. */
export interface Outbound {
  readonly workspaceId: WorkspaceId;
  readonly contactChannelId: ContactChannelId;
  readonly messageId: MessageId;
}

export interface LeaseOptions {
  readonly executor: Executor;
  readonly clock: Clock;
  /** When the message's lease was granted; null if it never was. */
  readonly leasedAt: (messageId: MessageId) => Promise<Instant | null>;
}

/**
 * Sends one message under a lease (rule B4): takes the lease, calls `send`, and settles the lease with its result.
 * `send` resolves to whether the message was sent. If it was not, or if the lease is too old to begin the call, the
 * message is queued again, or canceled if the ContactChannel was blocked meanwhile.
 *
 * @returns whether the message was sent; false also if no lease was granted
 */
export async function sendUnderLease(
  { executor, clock, leasedAt }: LeaseOptions,
  outbound: Outbound,
  send: () => Promise<boolean>,
): Promise<boolean> {
  const { messageId } = outbound;
  const requestedAt = clock.now();
  const lease = await execute({ type: "LeaseOutbound", messageId });
  if (lease?.type !== "Accepted" || !lease.changed) return false;
  const isSent = (await mayBegin()) && (await send());
  await execute({ type: "SettleOutbound", messageId, result: isSent ? "SENT" : "NOT_BEGUN" });
  return isSent;

  async function mayBegin(): Promise<boolean> {
    if (clock.now() - requestedAt <= MAX_AGE) return true;
    // The command may have waited long before the lease was granted, so the lease can still be fresh.
    const grantedAt = await leasedAt(messageId);
    return grantedAt !== null && clock.now() - grantedAt <= MAX_AGE;
  }

  async function execute(command: Command): Promise<StepResult | undefined> {
    const { workspaceId, contactChannelId } = outbound;
    const [result] = await executor.execute({ workspaceId, steps: [{ contactChannel: contactChannelId, command }] });
    return result;
  }
}

/** Milliseconds after the grant of a lease within which the call must begin (rule B4). */
const MAX_AGE = 1_000;
