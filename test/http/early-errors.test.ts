import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import type { FastifyInstance } from "fastify";
import pino from "pino";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { TemporarilyRefused } from "../../src/commands/work.ts";
import { httpServer } from "../../src/http/server.ts";
import { createMetrics } from "../../src/platform/metrics.ts";

let http: FastifyInstance;
let port: number;
/** Resolves when `/held` is asked, with a function that answers it. */
let held: PromiseWithResolvers<() => void>;
let stopping: PromiseWithResolvers<void>;
beforeEach(async () => {
  http = httpServer({
    logger: pino({ level: "silent" }),
    metrics: createMetrics(),
    trustProxy: false,
    isUpgrade: () => false,
    receiveWithin: { headers: 200, request: 200, checkEvery: 50 },
    ready: async () => {},
  });
  held = Promise.withResolvers();
  stopping = Promise.withResolvers();
  http.get("/things/:id", async () => ({}));
  http.get("/held", async () => {
    await new Promise<void>((answer) => held.resolve(answer));
    return { held: true };
  });
  http.get("/refused", () => Promise.reject(new TemporarilyRefused(new Error("deadlock"))));
  http.addHook("preClose", async () => stopping.resolve());
  port = Number(new URL(await http.listen({ host: "127.0.0.1", port: 0 })).port);
  onTestFinished(() => http.close());
});

/** Sends these bytes; returns the status and the body of the answer. */
async function answerTo(bytes: string): Promise<[number, unknown]> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.write(bytes);
  return parsed(await text(socket));
}

function parsed(answer: string): [number, unknown] {
  return [Number(answer.split(" ")[1]), JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")))];
}

const errorOf = (code: string) => ({ error: { code, message: expect.any(String) } });
const get = (path: string, headers = "") => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`;

test.each([
  ["no HTTP", "hello\r\n\r\n", 400, "BAD_REQUEST"],
  ["headers above 16 KB", get("/health", `X-Long: ${"x".repeat(20_000)}\r\n`), 431, "HEADERS_TOO_LARGE"],
  ["a request that does not end", "GET /health HTTP/1.1\r\n", 408, "REQUEST_TIMEOUT"],
  ["a path that cannot be decoded", get("/things/%zz"), 400, "FST_ERR_BAD_URL"],
  ["a parameter that is too long", get(`/things/${"x".repeat(101)}`), 414, "FST_ERR_MAX_PARAM_LENGTH"],
])("%s is answered in the format of all other errors", async (_, bytes, status, code) => {
  expect(await answerTo(bytes)).toEqual([status, errorOf(code)]);
});

test("a command that the database refuses for now is answered with 503 and retry-after", async () => {
  const response = await fetch(`http://127.0.0.1:${port}/refused`);
  expect([response.status, response.headers.get("retry-after"), await response.json()]).toEqual([
    503,
    "1",
    errorOf("UNAVAILABLE"),
  ]);
});

test("a request that arrives while the server stops is answered with 503 in the same format", async () => {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.write("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
  const release = await held.promise;
  const closed = http.close();
  await stopping.promise;
  const arrived = once(http.server, "request");
  socket.write(get("/things/1"));
  await arrived;
  release();
  const answers = (await text(socket)).split("HTTP/1.1 ").slice(1);
  expect(answers.map((answer) => parsed(`HTTP/1.1 ${answer}`))).toEqual([
    [200, { held: true }],
    [503, errorOf("UNAVAILABLE")],
  ]);
  await closed;
});
