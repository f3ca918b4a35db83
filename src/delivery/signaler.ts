import type { Logger } from "pino";
import type { Executor } from "../commands/executor.ts";
import type { ChannelKind } from "../domain/channel-kind.ts";
import type { WorkspaceId } from "../domain/id.ts";
import type { GrantedSignal } from "../domain/signal.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database } from "../store/database.ts";
import type { ChannelRecord, Directory } from "../store/directory.ts";
import { findExternalId } from "../store/external-id.ts";
import type { LogEvent } from "../store/log-event.ts";
import type { DueQueue } from "../store/outbound-due.ts";
import { beginDeadline } from "./begin-deadline.ts";
import type { Begin } from "./http-call.ts";
import type { OpenLeases } from "./open-leases.ts";
import { reportFault } from "./report-fault.ts";
import type { Sender, Transport } from "./sender.ts";

export interface SignalerOptions {
  readonly database: Database;
  readonly directory: Directory;
  readonly executor: Executor;
  readonly clock: Clock;
  readonly openLeases: OpenLeases;
  readonly transports: Partial<Record<ChannelKind, Transport>>;
  readonly sender: Pick<Sender, "sent">;
  readonly logger: Logger;
}

/** Makes the calls of signals, each once: one that fails is of no use later. */
export interface Signaler {
  /** Makes the call of a lease that was requested at `requestedAt`, as `performance.now()` tells it. Does not wait for it. */
  send(granted: GrantedSignal, requestedAt: number): void;
  /** Shows the contacts that their chatbot composes, for what a commit of this instance has delayed. */
  offer(workspaceId: WorkspaceId, events: readonly LogEvent[]): void;
  /** Resolves when no call is in progress. */
  idle(): Promise<void>;
  /** Finishes the calls in progress and starts no others. */
  stop(): Promise<void>;
}

/** Concurrent calls per channel. Further ones are dropped, so that a provider that hangs holds no more. */
const MAX_CALLS = 64;

export function createSignaler(options: SignalerOptions): Signaler {
  const { database, directory, executor, clock, openLeases, transports, sender, logger } = options;
  const active = new Map<Promise<void>, GrantedSignal["channelId"]>();
  let stopped = false;

  return {
    send,
    offer: (workspaceId, events) => {
      for (const { data, channelId, contactChannelId } of events) {
        if (data.type === "BotSessionChanged") void showLoading({ workspaceId, channelId, contactChannelId });
      }
    },
    idle,
    stop: () => {
      stopped = true;
      return idle();
    },
  };

  async function idle(): Promise<void> {
    while (active.size > 0) await Promise.all(active.keys());
  }

  /** LINE removes the sign when a message arrives, so it comes after those that precede the delayed step. */
  async function showLoading(queue: DueQueue): Promise<void> {
    try {
      const channel = await directory.channel(queue.channelId);
      if (!channel?.showsLoading || transportOf(channel) === null) return;
      await sender.sent(queue);
      if (stopped) return;
      const requestedAt = performance.now();
      const [result] = await executor.execute({
        workspaceId: queue.workspaceId,
        steps: [{ contactChannel: queue.contactChannelId, command: { type: "ShowLoading" } }],
      });
      if (result?.type === "Accepted" && result.signal !== undefined) send(result.signal, requestedAt);
    } catch (error) {
      logger.debug({ err: error, channelId: queue.channelId }, "no loading sign was shown");
    }
  }

  function send(granted: GrantedSignal, requestedAt: number): void {
    const { channelId, grantedAt } = granted;
    const calls = [...active.values()].filter((each) => each === channelId).length;
    if (stopped || calls >= MAX_CALLS) return;
    // Before anything else: a block waits for what is open here.
    const begin = openLeases.open(granted, beginDeadline(clock, grantedAt, requestedAt));
    const made = call(granted, begin)
      .catch((error: unknown) => logger.debug({ err: error, channelId }, "a signal failed"))
      .finally(() => {
        openLeases.close(granted);
        active.delete(made);
      });
    active.set(made, channelId);
  }

  async function call({ channelId, contactChannelId, signal }: GrantedSignal, begin: Begin): Promise<void> {
    const channel = await directory.channel(channelId);
    const makeCall = channel === null ? null : transportOf(channel);
    if (channel === null || makeCall === null) return;
    const externalId = await findExternalId(database.pool, contactChannelId);
    const result = await makeCall(channel, externalId, signal, begin);
    if (result.type === "CHANNEL_FAULT") await reportFault(options, channel, result.reason);
    if (result.type === "FAILED")
      logger.debug({ channelId, signal: signal.type, reason: result.reason }, "a signal failed");
  }

  function transportOf(channel: ChannelRecord): NonNullable<Transport["signal"]> | null {
    const transport = transports[channel.kind];
    return transport?.canSend(channel) ? (transport.signal ?? null) : null;
  }
}
