import type { FastifyBaseLogger } from "fastify";
import type { Executor } from "../../commands/executor.ts";
import { attempt } from "../../delivery/attempt.ts";
import type { OpenLeases } from "../../delivery/open-leases.ts";
import { toGlobalId } from "../../domain/global-id.ts";
import type { ContactChannelId, WorkspaceId } from "../../domain/id.ts";
import type { Clock } from "../../platform/clock.ts";
import { OnDemand } from "../../platform/on-demand.ts";
import type { LogEvent } from "../../store/log-event.ts";
import type { OutboundMessage, OutboundReads } from "../../store/outbound.ts";
import type { ChatEvent, ChatStream } from "./stream.ts";

export interface MailboxOptions {
  readonly workspaceId: WorkspaceId;
  readonly executor: Executor;
  readonly outbound: OutboundReads;
  readonly clock: Clock;
  readonly openLeases: OpenLeases;
  readonly logger: FastifyBaseLogger;
}

/** An open stream, and the `seq` of the last message that it received. */
interface Subscriber {
  readonly stream: ChatStream;
  lastSeq: number;
}

/**
 * Delivers messages to the streams of one visitor on this instance. Each run replays to every stream the sent messages
 * that it has not received, then sends pending messages one after another, in the order of recording.
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

  /**
   * Adds a stream that has received messages up to `lastSeq`. Over the limit, the oldest stream is closed, as it may be
   * dead.
   */
  add(stream: ChatStream, lastSeq: number): void {
    const subscriber = { stream, lastSeq };
    this.#subscribers.add(subscriber);
    void stream.ended.then(() => this.#subscribers.delete(subscriber));
    const [oldest] = this.#subscribers;
    if (this.#subscribers.size > MAX_STREAMS) oldest?.stream.finish();
    this.#delivery.request();
  }

  /** Whether the event may require a delivery. A message that this mailbox has sent itself does not. */
  wants({ data }: LogEvent): boolean {
    if (data.type === "MessageRecorded") return data.direction === "OUTBOUND";
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
      // A stream added during a run waits for the next one, because it would get new messages before old ones.
      const subscribers = [...this.#subscribers];
      if (subscribers.length === 0) return;
      const lastSeq = Math.min(...subscribers.map((subscriber) => subscriber.lastSeq));
      const messages = await this.#options.outbound.undelivered(contactChannelId, lastSeq, PAGE);
      const sent = messages.filter((message) => message.status === "SENT");
      const pending = messages.filter((message) => message.status !== "SENT");
      for (const message of sent) await Promise.all(subscribers.map((subscriber) => deliverTo(subscriber, message)));
      if (sent.length === PAGE) continue;
      for (const message of pending) {
        if (!(await this.#send(contactChannelId, message, subscribers))) return;
      }
      if (pending.length < PAGE) return;
    }
  }

  /**
   * Sends a queued message under a lease (rule B4). False if it could not be leased or sent: the event of its
   * next status change wakes the mailbox.
   */
  async #send(
    contactChannelId: ContactChannelId,
    message: OutboundMessage,
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

/**
 * Resolves to true as soon as one stream has taken the message, so that a stalled stream delays nothing; to false if
 * none did.
 */
function deliverToAny(subscribers: readonly Subscriber[], message: OutboundMessage): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const deliveries = subscribers.map(async (subscriber) => {
    if (await deliverTo(subscriber, message)) resolve(true);
  });
  void Promise.all(deliveries).then(() => resolve(false));
  return promise;
}

/** Whether the stream has received the message, now or before. */
async function deliverTo(subscriber: Subscriber, message: OutboundMessage): Promise<boolean> {
  if (subscriber.lastSeq >= message.seq) return subscriber.stream.open;
  subscriber.lastSeq = message.seq;
  return subscriber.stream.send(eventOf(message));
}

function eventOf({ id, text, sentAt, author }: OutboundMessage): ChatEvent {
  const globalId = toGlobalId("Message", id);
  return { id: globalId, data: JSON.stringify({ id: globalId, text, sentAt: new Date(sentAt), author }) };
}

/** Maximum number of streams per visitor and instance. */
const MAX_STREAMS = 8;
/** Messages read by one query. */
const PAGE = 100;
