import { once } from "node:events";
import type { ServerResponse } from "node:http";

/** How long a client may leave its stream unread, in milliseconds, before it is taken for gone. */
const STALLED_AFTER = 60_000;

/** The open SSE responses. A client that does not read is waited for, so that nothing piles up for it. */
export class EventStreams {
  readonly #ends = new Set<() => void>();

  /** Resolves when the stream is over, whoever ended it. */
  async send(body: ReadableStream<Uint8Array>, response: ServerResponse): Promise<void> {
    const reader = body.getReader();
    const end = (): void => void reader.cancel().catch(() => {});
    this.#ends.add(end);
    response.once("close", end);
    try {
      response.flushHeaders();
      for (let step = await reader.read(); !step.done && !response.destroyed; step = await reader.read()) {
        if (!response.write(step.value)) await drained(response);
      }
    } finally {
      this.#ends.delete(end);
      end();
      response.end();
    }
  }

  async stop(): Promise<void> {
    for (const end of this.#ends) end();
  }
}

async function drained(response: ServerResponse): Promise<void> {
  const over = new AbortController();
  const stalled = setTimeout(() => response.destroy(), STALLED_AFTER);
  try {
    await Promise.race(["drain", "close"].map((event) => once(response, event, { signal: over.signal })));
  } finally {
    clearTimeout(stalled);
    over.abort();
  }
}
