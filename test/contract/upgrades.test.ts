import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, onTestFinished, test } from "vitest";
import { bootDesk } from "../support/app.ts";

const desk = await bootDesk({ env: { ALLOWED_ORIGINS: "https://desk.example" } });
const { port } = new URL(desk.url);

describe("an Upgrade header that is not a WebSocket's diverts no request", () => {
  /** Sends a request with this `Upgrade` header; returns status and body. */
  async function ask(
    method: string,
    path: string,
    upgrade: string,
    headers = {},
    body = "",
  ): Promise<[number, unknown]> {
    const sent = request({
      port,
      host: "localhost",
      method,
      path,
      headers: { connection: "Upgrade", upgrade, "content-length": Buffer.byteLength(body), ...headers },
    });
    sent.end(body);
    const [response] = await once(sent, "response", { signal: AbortSignal.timeout(5_000) });
    return [response.statusCode, JSON.parse(await text(response))];
  }

  const json = { "content-type": "application/json", authorization: `Bearer ${desk.ada.token}` };
  const ROLE = JSON.stringify({ query: "{ viewer { role } }" });
  const MINE = { data: { viewer: { role: "ADMIN" } } };

  test.each(["h2c", "TLS/1.0", "websocket", "websocket, h2c"])("%s", async (upgrade) => {
    expect(await ask("GET", "/health", upgrade)).toEqual([200, { status: "ok" }]);
    expect(await ask("POST", "/graphql", upgrade, json, ROLE)).toEqual([200, MINE]);
    expect(await ask("POST", `/webhooks/line/${desk.line}`, upgrade, {}, "{}")).toEqual([
      401,
      { error: { code: "INVALID_SIGNATURE", message: expect.any(String) } },
    ]);
    expect(await ask("GET", "/graphqls", upgrade)).toEqual([
      404,
      { error: { code: "NOT_FOUND", message: expect.any(String) } },
    ]);
  });

  test("h2c on GET /graphql", async () => {
    const path = `/graphql?query=${encodeURIComponent("{ viewer { role } }")}`;
    expect(await ask("GET", path, "h2c", { ...json })).toEqual([200, MINE]);
  });
});

test("a refused upgrade is closed, even if the client does not close it", async () => {
  const socket = connect({ port: Number(port), host: "localhost", allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(
    [
      "GET /graphql HTTP/1.1",
      "Host: localhost",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Origin: https://evil.example",
      "\r\n",
    ].join("\r\n"),
  );
  const [answer] = await once(socket, "data");
  expect(String(answer)).toMatch(/^HTTP\/1\.1 403 /);
  await once(socket, "end");
  // A server that has released the connection resets it when more bytes arrive; the write after that fails.
  const writing = setInterval(() => socket.write("x"), 10);
  onTestFinished(() => clearInterval(writing));
  const closed = once(socket, "close", { signal: AbortSignal.timeout(3_000) });
  await expect(closed).rejects.toThrow(/EPIPE|ECONNRESET/);
});
