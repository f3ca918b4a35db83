import { once } from "node:events";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { WebSocket } from "ws";
import { startChild } from "./child.ts";
import { SECRET, startDesk } from "./fanout-desk.ts";
import type { ServerMethods } from "./fanout-server.ts";
import { type Row, report, round } from "./report.ts";

const EVENTS = 1_000_000;
const BATCH = 20_000;
/** How many events the writer may be ahead of the reading client. */
const MAX_LEAD = 3 * BATCH;
/** How often memory is measured. */
const SAMPLES = 10;
const DOCUMENT = "subscription ($after: Cursor) { messageRecorded(after: $after) { cursor } }";

/**
 * Measures the server's memory over a million events, while two slow clients, a WebSocket and an event stream, do not
 * read. A slow client that the server disconnects reconnects with its last cursor and stops reading again.
 */
export async function flood(): Promise<void> {
  const desk = await startDesk(3);
  const server = await startChild<ServerMethods>("fanout-server.ts", ["deskgate"]);
  const pool = new pg.Pool({ connectionString: desk.databaseUrl, max: 1 });
  try {
    const port = await server.call("start", "deskgate", desk.databaseUrl, SECRET);
    await desk.write(port, [{ contact: 0, n: 0 }]);
    const [first = "", second = "", third = ""] = desk.authorizations;
    const reader = await subscribe(port, first, null);
    const stalled = [stallOverWebSocket(port, second), stallOverEvents(port, third)];

    const rows: Row[] = [];
    for (let committed = 0; committed < EVENTS; committed += BATCH) {
      if (committed % (EVENTS / SAMPLES) === 0) rows.push(await sample(committed));
      await commit(pool, BATCH);
      while (committed + BATCH - reader.received > MAX_LEAD) await sleep(5);
    }
    while (reader.received < EVENTS) await sleep(20);
    rows.push(await sample(EVENTS));
    reader.socket.terminate();
    const disconnects = await Promise.all(stalled.map((client) => client.stop()));
    printReport(rows, reader, disconnects);

    async function sample(committed: number): Promise<Row> {
      const { rss, heap } = await server.call("memory");
      const megabytes = (bytes: number): number => round(bytes / 2 ** 20, 1);
      return {
        events: committed,
        "RSS MB": megabytes(rss),
        "JavaScript MB": megabytes(heap),
        received: reader.received,
      };
    }
  } finally {
    await pool.end();
    await server.stop();
    await desk.stop();
  }
}

function printReport(rows: readonly Row[], { wrong }: Reader, disconnects: readonly number[]): void {
  // The first sample is taken before the server has warmed up.
  const used = rows.slice(1).map((row) => Number(row["RSS MB"]));
  const growth = round(Math.max(...used) - (used[0] ?? Number.NaN), 1);
  const fewest = Math.min(...disconnects);
  report("flood", rows, [
    { name: "growth of RSS after the first tenth, MB", value: growth, target: "≤ 16", met: growth <= 16 },
    {
      name: "events lost, repeated or out of order at the reading client",
      value: wrong,
      target: "0",
      met: wrong === 0,
    },
    {
      name: "disconnects of each slow client, followed by a reconnect",
      value: fewest,
      target: "≥ 1",
      met: fewest >= 1,
    },
  ]);
}

/** Appends `count` events to the log in one commit. */
async function commit(pool: pg.Pool, count: number): Promise<void> {
  await pool.query(
    `WITH head AS (UPDATE log_head SET position = position + $1::int RETURNING workspace_id, position - $1::int AS base),
          person AS (SELECT id, contact_id, channel_id FROM contact_channel LIMIT 1)
     INSERT INTO event (workspace_id, position, id, type, occurred_at, actor_type, actor_id, contact_id, channel_id,
                        contact_channel_id, agent_ids, data)
     SELECT workspace_id, base + n, gen_random_uuid(), 'MessageRecorded', now(), 'Contact', contact_id, contact_id, channel_id,
            person.id, '{}', jsonb_build_object('messageId', gen_random_uuid(), 'seq', n, 'direction', 'INBOUND')
     FROM head, person, generate_series(1, $1::int) AS n`,
    [count],
  );
}

/** A client that reads, and counts the events that it receives. */
interface Reader {
  readonly socket: WebSocket;
  received: number;
  /** How many events did not directly follow the previous one. */
  wrong: number;
  cursor: string | null;
}

async function subscribe(port: number, authorization: string, after: string | null): Promise<Reader> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, "graphql-transport-ws");
  const reader: Reader = { socket, received: 0, wrong: 0, cursor: after };
  socket.on("error", () => {});
  await once(socket, "open");
  socket.send(JSON.stringify({ type: "connection_init", payload: { authorization } }));
  await once(socket, "message");
  let position: number | null = null;
  socket.on("message", (data) => {
    const cursor = cursorIn(String(data));
    if (cursor === null) return;
    const next = Number(Buffer.from(cursor, "base64url").toString().split(":")[2]);
    if (position !== null && next !== position + 1) reader.wrong += 1;
    position = next;
    reader.received += 1;
    reader.cursor = cursor;
  });
  socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query: DOCUMENT, variables: { after } } }));
  return reader;
}

function cursorIn(text: string): string | null {
  return /"cursor":"([^"]+)"/.exec(text)?.[1] ?? null;
}

/** A client that stays connected without reading. */
interface SlowClient {
  /** Stops the client; returns how often the server disconnected it. */
  stop(): Promise<number>;
}

/** How long a slow client does not read before it checks whether it was disconnected, in milliseconds. */
const STALL = 6_000;

function stallOverWebSocket(port: number, authorization: string): SlowClient {
  let disconnects = 0;
  return untilStopped(
    async (after) => {
      const reader = await subscribe(port, authorization, after);
      const closed = once(reader.socket, "close");
      reader.socket.pause();
      await sleep(STALL);
      reader.socket.resume();
      // If disconnected, the close frame follows the buffered data. Otherwise the client reconnects and stalls again.
      const [code] = await Promise.race([closed, sleep(200).then(() => [null])]);
      reader.socket.terminate();
      if (code === 4013) disconnects += 1;
      return reader.cursor;
    },
    () => disconnects,
  );
}

function stallOverEvents(port: number, authorization: string): SlowClient {
  let disconnects = 0;
  return untilStopped(
    async (after) => {
      const clientRequest = request(`http://127.0.0.1:${port}/graphql`, {
        method: "POST",
        headers: { authorization, "content-type": "application/json", accept: "text/event-stream" },
      });
      clientRequest.on("error", () => {});
      clientRequest.end(JSON.stringify({ query: DOCUMENT, variables: { after } }));
      const [response] = await once(clientRequest, "response");
      let text = "";
      await sleep(STALL);
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      await Promise.race([once(response, "close"), sleep(200)]);
      clientRequest.destroy();
      if (text.includes('"TOO_SLOW"')) disconnects += 1;
      return cursorIn(text.slice(text.lastIndexOf('"cursor"'))) ?? after;
    },
    () => disconnects,
  );
}

function untilStopped(stall: (after: string | null) => Promise<string | null>, count: () => number): SlowClient {
  let stopping = false;
  const running = (async () => {
    for (let after: string | null = null; !stopping; ) after = await stall(after);
  })();
  return {
    stop: async () => {
      stopping = true;
      await running;
      return count();
    },
  };
}
