import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Logger } from "pino";
import { idOf } from "../../domain/id.ts";
import { type Commit, coalesce, type Hear, lineState, type News } from "./news.ts";

export interface PostgresNewsOptions {
  readonly url: string;
  readonly hear: Hear;
  readonly logger: Logger;
}

const CHANNEL = "deskgate_log";
/** Milliseconds between two NOTIFY: under load this bounds how often the others are woken, and read. */
const PAUSE = 5;
/** Milliseconds before the connection is tried again, doubled each time it fails. */
const BACK_OFF = { first: 100, most: 5_000 };

/**
 * News by LISTEN and NOTIFY on a connection of its own, which tells only whose log has grown. Behind a pooler that lends
 * out connections by the transaction nothing is heard; then, as in any break, the log is found to have grown by looking.
 *
 * Resolves once it listens, or when the first attempt has failed; it goes on trying.
 */
export async function postgresNews({ url, hear, logger }: PostgresNewsOptions): Promise<News> {
  const line = lineState(logger, "PostgreSQL");
  const stopping = new AbortController();
  const attempted = Promise.withResolvers<void>();
  let connection: pg.Client | null = null;
  const running = keepListening();
  await attempted.promise;
  return { tell: coalesce(notify, PAUSE), stop };

  async function keepListening(): Promise<void> {
    for (let wait = BACK_OFF.first; !stopping.signal.aborted; wait = Math.min(2 * wait, BACK_OFF.most)) {
      const client = newClient(url);
      const ended = new Promise<unknown>((resolve) => {
        client.once("error", resolve).once("end", () => resolve(new Error("The connection has ended.")));
      });
      try {
        await listen(client);
        connection = client;
        line.up();
        wait = BACK_OFF.first;
        attempted.resolve();
        throw await ended;
      } catch (error) {
        connection = null;
        void client.end().catch(() => {});
        if (!stopping.signal.aborted) line.down(error);
        attempted.resolve();
      }
      await sleep(wait, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  async function listen(client: pg.Client): Promise<void> {
    await client.connect();
    const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    client.on("notification", ({ processId, payload }) => {
      if (processId !== rows[0]?.pid && payload !== undefined) hear(idOf(payload), null);
    });
    await client.query(`LISTEN ${CHANNEL}`);
  }

  async function notify(commits: readonly Commit[]): Promise<void> {
    const workspaceIds = [...new Set(commits.map(({ workspaceId }) => workspaceId))];
    // One that fails or hangs says that the connection is of no use any more.
    await connection?.query({ ...notifyStatement, values: [workspaceIds] }).catch(() => connection?.end());
  }

  async function stop(): Promise<void> {
    stopping.abort();
    await connection?.end();
    await running;
  }
}

/** A notification for each workspace: a payload may have 8,000 bytes at most. */
const notifyStatement = {
  name: "news_notify",
  text: `SELECT pg_notify('${CHANNEL}', id) FROM unnest($1::text[]) AS id`,
};

function newClient(url: string): pg.Client {
  const client = new pg.Client({
    connectionString: url,
    application_name: "deskgate news",
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
    // It is silent for long: what lies between must not forget it, nor it stay when the other end is gone.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  // One that breaks may complain more than once.
  client.on("error", () => {});
  return client;
}
