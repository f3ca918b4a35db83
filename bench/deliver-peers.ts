/** Other ways to send queued messages, each key in order, in a process of their own: a bare lease loop in SQL, and pg-boss. */
import pg from "pg";
import { PgBoss } from "pg-boss";
import { Agent, request } from "undici";
import { serveParent } from "./child.ts";

const methods = { runBare, fillPgBoss, runPgBoss };
export type PeerMethods = typeof methods;
serveParent(methods);

/** Rows that one statement leases, as measured to be good for the bare loop. */
const LEASED = 64;
/** Jobs that pg-boss fetches at once. */
const FETCHED = 100;
const LOOPS = 2;
const dispatcher = new Agent();

/** Leases, sends and settles the heads of our own queues, in batches, until nothing is due: no log, no blocks, no retries. */
async function runBare(databaseUrl: string, url: string, channelId: string): Promise<void> {
  await using database = await connect(databaseUrl);
  const { pool } = database;
  const loop = async (): Promise<void> => {
    for (;;) {
      const { rows } = await pool.query<{ id: string; text: string }>({
        name: "lease",
        text: `
          WITH due AS (
            SELECT id FROM contact_channel WHERE channel_id = $1 AND outbound_due_at <= now()
            ORDER BY outbound_due_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
          ), head AS (
            SELECT DISTINCT ON (m.contact_channel_id) m.id
            FROM message m JOIN due ON due.id = m.contact_channel_id
            WHERE m.delivery_status IN ('QUEUED', 'SENDING') ORDER BY m.contact_channel_id, m.seq
          ), leased AS (
            UPDATE message SET delivery_status = 'SENDING', leased_at = now(), attempts = attempts + 1
            FROM head WHERE message.id = head.id RETURNING message.id, message.contact_channel_id, message.text
          ), marked AS (
            UPDATE contact_channel SET outbound_due_at = NULL, lease_expires_at = now() + interval '30 s'
            FROM leased WHERE contact_channel.id = leased.contact_channel_id
          )
          SELECT id, text FROM leased`,
        values: [channelId, LEASED],
      });
      if (rows.length === 0) return;
      await Promise.all(rows.map(({ id, text }) => send(url, id, text)));
      await pool.query({
        name: "settle",
        text: `
          WITH sent AS (
            UPDATE message SET delivery_status = 'SENT'
            WHERE id = ANY ($1::uuid[]) AND delivery_status = 'SENDING' RETURNING contact_channel_id
          )
          UPDATE contact_channel SET lease_expires_at = NULL FROM sent
          WHERE contact_channel.id = sent.contact_channel_id`,
        values: [rows.map(({ id }) => id)],
      });
    }
  };
  await Promise.all(Array.from({ length: LOOPS }, loop));
}

async function fillPgBoss(databaseUrl: string, messages: number): Promise<void> {
  const boss = await startedBoss(databaseUrl);
  await boss.deleteQueue("send").catch(() => {});
  await boss.createQueue("send", { policy: "key_strict_fifo" });
  const jobs = Array.from({ length: messages }, (_, n) => ({
    singletonKey: `key ${n + 1}`,
    data: { text: `Message ${n + 1}` },
  }));
  for (let from = 0; from < jobs.length; from += 1_000) await boss.insert("send", jobs.slice(from, from + 1_000));
  await boss.stop({ graceful: false });
}

async function runPgBoss(databaseUrl: string, url: string): Promise<void> {
  const boss = await startedBoss(databaseUrl);
  const loop = async (): Promise<void> => {
    for (;;) {
      const jobs = await boss.fetch<{ text: string }>("send", { batchSize: FETCHED });
      if (jobs.length === 0) return;
      await Promise.all(jobs.map(({ id, data }) => send(url, id, data.text)));
      await boss.complete(
        "send",
        jobs.map(({ id }) => id),
      );
    }
  };
  await Promise.all(Array.from({ length: LOOPS }, loop));
  await boss.stop({ graceful: false });
}

async function startedBoss(databaseUrl: string): Promise<PgBoss> {
  const boss = new PgBoss({ connectionString: databaseUrl, supervise: false, schedule: false });
  boss.on("error", () => {});
  await boss.start();
  return boss;
}

/** The same request as Deskgate's. */
async function send(url: string, id: string, text: string): Promise<void> {
  const { statusCode, body } = await request(`${url}/v2/bot/message/push`, {
    method: "POST",
    dispatcher,
    headers: { authorization: "Bearer token", "content-type": "application/json", "x-line-retry-key": id },
    body: JSON.stringify({ to: "U1", messages: [{ type: "text", text }] }),
  });
  await body.text();
  if (statusCode !== 200) throw new Error(`The stub answered ${statusCode}.`);
}

async function connect(url: string): Promise<AsyncDisposable & { pool: pg.Pool }> {
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  return { pool, [Symbol.asyncDispose]: () => pool.end() };
}
