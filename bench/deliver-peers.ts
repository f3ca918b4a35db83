/** Other ways to send queued messages, each key in order, in a process of their own: a bare lease loop in SQL, and pg-boss. */
import pg from "pg";
import { PgBoss } from "pg-boss";
import { Agent, request } from "undici";
import { serveParent } from "./child.ts";

const methods = { fillBare, runBare, fillPgBoss, runPgBoss };
export type PeerMethods = typeof methods;
serveParent(methods);

/** Rows that one statement leases, as measured to be good for the bare loop. */
const LEASED = 64;
/** Jobs that pg-boss fetches at once. */
const FETCHED = 100;
const LOOPS = 2;
const dispatcher = new Agent();

async function fillBare(databaseUrl: string, messages: number): Promise<void> {
  await using database = await connect(databaseUrl);
  await database.pool.query("DROP TABLE IF EXISTS bare_queue");
  await database.pool.query(
    `CREATE TABLE bare_queue (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key int NOT NULL, status text NOT NULL,
                              due_at timestamptz, leased_at timestamptz, text text NOT NULL)`,
  );
  await database.pool.query(
    "INSERT INTO bare_queue (key, status, due_at, text) SELECT n, 'QUEUED', now(), 'Message ' || n FROM generate_series(1, $1) n",
    [messages],
  );
  await database.pool.query("CREATE INDEX ON bare_queue (due_at) WHERE due_at IS NOT NULL");
  await database.pool.query("CREATE INDEX ON bare_queue (key, id) WHERE status IN ('QUEUED', 'SENDING')");
  await database.pool.query("ANALYZE bare_queue");
}

/** Leases, sends and settles batches until nothing is due; each key in order. */
async function runBare(databaseUrl: string, url: string): Promise<void> {
  await using database = await connect(databaseUrl);
  const { pool } = database;
  const loop = async (): Promise<void> => {
    for (;;) {
      const { rows } = await pool.query<{ id: string; text: string }>({
        name: "lease",
        text: `
          UPDATE bare_queue SET status = 'SENDING', leased_at = now(), due_at = NULL
          WHERE id IN (SELECT id FROM bare_queue q WHERE due_at <= now() AND NOT EXISTS (
                         SELECT 1 FROM bare_queue earlier
                         WHERE earlier.key = q.key AND earlier.id < q.id AND earlier.status IN ('QUEUED', 'SENDING'))
                       ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
          RETURNING id, text`,
        values: [LEASED],
      });
      if (rows.length === 0) return;
      await Promise.all(rows.map(({ id, text }) => send(url, id, text)));
      await pool.query({
        name: "settle",
        text: "UPDATE bare_queue SET status = 'SENT' WHERE id = ANY ($1::bigint[]) AND status = 'SENDING'",
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
