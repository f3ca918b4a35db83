import type { AgentId, ChannelId, ContactId, ConversationId, WorkspaceId } from "../domain/id.ts";
import type { EventLog } from "../store/event-log.ts";
import type { LogEvent, Position } from "../store/log-event.ts";

/** The log no longer reaches back to the position asked for: what lies between is lost to this reader, and it is told so. */
export class CursorExpired extends Error {
  constructor() {
    super("The log no longer reaches back to this cursor. Read the lists again and subscribe from a new cursor.");
  }
}

/** What a reader listens for: everything, or whatever concerns one contact, channel, conversation or agent. */
export type Subject = "everything" | ContactId | ChannelId | ConversationId | AgentId;

/** Given the event that concerns the subject, or null where it is not known what there was. */
export type Wake = (event: LogEvent | null) => void;

function subjectsOf({ contactId, channelId, conversationId, agentIds }: LogEvent): readonly Subject[] {
  return ["everything", contactId, channelId, ...(conversationId === null ? [] : [conversationId]), ...agentIds];
}

/**
 * The tail of one workspace's log in memory. Readers pull: each holds nothing but its position, so one that stops reading
 * costs nothing, and one that falls behind the tail reads on from the log itself, in the same way as one that resumes.
 */
export class Feed {
  readonly workspaceId: WorkspaceId;
  readonly #log: EventLog;
  readonly #onError: (error: unknown) => void;
  #tail: LogEvent[] = [];
  #head: Position;
  #wanted = false;
  #reading: Promise<void> | null = null;
  readonly #sleepers = new Map<Subject, Set<Wake>>();
  readers = 0;

  constructor(workspaceId: WorkspaceId, head: Position, log: EventLog, onError: (error: unknown) => void) {
    this.workspaceId = workspaceId;
    this.#head = head;
    this.#log = log;
    this.#onError = onError;
  }

  get head(): Position {
    return this.#head;
  }

  /** Hints that the log may have grown; the log is read to find out. */
  hint(): void {
    this.#wanted = true;
    this.#reading ??= this.#readOn().finally(() => {
      this.#reading = null;
      if (this.#wanted) this.hint();
    });
  }

  /** Takes committed events as they are told; where some are missing before them, the log is read instead. */
  offer(events: readonly LogEvent[]): void {
    if (!this.#append(events)) this.hint();
  }

  /** Resolves when the tail has this position, or cannot have it now. */
  async reach(position: Position): Promise<void> {
    for (let tries = 0; this.#head < position && tries < 3; tries++) {
      this.hint();
      await this.#reading;
    }
  }

  /** The event at this position, if the tail has it in memory. */
  recent(position: Position): LogEvent | undefined {
    const first = this.#tail[0];
    return first === undefined ? undefined : this.#tail[position - first.position];
  }

  /** What follows `position` in the log itself, at most a page of it. */
  async read(position: Position): Promise<readonly LogEvent[]> {
    const { prunedTo } = await this.#log.bounds(this.workspaceId);
    if (position < prunedTo) throw new CursorExpired();
    return this.#log.read(this.workspaceId, position, PAGE);
  }

  /** Calls back once, at the first event that may concern the subject; returns a function that cancels it. */
  wakeOn(subject: Subject, wake: Wake): () => void {
    let sleepers = this.#sleepers.get(subject);
    if (sleepers === undefined) {
      sleepers = new Set();
      this.#sleepers.set(subject, sleepers);
    }
    sleepers.add(wake);
    return () => this.#forget(subject, wake);
  }

  #forget(subject: Subject, wake: Wake): void {
    const sleepers = this.#sleepers.get(subject);
    sleepers?.delete(wake);
    if (sleepers?.size === 0) this.#sleepers.delete(subject);
  }

  /** Wakes those whom the event concerns: the cost follows them, not all who listen. */
  #announce(event: LogEvent): void {
    for (const subject of subjectsOf(event)) {
      const sleepers = this.#sleepers.get(subject);
      if (sleepers === undefined) continue;
      this.#sleepers.delete(subject);
      for (const wake of sleepers) wake(event);
    }
  }

  async #readOn(): Promise<void> {
    try {
      while (this.#wanted) {
        this.#wanted = false;
        const events = await this.#log.read(this.workspaceId, this.#head, PAGE);
        if (!this.#append(events)) this.#goOnAfterGap(events);
        if (events.length === PAGE) this.#wanted = true;
      }
    } catch (error) {
      // The next hint or poll tries again; readers only wait longer.
      this.#wanted = false;
      this.#onError(error);
    }
  }

  /** The log was pruned past this tail: whoever reads must look for themselves, and is told that their place is gone. */
  #goOnAfterGap(events: readonly LogEvent[]): void {
    const [first] = events;
    if (first === undefined) return;
    this.#tail = [];
    this.#head = first.position - 1;
    const sleepers = [...this.#sleepers.values()];
    this.#sleepers.clear();
    for (const each of sleepers) for (const wake of each) wake(null);
    this.#append(events);
  }

  /** Adds what is new of these; answers false where they do not continue the tail. */
  #append(events: readonly LogEvent[]): boolean {
    const added = events.filter(({ position }) => position > this.#head);
    const [first] = added;
    if (first === undefined) return true;
    if (first.position !== this.#head + 1) return false;
    this.#tail.push(...added);
    if (this.#tail.length > 2 * TAIL) this.#tail = this.#tail.slice(-TAIL);
    this.#head += added.length;
    for (const event of added) this.#announce(event);
    return true;
  }
}

const PAGE = 500;
const TAIL = 2_000;
