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
const PEOPLE = 20;
const WARM_UP = 200;
/** Messages in a measurement, and how many of them a second are sent; null for one after the other. */
const MEASURES = [
  { messages: 500, perSecond: null },
  { messages: 500, perSecond: 50 },
  { messages: 1_000, perSecond: 100 },
] as const;

interface Instance {
  readonly url: string;
  readonly process: ChildProcess;
}

/**
 * How long an event takes from one instance to a client of another: a LINE webhook on the first of three processes, one
 * subscriber by WebSocket on each. Counted from PostgreSQL's time of the commit, which it takes just before it writes to
 * the disk.
 */
export async function instances(): Promise<void> {
  const rows: Row[] = [];
  await measureVia("PostgreSQL", {}, rows);
  if (await answers(REDIS)) await measureVia("Redis", { REDIS_URL: REDIS }, rows);
  else console.log(`No Redis answers at ${REDIS}: measured with PostgreSQL alone.`);

  const aims = rows.map((row) => {
    const value = Number(row["others p99 ms"]);
    return { name: `p99 on others by ${row.via}, ${row.load}, ms`, value, target: "≤ 50", holds: value <= 50 };
  });
  report("instances", rows, aims);
}

async function measureVia(via: string, env: NodeJS.ProcessEnv, rows: Row[]): Promise<void> {
  const desk = await startDesk(1);
  const running: Instance[] = [];
  try {
    for (let n = 0; n < INSTANCES; n++) running.push(await startServer({ DATABASE_URL: desk.databaseUrl, ...env }));
    const consoles = running.map(({ url }) => new Console(url, desk.authorizations[0] ?? ""));
    let next = 1;
    await untilAllListen(consoles, async () => send(next++));
    await run(WARM_UP, null);
    for (const { messages, perSecond } of MEASURES) {
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
        "its own p50 ms": figure(own, 0.5),
        "its own p99 ms": figure(own, 0.99),
        "others p50 ms": figure(other, 0.5),
        "others p99 ms": figure(other, 0.99),
        "others worst ms": figure(other, 1),
      });
    }
    for (const console of consoles) await console.close();

    /** Sends so many messages, waits until every console has them all, and answers the number of the first. */
    async function run(messages: number, perSecond: number | null): Promise<number> {
      const first = next;
      next += messages;
      const began = performance.now();
      const sending: Promise<void>[] = [];
      for (let n = first; n < first + messages; n++) {
        if (perSecond !== null) await sleep(Math.max(0, began + ((n - first) * 1_000) / perSecond - performance.now()));
        sending.push(send(n));
        if (perSecond === null) await heardByAll(consoles, textOf(n));
      }
      await Promise.all(sending);
      for (let n = first; n < next; n++) await heardByAll(consoles, textOf(n));
      return first;
    }

    function send(n: number): Promise<void> {
      return desk.write(Number(new URL(running[0]?.url ?? "").port), [{ person: n % PEOPLE, n }]);
    }
  } finally {
    for (const { process } of running) {
      process.kill("SIGTERM");
      await once(process, "exit");
    }
    await desk.stop();
  }
}

/** A console that has heard one message hears all later ones. */
async function untilAllListen(consoles: readonly Console[], send: () => Promise<void>): Promise<void> {
  while (consoles.some((console) => console.heard === 0)) {
    await send();
    await sleep(50);
  }
}

async function heardByAll(consoles: readonly Console[], text: string): Promise<void> {
  await Promise.all(consoles.map((console) => console.hears(text)));
}

/** A subscriber that notes when each message comes, and minds that each comes once. */
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
          if (this.#arrivals.has(text)) return fail(`${text} came twice`);
          this.#arrivals.set(text, performance.timeOrigin + performance.now());
          this.#waiting.get(text)?.();
        },
        error: fail,
        complete: () => {},
      },
    );
  }

  get heard(): number {
    return this.#arrivals.size;
  }

  /** In milliseconds of the epoch. */
  arrivedAt(text: string): number {
    return this.#arrivals.get(text) ?? Number.POSITIVE_INFINITY;
  }

  hears(text: string): Promise<void> {
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
  throw new Error("The server ended before it was ready.");
}

function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
