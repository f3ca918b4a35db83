import { setImmediate as nextTurn } from "node:timers/promises";
import DataLoader from "dataloader";
import type { Logger } from "pino";
import type { ChannelKind } from "../domain/channel-kind.ts";
import type { ChannelId, ContactChannelId, Instant, MessageId, WorkspaceId } from "../domain/id.ts";
import type { DeliveryOutcome, GrantedLease } from "../domain/outbox.ts";
import type { Signal } from "../domain/signal.ts";
import { OnDemand } from "../platform/on-demand.ts";
import { type PeriodicJob, periodicJob } from "../platform/periodic.ts";
import type { Database } from "../store/database.ts";
import type { ChannelRecord, Directory } from "../store/directory.ts";
import type { LogEvent } from "../store/log-event.ts";
import { findOutboundContents, type OutboundContents } from "../store/outbound-contents.ts";
import { type DueQueue, findDueQueues } from "../store/outbound-due.ts";
import { type AttemptOptions, attempt } from "./attempt.ts";
import type { Begin } from "./http-call.ts";
import { reportFault } from "./report-fault.ts";

/** What came of one call: an outcome of its messages, or a condition of the whole channel. */
export type CallResult =
  | DeliveryOutcome
  /** The channel's credentials are refused: its messages wait until its settings are changed (rule S4). */
  | { readonly type: "CHANNEL_FAULT"; readonly reason: string }
  /** The provider limits the rate of the channel: nothing is sent on it for `delay` milliseconds. */
  | { readonly type: "RATE_LIMITED"; readonly delay: number };

/** What came of the call of a signal. */
export type SignalResult =
  | { readonly type: "DONE" }
  /** For the log. */
  | { readonly type: "FAILED"; readonly reason: string }
  | { readonly type: "CHANNEL_FAULT"; readonly reason: string };

/** Makes calls for the channels of one kind. */
export interface Transport {
  /** Whether the channel's settings allow a call at the moment. */
  canSend(channel: ChannelRecord): boolean;
  /** Makes one call, for all messages of the lease. Never throws for what the provider does. */
  send(
    channel: ChannelRecord,
    lease: GrantedLease,
    messages: readonly OutboundContents[],
    begin: Begin,
  ): Promise<CallResult>;
  /** Makes the call of a signal to the contact with this id at the provider; absent if the provider knows no signals. */
  readonly signal?: (channel: ChannelRecord, externalId: string, signal: Signal, begin: Begin) => Promise<SignalResult>;
}

export interface SenderOptions extends AttemptOptions {
  readonly database: Database;
  readonly directory: Directory;
  readonly transports: Partial<Record<ChannelKind, Transport>>;
  readonly logger: Logger;
}

/** Sends outbound messages through providers. Each instance runs one. */
export interface Sender {
  /** Starts deliveries for what a commit of this instance has queued. */
  offer(workspaceId: WorkspaceId, events: readonly LogEvent[]): void;
  /** Finds what is due: what other instances left, retries, and what was queued while the channel could not send. */
  readonly poll: PeriodicJob;
  /** Resolves when nothing of this queue is being sent, or known to be next. */
  sent(queue: DueQueue): Promise<void>;
  /** Resolves when no call is in progress and nothing that this sender knows of is due. */
  idle(): Promise<void>;
  /** Finishes the calls in progress and starts no others. */
  stop(): Promise<void>;
}

/** Concurrent calls per channel. Each channel has its own, so that a provider that hangs on one slows no other. */
export const MAX_CALLS = 256;
/** Queues of a channel that one poll finds. */
const PAGE = 1_000;
/** In milliseconds. */
const POLL_INTERVAL = 1_000;

export function createSender(options: SenderOptions): Sender {
  const { database, directory, transports, clock, logger } = options;
  const channels = new Map<ChannelId, ChannelQueues>();
  const contents = new DataLoader<MessageId, OutboundContents | null>(
    (ids) => findOutboundContents(database.pool, ids),
    { cache: false, batchScheduleFn: (run) => void nextTurn().then(run) },
  );
  let stopped = false;

  const poll = periodicJob("send", POLL_INTERVAL, findDue, logger);
  const refill = new OnDemand(findDue, (error) => logger.warn({ err: error }, "looking for due messages failed"));

  return {
    offer: (workspaceId, events) => {
      for (const { data, channelId, contactChannelId } of events) {
        if (data.type !== "MessageRecorded" || data.direction !== "OUTBOUND") continue;
        enqueue({ workspaceId, channelId, contactChannelId });
      }
    },
    poll,
    sent: async ({ channelId, contactChannelId }) => channels.get(channelId)?.sent(contactChannelId),
    idle: async () => {
      for (const queues of channels.values()) await queues.idle();
    },
    stop: async () => {
      stopped = true;
      await refill.stop();
      await Promise.all([...channels.values()].map((queues) => queues.stop()));
    },
  };

  async function findDue(): Promise<void> {
    const due = await findDueQueues(database.pool, clock.now(), PAGE);
    for (const [channelId, queues] of Map.groupBy(due, (queue) => queue.channelId)) {
      for (const queue of queues) enqueue(queue);
      if (queues.length === PAGE) channelQueues(channelId).refillWhenEmpty();
    }
  }

  function enqueue(queue: DueQueue): void {
    if (!stopped) channelQueues(queue.channelId).add(queue);
  }

  function channelQueues(channelId: ChannelId): ChannelQueues {
    const existing = channels.get(channelId);
    if (existing !== undefined) return existing;
    const queues = new ChannelQueues(
      (queue) => sendAll(queue, queues),
      () => refill.request(),
    );
    channels.set(channelId, queues);
    return queues;
  }

  /** Sends what is due in one queue, one call after another. Resolves to whether there was an attempt. */
  async function sendAll(queue: DueQueue, queues: ChannelQueues): Promise<boolean> {
    let attempted = false;
    try {
      while (!stopped && clock.now() >= queues.pausedUntil) {
        const channel = await directory.channel(queue.channelId);
        const transport = channel === null ? undefined : transports[channel.kind];
        if (channel === null || !transport?.canSend(channel)) break;
        const made = await attempt(options, queue, (lease, begin) => call(channel, transport, queues, lease, begin));
        attempted ||= made !== null;
        if (made === null || made.nextDueAt === null || made.nextDueAt > clock.now()) break;
      }
    } catch (error) {
      // The message is leased or queued: the lease is lost after 30 s, and the next poll finds it.
      logger.warn({ err: error, channelId: queue.channelId }, "delivery failed");
    }
    return attempted;
  }

  async function call(
    channel: ChannelRecord,
    transport: Transport,
    queues: ChannelQueues,
    lease: GrantedLease,
    begin: Begin,
  ): Promise<DeliveryOutcome> {
    const messages = (await contents.loadMany(lease.messageIds)).flatMap((message) =>
      message === null || message instanceof Error ? [] : [message],
    );
    if (messages.length < lease.messageIds.length) return { type: "NOT_BEGUN" };
    const result = await transport.send(channel, lease, messages, begin);
    if (result.type === "CHANNEL_FAULT") {
      await reportFault(options, channel, result.reason);
      return { type: "NOT_BEGUN" };
    }
    if (result.type === "RATE_LIMITED") {
      queues.pausedUntil = Math.max(queues.pausedUntil, clock.now() + result.delay);
      return { type: "AGAIN", isAmbiguous: false, delay: result.delay };
    }
    return result;
  }
}

/** The queues of one channel that are known to be due, and the calls in progress. */
class ChannelQueues {
  /** The time until which the provider takes no calls. */
  pausedUntil: Instant = 0;
  readonly #send: (queue: DueQueue) => Promise<boolean>;
  readonly #refill: () => void;
  readonly #waiting = new Map<ContactChannelId, DueQueue>();
  readonly #active = new Map<ContactChannelId, Promise<void>>();
  /** Queues that became due again during their own call. */
  readonly #again = new Map<ContactChannelId, DueQueue>();
  readonly #sent = new Map<ContactChannelId, PromiseWithResolvers<void>>();
  #mustRefill = false;
  /** Whether there was an attempt since the last refill: without one, looking again would find the same queues. */
  #hasAttempted = false;
  #stopped = false;

  constructor(send: (queue: DueQueue) => Promise<boolean>, refill: () => void) {
    this.#send = send;
    this.#refill = refill;
  }

  add(queue: DueQueue): void {
    const { contactChannelId } = queue;
    if (this.#active.has(contactChannelId)) this.#again.set(contactChannelId, queue);
    else this.#waiting.set(contactChannelId, queue);
    this.#start();
  }

  refillWhenEmpty(): void {
    this.#mustRefill = true;
  }

  async sent(contactChannelId: ContactChannelId): Promise<void> {
    if (!this.#active.has(contactChannelId) && !this.#waiting.has(contactChannelId)) return;
    const sent = this.#sent.get(contactChannelId) ?? Promise.withResolvers<void>();
    this.#sent.set(contactChannelId, sent);
    await sent.promise;
  }

  async idle(): Promise<void> {
    while (this.#active.size > 0) await Promise.all(this.#active.values());
  }

  stop(): Promise<void> {
    this.#stopped = true;
    return this.idle();
  }

  #start(): void {
    for (const [contactChannelId, queue] of this.#waiting) {
      if (this.#stopped || this.#active.size >= MAX_CALLS) return;
      this.#waiting.delete(contactChannelId);
      this.#active.set(
        contactChannelId,
        this.#send(queue).then((attempted) => this.#end(contactChannelId, attempted)),
      );
    }
    if (this.#mustRefill && this.#hasAttempted && this.#waiting.size === 0) {
      this.#mustRefill = false;
      this.#hasAttempted = false;
      this.#refill();
    }
  }

  #end(contactChannelId: ContactChannelId, attempted: boolean): void {
    this.#hasAttempted ||= attempted;
    this.#active.delete(contactChannelId);
    const again = this.#again.get(contactChannelId);
    this.#again.delete(contactChannelId);
    if (again !== undefined) {
      this.#waiting.set(contactChannelId, again);
    } else {
      this.#sent.get(contactChannelId)?.resolve();
      this.#sent.delete(contactChannelId);
    }
    this.#start();
  }
}
