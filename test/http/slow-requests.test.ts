import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { promisify } from "node:util";
import type { FastifyInstance } from "fastify";
import pino from "pino";
import { expect, onTestFinished, test } from "vitest";
import { httpServer, type ReceiveWithin } from "../../src/http/server.ts";
import { createMetrics } from "../../src/platform/metrics.ts";

function server(receiveWithin?: ReceiveWithin): FastifyInstance {
  const http = httpServer({
    logger: pino({ level: "silent" }),
    metrics: createMetrics(),
    trustProxy: false,
    isUpgrade: () => false,
    ...(receiveWithin === undefined ? {} : { receiveWithin }),
    ready: async () => {},
  });
  onTestFinished(() => void http.close());
  return http;
}

/** Sends these bytes on a new connection and nothing more. */
async function sending(http: FastifyInstance, bytes: string): Promise<Socket> {
  const address = http.server.address();
  if (address === null || typeof address === "string") throw new Error("The server does not listen.");
  const socket = connect(address.port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  socket.on("error", () => {});
  socket.write(bytes);
  return socket;
}

async function answerOn(socket: Socket): Promise<string> {
  let received = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    received += text;
  });
  await once(socket, "close", { signal: AbortSignal.timeout(15_000) });
  return received;
}

const HALF_BODY = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
const HALF_HEADERS = "GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ";

test("2,000 requests whose bodies never end, and one whose headers do not, are answered with 408 and closed; a stream stays open", async () => {
  const http = server({ headers: 300, request: 600, checkEvery: 100 });
  http.post("/echo", async (request) => request.body);
  http.get("/stream", (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { "content-type": "text/event-stream" }).write(":\n\n");
  });
  await http.listen({ host: "127.0.0.1", port: 0 });
  const stream = await sending(http, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  const sockets = await Promise.all(Array.from({ length: 2_000 }, () => sending(http, HALF_BODY)));
  sockets.push(await sending(http, HALF_HEADERS), await sending(http, ""));
  const answers = await Promise.all(sockets.map(answerOn));
  expect(answers.filter((answer) => !answer.startsWith("HTTP/1.1 408 "))).toEqual([]);
  expect(await promisify(http.server.getConnections.bind(http.server))()).toBe(1);
  expect(stream.closed).toBe(false);
});

test("by default headers may take 10 s and a request 30 s", () => {
  const { headersTimeout, requestTimeout } = server().server;
  expect([headersTimeout, requestTimeout]).toEqual([10_000, 30_000]);
});
