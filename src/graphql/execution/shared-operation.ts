import { setImmediate as nextTurn } from "node:timers/promises";
import type { DocumentNode, ExecutionResult } from "graphql";
import { atMost } from "../../platform/at-most.ts";
import type { Clock } from "../../platform/clock.ts";
import type { LogReader } from "../../realtime/log-reader.ts";
import type { LogEvent, Position } from "../../store/log-event.ts";

/** The result of executing a subscription for one event. */
export interface SharedResult {
  readonly result: ExecutionResult;
  /** The result as JSON, serialized at most once for all subscribers. */
  readonly bytes: Uint8Array;
}

/** The result of one event, to be delivered to subscribers. */
export interface Delivery {
  readonly position: Position;
  readonly shared: SharedResult;
}

/** A subscriber of a shared operation. */
export interface Listener {
  /** Receives consecutive results. Results up to the listener's own position were delivered before. */
  deliver(deliveries: readonly Delivery[]): void;
  /** Called when the log or an execution failed; no more results follow. */
  fail(error: unknown): void;
  /** Called when the log reader has ended; no more results follow. */
  finish(): void;
}

export type Execute = (event: LogEvent) => Promise<ExecutionResult>;

/** Results that an operation keeps for subscribers who reach the same event a little later. */
const MAX_RESULTS = 64;
/**
 * Milliseconds for which results are kept. An object can change without an event, for example when a block expires
 * (rule B8).
 */
const RESULT_LIFETIME = 1_000;
/** Concurrent executions of one operation. Results are still delivered in order. */
const MAX_CONCURRENT = 4;
/** Concurrent executions of all operations together, which leaves database connections for other work. */
const MAX_CONCURRENT_TOTAL = 12;

/** An event whose execution has begun. */
interface Pending {
  readonly position: Position;
  /** Null until it is executed. */
  shared: SharedResult | null;
  done: Promise<void>;
}

/** Lets subscriptions with the same document, variables and visibility share their executions. */
export class SharedOperations {
  readonly #operations = new WeakMap<DocumentNode, Map<string, SharedOperation>>();
  readonly #clock: Clock;
  readonly #limit = atMost(MAX_CONCURRENT_TOTAL);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  #limited(execute: Execute): Execute {
    return (event) => this.#limit(() => execute(event));
  }

  /**
   * Joins the operation that all subscribers with the same document and `key` share. `key` must contain everything that
   * a result may depend on, except the document and the event. Call `leave` on the returned operation once.
   */
  join(document: DocumentNode, key: string, executor: () => Execute): SharedOperation {
    const byKey = this.#operations.get(document) ?? new Map<string, SharedOperation>();
    this.#operations.set(document, byKey);
    const operation =
      byKey.get(key) ?? new SharedOperation(this.#limited(executor()), this.#clock, () => void byKey.delete(key));
    byKey.set(key, operation);
    operation.join();
    return operation;
  }
}

/** One operation, shared by all subscribers with the same document, variables and visibility. */
export class SharedOperation {
  readonly #execute: Execute;
  readonly #clock: Clock;
  readonly #onEmpty: () => void;
  readonly #results = new Map<string, Promise<SharedResult>>();
  #resultsSince = 0;
  readonly #listeners = new Set<Listener>();
  #live: LogReader<LogEvent> | null = null;
  #members = 0;

  constructor(execute: Execute, clock: Clock, onEmpty: () => void) {
    this.#execute = execute;
    this.#clock = clock;
    this.#onEmpty = onEmpty;
  }

  join(): void {
    this.#members += 1;
  }

  leave(): void {
    this.#members -= 1;
    if (this.#members === 0) this.#onEmpty();
  }

  /**
   * The result for this event, executed once for all calls while the log ends at `head`. After that, or after a
   * failure, a call executes the event again, because objects must be read in their current state (rule O6).
   */
  resultAt(event: LogEvent, head: Position): Promise<SharedResult> {
    this.#evictExpired();
    const key = `${event.position}@${head}`;
    const known = this.#results.get(key);
    if (known !== undefined) return known;
    const result = this.#execute(event).then((executed) => {
      if (executed.errors !== undefined) this.#results.delete(key);
      return serializeOnce(executed);
    });
    this.#results.set(key, result);
    if (this.#results.size > MAX_RESULTS) {
      const [oldest] = this.#results.keys();
      if (oldest !== undefined) this.#results.delete(oldest);
    }
    return result;
  }

  #evictExpired(): void {
    const now = this.#clock.now();
    if (now - this.#resultsSince < RESULT_LIFETIME) return;
    this.#results.clear();
    this.#resultsSince = now;
  }

  /** Delivers the result of every event after the reader's position to the listener, until `unlisten`. */
  listen(listener: Listener, at: LogReader<LogEvent>): void {
    this.#listeners.add(listener);
    if (this.#live === null) void this.#run(at.fork());
  }

  unlisten(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#live?.end();
    this.#live = null;
  }

  /** Reads the log once for all listeners: an event costs one execution, and one write per listener. */
  async #run(reader: LogReader<LogEvent>): Promise<void> {
    this.#live = reader;
    const pending: Pending[] = [];
    const deliverReady = async (): Promise<void> => {
      // Results that become ready in the same turn of the event loop are sent together.
      await nextTurn();
      const ready: Delivery[] = [];
      for (let [next] = pending; next?.shared != null; [next] = pending) {
        ready.push({ position: next.position, shared: next.shared });
        pending.shift();
      }
      if (ready.length > 0) for (const listener of this.#listeners) listener.deliver(ready);
    };
    try {
      for await (const event of reader) {
        const { position } = event;
        const next: Pending = { position, shared: null, done: Promise.resolve() };
        pending.push(next);
        next.done = this.resultAt(event, reader.head)
          .then((shared) => {
            next.shared = shared;
            return deliverReady();
          })
          .catch((error: unknown) => this.#stop(reader, (listener) => listener.fail(error)));
        if (pending.length >= MAX_CONCURRENT) await pending[0]?.done;
      }
      await pending.at(-1)?.done;
      this.#stop(reader, (listener) => listener.finish());
    } catch (error) {
      this.#stop(reader, (listener) => listener.fail(error));
    }
  }

  /** Stops reading and notifies the listeners, unless they have all left. */
  #stop(reader: LogReader<LogEvent>, notify: (listener: Listener) => void): void {
    reader.end();
    if (this.#live !== reader) return;
    this.#live = null;
    for (const listener of [...this.#listeners]) notify(listener);
  }
}

export function serializeOnce(result: ExecutionResult): SharedResult {
  let bytes: Uint8Array | undefined;
  return {
    result,
    get bytes() {
      bytes ??= Buffer.from(JSON.stringify(result));
      return bytes;
    },
  };
}
