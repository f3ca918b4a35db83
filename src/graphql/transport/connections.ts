import type { Viewer } from "../../auth/viewer.ts";

/** Counts the open sockets and event streams of each agent and each key. */
export class Connections {
  readonly #limit: number;
  readonly #open = new Map<string, number>();

  /** @param limit maximum number of open connections per actor */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Counts a new connection of the actor; null if the limit is reached. Call the returned function once, when it has
   * closed.
   */
  open({ actor }: Viewer): (() => void) | null {
    const count = this.#open.get(actor.id) ?? 0;
    if (count >= this.#limit) return null;
    this.#open.set(actor.id, count + 1);
    return () => {
      const left = (this.#open.get(actor.id) ?? 1) - 1;
      if (left === 0) this.#open.delete(actor.id);
      else this.#open.set(actor.id, left);
    };
  }
}
