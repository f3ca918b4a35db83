/** A provider that accepts every message at once, in a process of its own: what all contenders of `deliver` call. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serveParent } from "./child.ts";

/** The requests since the last reset; times are milliseconds since the epoch. */
export interface Received {
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** When the request of each text had arrived. */
  readonly arrivals: ReadonlyMap<string, number>;
}

const methods = { start, reset, received };
export type StubMethods = typeof methods;
serveParent(methods);

const ANSWER = JSON.stringify({ sentMessages: [{ id: "1", quoteToken: "1" }] });
let server: Server | undefined;
let arrivals = new Map<string, number>();
let count = 0;
let [firstAt, lastAt] = [0, 0];

/** Returns the URLs of the stub, and of one that takes requests and never answers. */
async function start(): Promise<{ url: string; silentUrl: string }> {
  server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    lastAt = performance.timeOrigin + performance.now();
    if (count === 0) firstAt = lastAt;
    count += 1;
    const at = lastAt;
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      for (const [, text = ""] of body.matchAll(/"text":"([^"]*)"/g)) arrivals.set(text, at);
      response.setHeader("content-type", "application/json");
      response.end(ANSWER);
    });
  });
  const silent = createServer((request) => request.resume());
  return { url: await listen(server), silentUrl: await listen(silent) };
}

function reset(): void {
  arrivals = new Map();
  count = 0;
}

function received(): Received {
  return { count, firstAt, lastAt, arrivals };
}

async function listen(listening: Server): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  listening.listen(0, "127.0.0.1", resolve);
  await promise;
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}
