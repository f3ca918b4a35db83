import { setImmediate as turn } from "node:timers/promises";
import type { DocumentNode, ExecutionResult } from "graphql";
import { atMost } from "../../platform/at-most.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Reader } from "../../realtime/reader.ts";
import type { LogEvent, Position } from "../../store/log-event.ts";

/** What one event is to a subscription. */
export interface SharedResult {
  readonly result: ExecutionResult;
  /** The result as it travels, in JSON, serialised at most once. */
  readonly bytes: Uint8Array;
}

/** An event that is told. */
export interface News {
  readonly position: Position;
  readonly shared: SharedResult;
}

/** A subscriber who wants to be told what comes. */
export interface Listener {
  /** Some events that follow one another; those that are not later than its position it knows already. */
  hear(news: readonly News[]): void;
  /** Nothing more can be told. */
  fail(error: unknown): void;
  /** The log is followed no further. */
  finish(): void;
}

export type Execute = (event: LogEvent) => Promise<ExecutionResult>;

/** How many results an operation keeps for those who come to the same event a little later. */
const KEPT = 64;
/** For how long, in milliseconds: what an event points to changes without the log, too, as when a block expires (rule B8). */
const KEPT_FOR = 1_000;
/** How many events of one operation may be executed at once; they are told in order all the same. */
const AT_ONCE = 4;
/** And of all operations: however many there are, connections to the database are left for others. */
const ALL_AT_ONCE = 12;

/** An event on its way to those who listen. */
interface Told {
  readonly position: Position;
  /** Null until it is executed. */
  shared: SharedResult | null;
  done: Promise<void>;
}

/** Lets subscriptions with the same document, variables and visibility share their executions. */
export class SharedOperations {
  readonly #operations = new WeakMap<DocumentNode, Map<string, SharedOperation>>();
  readonly #clock: Clock;
  readonly #limit = atMost(ALL_AT_ONCE);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  #inTurn(execute: Execute): Execute {
    return (event) => this.#limit(() => execute(event));
  }

  /**
   * `sameness` must say everything besides the document and the event that a result may depend on. Whoever joins leaves
   * some day, too.
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

/** One operation, as all who sent the same and see the same have it. */
export class SharedOperation {
  readonly #execute: Execute;
  readonly #clock: Clock;
  readonly #onDeserted: () => void;
  readonly #results = new Map<string, Promise<SharedResult>>();
  #keptSince = 0;
  readonly #listeners = new Set<Listener>();
  #live: Reader<LogEvent> | null = null;
  #members = 0;

  constructor(execute: Execute, clock: Clock, onDeserted: () => void) {
    this.#execute = execute;
    this.#clock = clock;
    this.#onDeserted = onDeserted;
  }

  join(): void {
    this.#members += 1;
  }

  leave(): void {
    this.#members -= 1;
    if (this.#members === 0) this.#onDeserted();
  }

  /**
   * The result for this event, read when the log went to `head`; executed once, whoever asks first. Who asks when the log
   * goes further, or later, gets another, because what the event points to is read as it is then (rule O6); and so does
   * who asks after it has failed.
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
    if (this.#results.size > KEPT) {
      const [oldest] = this.#results.keys();
      if (oldest !== undefined) this.#results.delete(oldest);
    }
    return result;
  }

  #forgetOld(): void {
    const now = this.#clock.now();
    if (now - this.#keptSince < KEPT_FOR) return;
    this.#results.clear();
    this.#keptSince = now;
  }

  /** Tells the listener every event later than where its reader is, until it is forgotten. */
  listen(listener: Listener, at: Reader<LogEvent>): void {
    this.#listeners.add(listener);
    if (this.#live === null) void this.#tell(at.fork());
  }

  forget(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#live?.end();
    this.#live = null;
  }

  /** One reader for all who listen: the cost of an event is one execution, and a write for each of them. */
  async #tell(reader: Reader<LogEvent>): Promise<void> {
    this.#live = reader;
    const underWay: Told[] = [];
    const tellReady = async (): Promise<void> => {
      // What is ready in the same turn of the event loop is told together, and goes out together.
      await turn();
      const ready: News[] = [];
      for (let [next] = underWay; next?.shared != null; [next] = underWay) {
        ready.push({ position: next.position, shared: next.shared });
        underWay.shift();
      }
      if (ready.length > 0) for (const listener of this.#listeners) listener.hear(ready);
    };
    try {
      for await (const event of reader) {
        const { position } = event;
        const told: Told = { position, shared: null, done: Promise.resolve() };
        underWay.push(told);
        told.done = this.resultAt(event, reader.head)
          .then((shared) => {
            told.shared = shared;
            return tellReady();
          })
          .catch((error: unknown) => this.#stop(reader, (listener) => listener.fail(error)));
        if (underWay.length >= AT_ONCE) await underWay[0]?.done;
      }
      await underWay.at(-1)?.done;
      this.#stop(reader, (listener) => listener.finish());
    } catch (error) {
      this.#stop(reader, (listener) => listener.fail(error));
    }
  }

  /** Those who listen are told that it is over, unless it was they who left. */
  #stop(reader: Reader<LogEvent>, say: (listener: Listener) => void): void {
    reader.end();
    if (this.#live !== reader) return;
    this.#live = null;
    for (const listener of [...this.#listeners]) say(listener);
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
