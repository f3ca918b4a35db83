import type { DocumentNode, ExecutionResult } from "graphql";
import type { Position } from "../store/event-log.ts";

/** What one event is to a subscription. */
export interface SharedResult {
  readonly result: ExecutionResult;
  /** The result as it travels, serialised at most once. */
  readonly json: string;
}

/** One operation, as all who sent the same and see the same have it. */
export interface SharedOperation {
  /**
   * The result for the event at this position, read when the log went to `head`; executed once, whoever asks first. Who
   * asks when the log goes further gets another, because what the event points to is read as it is then (rule O6).
   */
  resultAt(position: Position, head: Position, execute: () => Promise<ExecutionResult>): Promise<SharedResult>;
  leave(): void;
}

/** How many results an operation keeps for those who come to the same event a little later. */
const KEPT = 64;

/** Lets subscriptions with the same document, variables and visibility share their executions. */
export class SharedExecutions {
  readonly #operations = new WeakMap<DocumentNode, Map<string, Shared>>();

  /** `sameness` must say everything besides the document and the event that a result may depend on. */
  join(document: DocumentNode, sameness: string): SharedOperation {
    const ofDocument = this.#operations.get(document) ?? new Map<string, Shared>();
    this.#operations.set(document, ofDocument);
    const shared = ofDocument.get(sameness) ?? new Shared();
    ofDocument.set(sameness, shared);
    shared.members += 1;
    return {
      resultAt: (position, head, execute) => shared.resultAt(`${position}@${head}`, execute),
      leave: () => {
        shared.members -= 1;
        if (shared.members === 0 && ofDocument.get(sameness) === shared) ofDocument.delete(sameness);
      },
    };
  }
}

class Shared {
  members = 0;
  readonly #results = new Map<string, Promise<SharedResult>>();

  resultAt(moment: string, execute: () => Promise<ExecutionResult>): Promise<SharedResult> {
    const known = this.#results.get(moment);
    if (known !== undefined) return known;
    const result = execute().then(serialisedOnce);
    this.#results.set(moment, result);
    if (this.#results.size > KEPT) {
      const [oldest] = this.#results.keys();
      if (oldest !== undefined) this.#results.delete(oldest);
    }
    return result;
  }
}

export function serialisedOnce(result: ExecutionResult): SharedResult {
  let json: string | null = null;
  return {
    result,
    get json() {
      json ??= JSON.stringify(result);
      return json;
    },
  };
}
