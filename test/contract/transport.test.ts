import { once } from "node:events";
import { Writable } from "node:stream";
import { GraphQLError } from "graphql";
import pino from "pino";
import { describe, expect, test } from "vitest";
import WebSocket from "ws";
import { signAgentToken } from "../../src/auth/token.ts";
import { Overloaded, TemporarilyRefused } from "../../src/commands/work.ts";
import { createMask } from "../../src/graphql/errors.ts";
import { TransactionNotStarted } from "../../src/store/database.ts";
import { at } from "../support/answers.ts";
import { bootDesk, SECRET } from "../support/app.ts";
import { connect, subscribeOverSse, subscribeOverWebSocket } from "../support/graphql-subscription.ts";

const desk = await bootDesk();
const endpoint = `${desk.url}/graphql`;
const bearer = { authorization: `Bearer ${desk.ada.token}` };
const json = { "content-type": "application/json" };
const VIEWER = JSON.stringify({ query: "{ viewer { role } }" });

describe("authentication", async () => {
  const tokens: [string, string | undefined][] = [
    ["no token", undefined],
    ["another scheme", "Basic YTpi"],
    ["no JWT", "Bearer x"],
    ["an unknown key", "Bearer dg_unknown"],
    ["an unknown agent", `Bearer ${await signAgentToken(SECRET, "nobody@desk.test", desk.clock.now(), 60_000)}`],
    [
      "a forged token",
      `Bearer ${await signAgentToken("another-secret-long-enough-for-it", desk.ada.email, desk.clock.now(), 60_000)}`,
    ],
    ["an expired token", `Bearer ${await signAgentToken(SECRET, desk.ada.email, desk.clock.now() - 120_000, 60_000)}`],
  ];

  test.each(tokens)("%s: 401, and 4403 on the socket", async (_name, authorization) => {
    const response = await fetch(endpoint, {
      method: "POST",
      headers: { ...json, ...(authorization === undefined ? {} : { authorization }) },
      body: VIEWER,
    });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: "UNAUTHENTICATED" } }] });

    const socket = open();
    await once(socket, "open");
    socket.send(
      JSON.stringify({ type: "connection_init", payload: authorization === undefined ? {} : { authorization } }),
    );
    expect(await closing(socket)).toBe(4403);
  });

  test("a token that expires while the socket is open: 4403 at the next operation", async () => {
    const authorization = `Bearer ${await signAgentToken(SECRET, desk.ada.email, desk.clock.now(), 10_000)}`;
    const socket = open();
    await once(socket, "open");
    const ask = async (message: object): Promise<unknown> => {
      socket.send(JSON.stringify(message));
      const [answer] = await once(socket, "message");
      return JSON.parse(String(answer));
    };
    await ask({ type: "connection_init", payload: { authorization } });
    const query = { type: "subscribe", payload: { query: "{ viewer { role } }" } };
    expect(await ask({ id: "1", ...query })).toMatchObject({ type: "next", payload: { data: { viewer: {} } } });
    desk.clock.advance(10_000);
    socket.send(JSON.stringify({ id: "2", ...query }));
    expect(await closing(socket)).toBe(4403);
  });
});

describe("HTTP", () => {
  const post = (body: string, headers: Record<string, string> = json) =>
    fetch(endpoint, { method: "POST", headers: { ...bearer, ...headers }, body });

  test.each([
    ["malformed JSON", "{", json, 400],
    ["not an object", "1", json, 400],
    ["an empty body", "", json, 400],
    ["no query", "{}", json, 400],
    ["a query that is not a string", '{"query":1}', json, 400],
    ["variables that are not an object", '{"query":"{viewer{role}}","variables":[]}', json, 400],
    ["a batch", `[${VIEWER},${VIEWER}]`, json, 400],
    ["a form", "x", { "content-type": "multipart/form-data; boundary=x" }, 415],
    ["plain text", VIEWER, { "content-type": "text/plain" }, 415],
    ["256 KB and more", JSON.stringify({ query: " ".repeat(256 * 1_024) }), json, 413],
    ["10 MB", JSON.stringify({ query: " ".repeat(10_000_000) }), json, 413],
  ])("%s: %#", async (_name, body, headers, status) => {
    const response = await post(body, headers);
    expect(response.status).toBe(status);
    const text = await response.text();
    if (text !== "") expect(JSON.parse(text).errors).toHaveLength(1);
    // The next request is served.
    expect((await post(VIEWER)).status).toBe(200);
  });

  test("an operation that cannot be executed is 400 for clients that accept the newer media type", async () => {
    for (const query of ["{", "{ nothing }"]) {
      const response = await post(JSON.stringify({ query }), { ...json, accept: "application/graphql-response+json" });
      expect(response.status).toBe(400);
    }
  });

  test("GET can query, but not change anything", async () => {
    const get = (query: string) => fetch(`${endpoint}?query=${encodeURIComponent(query)}`, { headers: bearer });
    expect(await (await get("{ viewer { role } }")).json()).toEqual({ data: { viewer: { role: "ADMIN" } } });
    const mutation = await get(`mutation { blockContact(input: { contactId: "x" }) { __typename } }`);
    expect(mutation.status).toBe(405);
  });

  test("a browser gets GraphiQL, with all assets from this server", async () => {
    const response = await fetch(endpoint, { headers: { accept: "text/html,application/xhtml+xml" } });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^text\/html/);
    const page = await response.text();
    expect(page).toContain("Deskgate GraphiQL");
    expect(page).toContain("Authorization");
    expect(page).not.toMatch(/<(script|link)[^>]+(src|href)="https?:/);
  });

  test("a page of another origin can send requests with its own token", async () => {
    const headers = { origin: "https://desk.example", "access-control-request-method": "POST" };
    const preflight = await fetch(endpoint, {
      method: "OPTIONS",
      headers: { ...headers, "access-control-request-headers": "authorization,content-type" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("https://desk.example");
    expect(preflight.headers.get("access-control-allow-headers")).toMatch(/authorization/i);
    expect(preflight.headers.get("access-control-allow-credentials")).toBeNull();
    const response = await post(VIEWER, { ...json, origin: "https://desk.example" });
    expect(response.headers.get("access-control-allow-origin")).toBe("https://desk.example");
  });

  test("every response has the request id", async () => {
    expect((await post(VIEWER)).headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    const stream = await fetch(endpoint, {
      method: "POST",
      headers: { ...bearer, ...json, accept: "text/event-stream" },
      body: VIEWER,
    });
    expect(stream.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(await stream.text()).toMatch(
      /event: next\ndata: \{"data":\{"viewer":\{"role":"ADMIN"\}\}\}\n\nevent: complete/,
    );
  });
});

describe("WebSocket", () => {
  test("operations of all kinds", async () => {
    const client = connect(desk);
    expect(at(await client.iterate({ query: "{ viewer { role } }" }).next(), "value.data")).toEqual({
      viewer: { role: "ADMIN" },
    });
    const mutation = client.iterate({ query: `mutation { blockContact(input: { contactId: "x" }) { __typename } }` });
    expect(at(await mutation.next(), "value.data")).toEqual({ blockContact: { __typename: "NotFoundError" } });
    await client.dispose();
  });

  test.each([
    [
      "a subscribe before the acknowledgement: 4401",
      [{ id: "1", type: "subscribe", payload: { query: "{ logCursor }" } }],
      4401,
    ],
    ["a message outside the protocol: 4400", [{ type: "nonsense" }], 4400],
    ["malformed JSON: 4400", ["{"], 4400],
    ["two initialisations: 4429", [init(), init()], 4429],
    ["an id in use: 4409", [init(), "wait", subscription("1"), subscription("1")], 4409],
    ["more than 256 KB: 1009", [{ type: "ping", payload: { x: "x".repeat(256 * 1_024) } }], 1009],
  ])("%s", async (_name, messages, code) => {
    const socket = open();
    await once(socket, "open");
    for (const message of messages) {
      if (message === "wait") await once(socket, "message");
      else socket.send(typeof message === "string" ? message : JSON.stringify(message));
    }
    expect(await closing(socket)).toBe(code);
  });

  test("another subprotocol is refused", async () => {
    const socket = new WebSocket(endpoint.replace("http", "ws"), ["graphql-ws"]);
    const [error] = await once(socket, "error");
    expect(String(error)).toContain("no subprotocol");
  });

  test("another path is not found", async () => {
    const socket = new WebSocket(`${desk.url.replace("http", "ws")}/elsewhere`, "graphql-transport-ws");
    const [error] = await once(socket, "error");
    expect(String(error)).toContain("404");
  });

  function init(): object {
    return { type: "connection_init", payload: bearer };
  }

  function subscription(id: string): object {
    return { id, type: "subscribe", payload: { query: "subscription { messageRecorded { id } }" } };
  }
});

describe("unexpected errors", () => {
  test("are masked over every transport: only an error id is sent", async () => {
    const broken = await bootDesk();
    await broken.app.database.pool.query("ALTER TABLE channel RENAME COLUMN name TO gone");
    const masked = {
      message: "Unexpected error.",
      path: ["channels"],
      extensions: { code: "INTERNAL", id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    };
    const query = "{ channels { name } }";
    const { data, errors } = await broken.ada.graphql(query);
    expect(data).toBeNull();
    expect(errors).toEqual([expect.objectContaining(masked)]);
    const stream = await subscribeOverSse(broken, query, {}, broken.ada.token);
    expect((await stream.next()).errors).toEqual([expect.objectContaining(masked)]);
    const socket = subscribeOverWebSocket(broken, query, {}, broken.ada.token);
    expect((await socket.next()).errors).toEqual([expect.objectContaining(masked)]);
    await socket.end();
  });

  test("are logged with the id and the location, without user data", () => {
    const lines: string[] = [];
    const sink = new Writable({
      write: (chunk, _encoding, done) => {
        lines.push(String(chunk));
        done();
      },
    });
    const mask = createMask(pino({}, sink));
    const cause = Object.assign(
      new Error("Invalid `prisma.message.findMany()` invocation:\n{ text: 'secret words' }\nIt broke."),
      {
        code: "P2010",
        detail: "Failing row contains (secret words).",
      },
    );
    const error = new GraphQLError(cause.message, { originalError: cause, path: ["contacts", 0] });
    const masked = mask(error);
    expect(masked.message).toBe("Unexpected error.");
    expect(JSON.stringify(masked)).not.toContain("secret");
    const [line = ""] = lines;
    expect(line).toContain(String(masked.extensions.id));
    expect(line).toContain("It broke.");
    expect(line).toContain("P2010");
    expect(line).toContain("transport.test.ts");
    expect(line).not.toContain("secret words");
    // A masked error stays masked, and is logged once.
    expect(mask(masked)).toBe(masked);
    expect(lines).toHaveLength(1);
  });

  test("overload is OVERLOADED: the client may retry", () => {
    const mask = createMask(pino({ level: "silent" }));
    const error = new GraphQLError("x", { originalError: new Overloaded(20_000), path: ["sendMessage"] });
    expect(mask(error)).toMatchObject({ path: ["sendMessage"], extensions: { code: "OVERLOADED" } });
  });

  test("a deadlock in every attempt and a database without a free connection are UNAVAILABLE: the client may retry", async () => {
    const mask = createMask(pino({ level: "silent" }));
    for (const cause of [new TemporarilyRefused(new Error("deadlock")), new TransactionNotStarted(new Error("full"))]) {
      const error = new GraphQLError("x", { originalError: cause, path: ["sendMessage"] });
      expect(mask(error)).toMatchObject({ path: ["sendMessage"], extensions: { code: "UNAVAILABLE" } });
    }
  });
});

test("stopping ends streams, and closes sockets with 1001", async () => {
  const stopped = await bootDesk();
  const query = "subscription { messageRecorded { id } }";
  const stream = await subscribeOverSse(stopped, query, {}, stopped.ada.token);
  const socket = new WebSocket(`${stopped.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
  await once(socket, "open");
  socket.send(JSON.stringify({ type: "connection_init", payload: { authorization: `Bearer ${stopped.ada.token}` } }));
  await once(socket, "message");
  socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query } }));
  const closed = closing(socket);
  const streamed = expect(stream.next()).rejects.toThrow("over");
  const started = performance.now();
  await stopped.app.stop();
  expect(performance.now() - started).toBeLessThan(5_000);
  expect(await closed).toBe(1001);
  await streamed;
});

function open(): WebSocket {
  return new WebSocket(endpoint.replace("http", "ws"), "graphql-transport-ws");
}

async function closing(socket: WebSocket): Promise<number> {
  const [code] = await once(socket, "close");
  return code;
}
