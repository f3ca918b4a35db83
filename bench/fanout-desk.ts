import { createHmac } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { signAgentToken } from "../src/auth/token.ts";
import { toGlobalId } from "../src/domain/global-id.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../src/embedded-postgres/server.ts";
import { migrate } from "../src/store/migrate.ts";
import { textOf } from "./fanout-message.ts";
import { Connection, postRequest } from "./http-load.ts";

export const SECRET = "fan-out".repeat(5);
const LINE_SECRET = "bench-secret";

/** A database with a LINE channel, its contacts, and an agent for every subscriber. */
export interface Desk {
  readonly databaseUrl: string;
  readonly authorizations: readonly string[];
  /** Sends one message from each of these contacts, in one webhook request and therefore in one commit. */
  write(port: number, messages: readonly { readonly contact: number; readonly n: number }[]): Promise<void>;
  /** Global ids of the conversations of the first contacts. */
  conversationIds(contacts: number): Promise<string[]>;
  /**
   * When the messages from `first` on were committed, in milliseconds since the epoch. PostgreSQL takes this time just
   * before it writes the commit to disk.
   */
  committedAt(first: number, count: number): Promise<number[]>;
  stop(): Promise<void>;
}

export async function startDesk(agents: number): Promise<Desk> {
  const postgres = await startPostgresWithCommitTimes();
  const pool = new pg.Pool({ connectionString: postgres.url, max: 1 });
  // Idle connections to the webhook, by port.
  const idle = new Map<number, Connection[]>();
  const stop = async (): Promise<void> => {
    for (const connection of [...idle.values()].flat()) connection.close();
    await pool.end();
    await postgres.stop();
  };
  try {
    const channelId = await seed(pool, agents);
    const path = `/webhooks/line/${toGlobalId("Channel", channelId)}`;
    const authorizations = await Promise.all(
      Array.from({ length: agents }, async (_, index) => {
        const token = await signAgentToken(SECRET, emailOf(index + 1), Date.now(), 3_600_000);
        return `Bearer ${token}`;
      }),
    );
    return {
      databaseUrl: postgres.url,
      authorizations,
      stop,
      write: async (port, messages) => {
        const body = JSON.stringify({
          destination: "U00000000000000000000000000000000",
          events: messages.map(lineEvent),
        });
        const signature = createHmac("sha256", LINE_SECRET).update(body).digest("base64");
        const connection = idle.get(port)?.pop() ?? new Connection(port);
        const headers = { "content-type": "application/json", "x-line-signature": signature };
        const status = await connection.send(postRequest(path, headers, body));
        if (status !== 200) throw new Error(`The webhook answered ${status}.`);
        idle.set(port, [...(idle.get(port) ?? []), connection]);
      },
      conversationIds: async (contacts) => {
        const { rows } = await pool.query<{ id: string }>(
          `SELECT recent_conversation_id AS id FROM contact_channel WHERE external_id = ANY ($1) ORDER BY external_id`,
          [Array.from({ length: contacts }, (_, contact) => externalIdOf(contact))],
        );
        return rows.map(({ id }) => toGlobalId("Conversation", id));
      },
      committedAt: async (first, count) => {
        const { rows } = await pool.query<{ at: number }>(
          `SELECT extract(epoch FROM pg_xact_commit_timestamp(event.xmin))::float8 * 1000 AS at
           FROM event JOIN message ON message.id = (event.data ->> 'messageId')::uuid
           WHERE event.type = 'MessageRecorded' AND message.direction = 'INBOUND' AND message.text = ANY ($1)
           ORDER BY message.text`,
          [Array.from({ length: count }, (_, index) => textOf(first + index))],
        );
        if (rows.length !== count) throw new Error(`${rows.length} of ${count} messages were committed.`);
        return rows.map(({ at }) => at);
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts an empty database that records the time of every commit; the setting requires a restart. */
export async function startPostgresWithCommitTimes(): Promise<EmbeddedPostgres> {
  const dataDir = await mkdtemp(join(tmpdir(), "deskgate-"));
  await chmod(dataDir, 0o755);
  const start = () => startEmbeddedPostgres({ dataDir, log: () => {} });
  const before = await start();
  const client = new pg.Client({ connectionString: before.url });
  await client.connect();
  await client.query("ALTER SYSTEM SET track_commit_timestamp = on");
  await client.end();
  await before.stop();
  const postgres = await start();
  return {
    url: postgres.url,
    stop: async () => {
      await postgres.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function seed(pool: pg.Pool, agents: number): Promise<string> {
  await migrate(pool);
  const [workspaceId, channelId] = [uuidv7(), uuidv7()];
  await pool.query("INSERT INTO workspace (id, name, created_at) VALUES ($1, 'Bench', now())", [workspaceId]);
  await pool.query("INSERT INTO log_head (workspace_id) VALUES ($1)", [workspaceId]);
  await pool.query(
    `INSERT INTO channel (id, workspace_id, name, kind, secret, created_at) VALUES ($1, $2, 'Bench', 'LINE', $3, now())`,
    [channelId, workspaceId, LINE_SECRET],
  );
  await pool.query(
    `INSERT INTO agent (id, workspace_id, name, email, role, created_at)
     SELECT gen_random_uuid(), $1, 'Agent ' || n, 'agent' || n || '@bench.test', 'AGENT', now() FROM generate_series(1, $2) AS n`,
    [workspaceId, agents],
  );
  return channelId;
}

function emailOf(n: number): string {
  return `agent${n}@bench.test`;
}

function externalIdOf(contact: number): string {
  return `U${String(contact).padStart(32, "0")}`;
}

function lineEvent({ contact, n }: { readonly contact: number; readonly n: number }) {
  const id = uuidv7();
  return {
    type: "message",
    mode: "active",
    timestamp: Date.now(),
    webhookEventId: id,
    deliveryContext: { isRedelivery: false },
    source: { type: "user", userId: externalIdOf(contact) },
    replyToken: id,
    message: { type: "text", id, quoteToken: id, text: textOf(n) },
  };
}
