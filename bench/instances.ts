import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { SECRET, startDesk } from "./fanout-desk.ts";
import { textOf } from "./fanout-message.ts";
import { percentile, type Row, report, round } from "./report.ts";

const INSTANCES = 3;
const REDIS = "redis://127.0.0.1:6379";
const CONTACTS = 20;
const WARM_UP = 200;
/** Messages in a run, and how many are sent per second; null sends each after the previous one has arrived. */
const RUNS = [
  { messages: 500, perSecond: null },
  { messages: 500, perSecond: 50 },
  { messages: 1_000, perSecond: 100 },
] as const;

interface Instance {
  readonly url: string;
  readonly process: ChildProcess;
}

/**
 * Measures how long an event takes from one instance to a client of another: LINE webhooks go to the first of three
 * processes, and each has one WebSocket subscriber. Starts from PostgreSQL's commit time, which is taken just before
 * the write to disk.
 */
export async function instances(): Promise<void> {
  const rows: Row[] = [];
  await measureVia("PostgreSQL", {}, rows);
  if (await isReachable(REDIS)) await measureVia("Redis", { REDIS_URL: REDIS }, rows);
  else console.log(`Redis is not reachable at ${REDIS}; measured with PostgreSQL only.`);

  const targets = rows.map((row) => {
    const value = Number(row["others p99 ms"]);
    return { name: `p99 on other instances via ${row.via}, ${row.load}, ms`, value, target: "≤ 50", met: value <= 50 };
  });
  report("instances", rows, targets);
}

async function measureVia(via: string, env: NodeJS.ProcessEnv, rows: Row[]): Promise<void> {
  const desk = await startDesk(1);
  const running: Instance[] = [];
  try {
    for (let n = 0; n < INSTANCES; n++) running.push(await startServer({ DATABASE_URL: desk.databaseUrl, ...env }));
    const consoles = running.map(({ url }) => new Console(url, desk.authorizations[0] ?? ""));
    let next = 1;
    await untilAllSubscribed(consoles, async () => send(next++));
    await run(WARM_UP, null);
    for (const { messages, perSecond } of RUNS) {
      const first = await run(messages, perSecond);
      const committed = await desk.committedAt(first, messages);
      const [own = [], ...others] = consoles.map((console) =>
        committed.map((at, index) => console.arrivedAt(textOf(first + index)) - at),
      );
      const other = others.flat();
      rows.push({
        via,
        load: perSecond === null ? "one by one" : `${perSecond}/s`,
        messages,
        "same instance p50 ms": figure(own, 0.5),
        "same instance p99 ms": figure(own, 0.99),
        "others p50 ms": figure(other, 0.5),
        "others p99 ms": figure(other, 0.99),
        "others max ms": figure(other, 1),
      });
    }
    for (const console of consoles) await console.close();

    /** Sends messages, waits until every console has received all of them, and returns the number of the first. */
    async function run(messages: number, perSecond: number | null): Promise<number> {
      const first = next;
      next += messages;
      const began = performance.now();
      const sending: Promise<void>[] = [];
      for (let n = first; n < first + messages; n++) {
        if (perSecond !== null) await sleep(Math.max(0, began + ((n - first) * 1_000) / perSecond - performance.now()));
        sending.push(send(n));
        if (perSecond === null) await receivedByAll(consoles, textOf(n));
      }
      await Promise.all(sending);
      for (let n = first; n < next; n++) await receivedByAll(consoles, textOf(n));
      return first;
    }

    function send(n: number): Promise<void> {
      return desk.write(Number(new URL(running[0]?.url ?? "").port), [{ contact: n % CONTACTS, n }]);
    }
  } finally {
    for (const { process } of running) {
      process.kill("SIGTERM");
      await once(process, "exit");
    }
    await desk.stop();
  }
}

/** Sends messages until every console has received one; from then on, all consoles are subscribed. */
async function untilAllSubscribed(consoles: readonly Console[], send: () => Promise<void>): Promise<void> {
  while (consoles.some((console) => console.received === 0)) {
    await send();
    await sleep(50);
  }
}

async function receivedByAll(consoles: readonly Console[], text: string): Promise<void> {
  await Promise.all(consoles.map((console) => console.receives(text)));
}

/** A subscriber that records when each message arrives, and fails if one arrives twice. */
class Console {
  readonly #client;
  readonly #arrivals = new Map<string, number>();
  readonly #waiting = new Map<string, () => void>();

  constructor(url: string, authorization: string) {
    this.#client = createClient({
      url: `${url.replace("http", "ws")}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization },
    });
    const fail = (reason: unknown): never => {
      throw new Error(`A subscription ended: ${JSON.stringify(reason)}`);
    };
    this.#client.subscribe<{ messageRecorded: { message: { text: string } } }>(
      {
        query: "subscription { messageRecorded { cursor occurredAt message { id text contactChannel { id } } } }",
      },
      {
        next: ({ data, errors }) => {
          if (data === undefined || data === null) return fail(errors);
          const { text } = data.messageRecorded.message;
          if (this.#arrivals.has(text)) return fail(`${text} arrived twice`);
          this.#arrivals.set(text, performance.timeOrigin + performance.now());
          this.#waiting.get(text)?.();
        },
        error: fail,
        complete: () => {},
      },
    );
  }

  get received(): number {
    return this.#arrivals.size;
  }

  /** In milliseconds since the epoch; infinity if it has not arrived. */
  arrivedAt(text: string): number {
    return this.#arrivals.get(text) ?? Number.POSITIVE_INFINITY;
  }

  receives(text: string): Promise<void> {
    if (this.#arrivals.has(text)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.set(text, resolve));
  }

  async close(): Promise<void> {
    await this.#client.dispose();
  }
}

function figure(samples: readonly number[], share: number): number {
  return round(
    percentile(
      samples.toSorted((a, b) => a - b),
      share,
    ),
    1,
  );
}

async function startServer(env: NodeJS.ProcessEnv): Promise<Instance> {
  const child = spawn(process.execPath, [new URL("../src/main.ts", import.meta.url).pathname], {
    env: { ...process.env, REDIS_URL: "", PORT: "0", DEMO: "false", LOG_LEVEL: "warn", AUTH_SECRET: SECRET, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\/\/localhost:\d+(?=\/graphql)/.exec(line)?.[0];
    if (url !== undefined) return { url, process: child };
  }
  throw new Error("The server exited before it was ready.");
}

function isReachable(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
