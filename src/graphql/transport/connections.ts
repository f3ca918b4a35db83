import type { Viewer } from "../../auth/viewer.ts";

/** The sockets and event streams that are open, counted for each agent and each key. */
export class Connections {
  readonly #limit: number;
  readonly #open = new Map<string, number>();

  /** `limit`: how many one actor may have open at a time. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a place; null if none is left. Call what it returns, once, when the connection is over. */
  take({ actor }: Viewer): (() => void) | null {
    const open = this.#open.get(actor.id) ?? 0;
    if (open >= this.#limit) return null;
    this.#open.set(actor.id, open + 1);
    return () => {
      const left = (this.#open.get(actor.id) ?? 1) - 1;
      if (left === 0) this.#open.delete(actor.id);
      else this.#open.set(actor.id, left);
    };
  }
}
