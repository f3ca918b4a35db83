import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { signAgentToken } from "../src/auth/token.ts";
import { toGlobalId } from "../src/domain/global-id.ts";
import { migrate } from "../src/store/migrate.ts";
import { startChild } from "./child.ts";
import type { PeerMethods } from "./deliver-peers.ts";
import type { StubMethods } from "./deliver-stub.ts";
import { startPostgresWithCommitTimes } from "./fanout-desk.ts";
import { preparedStatement } from "./ingest-peers.ts";
import { percentile, type Row, report, round } from "./report.ts";

const MESSAGES = 10_000;
const ROUNDS = 3;
/** Messages whose time from the commit to the begin of the call is measured, one after another. */
const PACED = 300;
const SECRET = "a-secret-of-the-bench-that-is-long-enough";
const AGENT = "agent@desk.test";

/**
 * Measures how fast queued messages are sent: by Deskgate, by a bare lease loop in SQL over the same rows and by pg-boss, all to the same
 * stub, in rounds that alternate. Then the time from a commit to the begin of its call, alone and beside a channel whose
 * provider never answers.
 */
export async function deliver(): Promise<void> {
  const postgres = await startPostgresWithCommitTimes();
  const stub = await startChild<StubMethods>("./deliver-stub.ts");
  const peers = await startChild<PeerMethods>("./deliver-peers.ts");
  const pool = new pg.Pool({ connectionString: postgres.url, max: 2 });
  const servers: Server[] = [];
  try {
    await migrate(pool);
    const { url, silentUrl } = await stub.call("start");
    const rates: Record<"ours" | "bare" | "pgBoss", number[]> = { ours: [], bare: [], pgBoss: [] };
    for (let n = 0; n < ROUNDS; n++) {
      const bare = await seed(pool, url);
      await queueAll(pool, bare);
      rates.bare.push(await rate(() => peers.call("runBare", postgres.url, url, bare.channelId)));
      await peers.call("fillPgBoss", postgres.url, MESSAGES);
      rates.pgBoss.push(await rate(() => peers.call("runPgBoss", postgres.url, url)));
      const world = await seed(pool, url);
      await queueAll(pool, world);
      rates.ours.push(await rate(start));
      await servers.pop()?.stop();
    }
    const world = await seed(pool, url);
    const commit = await commitP50(postgres.url, world);
    const server = await start();
    const alone = await lagOf(pool, server, world);
    await pool.query("UPDATE channel SET api_url = $2 WHERE id = $1", [world.otherChannelId, silentUrl]);
    await queueAll(pool, { ...world, channelId: world.otherChannelId });
    await sleep(2_000);
    const beside = await lagOf(pool, server, world);

    const [ours, bare, pgBoss] = [median(rates.ours), median(rates.bare), median(rates.pgBoss)];
    const rows: Row[] = [
      { what: "Deskgate", "messages /s": round(ours, 0), rounds: rates.ours.map((each) => round(each, 0)).join(", ") },
      {
        what: "bare lease loop",
        "messages /s": round(bare, 0),
        rounds: rates.bare.map((each) => round(each, 0)).join(", "),
      },
      {
        what: "pg-boss, batch 100",
        "messages /s": round(pgBoss, 0),
        rounds: rates.pgBoss.map((each) => round(each, 0)).join(", "),
      },
      { what: "one commit, p50 ms", "messages /s": "", rounds: round(commit) },
      {
        what: "commit → begin alone, p50/p99 ms",
        "messages /s": "",
        rounds: `${round(alone.p50)} / ${round(alone.p99)}`,
      },
      {
        what: "commit → begin beside a hanging channel",
        "messages /s": "",
        rounds: `${round(beside.p50)} / ${round(beside.p99)}`,
      },
    ];
    report("deliver", rows, [
      target("× bare lease loop", ours / bare, "≥ 0.5", (value) => value >= 0.5),
      target("× pg-boss", ours / pgBoss, "≥ 1", (value) => value >= 1),
      target("commit → begin, × one commit", alone.p50 / commit, "≤ 4", (value) => value <= 4),
      target("p50 beside a hanging channel, × alone", beside.p50 / alone.p50, "≤ 1.5", (value) => value <= 1.5),
    ]);

    async function start(): Promise<Server> {
      const server = await startServer(postgres.url);
      servers.push(server);
      return server;
    }

    /** Messages a second, by the stub's own times of the first and the last request. */
    async function rate(run: () => Promise<unknown>): Promise<number> {
      await stub.call("reset");
      await run();
      for (let last = -1; ; ) {
        const { count, firstAt, lastAt } = await stub.call("received");
        if (count >= MESSAGES) return (count - 1) / ((lastAt - firstAt) / 1_000);
        if (count === last) throw new Error(`Only ${count} of ${MESSAGES} messages were sent.`);
        if (count > 0) last = count;
        await sleep(2_000);
      }
    }

    /** Milliseconds from the commit of an agent's message until its call arrives. */
    async function lagOf(
      database: pg.Pool,
      server: Server,
      { conversationId }: World,
    ): Promise<{ p50: number; p99: number }> {
      await stub.call("reset");
      const first = `paced ${uuidv7()}`;
      for (let n = 0; n < PACED; n++) {
        await server.send(conversationId, `${first} ${n}`);
        await sleep(10);
      }
      await sleep(1_000);
      const { arrivals } = await stub.call("received");
      const { rows: committed } = await database.query<{ text: string; at: number }>(
        `SELECT message.text, extract(epoch FROM pg_xact_commit_timestamp(event.xmin))::float8 * 1000 AS at
         FROM event JOIN message ON message.id = (event.data ->> 'messageId')::uuid
         WHERE event.type = 'MessageRecorded' AND message.text LIKE $1`,
        [`${first}%`],
      );
      const lags = committed.flatMap(({ text, at }) => {
        const arrived = arrivals.get(text);
        return arrived === undefined ? [] : [arrived - at];
      });
      if (lags.length < PACED) throw new Error(`Only ${lags.length} of ${PACED} messages arrived.`);
      lags.sort((a, b) => a - b);
      return { p50: percentile(lags, 0.5), p99: percentile(lags, 0.99) };
    }
  } finally {
    for (const server of servers) await server.stop();
    await pool.end();
    await peers.stop();
    await stub.stop();
    await postgres.stop();
  }
}

interface World {
  readonly workspaceId: string;
  readonly channelId: string;
  readonly otherChannelId: string;
  readonly conversationId: string;
}

/** A workspace of its own, with two LINE channels that call the stub, and a conversation on the first. */
async function seed(pool: pg.Pool, stubUrl: string): Promise<World> {
  await pool.query("TRUNCATE workspace CASCADE");
  const [workspaceId, channelId, otherChannelId] = [uuidv7(), uuidv7(), uuidv7()];
  const [contactId, contactChannelId, conversationId] = [uuidv7(), uuidv7(), uuidv7()];
  await pool.query("INSERT INTO workspace (id, name, created_at) VALUES ($1, 'Bench', now())", [workspaceId]);
  await pool.query("INSERT INTO log_head (workspace_id) VALUES ($1)", [workspaceId]);
  await pool.query(
    "INSERT INTO agent (id, workspace_id, name, email, role, created_at) VALUES ($1, $2, 'Agent', $3, 'ADMIN', now())",
    [uuidv7(), workspaceId, AGENT],
  );
  for (const id of [channelId, otherChannelId]) {
    await pool.query(
      `INSERT INTO channel (id, workspace_id, name, kind, secret, access_token, api_url, created_at)
       VALUES ($1, $2, 'LINE', 'LINE', 'secret', 'token', $3, now())`,
      [id, workspaceId, stubUrl],
    );
  }
  await pool.query(
    "INSERT INTO contact (id, workspace_id, last_activity_at, created_at) VALUES ($1, $2, now(), now())",
    [contactId, workspaceId],
  );
  await pool.query(
    `INSERT INTO contact_channel (id, workspace_id, contact_id, channel_id, external_id, created_at, recent_conversation_id)
     VALUES ($1, $2, $3, $4, 'U-paced', now(), $5)`,
    [contactChannelId, workspaceId, contactId, channelId, conversationId],
  );
  await pool.query(
    `INSERT INTO conversation (id, workspace_id, contact_channel_id, contact_id, channel_id, status, started_at, last_activity_at)
     VALUES ($1, $2, $3, $4, $5, 'WAITING', now(), now())`,
    [conversationId, workspaceId, contactChannelId, contactId, channelId],
  );
  return { workspaceId, channelId, otherChannelId, conversationId };
}

/** One queued message for each of many contacts. */
async function queueAll(pool: pg.Pool, { workspaceId, channelId }: World): Promise<void> {
  await pool.query(
    `WITH person AS (
       SELECT n, gen_random_uuid() AS contact_id, gen_random_uuid() AS id FROM generate_series(1, $3::int) n
     ), contact AS (
       INSERT INTO contact (id, workspace_id, last_activity_at, created_at)
       SELECT contact_id, $1, now(), now() FROM person
     ), contact_channel AS (
       INSERT INTO contact_channel (id, workspace_id, contact_id, channel_id, external_id, created_at, last_seq, outbound_due_at)
       SELECT id, $1, contact_id, $2, 'U' || n, now(), 1, now() FROM person
     )
     INSERT INTO message (id, workspace_id, channel_id, contact_channel_id, seq, direction, kind, text, author_type, sent_at,
                          recorded_at, received_while_blocked, delivery_status)
     SELECT gen_random_uuid(), $1, $2, id, 1, 'OUTBOUND', 'TEXT', 'Message ' || n, 'System', now(), now(), false, 'QUEUED'
     FROM person`,
    [workspaceId, channelId, MESSAGES],
  );
  await pool.query("ANALYZE");
}

/** The p50 of one message written in one transaction by `pg` alone: what a commit costs on this machine. */
async function commitP50(databaseUrl: string, { workspaceId, channelId }: World): Promise<number> {
  const peer = preparedStatement(databaseUrl);
  const samples: number[] = [];
  for (let n = 0; n < PACED; n++) {
    const began = performance.now();
    await peer.record({ workspaceId, channelId, externalId: "U-paced", eventId: uuidv7(), text: "Hello" });
    samples.push(performance.now() - began);
    await sleep(10);
  }
  await peer.close();
  return percentile(
    samples.toSorted((a, b) => a - b),
    0.5,
  );
}

interface Server {
  send(conversationId: string, text: string): Promise<void>;
  stop(): Promise<void>;
}

async function startServer(databaseUrl: string): Promise<Server> {
  const child: ChildProcess = spawn(process.execPath, ["--no-warnings", "src/main.ts"], {
    env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl, PORT: "0", AUTH_SECRET: SECRET, DEMO: "false" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await addressOf(child);
  const authorization = `Bearer ${await signAgentToken(SECRET, AGENT, Date.now())}`;
  return {
    send: async (conversationId, text) => {
      const query = "mutation ($input: SendMessageInput!) { sendMessage(input: $input) { __typename } }";
      const variables = { input: { conversationId: toGlobalId("Conversation", conversationId), text } };
      const response = await fetch(`${url}/graphql`, {
        method: "POST",
        headers: { authorization, "content-type": "application/json" },
        body: JSON.stringify({ query, variables }),
      });
      const answer = await response.text();
      if (!answer.includes("SendMessageSuccess")) throw new Error(answer);
    },
    stop: async () => {
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
    },
  };
}

async function addressOf(child: ChildProcess): Promise<string> {
  for await (const chunk of child.stdout ?? []) {
    const url = /http:\/\/localhost:\d+/.exec(String(chunk))?.[0];
    if (url !== undefined) {
      child.stdout?.resume();
      return url;
    }
  }
  throw new Error("The server did not start.");
}

function target(name: string, value: number, wanted: string, isMet: (value: number) => boolean) {
  return { name, value: round(value), target: wanted, met: isMet(value) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
