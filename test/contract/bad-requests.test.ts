import { request } from "node:http";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { signAgentToken } from "../../src/auth/token.ts";
import { bootDesk, type Desk, globalId, lineSignature, lineText, SECRET } from "../support/app.ts";
import { documentOf } from "../support/client.ts";
import { onLine, visitor } from "../support/people.ts";
import { cursorNow, subscribed } from "../support/subscriber.ts";
import { contactIdOf } from "../support/view.ts";
import { rowCounts } from "./row-counts.ts";

const NUL = "a\0b";
const HUGE = 10 * 1_024 * 1_024;
const DEEP = `contacts { edges { node ${"{ channels { contact ".repeat(9)}{ id }${" } }".repeat(9)} } }`;
const UNKNOWN_ID = "00000000-0000-7000-8000-000000000000";

let desk: Desk;
let contactId: string;
let partner: string;

beforeAll(async () => {
  desk = await bootDesk();
  const someone = onLine(desk);
  await someone.says("Hello");
  contactId = await contactIdOf(desk, someone);
  partner = await desk.key("inbound:write");
});

let before: unknown;
beforeEach(async () => {
  before = await rowCounts(desk);
});
afterEach(async () => {
  expect(await rowCounts(desk)).toEqual(before);
});

/** Sends a raw body, even if the server does not read all of it. */
function post(
  path: string,
  body: string | Buffer,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const sent = request(`${desk.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body), ...headers },
  });
  let answered = false;
  sent.on("response", (response) => {
    answered = true;
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk) => {
      text += chunk;
    });
    response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
    response.on("error", reject);
  });
  // The server may close the connection during the upload; its answer counts.
  sent.on("error", (error) => {
    if (!answered) reject(error);
  });
  sent.end(body);
  return promise;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const codeOf = (body: string): unknown => {
  const { errors, error } = JSON.parse(body);
  return errors?.[0]?.extensions?.code ?? error?.code;
};

describe("POST /graphql", () => {
  const page = (list: string, of: string) => `${list}(first: 100) { edges { node { ${of} } } }`;
  const costly = `{ ${page("contacts", page("conversations", page("messages", "id")))} }`;

  test.each<[string, string, number, string]>([
    ["malformed JSON", "{", 400, "BAD_REQUEST"],
    ["not a JSON object", "[]", 400, "BAD_REQUEST"],
    ["no query", "{}", 400, "BAD_REQUEST"],
    ["a query that is not a string", '{"query":5}', 400, "BAD_REQUEST"],
    ["an invalid query", '{"query":"{"}', 400, "GRAPHQL_PARSE_FAILED"],
    ["an unknown field", '{"query":"{ secrets }"}', 400, "GRAPHQL_VALIDATION_FAILED"],
    ["invalid variables", '{"query":"{ logCursor }","variables":"x"}', 400, "BAD_REQUEST"],
    ["a deep query", JSON.stringify({ query: `{ ${DEEP} }` }), 400, "QUERY_TOO_DEEP"],
    ["a costly query", JSON.stringify({ query: costly }), 400, "QUERY_TOO_COSTLY"],
    [
      "a query with too many tokens",
      JSON.stringify({ query: `{ ${"a ".repeat(3_000)} }` }),
      400,
      "GRAPHQL_PARSE_FAILED",
    ],
    ["10 MB", JSON.stringify({ query: "x".repeat(HUGE) }), 413, "PAYLOAD_TOO_LARGE"],
  ])("%s", async (_, body, status, code) => {
    const accept = { accept: "application/graphql-response+json" };
    const answer = await post("/graphql", body, { ...bearer(desk.ada.token), ...accept });
    expect([answer.status, codeOf(answer.body)]).toEqual([status, code]);
    expect(JSON.parse(answer.body)).not.toHaveProperty("data");
  });

  test("a mutation by GET, or with another content type, is refused", async () => {
    const query = `mutation { blockContact(input: { contactId: "${contactId}" }) { __typename } }`;
    const headers = bearer(desk.ada.token);
    const got = await fetch(`${desk.url}/graphql?query=${encodeURIComponent(query)}`, { headers });
    expect(got.status).toBe(405);
    const asText = { ...headers, "content-type": "text/plain" };
    expect((await post("/graphql", JSON.stringify({ query }), asText)).status).toBe(415);
  });

  test("10 MB of notes", async () => {
    const body = JSON.stringify({
      query: documentOf("blockContact"),
      variables: { input: { contactId, notes: "x".repeat(HUGE) } },
    });
    expect((await post("/graphql", body, bearer(desk.ada.token))).status).toBe(413);
  });

  test.each<[string, () => Promise<Record<string, string>> | Record<string, string>]>([
    ["no token", () => ({})],
    ["no bearer", () => ({ authorization: `Basic ${desk.ada.token}` })],
    ["nonsense", () => bearer("x.y.z")],
    [
      "an expired token",
      async () => bearer(await signAgentToken(SECRET, desk.ada.email, desk.clock.now() - 2_000, 1_000)),
    ],
    [
      "a token signed with another secret",
      async () => bearer(await signAgentToken(SECRET.toUpperCase(), desk.ada.email, desk.clock.now(), 1_000_000)),
    ],
    ["a token without signature", () => bearer(`${desk.ada.token.split(".").slice(0, 2).join(".")}.`)],
    [
      "a token of an unknown agent",
      async () => bearer(await signAgentToken(SECRET, "nobody@desk.test", desk.clock.now(), 1_000_000)),
    ],
    [
      "a token whose subject is not an email address",
      async () => bearer(await signAgentToken(SECRET, "nobody", desk.clock.now(), 1_000_000)),
    ],
    [
      "a token whose email has a NUL",
      async () => bearer(await signAgentToken(SECRET, `${desk.ada.email}\0`, desk.clock.now(), 1_000_000)),
    ],
    [
      "a token whose subject is an agent id",
      async () =>
        bearer(
          await signAgentToken(
            SECRET,
            (await desk.app.database.prisma.agent.findFirstOrThrow()).id,
            desk.clock.now(),
            1_000_000,
          ),
        ),
    ],
    ["an unknown key", () => bearer("dg_0000000000000000000000000000000000000000000")],
    ["a visitor's token", async () => bearer((await visitor(desk)).page.token)],
  ])("%s: 401", async (_, headers) => {
    const answer = await post("/graphql", JSON.stringify({ query: "{ logCursor }" }), await headers());
    expect([answer.status, codeOf(answer.body)]).toEqual([401, "UNAUTHENTICATED"]);
  });

  test("a removed agent: 401", async () => {
    const agent = await desk.agent("AGENT");
    await desk.app.database.prisma.agent.update({
      where: { email: agent.email },
      data: { removedAt: new Date(desk.clock.now()) },
    });
    expect((await post("/graphql", '{"query":"{ logCursor }"}', bearer(agent.token))).status).toBe(401);
  });
});

describe("the LINE webhook", () => {
  const body = () =>
    JSON.stringify({ destination: "U0", events: [lineText("Ubad", "Hi", { timestamp: desk.clock.now() })] });

  test.each<[string, () => [string, Record<string, string>], number]>([
    ["no signature", () => [body(), {}], 401],
    ["another body's signature", () => [body(), { "x-line-signature": lineSignature("{}") }], 401],
    ["another secret's signature", () => [body(), { "x-line-signature": lineSignature(body(), "other") }], 401],
    ["malformed JSON, signed", () => ["{", { "x-line-signature": lineSignature("{") }], 400],
    ["no webhook, signed", () => ["[]", { "x-line-signature": lineSignature("[]") }], 400],
    ["10 MB, signed", () => ["x".repeat(HUGE), { "x-line-signature": lineSignature("x".repeat(HUGE)) }], 413],
  ])("%s", async (_, given, status) => {
    const [text, headers] = given();
    expect((await post(`/webhooks/line/${desk.line}`, text, headers)).status).toBe(status);
  });

  test.each(["x", "", globalId("Channel", UNKNOWN_ID), "webChat", "custom"])(
    "a channel such as %j: 404",
    async (channel) => {
      const id = channel === "webChat" || channel === "custom" ? desk[channel] : channel;
      const answer = await post(`/webhooks/line/${id}`, body(), { "x-line-signature": lineSignature(body()) });
      expect(answer.status).toBe(404);
    },
  );
});

describe("the web chat", () => {
  test.each<[string, string, number]>([
    ["malformed JSON", "{", 400],
    ["not an object", "[]", 400],
    ["no text", '{"clientMessageId":"1"}', 400],
    ["a blank text", '{"text":" ","clientMessageId":"1"}', 400],
    ["no id", '{"text":"Hi"}', 400],
    ["a long text", JSON.stringify({ text: "x".repeat(5_001), clientMessageId: "1" }), 400],
    ["NUL in the id", JSON.stringify({ text: "Hi", clientMessageId: NUL }), 400],
    ["10 MB", JSON.stringify({ text: "x".repeat(HUGE), clientMessageId: "1" }), 413],
  ])("%s", async (_, body, status) => {
    const { page } = await visitor(desk);
    expect((await post(`/chat/${desk.webChat}/messages`, body, bearer(page.token))).status).toBe(status);
  });

  test("without a visitor token: 401", async () => {
    const body = '{"text":"Hi","clientMessageId":"1"}';
    for (const headers of [{}, bearer("x"), bearer(desk.ada.token), bearer(partner)]) {
      expect((await post(`/chat/${desk.webChat}/messages`, body, headers)).status).toBe(401);
      const stream = await fetch(`${desk.url}/chat/${desk.webChat}/stream`, { headers });
      expect(stream.status).toBe(401);
    }
  });
});

describe("the WebSocket", () => {
  /** The close code of a socket after these messages. */
  function closeOf(...said: (string | object)[]): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    const socket = new WebSocket(`${desk.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
    socket.on("open", () => {
      for (const message of said) socket.send(typeof message === "string" ? message : JSON.stringify(message));
    });
    socket.on("error", () => {});
    socket.on("close", resolve);
    return promise;
  }
  const init = (token: string) => ({ type: "connection_init", payload: { authorization: `Bearer ${token}` } });

  test.each<[string, () => Promise<number>, number]>([
    ["no token", () => closeOf({ type: "connection_init" }), 4403],
    ["a bad token", () => closeOf(init("x.y.z")), 4403],
    [
      "an expired token",
      async () => closeOf(init(await signAgentToken(SECRET, desk.ada.email, desk.clock.now() - 2_000, 1_000))),
      4403,
    ],
    [
      "a subscribe before the acknowledgement",
      () => closeOf({ type: "subscribe", id: "1", payload: { query: "{ logCursor }" } }),
      4401,
    ],
    ["malformed JSON", () => closeOf("{"), 4400],
    ["two inits", () => closeOf(init(desk.ada.token), init(desk.ada.token)), 4429],
    ["a message above 256 KB", () => closeOf("x".repeat(300_000)), 1009],
  ])("%s", async (_, close, code) => {
    expect(await close()).toBe(code);
  });

  test("an expired token or a revoked key closes its sockets with 4403", async () => {
    const { key, apiKey } = await desk.ada.createApiKey({ name: "K", scopes: ["READ"] });
    const token = await signAgentToken(SECRET, desk.ada.email, desk.clock.now(), 3_600_000);
    const after = await cursorNow(desk);
    const sockets = await Promise.all([key, token].map((each) => subscribed(desk, each, after)));
    await desk.ada.revokeApiKey({ apiKeyId: apiKey.id });
    desk.clock.advance(3_600_000);
    await onLine(desk).says("Who hears this?");
    expect(await Promise.all(sockets.map(({ closed }) => closed))).toEqual([4403, 4403]);
    before = await rowCounts(desk);
  });

  test.each([
    ["a deep query", `{ ${DEEP} }`, "QUERY_TOO_DEEP"],
    ["an invalid query", "{", "GRAPHQL_PARSE_FAILED"],
    ["an unknown field", "{ secrets }", "GRAPHQL_VALIDATION_FAILED"],
  ])("%s is answered with an error, and other operations continue", async (_, query, code) => {
    const socket = new WebSocket(`${desk.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
    const send = (message: object) => socket.send(JSON.stringify(message));
    const { promise, resolve } = Promise.withResolvers<unknown>();
    let received: unknown;
    socket.on("open", () => send(init(desk.ada.token)));
    socket.on("message", (data) => {
      const { type, id, payload } = JSON.parse(String(data));
      if (type === "connection_ack") send({ type: "subscribe", id: "bad", payload: { query } });
      if (type === "error" && id === "bad") {
        received = payload[0].extensions?.code;
        send({ type: "subscribe", id: "good", payload: { query: "{ viewer { role } }" } });
      }
      if (type === "next") resolve(payload.data);
    });
    expect(await promise).toEqual({ viewer: { role: "ADMIN" } });
    expect(received).toBe(code);
    socket.close();
  });
});
