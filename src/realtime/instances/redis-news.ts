import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@redis/client";
import type { Logger } from "pino";
import type { Database } from "../../store/database.ts";
import { type Commit, coalesce, type Hear, lineState, type News } from "./news.ts";
import { redisMessages } from "./redis-message.ts";

export interface RedisNewsOptions {
  readonly url: string;
  /** The database whose log it is about: several on one Redis do not mix. */
  readonly database: Database;
  /** What all instances share. */
  readonly secret: string;
  readonly hear: Hear;
  readonly logger: Logger;
}

/** In milliseconds. */
const TIMES = { connect: 2_000, ping: 5_000, silence: 12_000, firstRetry: 100, mostRetry: 2_000 };

/**
 * News by Redis' publish and subscribe: with the word that logs have grown travel the events themselves, which spares the
 * others to read them. Where Redis is away, nothing is told and the log is found to have grown by looking.
 *
 * Resolves once it listens, or when the first attempt has failed or takes long; it goes on trying.
 */
export async function redisNews({ url, database, secret, hear, logger }: RedisNewsOptions): Promise<News> {
  const channel = `deskgate:${await nameOf(database)}`;
  const messages = redisMessages(secret, channel, randomUUID());
  const line = lineState(logger, "Redis");
  const attempted = Promise.withResolvers<void>();
  let warned = false;

  const client = createClient({
    url,
    // What cannot be told now is of no use later.
    disableOfflineQueue: true,
    maintNotifications: "disabled",
    // A connection that went silent is noticed by the answer that does not come.
    pingInterval: TIMES.ping,
    socket: {
      connectTimeout: TIMES.connect,
      socketTimeout: TIMES.silence,
      reconnectStrategy: (failures) => Math.min(TIMES.firstRetry * 2 ** failures, TIMES.mostRetry),
    },
  });
  client.on("error", down);
  client.on("ready", () => {
    client.subscribe(channel, receive).then(up, down);
  });
  // It rejects only when it is stopped before it was ever connected.
  client.connect().catch(() => {});
  await Promise.race([attempted.promise, sleep(TIMES.connect, undefined, { ref: false })]);
  return { tell: coalesce(publish, 0), stop };

  function up(): void {
    line.up();
    attempted.resolve();
  }

  function down(error: unknown): void {
    line.down(error);
    attempted.resolve();
  }

  function receive(message: string): void {
    if (messages.isOwn(message) || messages.decode(message, hear) || warned) return;
    warned = true;
    logger.warn("what came by Redis is not signed with our AUTH_SECRET, which all instances must share; it is ignored");
  }

  async function publish(commits: readonly Commit[]): Promise<void> {
    if (client.isReady) await client.publish(channel, messages.encode(commits)).catch(down);
  }

  async function stop(): Promise<void> {
    client.destroy();
  }
}

/** What distinguishes this database from every other one: its cluster's own number, and its number there. */
async function nameOf({ pool }: Database): Promise<string> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT concat_ws(':', system_identifier, oid) AS name FROM pg_control_system(), pg_database
     WHERE datname = current_database()`,
  );
  return rows[0]?.name ?? "";
}
