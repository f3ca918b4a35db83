import { setTimeout as delay } from "node:timers/promises";
import type { FastifyBaseLogger } from "fastify";
import type { Executor } from "../../commands/executor.ts";
import type { OpenLeases } from "../../delivery/open-leases.ts";
import { fromGlobalId } from "../../domain/global-id.ts";
import type { ChannelId } from "../../domain/id.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Hub } from "../../realtime/hub.ts";
import { chatReads, type StreamStart } from "../../store/chat-entries.ts";
import type { Database } from "../../store/database.ts";
import type { ChannelRecord } from "../../store/directory.ts";
import { ChannelReader } from "./channel-reader.ts";
import type { ChatStream } from "./stream.ts";

export interface WebChatDeliveryOptions {
  readonly database: Database;
  readonly executor: Executor;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly openLeases: OpenLeases;
  readonly logger: FastifyBaseLogger;
}

export interface OpenStream {
  readonly channel: ChannelRecord;
  readonly visitorId: string;
  /** The id of the last event that the client received; null if it received none. */
  readonly lastEventId: string | null;
  /** Whether it receives the most recent conversation from its beginning, and what the visitor writes (rule S10). */
  readonly withHistory: boolean;
  /** Called when the stream can be opened; starts the response. */
  readonly connect: () => ChatStream;
}

/** Delivers outbound messages to visitors' streams, driven only by the event log. */
export interface WebChatDelivery {
  /**
   * Opens a stream. It receives pending and future messages, and those sent after `lastEventId`, or the last hundred
   * sent if the visitor has no entry with that id. With history it receives, instead of those, the most recent
   * conversation both ways, at most the last thousand entries, or what follows `lastEventId`. Resolves to false, without connecting, once delivery is stopped.
   * Rejects if the log or the messages cannot be read.
   */
  open(request: OpenStream): Promise<boolean>;
  /** Finishes the deliveries in progress, starts no others, and ends all streams. */
  stop(): Promise<void>;
}

export function webChatDelivery(options: WebChatDeliveryOptions): WebChatDelivery {
  const { database, hub, executor, clock, openLeases, logger } = options;
  const reads = chatReads(database.pool);
  const channelReaders = new Map<ChannelId, ChannelReader>();
  let stopped = false;
  const heartbeat = setInterval(() => {
    for (const mailbox of mailboxes()) mailbox.sendHeartbeat();
  }, HEARTBEAT_INTERVAL);
  // The timer must not keep a process alive whose server failed to start.
  heartbeat.unref();

  return { open, stop };

  async function open({ channel, visitorId, connect, ...request }: OpenStream): Promise<boolean> {
    if (stopped) return false;
    const channelReader = channelReaders.get(channel.id) ?? openChannelReader(channel);
    const mailbox = channelReader.hold(visitorId);
    try {
      await channelReader.started;
      // Read after the log position is fixed: later commits arrive through the log.
      const start = await reads.streamStart({ channelId: channel.id, externalId: visitorId });
      const lastSeq = start === null ? 0 : await resumeAt(start, request);
      if (stopped) return false;
      const stream = connect();
      channelReader.hold(visitorId);
      void stream.ended.then(() => channelReader.release(visitorId));
      mailbox.add(stream, { lastSeq, own: request.withHistory });
      if (start !== null) channelReader.introduce(visitorId, start.contactChannelId);
      return true;
    } finally {
      channelReader.release(visitorId);
    }
  }

  function openChannelReader(channel: ChannelRecord): ChannelReader {
    const channelReader = new ChannelReader({
      channel,
      hub,
      executor,
      clock,
      openLeases,
      logger,
      reads,
      onEmpty: () => {
        if (channelReaders.get(channel.id) === channelReader) channelReaders.delete(channel.id);
      },
    });
    channelReaders.set(channel.id, channelReader);
    return channelReader;
  }

  /** Never later than a pending message that the client has not received. */
  async function resumeAt(
    { contactChannelId, settledTo, beforeConversation, lastSeq }: StreamStart,
    { lastEventId, withHistory }: Pick<OpenStream, "lastEventId" | "withHistory">,
  ): Promise<number> {
    const messageId = lastEventId === null ? null : fromGlobalId("Message", lastEventId);
    const known = messageId === null ? null : await reads.seqOf(contactChannelId, messageId);
    if (known !== null && !known.isOwn) return known.seq;
    if (known !== null && withHistory) return Math.min(known.seq, settledTo);
    if (withHistory) return Math.min(settledTo, Math.max(beforeConversation, lastSeq - MAX_HISTORY));
    return lastEventId === null ? settledTo : reads.beforeLast(contactChannelId, MAX_REPLAYED);
  }

  async function stop(): Promise<void> {
    stopped = true;
    clearInterval(heartbeat);
    const delivered = Promise.all(mailboxes().map((mailbox) => mailbox.stop()));
    // A stalled stream must not delay the stop: messages that it has not taken are queued again.
    await Promise.race([delivered, delay(STOP_TIMEOUT, undefined, { ref: false })]);
    for (const mailbox of mailboxes()) mailbox.finish();
    await delivered;
  }

  function mailboxes() {
    return [...channelReaders.values()].flatMap((channelReader) => channelReader.mailboxes);
  }
}

/** Milliseconds between heartbeat comments: proxies often close connections that are idle for 30 or 60 seconds. */
const HEARTBEAT_INTERVAL = 15_000;
/** Messages replayed to a client whose last message is unknown. */
const MAX_REPLAYED = 100;
/** The most entries of a conversation that a stream with history starts with. */
const MAX_HISTORY = 1_000;
/** Milliseconds that deliveries in progress have to finish when the server stops. */
const STOP_TIMEOUT = 2_000;
