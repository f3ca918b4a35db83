import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { type Clock, systemClock } from "../../platform/clock.ts";
import { apiHost, dataHost } from "./api.ts";
import { type ChannelOptions, createChannel, type LineChannel } from "./channel.ts";
import { control } from "./control.ts";
import { createFaults, type Faults } from "./faults.ts";
import { createRequestLog, type RequestLog } from "./request-log.ts";

export interface FakeLineOptions {
  readonly channels?: readonly ChannelOptions[];
  /** Ports of the API host and of the data host; free ones by default. */
  readonly port?: number;
  readonly dataPort?: number;
  /** Reply tokens, access tokens and quotas age by this clock. */
  readonly clock?: Clock;
  /** Decides about faults with a probability: a number from 0 up to, but not including, 1. */
  readonly random?: () => number;
  /** Milliseconds before each redelivery of a webhook; the last one repeats. */
  readonly redeliverAfter?: readonly number[];
  /** Number of requests that the log keeps; 100,000 by default. */
  readonly logSize?: number;
}

/**
 * A LINE to try against: the part of the Messaging API that Deskgate uses, the webhooks, and the users with their
 * phones. It listens on the loopback address only, keeps everything in memory, and fails on demand. Other processes
 * control it over HTTP, under `/_control` of the API host.
 */
export interface FakeLine {
  /** Base URL of the API host, as LINE_API_URL. */
  readonly url: string;
  /** Base URL of the data host, as LINE_DATA_URL. */
  readonly dataUrl: string;
  readonly faults: Faults;
  readonly log: RequestLog;
  /** Adds a channel. Throws if there is one with this id. */
  addChannel(options: ChannelOptions): LineChannel;
  /** Throws if there is no such channel. */
  channel(id: string): LineChannel;
  /** Breaks all connections and gives up what is to be redelivered. */
  stop(): Promise<void>;
}

export async function startFakeLine(options: FakeLineOptions = {}): Promise<FakeLine> {
  const { clock = systemClock, random = Math.random, redeliverAfter = REDELIVER_AFTER, logSize = 100_000 } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const faults = createFaults(random);
  const log = createRequestLog(logSize);
  const channels = new Map<string, LineChannel>();
  let lastMessageId = FIRST_MESSAGE_ID;
  const nextMessageId = (): string => {
    lastMessageId += 1n;
    return String(lastMessageId);
  };
  for (const channel of options.channels ?? []) addChannel(channel);

  const apiOptions = { channels: () => channels.values(), faults, log, clock, signal };
  const hosts = [apiHost(apiOptions), dataHost(apiOptions)] as const;
  const findChannel = (id: string): LineChannel | undefined => channels.get(id);
  hosts[0].register(control({ faults, log, addChannel, findChannel }), { prefix: "/_control" });
  try {
    const url = await listen(hosts[0], options.port ?? 0);
    const dataUrl = await listen(hosts[1], options.dataPort ?? 0);
    return { url, dataUrl, faults, log, addChannel, channel, stop };
  } catch (error) {
    await stop();
    throw error;
  }

  function addChannel(added: ChannelOptions): LineChannel {
    if (channels.has(added.id)) throw new Error(`There is already a channel ${added.id}.`);
    const created = createChannel(added, { clock, redeliverAfter, nextMessageId, signal });
    channels.set(added.id, created);
    return created;
  }

  function channel(id: string): LineChannel {
    const found = channels.get(id);
    if (found === undefined) throw new Error(`There is no channel ${id}.`);
    return found;
  }

  async function stop(): Promise<void> {
    stopping.abort();
    await Promise.all(hosts.map((host) => host.close()));
  }
}

async function listen(host: FastifyInstance, port: number): Promise<string> {
  await host.listen({ host: "127.0.0.1", port });
  const { port: actual } = host.server.address() as AddressInfo;
  return `http://127.0.0.1:${actual}`;
}

/** In milliseconds. */
const REDELIVER_AFTER = [1_000, 2_000, 5_000, 10_000, 30_000];
/** LINE's ids have 18 digits. */
const FIRST_MESSAGE_ID = 460_000_000_000_000_000n;
