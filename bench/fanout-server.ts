import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import pino from "pino";
import { startApp } from "../src/app.ts";
import { loadConfig } from "../src/config.ts";
import { answerParent } from "./child.ts";
import { BURST, eventOf } from "./fanout-message.ts";
import { mercuriusServer, type Publisher, rawWebSocket, stockYoga } from "./fanout-peers.ts";

/** The servers whose cost is measured. */
export type ServerName = "deskgate" | "ws" | "yoga" | "mercurius";

/** What a server's process can be asked. */
export type ServerAnswers = {
  /** Starts it; answers its port. The URL is of our own server's database. */
  start(name: ServerName, databaseUrl: string, secret: string): Promise<number>;
  /** Publishes messages with the numbers from `first` on; answers when each was, in milliseconds of the epoch. */
  publish(first: number, count: number, every: number): Promise<number[]>;
  /** CPU that the process has used so far, in microseconds. */
  cpu(): number;
  /** Collects all garbage first, and gives the pages back that it took: what is left of connecting is no subscriber's. */
  memory(): Promise<Memory>;
};

/** What a process holds once its garbage is collected, in bytes. */
export interface Memory {
  /** All of it that is in the machine's memory: heap, native parts, code. */
  readonly rss: number;
  /** JavaScript objects, and what they hold outside of V8. */
  readonly heap: number;
}

let publisher: Publisher | null = null;

answerParent<ServerAnswers>({
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

/** The real server, whole, in this process. */
async function deskgate(databaseUrl: string, secret: string): Promise<number> {
  const config = loadConfig({ DATABASE_URL: databaseUrl, AUTH_SECRET: secret, PORT: "0", DEMO: "false" });
  const app = await startApp({ config, logger: pino({ level: "warn" }) });
  return Number(new URL(app.url).port);
}
