import { setImmediate as turn } from "node:timers/promises";
import type { DocumentNode, ExecutionResult } from "graphql";
import { atMost } from "../../platform/at-most.ts";
import type { Clock } from "../../platform/clock.ts";
import type { LogReader } from "../../realtime/log-reader.ts";
import type { LogEvent, Position } from "../../store/log-event.ts";

/** What an event was executed to. */
export interface SharedResult {
  readonly result: ExecutionResult;
  /** The result as JSON, serialised at most once for all subscribers. */
  readonly bytes: Uint8Array;
}

/** One event's result, on its way to subscribers. */
export interface Delivery {
  readonly position: Position;
  readonly shared: SharedResult;
}

/** A subscriber of a shared operation. */
export interface Listener {
  /** Receives consecutive results. Those up to the listener's own position have been delivered to it before. */
  deliver(deliveries: readonly Delivery[]): void;
  /** Nothing more can be delivered. */
  fail(error: unknown): void;
  /** The log reader has ended. */
  finish(): void;
}

export type Execute = (event: LogEvent) => Promise<ExecutionResult>;

/** Results that an operation keeps for subscribers who reach the same event a little later. */
const MAX_RESULTS = 64;
/** Milliseconds for which they are kept: an object can change without an event, for example when a block expires (rule B8). */
const RESULT_LIFETIME = 1_000;
/** Concurrent executions of one operation; results are delivered in order all the same. */
const MAX_CONCURRENT = 4;
/** Concurrent executions of all operations together, so that database connections are left for other work. */
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

  #inTurn(execute: Execute): Execute {
    return (event) => this.#limit(() => execute(event));
  }

  /**
   * Joins the operation that all subscribers with the same document and `sameness` share. `sameness` must contain
   * everything besides the document and the event that a result may depend on. Call `leave` on the result once.
   */
  join(document: DocumentNode, sameness: string, executor: () => Execute): SharedOperation {
    const ofDocument = this.#operations.get(document) ?? new Map<string, SharedOperation>();
    this.#operations.set(document, ofDocument);
    const operation =
      ofDocument.get(sameness) ??
      new SharedOperation(this.#inTurn(executor()), this.#clock, () => void ofDocument.delete(sameness));
    ofDocument.set(sameness, operation);
    operation.join();
    return operation;
  }
}

/** One operation, shared by all subscribers who sent the same and may see the same. */
export class SharedOperation {
  readonly #execute: Execute;
  readonly #clock: Clock;
  readonly #onEmpty: () => void;
  readonly #results = new Map<string, Promise<SharedResult>>();
  #keptSince = 0;
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
   * The result for this event, executed once for all who ask while the log ends at `head`. A later call executes the event
   * again, because objects are read as they are then (rule O6); so does a call after a failure.
   */
  resultAt(event: LogEvent, head: Position): Promise<SharedResult> {
    this.#forgetOld();
    const moment = `${event.position}@${head}`;
    const known = this.#results.get(moment);
    if (known !== undefined) return known;
    const result = this.#execute(event).then((executed) => {
      if (executed.errors !== undefined) this.#results.delete(moment);
      return serialisedOnce(executed);
    });
    this.#results.set(moment, result);
    if (this.#results.size > MAX_RESULTS) {
      const [oldest] = this.#results.keys();
      if (oldest !== undefined) this.#results.delete(oldest);
    }
    return result;
  }

  #forgetOld(): void {
    const now = this.#clock.now();
    if (now - this.#keptSince < RESULT_LIFETIME) return;
    this.#results.clear();
    this.#keptSince = now;
  }

  /** Delivers every event after the reader's position to the listener, until `forget`. */
  listen(listener: Listener, at: LogReader<LogEvent>): void {
    this.#listeners.add(listener);
    if (this.#live === null) void this.#run(at.fork());
  }

  forget(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#live?.end();
    this.#live = null;
  }

  /** One log reader for all listeners: an event costs one execution, and one write for each listener. */
  async #run(reader: LogReader<LogEvent>): Promise<void> {
    this.#live = reader;
    const pending: Pending[] = [];
    const deliverReady = async (): Promise<void> => {
      // Results that become ready in the same turn of the event loop are sent together.
      await turn();
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

  /** Informs the listeners that no more events will come, unless they have all left. */
  #stop(reader: LogReader<LogEvent>, inform: (listener: Listener) => void): void {
    reader.end();
    if (this.#live !== reader) return;
    this.#live = null;
    for (const listener of [...this.#listeners]) inform(listener);
  }
}

export function serialisedOnce(result: ExecutionResult): SharedResult {
  let bytes: Uint8Array | undefined;
  return {
    result,
    get bytes() {
      bytes ??= Buffer.from(JSON.stringify(result));
      return bytes;
    },
  };
}
