import { once } from "node:events";
import { request } from "node:http";
import { createParser } from "eventsource-parser";
import { v7 as uuidv7 } from "uuid";
import { describe, expect, test } from "vitest";
import WebSocket from "ws";
import { at, textAt } from "../support/answers.ts";
import { bootDesk, rowId } from "../support/app.ts";
import { seedContact } from "../support/seeds.ts";
import { watchStatements } from "../support/statements.ts";
import { cursorNow } from "../support/subscriber.ts";

const desk = await bootDesk();
const { pool } = desk.app.database;

/** Far more than the buffers at both ends of a connection hold. */
const MESSAGES = 2_500;
const TEXT = "x".repeat(5_000);

const SUBSCRIPTION = "subscription ($after: Cursor) { messageRecorded(after: $after) { message { id text } } }";

/** Inserts many long messages at once. */
async function recordMany(): Promise<string[]> {
  const { rows } = await seedContact(desk);
  const ids = Array.from({ length: MESSAGES }, () => uuidv7());
  const workspaceId = rowId(desk.id);
  const common = [workspaceId, rowId(desk.line), rows.contactChannelId, rows.contactId, ids];
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await client.query(
      `INSERT INTO message (id, workspace_id, channel_id, contact_channel_id, seq, direction, kind, text, author_type, author_id,
                            sent_at, recorded_at, received_while_blocked)
       SELECT id, $1, $2, $3, n, 'INBOUND', 'TEXT', $6, 'Contact', $4, now(), now(), false
       FROM unnest($5::uuid[]) WITH ORDINALITY AS m (id, n)`,
      [...common, TEXT],
    );
    await client.query(
      `WITH head AS (
         UPDATE log_head SET position = position + ${MESSAGES} WHERE workspace_id = $1 RETURNING position - ${MESSAGES} AS base)
       INSERT INTO event (workspace_id, position, id, type, occurred_at, actor_type, actor_id, contact_id, channel_id,
                          contact_channel_id, agent_ids, data)
       SELECT $1, base + n, gen_random_uuid(), 'MessageRecorded', now(), 'Contact', $4, $4, $2, $3, '{}',
              jsonb_build_object('messageId', id, 'seq', n, 'direction', 'INBOUND')
       FROM head, unnest($5::uuid[]) WITH ORDINALITY AS m (id, n)`,
      common,
    );
    await client.query("COMMIT");
  } finally {
    client.release();
  }
  return ids;
}

/** Counts the messages read for delivery, once the count has stopped growing. */
function watchFetches(): { settled(): Promise<number>; end(): void } {
  const sent = watchStatements();
  const count = (): number =>
    sent.all().filter((statement) => String(at(statement, "text")).includes('FROM "public"."message"')).length;
  return {
    settled: async () => {
      for (let before = -1; ; ) {
        const now = count();
        if (now === before) return now;
        before = now;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    },
    end: sent.end,
  };
}

describe("a client that stops reading", () => {
  test("over SSE: delivery waits for it, uses no more memory than its buffers, and continues without loss when it reads again", async () => {
    const after = await cursorNow(desk);
    const fetches = watchFetches();
    const ids = await recordMany();
    const sent = request(`${desk.url}/graphql`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "text/event-stream",
        authorization: `Bearer ${desk.ada.token}`,
      },
    });
    sent.end(JSON.stringify({ query: SUBSCRIPTION, variables: { after } }));
    const [response] = await once(sent, "response");
    response.pause();

    const fetched = await fetches.settled();
    expect(fetched).toBeGreaterThan(0);
    expect(fetched).toBeLessThan(MESSAGES / 2);
    // Other clients are still served.
    expect((await desk.ada.graphql("{ viewer { role } }")).status).toBe(200);
    fetches.end();

    const received: string[] = [];
    const parser = createParser({
      onEvent: ({ event, data }) => {
        if (event === "next") received.push(textAt(JSON.parse(data), "data.messageRecorded.message.id"));
      },
    });
    response.setEncoding("utf8").on("data", (chunk: string) => parser.feed(chunk));
    response.resume();
    await expect.poll(() => received.length, { timeout: 20_000, interval: 50 }).toBe(MESSAGES);
    expect(received).toEqual(ids.map((id) => Buffer.from(`Message:${id}`).toString("base64url")));
    sent.destroy();
  });

  test("over WebSocket: the same", async () => {
    const after = await cursorNow(desk);
    const fetches = watchFetches();
    const socket = new WebSocket(`${desk.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
    await once(socket, "open");
    socket.send(JSON.stringify({ type: "connection_init", payload: { authorization: `Bearer ${desk.ada.token}` } }));
    await once(socket, "message");
    const ids = await recordMany();
    const payload = { query: SUBSCRIPTION, variables: { after } };
    const received: string[] = [];
    socket.on("message", (data) => {
      received.push(textAt(JSON.parse(String(data)), "payload.data.messageRecorded.message.id"));
      if (received.length === 1) socket.pause();
    });
    socket.send(JSON.stringify({ id: "1", type: "subscribe", payload }));

    const fetched = await fetches.settled();
    expect(fetched).toBeLessThan(MESSAGES / 2);
    expect((await desk.ada.graphql("{ viewer { role } }")).status).toBe(200);
    fetches.end();

    socket.resume();
    await expect.poll(() => received.length, { timeout: 20_000, interval: 50 }).toBe(MESSAGES);
    expect(received).toEqual(ids.map((id) => Buffer.from(`Message:${id}`).toString("base64url")));
    socket.terminate();
  });

  test("but continues to send: is disconnected before its answers exhaust the memory", async () => {
    const socket = new WebSocket(`${desk.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
    await once(socket, "open");
    socket.send(JSON.stringify({ type: "connection_init", payload: { authorization: `Bearer ${desk.ada.token}` } }));
    await once(socket, "message");
    socket.pause();
    const closed = once(socket, "close");
    const ping = JSON.stringify({ type: "ping", payload: { x: "x".repeat(100_000) } });
    for (let index = 0; index < 400 && socket.readyState === WebSocket.OPEN; index++) {
      await new Promise((resolve) => socket.send(ping, resolve));
    }
    socket.resume();
    await closed;
  });
});
