import type { FastifyBaseLogger } from "fastify";
import type { Executor } from "../../commands/executor.ts";
import { attempt } from "../../delivery/attempt.ts";
import type { OpenLeases } from "../../delivery/open-leases.ts";
import { toGlobalId } from "../../domain/global-id.ts";
import type { ContactChannelId, WorkspaceId } from "../../domain/id.ts";
import type { Clock } from "../../platform/clock.ts";
import { OnDemand } from "../../platform/on-demand.ts";
import type { ChatEntry, ChatReads } from "../../store/chat-entries.ts";
import type { LogEvent } from "../../store/log-event.ts";
import type { ChatEvent, ChatStream } from "./stream.ts";

export interface MailboxOptions {
  readonly workspaceId: WorkspaceId;
  readonly executor: Executor;
  readonly reads: ChatReads;
  readonly clock: Clock;
  readonly openLeases: OpenLeases;
  readonly logger: FastifyBaseLogger;
}

/** Where a stream starts, and what it receives. */
export interface Reception {
  /** The `seq` of the last entry that the client has received. */
  readonly lastSeq: number;
  /** Whether it receives the visitor's own entries, too (rule S10). */
  readonly own: boolean;
}

/** An open stream, and the `seq` of the last entry that was written to it or that it does not get. */
interface Subscriber {
  readonly stream: ChatStream;
  readonly own: boolean;
  lastSeq: number;
}

/**
 * Delivers a timeline to the streams of one visitor on this instance, in the order of recording. Each run goes through
 * the entries that a stream has not received: what was sent or written by the visitor is replayed, and what is pending
 * is sent, one message after another. What follows a pending message waits for it.
 */
export class Mailbox {
  readonly #options: MailboxOptions;
  readonly #subscribers = new Set<Subscriber>();
  readonly #delivery: OnDemand;
  #contactChannelId: ContactChannelId | null = null;
  #stopped = false;

  constructor(options: MailboxOptions) {
    this.#options = options;
    this.#delivery = new OnDemand(
      () => this.#deliver(),
      (error) =>
        options.logger.warn({ err: error, contactChannelId: this.#contactChannelId }, "web chat delivery failed"),
    );
  }

  /** Null until the visitor has sent a message. */
  get contactChannelId(): ContactChannelId | null {
    return this.#contactChannelId;
  }

  get isEmpty(): boolean {
    return this.#subscribers.size === 0;
  }

  belongsTo(contactChannelId: ContactChannelId): void {
    this.#contactChannelId = contactChannelId;
    this.#delivery.request();
  }

  /** Adds a stream. Over the limit, the oldest stream is closed, as it may be dead. */
  add(stream: ChatStream, { lastSeq, own }: Reception): void {
    const subscriber = { stream, own, lastSeq };
    this.#subscribers.add(subscriber);
    void stream.ended.then(() => this.#subscribers.delete(subscriber));
    const [oldest] = this.#subscribers;
    if (this.#subscribers.size > MAX_STREAMS) oldest?.stream.finish();
    this.#delivery.request();
  }

  /** Whether the event may require a delivery. A message that this mailbox has sent itself does not. */
  wants({ data }: LogEvent): boolean {
    if (data.type === "MessageRecorded") {
      return data.direction === "OUTBOUND" || [...this.#subscribers].some(({ own }) => own);
    }
    if (data.type !== "DeliveryChanged" || data.to === "SENDING") return false;
    return data.to !== "SENT" || [...this.#subscribers].some(({ lastSeq }) => lastSeq < data.seq);
  }

  wake(): void {
    this.#delivery.request();
  }

  sendHeartbeat(): void {
    for (const { stream } of this.#subscribers) stream.sendHeartbeat();
  }

  /** Starts no further delivery. Resolves when the one in progress has finished. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.#delivery.stop();
  }

  finish(): void {
    for (const { stream } of this.#subscribers) stream.finish();
  }

  async #deliver(): Promise<void> {
    const contactChannelId = this.#contactChannelId;
    while (contactChannelId !== null && !this.#stopped) {
      // A stream added during a run waits for the next one, because it would get new entries before old ones.
      const subscribers = [...this.#subscribers];
      if (subscribers.length === 0) return;
      const after = Math.min(...subscribers.map(({ lastSeq }) => lastSeq));
      const own = subscribers.some((subscriber) => subscriber.own);
      const read = await this.#options.reads.undelivered(contactChannelId, { after, own, limit: PAGE });
      const upTo = completeUpTo(read);
      for (const entry of read) {
        if (entry.seq > upTo) break;
        if (entry.status === "SENT" || entry.status === "OWN") await replay(subscribers, entry);
        else if (!(await this.#send(contactChannelId, entry, subscribers))) return;
      }
      if (upTo === Number.POSITIVE_INFINITY) return;
    }
  }

  /**
   * Sends a queued message under a lease (rule B4). False if it could not be leased or sent: the event of its
   * next status change wakes the mailbox.
   */
  async #send(
    contactChannelId: ContactChannelId,
    message: ChatEntry,
    subscribers: readonly Subscriber[],
  ): Promise<boolean> {
    if (message.status !== "QUEUED" || this.#stopped || !subscribers.some(({ stream }) => stream.open)) return false;
    const { workspaceId } = this.#options;
    const made = await attempt(
      this.#options,
      { workspaceId, contactChannelId },
      async ({ messageIds }, { onBegun }) => {
        // The head is another message if this one was canceled or has been sent by another instance.
        if (messageIds[0] !== message.id) return { type: "NOT_BEGUN" };
        onBegun();
        // If every stream has closed, nothing failed: the visitor's next stream gets the message.
        return { type: (await deliverToAny(subscribers, message)) ? "SENT" : "NOT_BEGUN" };
      },
    );
    return made?.outcome.type === "SENT";
  }
}

/** The `seq` up to which nothing is missing from what was read: where a page is full, more may follow it. */
function completeUpTo(read: readonly ChatEntry[]): number {
  const isPending = ({ status }: ChatEntry): boolean => status === "QUEUED" || status === "SENDING";
  const pages = [
    read.filter(({ status }) => status === "SENT"),
    read.filter(({ status }) => status === "OWN"),
    read.filter(isPending),
  ];
  return Math.min(...pages.map((page) => (page.length < PAGE ? Number.POSITIVE_INFINITY : (page.at(-1)?.seq ?? 0))));
}

/** Writes the entry to the streams that lack it, waiting for the fastest of them. */
async function replay(subscribers: readonly Subscriber[], entry: ChatEntry): Promise<void> {
  const lacking = subscribers.filter(({ lastSeq }) => lastSeq < entry.seq);
  const without = entry.status === "OWN" ? lacking.filter(({ own }) => !own) : [];
  for (const subscriber of without) subscriber.lastSeq = entry.seq;
  const receiving = lacking.filter((subscriber) => !without.includes(subscriber));
  if (receiving.length > 0) await deliverToAny(receiving, entry);
}

/**
 * Resolves to true as soon as one stream has taken the entry, so that a stalled stream delays nothing; to false if
 * none did.
 */
function deliverToAny(subscribers: readonly Subscriber[], entry: ChatEntry): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const deliveries = subscribers.map(async (subscriber) => {
    if (await deliverTo(subscriber, entry)) resolve(true);
  });
  void Promise.all(deliveries).then(() => resolve(false));
  return promise;
}

/** Whether the stream has received the entry, now or before. */
async function deliverTo(subscriber: Subscriber, entry: ChatEntry): Promise<boolean> {
  if (subscriber.lastSeq >= entry.seq) return subscriber.stream.open;
  subscriber.lastSeq = entry.seq;
  return subscriber.stream.send(eventOf(entry));
}

function eventOf({ id, text, menu, sentAt, author, clientMessageId }: ChatEntry): ChatEvent {
  const globalId = toGlobalId("Message", id);
  const data = {
    id: globalId,
    text,
    ...(menu === null ? {} : { menu }),
    sentAt: new Date(sentAt),
    author,
    ...(clientMessageId === null ? {} : { clientMessageId }),
  };
  return { id: globalId, data: JSON.stringify(data) };
}

/** Maximum number of streams per visitor and instance. */
const MAX_STREAMS = 8;
/** Entries of each status that are read by one query. */
const PAGE = 100;
