import { setTimeout as delay } from "node:timers/promises";
import { BEGIN_WITHIN, type GrantedLease, LAPSED_AFTER } from "../domain/outbox.ts";
import type { GrantedSignal } from "../domain/signal.ts";
import type { OpenLease, OpenSignal } from "../domain/turn.ts";
import type { Clock } from "../platform/clock.ts";
import type { Begin } from "./http-call.ts";

export interface OpenLeasesOptions {
  readonly clock: Clock;
  /** Whether the lease is still open in the database: for those that another instance holds. */
  readonly isOpen: (lease: OpenLease) => Promise<boolean>;
}

/** A lease of this instance. */
interface OpenCall extends Begin {
  /** Resolves when the call has begun or was given up. */
  readonly begun: Promise<void>;
}

/** The leases of this instance whose call may still begin. A block waits for them, so that nothing begins after its answer (rule S6). */
export interface OpenLeases {
  open(lease: GrantedLease | GrantedSignal, deadline: number): Begin;
  /** The call has begun or was given up. */
  close(lease: GrantedLease | GrantedSignal): void;
  /**
   * Resolves when the call of the lease has begun or can no longer begin: at once if this instance holds it and has
   * begun, otherwise when it is settled, and 1.5 s after the grant at most. Signals are not settled.
   */
  closed(lease: OpenLease | OpenSignal): Promise<void>;
}

export function openLeases({ clock, isOpen }: OpenLeasesOptions): OpenLeases {
  const open = new Map<string, OpenCall>();
  return {
    open: (lease, deadline) => {
      const { promise: begun, resolve: onBegun } = Promise.withResolvers<void>();
      open.set(keyOf(lease), { deadline, begun, onBegun });
      return { deadline, onBegun };
    },
    close: (lease) => {
      const key = keyOf(lease);
      open.get(key)?.onBegun();
      open.delete(key);
    },
    closed: async (lease) => {
      const ours = open.get(keyOf(lease));
      const lapsesIn = ours === undefined ? LAPSED_AFTER - ageOf(lease) : ours.deadline + SLACK - performance.now();
      if (lapsesIn <= 0) return;
      const stop = new AbortController();
      await Promise.race([
        delay(lapsesIn, undefined, { signal: stop.signal, ref: true }).catch(() => {}),
        ...(ours !== undefined ? [ours.begun] : "signalId" in lease ? [] : [untilSettled(lease, stop.signal)]),
      ]);
      stop.abort();
    },
  };

  /** In milliseconds. Only for the leases of others: the clock may be set at any time. */
  function ageOf({ grantedAt }: OpenLease | OpenSignal): number {
    return Math.max(0, clock.now() - grantedAt);
  }

  async function untilSettled(lease: OpenLease, signal: AbortSignal): Promise<void> {
    // If the database does not answer, the lease lapses.
    while (!signal.aborted && (await isOpen(lease).catch(() => true))) {
      await delay(POLL, undefined, { signal }).catch(() => {});
    }
  }
}

function keyOf(lease: GrantedLease | GrantedSignal | OpenLease | OpenSignal): string {
  if ("signalId" in lease) return lease.signalId;
  const messageId = "messageId" in lease ? lease.messageId : lease.messageIds[0];
  return `${messageId} ${lease.attempt}`;
}

/** In milliseconds. */
const POLL = 50;
/** Milliseconds from the deadline of a lease until it has lapsed. */
const SLACK = LAPSED_AFTER - BEGIN_WITHIN;
