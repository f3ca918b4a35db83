import { setTimeout as delay } from "node:timers/promises";
import type { FastifyBaseLogger } from "fastify";
import type { Executor } from "../../commands/executor.ts";
import { fromGlobalId } from "../../domain/global-id.ts";
import type { ChannelId } from "../../domain/id.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Hub } from "../../realtime/hub.ts";
import type { Database } from "../../store/database.ts";
import type { ChannelRecord } from "../../store/directory.ts";
import { type Place, timeline } from "../../store/outbound.ts";
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
  /** The id of the last message that the client has; null for a client that wants nothing old. */
  readonly lastEventId: string | null;
  /** Called once it is known that the stream can be served. */
  readonly connect: () => ChatStream;
}

/** Brings outbound messages to visitors' streams; fed by the event log alone. */
export interface WebChatDelivery {
  /**
   * Opens a stream. It receives what is pending and what comes and, of what was sent before, only what followed
   * `lastEventId`; where no message to this visitor has that id, the last hundred. Resolves to false, without
   * connecting, once the delivery is stopped; rejects where the log or the timeline cannot be read.
   */
  open(request: OpenStream): Promise<boolean>;
  /** Finishes the hand-overs that are under way, begins no other, and ends all streams. */
  stop(): Promise<void>;
}

export function webChatDelivery(options: WebChatDeliveryOptions): WebChatDelivery {
  const { database, hub, executor, clock, logger } = options;
  const reads = timeline(database.pool);
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
      // Read after the place in the log is fixed: what is committed later than this comes by the log.
      const place = await reads.place({ channelId: channel.id, externalId: visitorId });
      const has = place === null ? 0 : await startOf(place, lastEventId);
      if (stopped) return false;
      const stream = connect();
      follower.hold(visitorId);
      void stream.ended.then(() => follower.release(visitorId));
      mailbox.add(stream, has);
      if (place !== null) follower.introduce(visitorId, place.contactChannelId);
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
      timeline: reads,
      onDeserted: () => {
        if (followers.get(channel.id) === follower) followers.delete(channel.id);
      },
    });
    followers.set(channel.id, follower);
    return follower;
  }

  async function startOf({ contactChannelId, settledTo }: Place, lastEventId: string | null): Promise<number> {
    if (lastEventId === null) return settledTo;
    const messageId = fromGlobalId("Message", lastEventId);
    const known = messageId === null ? null : await reads.seqOf(contactChannelId, messageId);
    return known ?? (await reads.beforeLast(contactChannelId, REPLAYED));
  }

  async function stop(): Promise<void> {
    stopped = true;
    clearInterval(heart);
    const handedOver = Promise.all(mailboxes().map((mailbox) => mailbox.stop()));
    // A stream that takes nothing must not hold up the end; what it did not take is pending again.
    await Promise.race([handedOver, delay(MAX_GOODBYE, undefined, { ref: false })]);
    for (const mailbox of mailboxes()) mailbox.finish();
    await handedOver;
  }

  function mailboxes() {
    return [...followers.values()].flatMap((follower) => follower.mailboxes);
  }
}

/** Comments are sent so often, in milliseconds: proxies commonly end what is silent for 30 or 60 seconds. */
const BEAT_EVERY = 15_000;
/** How many messages are replayed to a client whose last one is not known. */
const REPLAYED = 100;
/** In milliseconds. */
const MAX_GOODBYE = 2_000;
