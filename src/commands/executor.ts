import { setTimeout as delay } from "node:timers/promises";
import type { WorkspaceId } from "../domain/id.ts";
import { CommitOutcomeUnknown, sqlState, TransactionNotStarted } from "../store/database.ts";
import { Overloaded, type StepResult, TemporarilyRefused, type WorkItem } from "./work.ts";

/** Runs commands. The only way to change a ContactChannel. */
export interface Executor {
  /**
   * Resolves with the result of each step once the work is durable. Rejects with an error that `isTemporary` if trying
   * again may help, and on unexpected errors; nothing was written then, unless the error is `CommitOutcomeUnknown`.
   */
  execute(work: WorkItem): Promise<readonly StepResult[]>;
  /** Resolves when nothing is queued or in flight. */
  drain(): Promise<void>;
}

export interface ExecutorOptions {
  /** Decides and commits a batch of work items of one workspace in one transaction; results are in the same order. */
  readonly commitBatch: (
    workspaceId: WorkspaceId,
    items: readonly WorkItem[],
  ) => Promise<readonly (readonly StepResult[])[]>;
  /** Maximum number of work items in one commit. */
  readonly maxBatch?: number;
  /** Maximum number of concurrent commits. */
  readonly maxInFlight?: number;
  /** Maximum number of queued work items; further ones are rejected with `Overloaded`. */
  readonly maxWaiting?: number;
}

interface Waiting {
  readonly work: WorkItem;
  readonly resolve: (results: readonly StepResult[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Batches queued work items. A single item is committed at once; under load, batches grow while earlier commits are in
 * flight.
 */
export function createExecutor(options: ExecutorOptions): Executor {
  const { commitBatch, maxBatch = 128, maxInFlight = 2, maxWaiting = 20_000 } = options;
  const waiting = new Map<WorkspaceId, Waiting[]>();
  let waitingCount = 0;
  let inFlight = 0;
  let idle: (() => void)[] = [];

  return { execute, drain };

  function execute(work: WorkItem): Promise<readonly StepResult[]> {
    if (waitingCount >= maxWaiting) return Promise.reject(new Overloaded(waitingCount));
    return new Promise((resolve, reject) => {
      const queue = waiting.get(work.workspaceId);
      if (queue === undefined) waiting.set(work.workspaceId, [{ work, resolve, reject }]);
      else queue.push({ work, resolve, reject });
      waitingCount += 1;
      // Works that arrive in the same turn of the event loop share a batch.
      if (inFlight < maxInFlight) setImmediate(startBatches);
    });
  }

  function startBatches(): void {
    while (inFlight < maxInFlight) {
      const [next] = waiting;
      if (next === undefined) break;
      const [workspaceId, queue] = next;
      const batch = queue.splice(0, maxBatch);
      // Deleting and setting again moves the workspace to the end of the queue.
      waiting.delete(workspaceId);
      if (queue.length > 0) waiting.set(workspaceId, queue);
      waitingCount -= batch.length;
      inFlight += 1;
      void run(workspaceId, batch).finally(() => {
        inFlight -= 1;
        startBatches();
      });
    }
    if (inFlight === 0) {
      for (const resolve of idle) resolve();
      idle = [];
    }
  }

  async function run(workspaceId: WorkspaceId, batch: readonly Waiting[]): Promise<void> {
    try {
      const results = await commitBatch(
        workspaceId,
        batch.map(({ work }) => work),
      );
      batch.forEach(({ resolve }, index) => {
        resolve(results[index] ?? []);
      });
    } catch (error) {
      if (error instanceof CommitOutcomeUnknown || error instanceof TransactionNotStarted) rejectAll(batch, error);
      else await runOneByOne(workspaceId, batch);
    }
  }

  /** Isolates a failing work from the others. If no transaction can be started, the rest is rejected without trying. */
  async function runOneByOne(workspaceId: WorkspaceId, batch: readonly Waiting[]): Promise<void> {
    for (const [index, { work, resolve, reject }] of batch.entries()) {
      try {
        resolve(await runAlone(workspaceId, work));
      } catch (error) {
        if (error instanceof TransactionNotStarted) return rejectAll(batch.slice(index), error);
        reject(error);
      }
    }
  }

  async function runAlone(workspaceId: WorkspaceId, work: WorkItem): Promise<readonly StepResult[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        const [results = []] = await commitBatch(workspaceId, [work]);
        return results;
      } catch (error) {
        if (!isTransient(error)) throw error;
        if (attempt === MAX_ATTEMPTS)
          throw sqlState(error) === UNIQUE_VIOLATION ? error : new TemporarilyRefused(error);
        await delay(attempt * attempt * Math.random() * 5);
      }
    }
  }

  function drain(): Promise<void> {
    if (inFlight === 0 && waitingCount === 0) return Promise.resolve();
    return new Promise((resolve) => idle.push(resolve));
  }
}

function rejectAll(batch: readonly Waiting[], error: unknown): void {
  for (const { reject } of batch) reject(error);
}

const MAX_ATTEMPTS = 6;

const UNIQUE_VIOLATION = "23505";

/** Serialisation failure, deadlock, lock timeout, or a concurrent insert of the same key: worth another attempt. */
function isTransient(error: unknown): boolean {
  return ["40001", "40P01", "55P03", UNIQUE_VIOLATION].includes(sqlState(error) ?? "");
}
