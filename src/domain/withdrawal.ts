import type { Actor } from "./actor.ts";
import { type Delivery, type DeliveryError, outcomeUnknown, type PendingOutbound } from "./outbox.ts";
import { change, remove } from "./outbox-changes.ts";
import type { Turn } from "./turn.ts";

/**
 * Takes queued messages out of the queue. What is canceled although it may have arrived gets the error `OUTCOME_UNKNOWN`,
 * so that it is not sent again by mistake.
 */
export function withdraw(
  turn: Turn,
  entries: readonly PendingOutbound[],
  actor: Actor,
  status: "FAILED" | "CANCELED",
  error: DeliveryError | null,
): void {
  const { delivery } = turn.state.outbox;
  const changes = entries.map((entry) => ({ entry, status, error: error ?? errorOf(entry, delivery), actor }));
  remove(turn, changes);
}

/** Cancels the messages that are still `QUEUED`, for a block (rule B4) or because the channel is archived. Returns how many. */
export function cancelQueued(turn: Turn): number {
  const { delivery } = turn.state.outbox;
  const queued = turn.state.pending.filter(({ status }) => status === "QUEUED");
  if (queued.length === 0) return 0;
  const changes = queued.map((entry) => ({ entry, status: "CANCELED" as const, error: errorOf(entry, delivery) }));
  change(turn, changes, delivery?.lease == null ? null : delivery);
  return queued.length;
}

function errorOf({ messageId }: PendingOutbound, delivery: Delivery | null): DeliveryError | null {
  return delivery?.messageIds.includes(messageId) ? errorOfUnknown(delivery) : null;
}

/** The error of a message that is canceled between two attempts: whether it has arrived is unknown if one was ambiguous (rule S6). */
export function errorOfUnknown({ isAmbiguous }: Delivery): DeliveryError | null {
  return isAmbiguous ? outcomeUnknown : null;
}
