import { type ChildProcess, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { toGlobalId } from "../src/domain/global-id.ts";
import { startTemporaryPostgres } from "../src/embedded-postgres/server.ts";
import { migrate } from "../src/store/migrate.ts";
import { Connection, postRequest } from "./http-load.ts";
import { interactiveTransaction, type Peer, preparedStatement } from "./ingest-peers.ts";
import { percentile, type Row, report, round } from "./report.ts";

const PARALLEL = [1, 16, 128];
const CONTACTS = 200;
/** In milliseconds: long enough for stable figures, short enough for comparable conditions in all runs. */
const DURATION = 6_000;
const WARM_UP = 2_000;
const SECRET = "bench-secret";

interface ChannelRef {
  readonly workspaceId: string;
  readonly channelId: string;
}

interface Figures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/**
 * Measures durable inbound messages per second. Deskgate receives them as signed LINE webhooks over HTTP from another
 * process. Two other ways to write the same rows are measured for comparison, without HTTP, signatures and parsing.
 */
export async function ingest(): Promise<void> {
  const postgres = await startTemporaryPostgres();
  try {
    const channel = await seed(postgres.url);
    const server = await startServer(postgres.url);
    const rows: Row[] = [];
    const ours: Figures[] = [];
    try {
      await overHttp(server.port, channel, 16, WARM_UP);
      for (const parallel of PARALLEL) ours.push(await overHttp(server.port, channel, parallel, DURATION));
    } finally {
      server.process.kill("SIGTERM");
      await once(server.process, "exit");
    }
    const prepared = await peerFigures(preparedStatement(postgres.url), channel);
    const interactive = await peerFigures(interactiveTransaction(postgres.url), channel);
    await check(postgres.url);

    PARALLEL.forEach((parallel, index) => {
      const [a, b, c] = [ours[index], prepared[index], interactive[index]];
      if (a === undefined || b === undefined || c === undefined) return;
      rows.push({
        parallel,
        "webhook /s": round(a.perSecond, 0),
        "p50 ms": round(a.p50),
        "p99 ms": round(a.p99),
        "(a) pg, prepared /s": round(b.perSecond, 0),
        "(a) p50 ms": round(b.p50),
        "(b) Prisma /s": round(c.perSecond, 0),
        "(b) p50 ms": round(c.p50),
        "× (a)": round(a.perSecond / b.perSecond),
        "× (b)": round(a.perSecond / c.perSecond),
      });
    });
    const timesA = Number(rows.at(-1)?.["× (a)"]);
    const timesB = Number(rows.at(-1)?.["× (b)"]);
    const p50 = Number(rows[0]?.["p50 ms"]);
    report("ingest", rows, [
      { name: "× (a) at 128", value: timesA, target: "≥ 1.0", met: timesA >= 1 },
      { name: "× (b) at 128", value: timesB, target: "≥ 8", met: timesB >= 8 },
      { name: "p50 at 1, ms", value: p50, target: "≤ 5", met: p50 <= 5 },
    ]);
  } finally {
    await postgres.stop();
  }
}

async function overHttp(port: number, channel: ChannelRef, parallel: number, milliseconds: number): Promise<Figures> {
  const path = `/webhooks/line/${toGlobalId("Channel", channel.channelId)}`;
  // Prepared in advance, more than can be sent in the time, so that the client has little to do.
  const requests = Array.from({ length: 12_000 * (milliseconds / 1_000) }, (_, n) => {
    const body = lineBody(n);
    const signature = createHmac("sha256", SECRET).update(body).digest("base64");
    return postRequest(path, { "content-type": "application/json", "x-line-signature": signature }, body);
  });
  const connections = Array.from({ length: parallel }, () => new Connection(port));
  try {
    return await measure(parallel, milliseconds, async (worker, n) => {
      const request = requests[n];
      if (request === undefined) throw new Error("Too few requests were prepared.");
      const status = await connections[worker]?.send(request);
      if (status !== 200) throw new Error(`The webhook answered ${status}.`);
    });
  } finally {
    for (const connection of connections) connection.close();
  }
}

async function peerFigures(peer: Peer, channel: ChannelRef): Promise<Figures[]> {
  try {
    const record = (_worker: number, n: number): Promise<void> =>
      peer.record({ ...channel, externalId: externalIdOf(n), eventId: uuidv7(), text: textOf(n) });
    await measure(16, WARM_UP, record);
    const figures: Figures[] = [];
    for (const parallel of PARALLEL) figures.push(await measure(parallel, DURATION, record));
    return figures;
  } finally {
    await peer.close();
  }
}

async function measure(
  parallel: number,
  milliseconds: number,
  send: (worker: number, n: number) => Promise<void>,
): Promise<Figures> {
  const samples: number[] = [];
  const began = performance.now();
  let sent = 0;
  await Promise.all(
    Array.from({ length: parallel }, async (_, worker) => {
      while (performance.now() - began < milliseconds) {
        const start = performance.now();
        await send(worker, sent++);
        samples.push(performance.now() - start);
      }
    }),
  );
  const perSecond = samples.length / ((performance.now() - began) / 1_000);
  samples.sort((a, b) => a - b);
  return { perSecond, p50: percentile(samples, 0.5), p99: percentile(samples, 0.99) };
}

function lineBody(n: number): string {
  const id = uuidv7();
  return JSON.stringify({
    destination: "U00000000000000000000000000000000",
    events: [
      {
        type: "message",
        mode: "active",
        timestamp: Date.now(),
        webhookEventId: id,
        deliveryContext: { isRedelivery: false },
        source: { type: "user", userId: externalIdOf(n) },
        replyToken: id,
        message: { type: "text", id, quoteToken: id, text: textOf(n) },
      },
    ],
  });
}

function externalIdOf(n: number): string {
  return `U${String(n % CONTACTS).padStart(32, "0")}`;
}

function textOf(n: number): string {
  return `Message ${n}: where is my order? It was to come on Monday, and now it is Thursday.`;
}

async function seed(url: string): Promise<ChannelRef> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  try {
    await migrate(pool);
    const [workspaceId, channelId] = [uuidv7(), uuidv7()];
    await pool.query("INSERT INTO workspace (id, name, created_at) VALUES ($1, 'Bench', now())", [workspaceId]);
    await pool.query("INSERT INTO log_head (workspace_id) VALUES ($1)", [workspaceId]);
    await pool.query(
      `INSERT INTO channel (id, workspace_id, name, kind, secret, created_at) VALUES ($1, $2, 'Bench', 'LINE', $3, now())`,
      [channelId, workspaceId, SECRET],
    );
    return { workspaceId, channelId };
  } finally {
    await pool.end();
  }
}

async function startServer(databaseUrl: string): Promise<{ process: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [new URL("../src/main.ts", import.meta.url).pathname], {
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      PORT: "0",
      DEMO: "false",
      LOG_LEVEL: "warn",
      AUTH_SECRET: "x".repeat(32),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /http:\/\/localhost:(\d+)\/graphql/.exec(line)?.[1];
    if (port !== undefined) return { process: child, port: Number(port) };
  }
  throw new Error("The server exited before it was ready.");
}

/** Checks that every message was written completely; throughput of lost writes would mean nothing. */
async function check(url: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  try {
    const { rows } = await pool.query<{ messages: string; expected: string; events: string; position: string }>(`
      SELECT (SELECT count(*) FROM message) AS messages, (SELECT sum(last_seq) FROM contact_channel) AS expected,
             (SELECT count(*) FROM event) AS events, (SELECT position FROM log_head) AS position`);
    const [row] = rows;
    if (row === undefined || row.messages !== row.expected || row.events !== row.position) {
      throw new Error(`The tables are inconsistent: ${JSON.stringify(row)}`);
    }
  } finally {
    await pool.end();
  }
}
