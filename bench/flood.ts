import { once } from "node:events";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { WebSocket } from "ws";
import { startChild } from "./child.ts";
import { SECRET, startDesk } from "./fanout-desk.ts";
import type { ServerAnswers } from "./fanout-server.ts";
import { type Row, report, round } from "./report.ts";

const EVENTS = 1_000_000;
const AT_ONCE = 20_000;
/** How far the writer may be ahead of the client that reads. */
const MAX_LEAD = 3 * AT_ONCE;
/** How often memory is looked at. */
const LOOKS = 10;
const DOCUMENT = "subscription ($after: Cursor) { messageRecorded(after: $after) { cursor } }";

/**
 * A million events while a WebSocket and an event stream stay open that nobody reads: what the server holds then. Whenever
 * one of these is given up, it comes back with its last cursor and stops reading again.
 */
export async function flood(): Promise<void> {
  const desk = await startDesk(3);
  const server = await startChild<ServerAnswers>("fanout-server.ts", ["deskgate"]);
  const pool = new pg.Pool({ connectionString: desk.databaseUrl, max: 1 });
  try {
    const port = await server.ask("start", "deskgate", desk.databaseUrl, SECRET);
    await desk.write(port, [{ person: 0, n: 0 }]);
    const [first = "", second = "", third = ""] = desk.authorizations;
    const reading = await follow(port, first, null);
    const stalled = [stallOverWebSocket(port, second), stallOverEvents(port, third)];

    const rows: Row[] = [];
    for (let committed = 0; committed < EVENTS; committed += AT_ONCE) {
      if (committed % (EVENTS / LOOKS) === 0) rows.push(await look(committed));
      await commit(pool, AT_ONCE);
      while (committed + AT_ONCE - reading.heard > MAX_LEAD) await sleep(5);
    }
    while (reading.heard < EVENTS) await sleep(20);
    rows.push(await look(EVENTS));
    reading.socket.terminate();
    const stalls = await Promise.all(stalled.map((each) => each.stop()));
    tell(rows, reading, stalls);

    async function look(committed: number): Promise<Row> {
      const { rss, heap } = await server.ask("memory");
      const megabytes = (bytes: number): number => round(bytes / 2 ** 20, 1);
      return { events: committed, "RSS MB": megabytes(rss), "JavaScript MB": megabytes(heap), heard: reading.heard };
    }
  } finally {
    await pool.end();
    await server.stop();
    await desk.stop();
  }
}

function tell(rows: readonly Row[], { wrong }: Reading, stalls: readonly number[]): void {
  // The first look is at a server that has hardly begun.
  const used = rows.slice(1).map((row) => Number(row["RSS MB"]));
  const growth = round(Math.max(...used) - (used[0] ?? Number.NaN), 1);
  const fewest = Math.min(...stalls);
  report("flood", rows, [
    { name: "growth of RSS after the first tenth, MB", value: growth, target: "≤ 16", holds: growth <= 16 },
    {
      name: "events lost, repeated or out of turn where somebody reads",
      value: wrong,
      target: "0",
      holds: wrong === 0,
    },
    {
      name: "times that each stalled client was given up and came back",
      value: fewest,
      target: "≥ 1",
      holds: fewest >= 1,
    },
  ]);
}

/** Puts so many events into the log, in one commit. */
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

/** A client that reads, and counts what it hears. */
interface Reading {
  readonly socket: WebSocket;
  heard: number;
  /** How many events did not follow the one before. */
  wrong: number;
  cursor: string | null;
}

async function follow(port: number, authorization: string, after: string | null): Promise<Reading> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, "graphql-transport-ws");
  const reading: Reading = { socket, heard: 0, wrong: 0, cursor: after };
  socket.on("error", () => {});
  await once(socket, "open");
  socket.send(JSON.stringify({ type: "connection_init", payload: { authorization } }));
  await once(socket, "message");
  let position: number | null = null;
  socket.on("message", (data) => {
    const cursor = cursorIn(String(data));
    if (cursor === null) return;
    const next = Number(Buffer.from(cursor, "base64url").toString().split(":")[2]);
    if (position !== null && next !== position + 1) reading.wrong += 1;
    position = next;
    reading.heard += 1;
    reading.cursor = cursor;
  });
  socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query: DOCUMENT, variables: { after } } }));
  return reading;
}

function cursorIn(text: string): string | null {
  return /"cursor":"([^"]+)"/.exec(text)?.[1] ?? null;
}

/** A client that is there and does not read. */
interface Stalled {
  /** Ends it; answers how often it was given up. */
  stop(): Promise<number>;
}

/** How long a stalled client sleeps before it looks whether it is still wanted, in milliseconds. */
const NAP = 6_000;

function stallOverWebSocket(port: number, authorization: string): Stalled {
  let givenUp = 0;
  return untilStopped(
    async (after) => {
      const reading = await follow(port, authorization, after);
      const closed = once(reading.socket, "close");
      reading.socket.pause();
      await sleep(NAP);
      reading.socket.resume();
      // Given up, it is closed with what was on its way; else it has had a sip, and goes on to sleep.
      const [code] = await Promise.race([closed, sleep(200).then(() => [null])]);
      reading.socket.terminate();
      if (code === 4013) givenUp += 1;
      return reading.cursor;
    },
    () => givenUp,
  );
}

function stallOverEvents(port: number, authorization: string): Stalled {
  let givenUp = 0;
  return untilStopped(
    async (after) => {
      const asked = request(`http://127.0.0.1:${port}/graphql`, {
        method: "POST",
        headers: { authorization, "content-type": "application/json", accept: "text/event-stream" },
      });
      asked.on("error", () => {});
      asked.end(JSON.stringify({ query: DOCUMENT, variables: { after } }));
      const [response] = await once(asked, "response");
      let text = "";
      await sleep(NAP);
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      await Promise.race([once(response, "close"), sleep(200)]);
      asked.destroy();
      if (text.includes('"TOO_SLOW"')) givenUp += 1;
      return cursorIn(text.slice(text.lastIndexOf('"cursor"'))) ?? after;
    },
    () => givenUp,
  );
}

function untilStopped(stall: (after: string | null) => Promise<string | null>, count: () => number): Stalled {
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
