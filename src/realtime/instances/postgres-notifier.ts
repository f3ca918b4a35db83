import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Logger } from "pino";
import { listen, notifyGrown } from "../../store/change-notifications.ts";
import { type ChangeNotifier, type Commit, coalesce, type OnChange, outageLog } from "./change-notifier.ts";

export interface PostgresNotifierOptions {
  readonly url: string;
  readonly onChange: OnChange;
  readonly logger: Logger;
}

/** Milliseconds between two NOTIFY statements. Under load this limits how often other instances wake up and read. */
const PAUSE = 5;
/** Milliseconds before reconnecting, doubled with each failure. */
const BACK_OFF = { initial: 100, max: 5_000 };

/**
 * Change notifications by LISTEN and NOTIFY on a dedicated connection. A notification names only the workspace whose
 * log has grown. None arrive behind a pooler in transaction mode; then, as during an outage, polling finds the commits.
 *
 * Resolves when it is listening, or when the first attempt to connect has failed. It keeps reconnecting.
 */
export async function postgresNotifier({ url, onChange, logger }: PostgresNotifierOptions): Promise<ChangeNotifier> {
  const outages = outageLog(logger, "PostgreSQL");
  const stopping = new AbortController();
  const attempted = Promise.withResolvers<void>();
  let connection: pg.Client | null = null;
  const running = keepListening();
  await attempted.promise;
  return { notify: coalesce(notify, PAUSE), stop };

  async function keepListening(): Promise<void> {
    for (let wait = BACK_OFF.initial; !stopping.signal.aborted; wait = Math.min(2 * wait, BACK_OFF.max)) {
      const client = newClient(url);
      const ended = new Promise<unknown>((resolve) => {
        client.once("error", resolve).once("end", () => resolve(new Error("The connection was closed.")));
      });
      try {
        await client.connect();
        await listen(client, (workspaceId) => onChange(workspaceId, null));
        connection = client;
        outages.up();
        wait = BACK_OFF.initial;
        attempted.resolve();
        throw await ended;
      } catch (error) {
        connection = null;
        void client.end().catch(() => {});
        if (!stopping.signal.aborted) outages.down(error);
        attempted.resolve();
      }
      await sleep(wait, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  async function notify(commits: readonly Commit[]): Promise<void> {
    const workspaceIds = [...new Set(commits.map(({ workspaceId }) => workspaceId))];
    if (connection === null) return;
    // A failed query means that the connection is broken.
    await notifyGrown(connection, workspaceIds).catch(() => connection?.end());
  }

  async function stop(): Promise<void> {
    stopping.abort();
    await connection?.end();
    await running;
  }
}

function newClient(url: string): pg.Client {
  const client = new pg.Client({
    connectionString: url,
    application_name: "deskgate notifications",
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
    // The connection is often idle: keep-alive stops middleboxes from dropping it, and detects a peer that is gone.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  // A broken connection may emit more than one error.
  client.on("error", () => {});
  return client;
}
