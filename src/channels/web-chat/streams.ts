import { setTimeout as delay } from "node:timers/promises";
import type { FastifyBaseLogger } from "fastify";
import type { Executor } from "../../commands/executor.ts";
import { fromGlobalId } from "../../domain/global-id.ts";
import type { ChannelId } from "../../domain/id.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Hub } from "../../realtime/hub.ts";
import type { Database } from "../../store/database.ts";
import type { ChannelRecord } from "../../store/directory.ts";
import { outboundReads, type StreamStart } from "../../store/outbound.ts";
import { ChannelFollower } from "./channel-follower.ts";
import type { ChatStream } from "./stream.ts";

export interface WebChatDeliveryOptions {
  readonly database: Database;
  readonly executor: Executor;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly logger: FastifyBaseLogger;
}

export interface OpenStream {
  readonly channel: ChannelRecord;
  readonly visitorId: string;
  /** The id of the last message that the client received; null for a client that wants no earlier messages. */
  readonly lastEventId: string | null;
  /** Called when the stream can be served. */
  readonly connect: () => ChatStream;
}

/** Delivers outbound messages to visitors' streams; driven by the event log alone. */
export interface WebChatDelivery {
  /**
   * Opens a stream. It receives pending and future messages, and those sent after `lastEventId`; if no message to this
   * visitor has that id, the last hundred that were sent. Resolves to false, without connecting, once delivery is stopped.
   * Rejects if the log or the messages cannot be read.
   */
  open(request: OpenStream): Promise<boolean>;
  /** Finishes the deliveries that are in progress, begins no other, and ends all streams. */
  stop(): Promise<void>;
}

export function webChatDelivery(options: WebChatDeliveryOptions): WebChatDelivery {
  const { database, hub, executor, clock, logger } = options;
  const reads = outboundReads(database.pool);
  const followers = new Map<ChannelId, ChannelFollower>();
  let stopped = false;
  const heart = setInterval(() => {
    for (const mailbox of mailboxes()) mailbox.beat();
  }, BEAT_EVERY);
  // A server that failed to start is not kept alive by it.
  heart.unref();

  return { open, stop };

  async function open({ channel, visitorId, lastEventId, connect }: OpenStream): Promise<boolean> {
    if (stopped) return false;
    const follower = followers.get(channel.id) ?? follow(channel);
    const mailbox = follower.hold(visitorId);
    try {
      await follower.started;
      // Read after the log position is fixed: whatever is committed later arrives through the log.
      const start = await reads.streamStart({ channelId: channel.id, externalId: visitorId });
      const lastSeq = start === null ? 0 : await resumeAt(start, lastEventId);
      if (stopped) return false;
      const stream = connect();
      follower.hold(visitorId);
      void stream.ended.then(() => follower.release(visitorId));
      mailbox.add(stream, lastSeq);
      if (start !== null) follower.introduce(visitorId, start.contactChannelId);
      return true;
    } finally {
      follower.release(visitorId);
    }
  }

  function follow(channel: ChannelRecord): ChannelFollower {
    const follower = new ChannelFollower({
      channel,
      hub,
      executor,
      clock,
      logger,
      outbound: reads,
      onEmpty: () => {
        if (followers.get(channel.id) === follower) followers.delete(channel.id);
      },
    });
    followers.set(channel.id, follower);
    return follower;
  }

  async function resumeAt({ contactChannelId, settledTo }: StreamStart, lastEventId: string | null): Promise<number> {
    if (lastEventId === null) return settledTo;
    const messageId = fromGlobalId("Message", lastEventId);
    const known = messageId === null ? null : await reads.seqOf(contactChannelId, messageId);
    return known ?? (await reads.beforeLast(contactChannelId, REPLAYED));
  }

  async function stop(): Promise<void> {
    stopped = true;
    clearInterval(heart);
    const handedOver = Promise.all(mailboxes().map((mailbox) => mailbox.stop()));
    // A stalled stream must not delay the stop; messages that it did not take are queued again.
    await Promise.race([handedOver, delay(STOP_WITHIN, undefined, { ref: false })]);
    for (const mailbox of mailboxes()) mailbox.finish();
    await handedOver;
  }

  function mailboxes() {
    return [...followers.values()].flatMap((follower) => follower.mailboxes);
  }
}

/** Milliseconds between heartbeat comments: proxies commonly close a connection that is silent for 30 or 60 seconds. */
const BEAT_EVERY = 15_000;
/** Messages replayed to a client whose last message is not known. */
const REPLAYED = 100;
/** In milliseconds. */
const STOP_WITHIN = 2_000;
