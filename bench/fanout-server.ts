import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import pino from "pino";
import { startApp } from "../src/app.ts";
import { loadConfig } from "../src/config.ts";
import { serveParent } from "./child.ts";
import { BURST, eventOf } from "./fanout-message.ts";
import { mercuriusServer, type Publisher, rawWebSocket, stockYoga } from "./fanout-peers.ts";

/** The servers that are measured. */
export type ServerName = "deskgate" | "ws" | "yoga" | "mercurius";

/** The functions of a server's process. */
export type ServerMethods = {
  /** Starts the server and returns its port. Only Deskgate uses the database. */
  start(name: ServerName, databaseUrl: string, secret: string): Promise<number>;
  /** Publishes messages numbered from `first` on; returns when each was published, in milliseconds since the epoch. */
  publish(first: number, count: number, every: number): Promise<number[]>;
  /** CPU time used by the process so far, in microseconds. */
  cpu(): number;
  /** Collects garbage and releases free pages first, so that garbage from connecting is not counted. */
  memory(): Promise<Memory>;
};

/** Memory of a process after a garbage collection, in bytes. */
export interface Memory {
  /** Resident set size: heap, native memory and code. */
  readonly rss: number;
  /** JavaScript objects, and the memory outside V8 that they own. */
  readonly heap: number;
}

let publisher: Publisher | null = null;

serveParent<ServerMethods>({
  start: async (name, databaseUrl, secret) => {
    switch (name) {
      case "deskgate":
        return deskgate(databaseUrl, secret);
      case "yoga":
        publisher = await stockYoga();
        return publisher.port;
      case "mercurius":
        publisher = await mercuriusServer();
        return publisher.port;
      case "ws":
        publisher = await rawWebSocket();
        return publisher.port;
    }
  },
  publish: async (first, count, every) => {
    const publishedAt: number[] = [];
    for (let n = first; n < first + count; n++) {
      const event = eventOf(n);
      publishedAt.push(performance.timeOrigin + performance.now());
      publisher?.publish(event);
      if (every > 0) await sleep(every);
      else if ((n - first + 1) % BURST === 0) await setImmediate();
    }
    return publishedAt;
  },
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  memory: async () => {
    for (let round = 0; round < 2; round++) {
      await sleep(200);
      global.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
    }
    const { rss, heapUsed, external } = process.memoryUsage();
    return { rss, heap: heapUsed + external };
  },
});

/** Starts the complete Deskgate server in this process. */
async function deskgate(databaseUrl: string, secret: string): Promise<number> {
  const config = loadConfig({ DATABASE_URL: databaseUrl, AUTH_SECRET: secret, PORT: "0", DEMO: "false" });
  const app = await startApp({ config, logger: pino({ level: "warn" }) });
  return Number(new URL(app.url).port);
}
