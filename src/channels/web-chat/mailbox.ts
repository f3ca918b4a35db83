import type { FastifyBaseLogger } from "fastify";
import type { Executor } from "../../commands/executor.ts";
import type { Answer } from "../../commands/work.ts";
import type { Command } from "../../domain/command.ts";
import { toGlobalId } from "../../domain/global-id.ts";
import type { ContactChannelId, WorkspaceId } from "../../domain/id.ts";
import type { Clock } from "../../platform/clock.ts";
import { OnDemand } from "../../platform/on-demand.ts";
import type { LogEvent } from "../../store/log-event.ts";
import type { OutboundMessage, Timeline } from "../../store/outbound.ts";
import type { ChatEvent, ChatStream } from "./stream.ts";

export interface MailboxOptions {
  readonly workspaceId: WorkspaceId;
  readonly executor: Executor;
  readonly timeline: Timeline;
  readonly clock: Clock;
  readonly logger: FastifyBaseLogger;
}

interface Reader {
  readonly stream: ChatStream;
  /** The number of the last message that it has. */
  has: number;
}

/**
 * What one visitor receives on this instance. Whatever news there is, it does the same: gives each stream what was sent
 * and it lacks, then hands over what is pending, one message after another in the order of recording.
 */
export class Mailbox {
  readonly #options: MailboxOptions;
  readonly #readers = new Set<Reader>();
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

  /** Null until the visitor has written. */
  get contactChannelId(): ContactChannelId | null {
    return this.#contactChannelId;
  }

  get isEmpty(): boolean {
    return this.#readers.size === 0;
  }

  belongsTo(contactChannelId: ContactChannelId): void {
    this.#contactChannelId = contactChannelId;
    this.#delivery.request();
  }

  /** Lets a stream receive what comes after message number `has`. Beyond the limit of streams the oldest makes room: it may be a dead one. */
  add(stream: ChatStream, has: number): void {
    const reader = { stream, has };
    this.#readers.add(reader);
    void stream.ended.then(() => this.#readers.delete(reader));
    const [oldest] = this.#readers;
    if (this.#readers.size > MAX_STREAMS) oldest?.stream.finish();
    this.#delivery.request();
  }

  /** Whether the event is news for a stream. What this mailbox has sent itself is not. */
  wants({ data }: LogEvent): boolean {
    if (data.type === "MessageRecorded") return data.direction === "OUTBOUND";
    if (data.type !== "DeliveryChanged" || data.to === "SENDING") return false;
    return data.to !== "SENT" || [...this.#readers].some((reader) => reader.has < data.seq);
  }

  wake(): void {
    this.#delivery.request();
  }

  beat(): void {
    for (const { stream } of this.#readers) stream.beat();
  }

  /** Finishes the hand-over that is under way, begins no other. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.#delivery.stop();
  }

  finish(): void {
    for (const { stream } of this.#readers) stream.finish();
  }

  async #deliver(): Promise<void> {
    const contactChannelId = this.#contactChannelId;
    while (contactChannelId !== null && !this.#stopped) {
      // A stream that is added meanwhile has its turn afterwards: here it would get the new before the old.
      const readers = [...this.#readers];
      if (readers.length === 0) return;
      const has = Math.min(...readers.map((reader) => reader.has));
      const news = await this.#options.timeline.news(contactChannelId, has, PAGE);
      const sent = news.filter((message) => message.status === "SENT");
      const pending = news.filter((message) => message.status !== "SENT");
      for (const message of sent) await Promise.all(readers.map((reader) => give(reader, message)));
      if (sent.length === PAGE) continue;
      for (const message of pending) {
        if (!(await this.#handOver(contactChannelId, message, readers))) return;
      }
      if (pending.length < PAGE) return;
    }
  }

  /** Rule B4: writes it under a lease. False where it is not ours to send, or was given up: the log tells when that changes. */
  async #handOver(
    contactChannelId: ContactChannelId,
    message: OutboundMessage,
    readers: readonly Reader[],
  ): Promise<boolean> {
    if (message.status !== "QUEUED" || this.#stopped || !readers.some((reader) => reader.stream.open)) return false;
    const askedAt = this.#options.clock.now();
    const lease = await this.#execute(contactChannelId, { type: "LeaseOutbound", messageId: message.id });
    if (lease?.type !== "Accepted" || !lease.changed) return false;
    const isSent = (await this.#isInTime(message, askedAt)) && (await someTook(readers, message));
    // A closed stream is no failure: the visitor's next stream gets the message.
    const result = isSent ? "SENT" : "NOT_BEGUN";
    await this.#execute(contactChannelId, { type: "SettleOutbound", messageId: message.id, result });
    return isSent;
  }

  async #isInTime(message: OutboundMessage, askedAt: number): Promise<boolean> {
    const { clock, timeline } = this.#options;
    if (clock.now() - askedAt <= MAX_LEASE) return true;
    // Asking took long; the grant itself may still be fresh.
    const grantedAt = await timeline.leasedAt(message.id);
    return grantedAt !== null && clock.now() - grantedAt <= MAX_LEASE;
  }

  async #execute(target: ContactChannelId, command: Command): Promise<Answer | undefined> {
    const { executor, workspaceId } = this.#options;
    const [answer] = await executor.execute({ workspaceId, steps: [{ target, command }] });
    return answer;
  }
}

/** Resolves as soon as one stream has it, false if none takes it: a stream that stalls keeps no other waiting. */
function someTook(readers: readonly Reader[], message: OutboundMessage): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const gifts = readers.map(async (reader) => {
    if (await give(reader, message)) resolve(true);
  });
  void Promise.all(gifts).then(() => resolve(false));
  return promise;
}

/** Whether the stream has the message, now or already. */
async function give(reader: Reader, message: OutboundMessage): Promise<boolean> {
  if (reader.has >= message.seq) return reader.stream.open;
  reader.has = message.seq;
  return reader.stream.send(eventOf(message));
}

function eventOf({ id, text, sentAt, author }: OutboundMessage): ChatEvent {
  const globalId = toGlobalId("Message", id);
  return { id: globalId, data: JSON.stringify({ id: globalId, text, sentAt: new Date(sentAt), author }) };
}

/** Streams that one visitor may have open on an instance. */
const MAX_STREAMS = 8;
/** How long after its grant a lease may be begun, in milliseconds (rule B4). */
const MAX_LEASE = 1_000;
/** Messages read at once. */
const PAGE = 100;
