import { once } from "node:events";
import { request } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeAll, expect, test } from "vitest";
import WebSocket from "ws";
import { bootDesk, rowId } from "../support/app.ts";
import { seedContact } from "../support/seeds.ts";
import { cursorNow } from "../support/subscriber.ts";

/** `npm run bench -- flood` does the same with a million. */
const EVENTS = 100_000;
const AT_ONCE = 20_000;

const QUERY = "subscription ($after: Cursor) { messageRecorded(after: $after) { cursor } }";

const desk = await bootDesk();
const { pool } = desk.app.database;

setFlagsFromString("--expose_gc");
const collectGarbage: () => void = runInNewContext("gc");

let person: { readonly contactId: string; readonly contactChannelId: string };
beforeAll(async () => {
  person = (await seedContact(desk)).rows;
});

/** Inserts this many events into the log, in one commit. */
async function commit(count: number): Promise<void> {
  await pool.query(
    `WITH head AS (
       UPDATE log_head SET position = position + $5::int WHERE workspace_id = $1 RETURNING position - $5::int AS base)
     INSERT INTO event (workspace_id, position, id, type, occurred_at, actor_type, actor_id, contact_id, channel_id,
                        contact_channel_id, agent_ids, data)
     SELECT $1, base + n, gen_random_uuid(), 'MessageRecorded', now(), 'Contact', $4, $4, $2, $3, '{}',
            jsonb_build_object('messageId', gen_random_uuid(), 'seq', n, 'direction', 'INBOUND')
     FROM head, generate_series(1, $5::int) AS n`,
    [rowId(desk.id), rowId(desk.line), person.contactChannelId, person.contactId, count],
  );
}

function positionOf(cursor: string): number {
  return Number(Buffer.from(cursor, "base64url").toString().split(":")[2]);
}

/** Memory in use after a garbage collection, in MiB: of the server and its clients, which share this process. */
function memory(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

/** The number of delivered events, the last position, and the end of a client's socket. */
interface Client {
  readonly socket: WebSocket;
  position: number;
  /** Events that did not follow the previous one. */
  readonly wrong: string[];
  readonly closed: Promise<unknown[]>;
}

async function subscribe(after: string): Promise<Client> {
  const socket = new WebSocket(`${desk.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
  await once(socket, "open");
  socket.send(JSON.stringify({ type: "connection_init", payload: { authorization: `Bearer ${desk.ada.token}` } }));
  await once(socket, "message");
  const client: Client = { socket, position: positionOf(after), wrong: [], closed: once(socket, "close") };
  socket.on("message", (data) => {
    const frame = String(data);
    client.position += 1;
    if (positionOf(/"cursor":"([^"]+)"/.exec(frame)?.[1] ?? "") !== client.position) client.wrong.push(frame);
  });
  socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query: QUERY, variables: { after } } }));
  return client;
}

/** Subscribes over SSE without reading; returns a function that reads to the end. */
async function stalledStream(after: string): Promise<() => Promise<string>> {
  const sent = request(`${desk.url}/graphql`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "text/event-stream",
      authorization: `Bearer ${desk.ada.token}`,
    },
  });
  sent.end(JSON.stringify({ query: QUERY, variables: { after } }));
  const [response] = await once(sent, "response");
  response.pause();
  return async () => {
    let text = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    await once(response.resume(), "end");
    return text;
  };
}

test("a flood of events, with a WebSocket and a stream that are not read: both are closed and can resume, memory stays flat, other clients miss nothing", async () => {
  const after = await cursorNow(desk);
  const last = positionOf(after) + EVENTS;
  const reading = await subscribe(after);
  const stalled = await subscribe(after);
  stalled.socket.pause();
  const readStream = await stalledStream(after);

  const used: number[] = [];
  for (let committed = AT_ONCE; committed <= EVENTS; committed += AT_ONCE) {
    await commit(AT_ONCE);
    await expect.poll(() => reading.position, { timeout: 20_000, interval: 10 }).toBe(last - EVENTS + committed);
    used.push(memory());
  }
  expect(reading.wrong).toEqual([]);
  const [first = 0] = used;
  expect(Math.max(...used) - first).toBeLessThan(16);

  stalled.socket.resume();
  const [code, reason] = await stalled.closed;
  expect([code, String(reason)]).toEqual([4013, "Too slow: resume with the last cursor"]);
  expect(stalled.wrong).toEqual([]);
  expect(stalled.position).toBeLessThan(last);
  const text = await readStream();
  expect(text.split("\n\n").slice(-2)).toEqual([
    `event: next\ndata: {"errors":[{"message":"Too slow: resume with the last cursor.","extensions":{"code":"TOO_SLOW"}}]}`,
    "",
  ]);

  const resumed = await subscribe(
    Buffer.from(`log:${rowId(desk.id).slice(-12)}:${stalled.position}`).toString("base64url"),
  );
  await expect.poll(() => resumed.position, { timeout: 20_000, interval: 10 }).toBe(last);
  expect(resumed.wrong).toEqual([]);
  for (const { socket } of [reading, resumed]) socket.terminate();
}, 60_000);
