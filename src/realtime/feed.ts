import type { AgentId, ChannelId, ContactId, ConversationId, WorkspaceId } from "../domain/id.ts";
import type { EventLog } from "../store/event-log.ts";
import type { LogEvent, Position } from "../store/log-event.ts";

/** The log was pruned past the requested position, so the reader would miss events. */
export class CursorExpired extends Error {
  constructor() {
    super("The log no longer reaches back to this cursor. Read the lists again and subscribe from a new cursor.");
  }
}

/** What a reader waits for: all events, or those that concern one contact, channel, conversation or agent. */
export type Subject = "everything" | ContactId | ChannelId | ConversationId | AgentId;

/** Called with the event that concerns the subject, or with null if events were pruned before they were read. */
export type Wake = (event: LogEvent | null) => void;

function subjectsOf({ contactId, channelId, conversationId, agentIds }: LogEvent): readonly Subject[] {
  return ["everything", contactId, channelId, ...(conversationId === null ? [] : [conversationId]), ...agentIds];
}

/**
 * The tail of one workspace's log, in memory. Readers pull and hold only their position, so a slow reader costs
 * nothing. A reader that falls behind the tail reads from the database, like a reader that resumes.
 */
export class Feed {
  readonly workspaceId: WorkspaceId;
  readonly #log: EventLog;
  readonly #onError: (error: unknown) => void;
  #tail: LogEvent[] = [];
  #head: Position;
  #hinted = false;
  #reading: Promise<void> | null = null;
  readonly #waiting = new Map<Subject, Set<Wake>>();
  readers = 0;

  constructor(workspaceId: WorkspaceId, head: Position, log: EventLog, onError: (error: unknown) => void) {
    this.workspaceId = workspaceId;
    this.#head = head;
    this.#log = log;
    this.#onError = onError;
  }

  /** The last position of the log that this instance knows. */
  get head(): Position {
    return this.#head;
  }

  /** Hints that the log may have grown; the log is read to find out. */
  hint(): void {
    this.#hinted = true;
    this.#reading ??= this.#readNew().finally(() => {
      this.#reading = null;
      if (this.#hinted) this.hint();
    });
  }

  /** Appends committed events. If events before them are missing, the log is read instead. */
  offer(events: readonly LogEvent[]): void {
    if (!this.#append(events)) this.hint();
  }

  /** Resolves when the tail has reached this position, or after three attempts. */
  async catchUp(position: Position): Promise<void> {
    for (let tries = 0; this.#head < position && tries < 3; tries++) {
      this.hint();
      await this.#reading;
    }
  }

  /** The event at this position, if it is in the tail. */
  recent(position: Position): LogEvent | undefined {
    const first = this.#tail[0];
    return first === undefined ? undefined : this.#tail[position - first.position];
  }

  /**
   * Reads one page of events after `position` from the database.
   *
   * @throws CursorExpired if the log was pruned past `position`
   */
  async read(position: Position): Promise<readonly LogEvent[]> {
    const { prunedTo } = await this.#log.bounds(this.workspaceId);
    if (position < prunedTo) throw new CursorExpired();
    return this.#log.read(this.workspaceId, position, PAGE);
  }

  /** Calls `wake` once, at the next event that may concern the subject. Returns a function that cancels it. */
  wakeOn(subject: Subject, wake: Wake): () => void {
    let wakes = this.#waiting.get(subject);
    if (wakes === undefined) {
      wakes = new Set();
      this.#waiting.set(subject, wakes);
    }
    wakes.add(wake);
    return () => this.#cancelWake(subject, wake);
  }

  #cancelWake(subject: Subject, wake: Wake): void {
    const wakes = this.#waiting.get(subject);
    wakes?.delete(wake);
    if (wakes?.size === 0) this.#waiting.delete(subject);
  }

  /** Wakes the readers that the event concerns; the cost does not depend on the number of other readers. */
  #wakeReaders(event: LogEvent): void {
    for (const subject of subjectsOf(event)) {
      const wakes = this.#waiting.get(subject);
      if (wakes === undefined) continue;
      this.#waiting.delete(subject);
      for (const wake of wakes) wake(event);
    }
  }

  async #readNew(): Promise<void> {
    try {
      while (this.#hinted) {
        this.#hinted = false;
        const events = await this.#log.read(this.workspaceId, this.#head, PAGE);
        if (!this.#append(events)) this.#continueAfterGap(events);
        if (events.length === PAGE) this.#hinted = true;
      }
    } catch (error) {
      // The next hint or poll retries; until then readers wait.
      this.#hinted = false;
      this.#onError(error);
    }
  }

  /**
   * Continues after a gap, when the log was pruned past this tail. Wakes every reader, so that each
   * can detect that its position has expired.
   */
  #continueAfterGap(events: readonly LogEvent[]): void {
    const [first] = events;
    if (first === undefined) return;
    this.#tail = [];
    this.#head = first.position - 1;
    const wakes = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const each of wakes) for (const wake of each) wake(null);
    this.#append(events);
  }

  /** Appends the events that are new; returns false if there is a gap before them. */
  #append(events: readonly LogEvent[]): boolean {
    const added = events.filter(({ position }) => position > this.#head);
    const [first] = added;
    if (first === undefined) return true;
    if (first.position !== this.#head + 1) return false;
    this.#tail.push(...added);
    if (this.#tail.length > 2 * TAIL) this.#tail = this.#tail.slice(-TAIL);
    this.#head += added.length;
    for (const event of added) this.#wakeReaders(event);
    return true;
  }
}

/** Events read by one query. */
const PAGE = 500;
/** Events that remain when the tail is trimmed, which happens at twice as many. */
const TAIL = 2_000;
