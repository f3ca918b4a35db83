import type { Command } from "../domain/command.ts";
import type { ChannelId, MessageId, WorkspaceId } from "../domain/id.ts";
import { type GrantedLease, LAPSED_AFTER, LEASE_TIMEOUT } from "../domain/outbox.ts";
import type { Claim } from "../graphql/resolve/context.ts";
import type { Database } from "../store/database.ts";
import { findOutboundContents } from "../store/outbound-contents.ts";
import { type DueQueue, findDueQueuesOf } from "../store/outbound-due.ts";
import { type AttemptOptions, requestLease } from "./attempt.ts";
import type { Begin } from "./http-call.ts";

export interface ClaimOptions extends AttemptOptions {
  readonly database: Database;
}

interface Claimed {
  readonly queue: DueQueue;
  readonly lease: GrantedLease;
  readonly begin: Begin;
}

/**
 * Leases what is next in the queues of a channel, one message of each, the longest overdue first (rule S7). A block waits
 * for these leases until the claim is answered.
 */
export async function claimDeliveries(
  options: ClaimOptions,
  channel: { readonly workspaceId: WorkspaceId; readonly id: ChannelId },
  max: number,
): Promise<Claim> {
  const { database, executor, clock, openLeases } = options;
  const due = await findDueQueuesOf(database.pool, channel.id, clock.now(), max);
  const requests = await Promise.allSettled(due.map(claimNext));
  const claimed = requests.flatMap((request) => (request.status === "fulfilled" ? (request.value ?? []) : []));
  const failure = requests.find((request) => request.status === "rejected");
  if (claimed.length === 0 && failure !== undefined) throw failure.reason;
  const contents = await findOutboundContents(
    database.pool,
    claimed.map(({ lease }) => firstOf(lease)),
  );
  return {
    deliveries: claimed.flatMap(({ lease }, index) => {
      const content = contents[index];
      if (!content) return [];
      const { id: messageId, contactChannelId, externalId } = content;
      const expiresAt = lease.grantedAt + LEASE_TIMEOUT;
      return [{ messageId, contactChannelId, externalId, attempt: lease.attempt, expiresAt }];
    }),
    begin: async () => {
      const isInTime = claimed.every(({ begin }) => performance.now() <= begin.deadline);
      if (isInTime) for (const { begin } of claimed) begin.onBegun();
      else await Promise.all(claimed.map(giveBack));
      return isInTime;
    },
  };

  async function claimNext(queue: DueQueue): Promise<Claimed | null> {
    const granted = await requestLease(options, queue);
    if (granted === null) return null;
    const { lease, deadline } = granted;
    const begin = openLeases.open(lease, deadline);
    // Until then, a block asks whether the claim was answered.
    setTimeout(() => openLeases.close(lease), LAPSED_AFTER).unref();
    return { queue, lease, begin };
  }

  async function giveBack({ queue, lease }: Claimed): Promise<void> {
    const { messageIds, attempt } = lease;
    const command: Command = { type: "SettleOutbound", messageIds, attempt, outcome: { type: "NOT_BEGUN" } };
    await executor.execute({
      workspaceId: queue.workspaceId,
      steps: [{ contactChannel: queue.contactChannelId, command }],
    });
    openLeases.close(lease);
  }
}

function firstOf({ messageIds: [first] }: GrantedLease): MessageId {
  if (first === undefined) throw new Error("A lease has no message.");
  return first;
}
