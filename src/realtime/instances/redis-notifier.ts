import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@redis/client";
import type { Logger } from "pino";
import { type Database, databaseIdentity } from "../../store/database.ts";
import { type ChangeNotifier, type Commit, coalesce, type OnChange, outageLog } from "./change-notifier.ts";
import { redisMessages } from "./redis-message.ts";

export interface RedisNotifierOptions {
  readonly url: string;
  /** The database whose logs the notifications are about: several databases can share one Redis. */
  readonly database: Database;
  /** The AUTH_SECRET that all instances share. */
  readonly secret: string;
  readonly onChange: OnChange;
  readonly logger: Logger;
}

/** In milliseconds. */
const TIMES = { connect: 2_000, ping: 5_000, silence: 12_000, minRetry: 100, maxRetry: 2_000 };

/**
 * Change notifications by Redis publish/subscribe. They carry the events, so that other instances need not read the
 * log. While Redis is unavailable nothing is sent, and polling finds the commits.
 *
 * Resolves when it is subscribed, or when the first attempt has failed or takes too long. It keeps reconnecting.
 */
export async function redisNotifier({
  url,
  database,
  secret,
  onChange,
  logger,
}: RedisNotifierOptions): Promise<ChangeNotifier> {
  const channel = `deskgate:${await databaseIdentity(database.pool)}`;
  const messages = redisMessages(secret, channel, randomUUID());
  const outages = outageLog(logger, "Redis");
  const attempted = Promise.withResolvers<void>();
  let hasWarned = false;

  const client = createClient({
    url,
    // A notification that cannot be sent now is useless later.
    disableOfflineQueue: true,
    maintNotifications: "disabled",
    // Together with `socketTimeout`, detects a dead connection.
    pingInterval: TIMES.ping,
    socket: {
      connectTimeout: TIMES.connect,
      socketTimeout: TIMES.silence,
      reconnectStrategy: (failures) => Math.min(TIMES.minRetry * 2 ** failures, TIMES.maxRetry),
    },
  });
  client.on("error", down);
  client.on("ready", () => {
    client.subscribe(channel, receive).then(up, down);
  });
  // Rejects only if stopped before the first connection.
  client.connect().catch(() => {});
  await Promise.race([attempted.promise, sleep(TIMES.connect, undefined, { ref: false })]);
  return { notify: coalesce(publish, 0), stop };

  function up(): void {
    outages.up();
    attempted.resolve();
  }

  function down(error: unknown): void {
    outages.down(error);
    attempted.resolve();
  }

  function receive(message: string): void {
    if (messages.isOwn(message) || messages.decode(message, onChange) || hasWarned) return;
    hasWarned = true;
    logger.warn("ignored a Redis message that is not signed with our AUTH_SECRET; all instances must use the same one");
  }

  async function publish(commits: readonly Commit[]): Promise<void> {
    if (client.isReady) await client.publish(channel, messages.encode(commits)).catch(down);
  }

  async function stop(): Promise<void> {
    client.destroy();
  }
}
