import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Position } from "../../store/log-event.ts";
import { requestError } from "../errors.ts";
import { SLOW_CLOSE_TIMEOUT, TOO_SLOW_REASON, watchStalled } from "./slow-client.ts";

/** The open SSE responses. Back-pressure pauses the source of a slow client, so that nothing is buffered for it. */
export class EventStreams {
  readonly #ends = new Set<() => void>();

  /**
   * Sends a stream; resolves when either side has ended it. `head` returns the last position of the log that it reads.
   */
  async send(body: ReadableStream<Uint8Array>, response: ServerResponse, head: () => Position): Promise<void> {
    const reader = body.getReader();
    let over = false;
    // Ends without a `complete` event, which would stop the client from reconnecting.
    const end = (): void => {
      over = true;
      // Cleans up here, because a pending read of a Yoga stream may never settle once the stream is canceled.
      this.#ends.delete(end);
      void reader.cancel().catch(() => {});
    };
    this.#ends.add(end);
    response.once("close", end);
    try {
      response.flushHeaders();
      for (let step = await reader.read(); !step.done && !over; step = await reader.read()) {
        if (!response.write(step.value)) await waitForDrain(response, head);
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

async function waitForDrain(response: ServerResponse, head: () => Position): Promise<void> {
  const over = new AbortController();
  const stopWatching = watchStalled(head, () => {
    response.end(TOO_SLOW_EVENT);
    over.abort();
    const timer = setTimeout(() => response.destroy(), SLOW_CLOSE_TIMEOUT);
    response.once("close", () => clearTimeout(timer));
  });
  try {
    await Promise.race(["drain", "close"].map((event) => once(response, event, { signal: over.signal })));
  } catch (error) {
    if (!over.signal.aborted) throw error;
  } finally {
    stopWatching();
    over.abort();
  }
}

const tooSlowError = requestError("TOO_SLOW", `${TOO_SLOW_REASON}.`);
const TOO_SLOW_EVENT = `event: next\ndata: ${JSON.stringify({ errors: [tooSlowError] })}\n\n`;
