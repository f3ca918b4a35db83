import { once } from "node:events";
import { json } from "node:stream/consumers";
import { afterAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { at } from "../support/answers.ts";
import { bootDesk } from "../support/app.ts";
import { answerOf, get, post, sharedSocket } from "../support/ways.ts";
import { rawSocket } from "./raw-socket.ts";

const STREAM = "text/event-stream";
const FEED = "subscription { messageRecorded { id } }";

const desk = await bootDesk();
const bearer = { authorization: `Bearer ${desk.ada.token}` };
const { contactId } = await desk.writes("somebody");
const MUTATION = `mutation B { blockContact(input: { contactId: "${contactId}" }) { __typename } }`;
const neighbour = await sharedSocket(desk);
afterAll(() => neighbour.close());

/** A malformed request and its answer. */
interface Attempt {
  readonly name: string;
  readonly code: string;
  /** The answer over HTTP and SSE. */
  readonly status: number;
  /** Sends it over HTTP and, if the accepted type is left to the caller, over SSE. */
  readonly request: (accept: string) => Promise<Response>;
  /** Why there is no such case over SSE. */
  readonly noStream?: string;
  /** The messages sent on a socket, before the acknowledgement or `then`; or why there is no such case. */
  readonly socket: { readonly messages: readonly unknown[] } | { readonly none: string };
}

const ROLE = JSON.stringify({ query: "{ viewer { role } }" });
const INVALID = Buffer.concat([Buffer.from('{"query": "'), Buffer.from([0xff]), Buffer.from('"}')]);
const NO_BODY = { none: "a message has neither method nor content type" };

const subscribe = (payload: unknown): object => ({ id: "1", type: "subscribe", payload });

const malformed = (name: string, body: string | Buffer, ...messages: unknown[]): Attempt => ({
  name,
  code: "BAD_REQUEST",
  status: 400,
  request: (accept) => post(desk, body, { accept }),
  socket: { messages },
});
const ofType = (type: string, body = ROLE): Attempt => ({
  name: `a body of ${type === "" ? "no type" : type}`,
  code: "UNSUPPORTED_MEDIA_TYPE",
  status: 415,
  request: (accept) => post(desk, body, { accept, "content-type": type }),
  socket: NO_BODY,
});

const attempts: readonly Attempt[] = [
  malformed("malformed JSON", "{", "{"),
  malformed("not an object", '"x"', '"x"'),
  malformed("null", "null", "null"),
  malformed("a batch", `[${ROLE},${ROLE}]`, JSON.stringify([subscribe(JSON.parse(ROLE))])),
  malformed("a batch of operations for one message", `[${ROLE},${ROLE}]`, subscribe([JSON.parse(ROLE)])),
  malformed("an empty batch", "[]", subscribe([])),
  malformed("a query that is not a string", '{"query":1}', subscribe({ query: 1 })),
  malformed("a query by another name", '{"qeury":"{ logCursor }"}', subscribe({ qeury: "{ logCursor }" })),
  malformed(
    "a name that is not a string",
    '{"query":"{ logCursor }","operationName":{}}',
    subscribe({ query: "{ logCursor }", operationName: {} }),
  ),
  malformed(
    "variables that are a list",
    '{"query":"{ logCursor }","variables":[]}',
    subscribe({ query: "{ logCursor }", variables: [] }),
  ),
  malformed(
    "extensions that are a string",
    '{"query":"{ logCursor }","extensions":"x"}',
    subscribe({ query: "{ logCursor }", extensions: "x" }),
  ),
  malformed("what is no UTF-8", INVALID, INVALID),
  ofType("application/x-www-form-urlencoded", "query=%7BlogCursor%7D"),
  ofType(
    "multipart/form-data; boundary=x",
    `--x\r\ncontent-disposition: form-data; name="operations"\r\n\r\n${ROLE}\r\n--x--`,
  ),
  ofType("text/plain"),
  ofType("text/plain; application/json"),
  ofType("application/graphql", "{ logCursor }"),
  ofType(""),
  {
    name: "a mutation by GET",
    code: "BAD_REQUEST",
    status: 405,
    request: (accept) => get(desk, { query: MUTATION }, { accept }),
    socket: NO_BODY,
  },
  {
    name: "a mutation by GET, with a content type that needs no preflight",
    code: "BAD_REQUEST",
    status: 405,
    request: (accept) => get(desk, { query: MUTATION }, { accept, "content-type": "text/plain" }),
    socket: NO_BODY,
  },
  {
    name: "a mutation by GET, together with a query",
    code: "BAD_REQUEST",
    status: 405,
    request: (accept) => get(desk, { query: `query A { logCursor } ${MUTATION}`, operationName: "B" }, { accept }),
    socket: NO_BODY,
  },
  {
    name: "variables in a URL that are not JSON",
    code: "BAD_REQUEST",
    status: 400,
    request: (accept) => fetch(`${desk.url}/graphql?query={logCursor}&variables={`, { headers: { ...bearer, accept } }),
    socket: { none: "a message has no URL" },
  },
  {
    name: "a subscription by a plain GET",
    code: "NOT_ACCEPTABLE",
    status: 406,
    request: () => get(desk, { query: FEED }, { accept: "*/*" }),
    noStream: "its Accept header is what requests a stream",
    socket: { none: "a socket streams" },
  },
  {
    name: "a mutation whose Accept header allows no response",
    code: "NOT_ACCEPTABLE",
    status: 406,
    request: () => post(desk, JSON.stringify({ query: MUTATION }), { accept: "image/png" }),
    noStream: "it accepts a stream",
    socket: { none: "a message has no Accept header" },
  },
  {
    name: "more than 256 KB",
    code: "PAYLOAD_TOO_LARGE",
    status: 413,
    request: (accept) => post(desk, JSON.stringify({ query: " ".repeat(256 * 1_024) }), { accept }),
    socket: { messages: [subscribe({ query: " ".repeat(256 * 1_024) })] },
  },
  {
    name: "no token",
    code: "UNAUTHENTICATED",
    status: 401,
    request: (accept) => post(desk, ROLE, { accept, authorization: "" }),
    socket: { messages: [{ type: "connection_init" }] },
  },
  {
    name: "a token in the URL",
    code: "UNAUTHENTICATED",
    status: 401,
    request: (accept) =>
      fetch(`${desk.url}/graphql?query={logCursor}&authorization=Bearer%20x`, { headers: { accept } }),
    socket: { messages: [{ type: "connection_init", payload: {} }] },
  },
];

/** The close codes of the protocol, as error codes of the other transports. */
const CLOSINGS: Record<number, string> = {
  1007: "BAD_REQUEST",
  1009: "PAYLOAD_TOO_LARGE",
  4400: "BAD_REQUEST",
  4403: "UNAUTHENTICATED",
};

describe("malformed requests get the same answer over every transport", () => {
  test.each(attempts)("$name: $code", async ({ code, status, request, noStream, socket }) => {
    const accepted =
      noStream === undefined ? ["application/json", "application/graphql-response+json", STREAM] : ["*/*"];
    for (const accept of accepted) {
      const response = await request(accept);
      expect([accept, response.status]).toEqual([accept, status]);
      const { data, errors } = await answerOf(Promise.resolve(response));
      expect([accept, errors?.map(({ extensions }) => extensions.code)]).toEqual([accept, [code]]);
      expect(data).toBeUndefined();
    }
    if ("none" in socket) return;
    const isFirst = socket.messages.some((message) => at(message, "type") === "connection_init");
    const raw = await rawSocket(desk);
    if (!isFirst) await raw.init();
    for (const message of socket.messages) raw.send(message);
    const closed = await raw.closed;
    expect([closed, CLOSINGS[closed.code]]).toEqual([closed, code]);
    // The other sockets are still open.
    await neighbour.expectNeighbourReceives();
  });

  test("none of them was executed", async () => {
    const { data } = await desk.ada.graphql("{ blocks { edges { node { id } } } }");
    expect(data).toEqual({ blocks: { edges: [] } });
  });
});

describe("requests from pages of other origins", async () => {
  const named = await bootDesk({ env: { ALLOWED_ORIGINS: "https://desk.example,http://localhost:5173" } });
  const page = (origin: string, accept = "application/json"): Promise<Response> =>
    post(named, ROLE, { accept, origin });
  const upgrade = (origin?: string): WebSocket =>
    new WebSocket(
      `${named.url.replace("http", "ws")}/graphql`,
      "graphql-transport-ws",
      origin === undefined ? {} : { origin },
    );

  test.each([
    "https://evil.example",
    "https://desk.example.evil.example",
    "http://desk.example",
    "https://desk.example:8443",
    "https://DESK.example",
    "null",
    named.url.replace("http", "ftp"),
    named.url.replace("http://", "http://a@"),
    `${named.url}/`,
  ])("%j: 403 ORIGIN_NOT_ALLOWED, before any other check", async (origin) => {
    const errors = [{ message: expect.any(String), extensions: { code: "ORIGIN_NOT_ALLOWED" } }];
    const preflight = fetch(`${named.url}/graphql`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST" },
    });
    const tooLong = post(named, "x".repeat(300_000), { origin });
    for (const asked of [page(origin), page(origin, STREAM), preflight, tooLong]) {
      const response = await asked;
      expect([response.status, await response.json()]).toEqual([403, { errors }]);
      expect(response.headers.get("access-control-allow-origin")).toBeNull();
      expect(response.headers.get("vary")).toBe("Origin");
    }
    const [, refused] = await once(upgrade(origin), "unexpected-response");
    expect([refused.statusCode, await json(refused)]).toEqual([403, { errors }]);
  });

  test.each([
    ["an allowed origin", "https://desk.example"],
    ["another allowed origin", "http://localhost:5173"],
    ["the server's own origin", named.url],
  ])("%s is allowed", async (_, origin) => {
    for (const accept of ["application/json", STREAM]) {
      const response = await page(origin, accept);
      expect(response.headers.get("access-control-allow-origin")).toBe(origin);
      expect(await answerOf(Promise.resolve(response))).toEqual({ data: { viewer: { role: "ADMIN" } } });
    }
    const socket = upgrade(origin);
    await once(socket, "open");
    socket.close();
  });

  test("requests without an Origin are allowed, and any origin without an allow list", async () => {
    expect((await post(named, ROLE)).headers.get("access-control-allow-origin")).toBeNull();
    const server = upgrade();
    await once(server, "open");
    server.close();
    const response = await post(desk, ROLE, { origin: "https://evil.example" });
    expect(response.headers.get("access-control-allow-origin")).toBe("https://evil.example");
    expect(response.headers.get("access-control-allow-credentials")).toBeNull();
  });

  test("an allowed page can read the error", async () => {
    const origin = "https://desk.example";
    for (const [asked, status] of [
      [post(named, ROLE, { origin, authorization: "" }), 401],
      [post(named, "x".repeat(300_000), { origin }), 413],
      [post(named, ROLE, { origin, "content-type": "text/plain" }), 415],
    ] as const) {
      const { status: given, headers } = await asked;
      expect([given, headers.get("access-control-allow-origin")]).toEqual([status, origin]);
    }
  });
});
