import { type ChildProcess, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "graphql-ws";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { WebSocket } from "ws";
import { signAgentToken } from "../src/auth/token.ts";
import { toGlobalId } from "../src/domain/global-id.ts";
import { startTemporaryPostgres } from "../src/store/embedded.ts";
import { migrate } from "../src/store/migrate.ts";
import { percentile, type Row, report, round } from "./report.ts";

const INSTANCES = 3;
const REDIS = "redis://127.0.0.1:6379";
const LINE_SECRET = "bench-secret";
const AUTH_SECRET = "x".repeat(32);
const EMAIL = "bench@desk.test";
const WARM_UP = 100;
/** Messages in a measurement, and how many of them a second are sent; null for one after the other. */
const MEASURES = [
  { messages: 500, perSecond: null },
  { messages: 500, perSecond: 50 },
] as const;

interface Instance {
  readonly url: string;
  readonly process: ChildProcess;
}

/**
 * How long an event takes from one instance to a client of another: a LINE webhook on the first of three processes, one
 * subscriber by WebSocket on each. Counted from the webhook's answer, which says that the commit stands; what has arrived
 * before it counts as 0. Beside it how long the webhook itself took.
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
  const postgres = await startTemporaryPostgres();
  const running: Instance[] = [];
  try {
    const channel = await seed(postgres.url);
    for (let n = 0; n < INSTANCES; n++) running.push(await startServer({ DATABASE_URL: postgres.url, ...env }));
    const token = await signAgentToken(AUTH_SECRET, EMAIL, Date.now(), 3_600_000);
    const [first] = running;
    if (first === undefined) return;
    const after = await cursorOf(first, token);
    const consoles = running.map(({ url }) => new Console(url, token, after));
    const send = sender(first.url, channel);

    await run(consoles, send, WARM_UP, null);
    for (const { messages, perSecond } of MEASURES) {
      const sent = await run(consoles, send, messages, perSecond);
      const load = perSecond === null ? "one by one" : `${perSecond}/s`;
      const webhook = sent.map(({ began, answered }) => answered - began).sort((a, b) => a - b);
      const [own = [], ...others] = consoles.map((console) =>
        sent.map(({ answered, text }) => Math.max(0, console.arrivedAt(text) - answered)).sort((a, b) => a - b),
      );
      const other = others.flat().sort((a, b) => a - b);
      rows.push({
        via,
        load,
        messages,
        "webhook p50 ms": figure(webhook, 0.5),
        "webhook p99 ms": figure(webhook, 0.99),
        "its own p50 ms": figure(own, 0.5),
        "its own p99 ms": figure(own, 0.99),
        "others p50 ms": figure(other, 0.5),
        "others p99 ms": figure(other, 0.99),
        "others worst ms": round(other.at(-1) ?? 0, 1),
      });
    }
    for (const console of consoles) await console.close();
  } finally {
    for (const { process } of running) {
      process.kill("SIGTERM");
      await once(process, "exit");
    }
    await postgres.stop();
  }
}

/** A message that is durable; times in milliseconds. */
interface Sent {
  readonly text: string;
  readonly began: number;
  readonly answered: number;
}

/** Sends messages and waits until every console has them all. */
async function run(
  consoles: readonly Console[],
  send: () => Promise<Sent>,
  messages: number,
  perSecond: number | null,
): Promise<Sent[]> {
  const began = performance.now();
  const sending: Promise<Sent>[] = [];
  for (let n = 0; n < messages; n++) {
    if (perSecond !== null) await sleep(Math.max(0, began + (n * 1_000) / perSecond - performance.now()));
    const sent = send();
    sending.push(sent);
    if (perSecond === null) await heardByAll(consoles, await sent);
  }
  const all = await Promise.all(sending);
  for (const sent of all) await heardByAll(consoles, sent);
  return all;
}

async function heardByAll(consoles: readonly Console[], { text }: Sent): Promise<void> {
  await Promise.all(consoles.map((console) => console.hears(text)));
}

/** A subscriber that notes when each message comes, and minds that each comes once. */
class Console {
  readonly #client;
  readonly #arrivals = new Map<string, number>();
  readonly #waiting = new Map<string, () => void>();

  constructor(url: string, token: string, after: string) {
    this.#client = createClient({
      url: `${url.replace("http", "ws")}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${token}` },
    });
    const fail = (reason: unknown): never => {
      throw new Error(`A subscription ended: ${JSON.stringify(reason)}`);
    };
    this.#client.subscribe<{ messageRecorded: { message: { text: string } } }>(
      {
        query: `subscription ($after: Cursor) {
          messageRecorded(after: $after) { cursor occurredAt message { id text contactChannel { id } } }
        }`,
        variables: { after },
      },
      {
        next: ({ data, errors }) => {
          if (data === undefined || data === null) return fail(errors);
          const { text } = data.messageRecorded.message;
          if (this.#arrivals.has(text)) return fail(`${text} came twice`);
          this.#arrivals.set(text, performance.now());
          this.#waiting.get(text)?.();
        },
        error: fail,
        complete: () => {},
      },
    );
  }

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

/** Where the log ends now: a console that follows from there misses nothing, however late it is ready. */
async function cursorOf({ url }: Instance, token: string): Promise<string> {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: "{ logCursor }" }),
  });
  const { data }: { data: { logCursor: string } } = JSON.parse(await response.text());
  return data.logCursor;
}

/** Sends a message of one of a few people; resolves when it is durable. */
function sender(url: string, channelId: string): () => Promise<Sent> {
  let n = 0;
  return async () => {
    const id = uuidv7();
    const text = `Message ${n}: where is my order? It was to come on Monday.`;
    const body = JSON.stringify({
      destination: "U0",
      events: [
        {
          type: "message",
          mode: "active",
          timestamp: Date.now(),
          webhookEventId: id,
          deliveryContext: { isRedelivery: false },
          source: { type: "user", userId: `U${n++ % 20}` },
          replyToken: id,
          message: { type: "text", id, quoteToken: id, text },
        },
      ],
    });
    const began = performance.now();
    const { status } = await fetch(`${url}/webhooks/line/${toGlobalId("Channel", channelId)}`, {
      method: "POST",
      headers: { "x-line-signature": createHmac("sha256", LINE_SECRET).update(body).digest("base64") },
      body,
    });
    if (status !== 200) throw new Error(`The webhook answered ${status}.`);
    return { text, began, answered: performance.now() };
  };
}

function figure(sorted: readonly number[], share: number): number {
  return round(percentile(sorted, share), 1);
}

/** A workspace with an agent and a LINE channel without flows; answers the channel's id. */
async function seed(url: string): Promise<string> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  try {
    await migrate(pool);
    const [workspaceId, channelId] = [uuidv7(), uuidv7()];
    await pool.query("INSERT INTO workspace (id, name, created_at) VALUES ($1, 'Bench', now())", [workspaceId]);
    await pool.query("INSERT INTO log_head (workspace_id) VALUES ($1)", [workspaceId]);
    await pool.query(
      `INSERT INTO channel (id, workspace_id, name, kind, secret, created_at) VALUES ($1, $2, 'Bench', 'LINE', $3, now())`,
      [channelId, workspaceId, LINE_SECRET],
    );
    await pool.query(
      `INSERT INTO agent (id, workspace_id, name, email, role, created_at) VALUES ($1, $2, 'Bench', $3, 'ADMIN', now())`,
      [uuidv7(), workspaceId, EMAIL],
    );
    return channelId;
  } finally {
    await pool.end();
  }
}

async function startServer(env: NodeJS.ProcessEnv): Promise<Instance> {
  const child = spawn(process.execPath, [new URL("../src/main.ts", import.meta.url).pathname], {
    env: { ...process.env, REDIS_URL: "", PORT: "0", DEMO: "false", LOG_LEVEL: "warn", AUTH_SECRET, ...env },
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
