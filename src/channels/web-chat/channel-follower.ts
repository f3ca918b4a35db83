import type { ContactChannelId, WorkspaceId } from "../../domain/id.ts";
import { OnDemand } from "../../platform/on-demand.ts";
import type { FollowOptions } from "../../realtime/hub.ts";
import type { ChannelRecord } from "../../store/directory.ts";
import type { LogEvent } from "../../store/log-event.ts";
import { Mailbox, type MailboxOptions } from "./mailbox.ts";

/** Whatever tells what is committed in a workspace from now on. */
export interface Followable {
  follow(workspaceId: WorkspaceId, options: FollowOptions<LogEvent>): Promise<AsyncIterableIterator<LogEvent>>;
}

export interface FollowerOptions extends Omit<MailboxOptions, "workspaceId"> {
  readonly channel: ChannelRecord;
  readonly hub: Followable;
  /** Called when the last visitor has left. */
  readonly onDeserted: () => void;
}

/** A mailbox, and how many streams are open or being opened on it. */
interface Entry {
  readonly mailbox: Mailbox;
  holders: number;
}

/** Follows the log for all visitors of one channel who have streams open here, and wakes the one whom an event concerns. */
export class ChannelFollower {
  /** Resolves once the place in the log is fixed: what is committed from then on is heard. Rejects where the log cannot be read. */
  readonly started: Promise<void>;
  readonly #options: FollowerOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #known = new Map<ContactChannelId, Mailbox>();
  /** ContactChannels that are new while some visitors here had none yet. */
  #appeared = new Set<ContactChannelId>();
  readonly #introductions: OnDemand;
  readonly #resumption: OnDemand;
  #reader: AsyncIterableIterator<LogEvent> | null = null;
  #deserted = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#introductions = new OnDemand(() => this.#introduceNew(), this.#onError);
    this.#resumption = new OnDemand(() => this.#resume(), this.#onError);
    this.started = this.#listen();
  }

  /** The visitor's mailbox, kept until it is released as often as it was asked for. */
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
    this.#deserted = true;
    void this.#reader?.return?.();
    void this.#introductions.stop();
    void this.#resumption.stop();
    this.#options.onDeserted();
  }

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
    this.#options.logger.warn({ err: error, channelId: this.#options.channel.id }, "following a web chat failed");
  };

  async #listen(): Promise<void> {
    const { channel, hub } = this.#options;
    const reader = await hub.follow(channel.workspaceId, {
      after: null,
      wants: (event): event is LogEvent => this.#wants(event),
    });
    this.#reader = reader;
    if (this.#deserted) await reader.return?.();
    else void this.#read(reader);
  }

  async #read(reader: AsyncIterableIterator<LogEvent>): Promise<void> {
    try {
      for await (const event of reader) this.#hear(event);
    } catch (error) {
      this.#onError(error);
      this.#resumption.request();
    }
  }

  /** Goes on from the present: what was missed is found by looking, because mailboxes compare states, not events. */
  async #resume(): Promise<void> {
    await this.#listen();
    for (const mailbox of this.mailboxes) mailbox.wake();
  }

  #wants(event: LogEvent): boolean {
    if (event.channelId !== this.#options.channel.id) return false;
    if (event.data.type === "ContactAppeared") return this.#known.size < this.#entries.size;
    return this.#known.get(event.contactChannelId)?.wants(event) ?? false;
  }

  #hear(event: LogEvent): void {
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
      for (const { visitorId, contactChannelId } of await this.#options.timeline.visitors([...ids])) {
        this.introduce(visitorId, contactChannelId);
      }
    } catch (error) {
      this.#appeared = this.#appeared.union(ids);
      throw error;
    }
  }
}
