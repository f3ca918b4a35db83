import type { ContactChannelId, WorkspaceId } from "../../domain/id.ts";
import { OnDemand } from "../../platform/on-demand.ts";
import type { ReaderOptions } from "../../realtime/hub.ts";
import type { ChannelRecord } from "../../store/directory.ts";
import type { LogEvent } from "../../store/log-event.ts";
import { Mailbox, type MailboxOptions } from "./mailbox.ts";

/** Opens log readers: the part of the hub that a channel reader uses. */
export interface ReaderSource {
  openReader(workspaceId: WorkspaceId, options: ReaderOptions<LogEvent>): Promise<AsyncIterableIterator<LogEvent>>;
}

export interface ChannelReaderOptions extends Omit<MailboxOptions, "workspaceId"> {
  readonly channel: ChannelRecord;
  readonly hub: ReaderSource;
  /** Called when the last visitor has left. */
  readonly onEmpty: () => void;
}

/** A mailbox, and the number of streams that are open or being opened on it. */
interface Entry {
  readonly mailbox: Mailbox;
  holders: number;
}

/**
 * Reads the log for all visitors of one channel with streams on this instance, and wakes the mailboxes that an event
 * concerns.
 */
export class ChannelReader {
  /** Resolves when the log position is fixed: every later commit is seen. Rejects if the log cannot be read. */
  readonly started: Promise<void>;
  readonly #options: ChannelReaderOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #known = new Map<ContactChannelId, Mailbox>();
  /** New ContactChannels that may belong to visitors with a stream but no ContactChannel yet. */
  #appeared = new Set<ContactChannelId>();
  readonly #introductions: OnDemand;
  readonly #resumption: OnDemand;
  #reader: AsyncIterableIterator<LogEvent> | null = null;
  #isEmpty = false;

  constructor(options: ChannelReaderOptions) {
    this.#options = options;
    this.#introductions = new OnDemand(() => this.#introduceNew(), this.#onError);
    this.#resumption = new OnDemand(() => this.#resume(), this.#onError);
    this.started = this.#listen();
  }

  /** Returns the visitor's mailbox and keeps it until `release` was called as often as `hold`. */
  hold(visitorId: string): Mailbox {
    const { channel, ...rest } = this.#options;
    const entry = this.#entries.get(visitorId) ?? {
      mailbox: new Mailbox({ ...rest, workspaceId: channel.workspaceId }),
      holders: 0,
    };
    this.#entries.set(visitorId, entry);
    entry.holders += 1;
    return entry.mailbox;
  }

  release(visitorId: string): void {
    const entry = this.#entries.get(visitorId);
    if (entry === undefined) return;
    entry.holders -= 1;
    if (entry.holders > 0) return;
    this.#entries.delete(visitorId);
    if (entry.mailbox.contactChannelId !== null) this.#known.delete(entry.mailbox.contactChannelId);
    if (this.#entries.size > 0) return;
    this.#isEmpty = true;
    void this.#reader?.return?.();
    void this.#introductions.stop();
    void this.#resumption.stop();
    this.#options.onEmpty();
  }

  /** Links a visitor's mailbox to the ContactChannel of the visitor. */
  introduce(visitorId: string, contactChannelId: ContactChannelId): void {
    const mailbox = this.#entries.get(visitorId)?.mailbox;
    if (mailbox === undefined || mailbox.contactChannelId !== null) return;
    this.#known.set(contactChannelId, mailbox);
    mailbox.belongsTo(contactChannelId);
  }

  get mailboxes(): readonly Mailbox[] {
    return [...this.#entries.values()].map((entry) => entry.mailbox);
  }

  readonly #onError = (error: unknown): void => {
    this.#options.logger.warn({ err: error, channelId: this.#options.channel.id }, "web chat could not read the log");
  };

  async #listen(): Promise<void> {
    const { channel, hub } = this.#options;
    const reader = await hub.openReader(channel.workspaceId, {
      after: null,
      wants: (event): event is LogEvent => this.#wants(event),
    });
    this.#reader = reader;
    if (this.#isEmpty) await reader.return?.();
    else void this.#read(reader);
  }

  async #read(reader: AsyncIterableIterator<LogEvent>): Promise<void> {
    try {
      for await (const event of reader) this.#handle(event);
    } catch (error) {
      this.#onError(error);
      this.#resumption.request();
    }
  }

  /**
   * Resumes at the current end of the log and wakes all mailboxes. They read their state, so missed events do not
   * matter.
   */
  async #resume(): Promise<void> {
    await this.#listen();
    for (const mailbox of this.mailboxes) mailbox.wake();
  }

  #wants(event: LogEvent): boolean {
    if (event.channelId !== this.#options.channel.id) return false;
    if (event.data.type === "ContactAppeared") return this.#known.size < this.#entries.size;
    return this.#known.get(event.contactChannelId)?.wants(event) ?? false;
  }

  #handle(event: LogEvent): void {
    if (event.data.type === "ContactAppeared") {
      this.#appeared.add(event.contactChannelId);
      this.#introductions.request();
    } else {
      this.#known.get(event.contactChannelId)?.wake();
    }
  }

  async #introduceNew(): Promise<void> {
    const ids = this.#appeared;
    this.#appeared = new Set();
    try {
      for (const { visitorId, contactChannelId } of await this.#options.reads.visitors([...ids])) {
        this.introduce(visitorId, contactChannelId);
      }
    } catch (error) {
      this.#appeared = this.#appeared.union(ids);
      throw error;
    }
  }
}
