import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { startFakeLine } from "../src/demo/line/server.ts";
import { toGlobalId } from "../src/domain/global-id.ts";
import { LEASE_TIMEOUT } from "../src/domain/outbox.ts";
import { freePort, Server } from "./killing-server.ts";
import { type Outbound, violationsOf } from "./killing-violations.ts";
import { AGENT, World } from "./killing-world.ts";

export interface KillingOptions {
  /** A database with all migrations applied and no rows. */
  readonly databaseUrl: string;
  readonly contacts: number;
  /** How long contacts and agents write, in milliseconds. */
  readonly duration: number;
  /** Milliseconds between two SIGKILLs. */
  readonly killEvery: number;
  /** How long the queues may take to empty afterwards, in milliseconds. */
  readonly drain: number;
  /**
   * Milliseconds after which a lease that nobody has settled by the end is lost, instead of after 30 s: longer than any
   * call takes here.
   */
  readonly leaseTimeout?: number;
  /** Returns a number in [0, 1). */
  readonly random: () => number;
}

/** What was seen. All lists are empty if the rules held. */
export interface KillingReport {
  readonly messages: Readonly<Record<string, number>>;
  readonly requests: number;
  readonly kills: number;
  readonly blocks: number;
  /** Milliseconds until no message was pending any more. */
  readonly drained: number;
  readonly violations: readonly string[];
}

const PROCESSES = 3;
const LINE_SECRET = "line-secret";

/**
 * Sends messages through three processes, one of which is killed again and again, to a LINE that fails, while contacts
 * are blocked and unblocked. Afterwards compares what LINE has accepted with what the database says (rules S1 to S6).
 */
export async function killingRun(options: KillingOptions): Promise<KillingReport> {
  const { databaseUrl, contacts, duration, killEvery, drain, leaseTimeout = LEASE_TIMEOUT, random } = options;
  const line = await startFakeLine({ random, redeliverAfter: [200], logSize: 1_000_000 });
  const account = line.addChannel({ id: "shop", secret: LINE_SECRET, accessToken: "token", rateLimit: 100_000 });
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 });
  const channelId = await seed(pool);
  const processes: Server[] = [];
  try {
    for (let n = 0; n < PROCESSES; n++) processes.push(new Server(await freePort(), databaseUrl, line.url));
    await Promise.all(processes.map((server) => server.start()));
    line.faults.add({ effect: { type: "status", status: 500 }, probability: 0.03 });
    line.faults.add({ effect: { type: "status", status: 503 }, probability: 0.02, accepts: true });
    line.faults.add({ effect: { type: "swallow" }, probability: 0.02 });
    const world = new World({ account, faults: line.faults, channelId, processes, pool, random, contacts });
    const kills = await runAll(world, processes, duration, killEvery, random);
    line.faults.clear();
    const drained = await untilDrained(pool, drain, leaseTimeout);
    const messages = await outboundOf(pool);
    return {
      messages: countBy(messages, ({ status, error }) => (error === null ? status : `${status} ${error}`)),
      requests: line.log.all().length,
      kills: kills.length,
      blocks: world.blocks.length,
      drained,
      violations: violationsOf(messages, line.log, world.blocks, kills),
    };
  } finally {
    for (const server of processes) server.kill();
    await pool.end();
    await line.stop();
  }
}

/** Lets everybody act until the time is over; returns when processes were killed, by the wall clock. */
async function runAll(
  world: World,
  processes: readonly Server[],
  duration: number,
  killEvery: number,
  random: () => number,
): Promise<number[]> {
  const end = performance.now() + duration;
  const kills: number[] = [];
  const restarts: Promise<void>[] = [];
  const killer = async (): Promise<void> => {
    for (;;) {
      await sleep(Math.min(killEvery, Math.max(0, end - performance.now())));
      if (performance.now() >= end) return;
      const up = processes.filter(({ isUp }) => isUp);
      const victim = up[Math.floor(random() * up.length)];
      if (victim === undefined) continue;
      kills.push(Date.now());
      restarts.push(victim.restart());
    }
  };
  const actors = Array.from({ length: ACTORS }, async () => {
    while (performance.now() < end) await world.act();
  });
  await Promise.all([killer(), ...actors]);
  await Promise.all(restarts);
  return kills;
}

const ACTORS = 12;

/** A workspace with an agent, and a LINE channel whose flow greets a first message; returns the channel's global id. */
async function seed(pool: pg.Pool): Promise<string> {
  const [workspaceId, channelId] = [uuidv7(), uuidv7()];
  await pool.query("INSERT INTO workspace (id, name, created_at) VALUES ($1, 'Kill test', now())", [workspaceId]);
  await pool.query("INSERT INTO log_head (workspace_id) VALUES ($1)", [workspaceId]);
  await pool.query(
    "INSERT INTO agent (id, workspace_id, name, email, role, created_at) VALUES ($1, $2, 'Agent', $3, 'ADMIN', now())",
    [uuidv7(), workspaceId, AGENT],
  );
  await pool.query(
    `INSERT INTO channel (id, workspace_id, name, kind, secret, access_token, created_at)
     VALUES ($1, $2, 'LINE', 'LINE', $3, 'token', now())`,
    [channelId, workspaceId, LINE_SECRET],
  );
  await pool.query(
    `INSERT INTO flow (id, workspace_id, channel_id, name, kind, definition, enabled, created_at)
     VALUES ($1, $2, $3, 'Greeting', 'AUTO_REPLY_FIRST_MESSAGE', '{"text": "Welcome"}', true, now())`,
    [uuidv7(), workspaceId, channelId],
  );
  return toGlobalId("Channel", channelId);
}

/** Resolves to the milliseconds until nothing was pending, or until the time was over. */
async function untilDrained(pool: pg.Pool, within: number, leaseTimeout: number): Promise<number> {
  const began = performance.now();
  while (performance.now() - began < within) {
    if (leaseTimeout < LEASE_TIMEOUT) await loseLeases(pool, leaseTimeout);
    const { rowCount } = await pool.query(
      "SELECT 1 FROM message WHERE delivery_status IN ('QUEUED', 'SENDING') LIMIT 1",
    );
    if (rowCount === 0) break;
    await sleep(100);
  }
  return Math.round(performance.now() - began);
}

/** Lets the leases that were granted so long ago expire now. */
async function loseLeases(pool: pg.Pool, leaseTimeout: number): Promise<void> {
  const now = Date.now();
  await pool.query(
    `UPDATE contact_channel
     SET lease_expires_at = $1, delivery = jsonb_set(delivery, '{lease,expiresAt}', to_jsonb($2::bigint))
     WHERE lease_expires_at > $1 AND (delivery->'lease'->>'grantedAt')::bigint <= $3`,
    [new Date(now), now, now - leaseTimeout],
  );
}

async function outboundOf(pool: pg.Pool): Promise<Outbound[]> {
  const { rows } = await pool.query<{
    text: string;
    external_id: string;
    seq: number;
    delivery_status: string;
    delivery_error_code: string | null;
    leased_at: Date | null;
  }>(
    `SELECT m.text, cc.external_id, m.seq, m.delivery_status, m.delivery_error_code, m.leased_at
     FROM message m JOIN contact_channel cc ON cc.id = m.contact_channel_id
     WHERE m.direction = 'OUTBOUND' ORDER BY cc.external_id, m.seq`,
  );
  return rows.map((row) => ({
    text: row.text,
    userId: row.external_id,
    seq: row.seq,
    status: row.delivery_status,
    error: row.delivery_error_code,
    leasedAt: row.leased_at?.getTime() ?? null,
  }));
}

function countBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(items, keyOf)].map(([key, group]) => [key, group.length]));
}
