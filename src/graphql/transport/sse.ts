import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Position } from "../../store/log-event.ts";
import { requestError } from "../errors.ts";
import { FAREWELL, patience, TOO_SLOW_REASON } from "./slow-client.ts";

/** The open SSE responses. A client that does not read is waited for, so that nothing piles up for it. */
export class EventStreams {
  readonly #ends = new Set<() => void>();

  /** Resolves when the stream is over, whoever ended it; `head` says how far the log goes that it follows. */
  async send(body: ReadableStream<Uint8Array>, response: ServerResponse, head: () => Position): Promise<void> {
    const reader = body.getReader();
    let over = false;
    // Nothing more is said then: a last `complete` would tell the client that it need not come again.
    const end = (): void => {
      over = true;
      // Yoga's streams leave a read unanswered that is under way when they are cancelled: what follows may never run.
      this.#ends.delete(end);
      void reader.cancel().catch(() => {});
    };
    this.#ends.add(end);
    response.once("close", end);
    try {
      response.flushHeaders();
      for (let step = await reader.read(); !step.done && !over; step = await reader.read()) {
        if (!response.write(step.value)) await drained(response, head);
        if (response.writableEnded || response.destroyed) break;
      }
    } finally {
      end();
      response.end();
    }
  }

  async stop(): Promise<void> {
    for (const end of this.#ends) end();
  }
}

async function drained(response: ServerResponse, head: () => Position): Promise<void> {
  const over = new AbortController();
  const stopWaiting = patience(head, () => {
    response.end(GIVEN_UP);
    over.abort();
    const tooLate = setTimeout(() => response.destroy(), FAREWELL);
    response.once("close", () => clearTimeout(tooLate));
  });
  try {
    await Promise.race(["drain", "close"].map((event) => once(response, event, { signal: over.signal })));
  } catch (error) {
    if (!over.signal.aborted) throw error;
  } finally {
    stopWaiting();
    over.abort();
  }
}

const tooSlow = requestError("TOO_SLOW", `${TOO_SLOW_REASON}.`);
const GIVEN_UP = `event: next\ndata: ${JSON.stringify({ errors: [tooSlow] })}\n\n`;
