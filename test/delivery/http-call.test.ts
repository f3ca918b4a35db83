import type { Socket } from "node:net";
import { Agent, buildConnector, type Dispatcher, errors, RetryAgent } from "undici";
import { describe, expect, onTestFinished, test } from "vitest";
import { type HttpCall, type HttpCallResult, httpCall } from "../../src/delivery/http-call.ts";
import { type RawServer, rawServer } from "../support/raw-server.ts";

describe("a call that is answered", () => {
  test("has the status, the headers and the body", async () => {
    const server = await serverThat((socket) => {
      socket.write("HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 2\r\n\r\nno");
    });
    const result = await call(agent(), `${server.origin}/push?to=1`, { headers: { "x-line-retry-key": "k" } });
    expect(result).toEqual({
      type: "Responded",
      status: 429,
      headers: new Map(Object.entries({ "retry-after": "7", "x-a": "1, 2", "content-length": "2" })),
      body: Buffer.from("no"),
      isBodyCut: false,
    });
    const host = server.origin.replace("http://", "");
    expect(server.requests).toEqual([
      `POST /push?to=1 HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\nx-line-retry-key: k\r\ncontent-length: 4\r\n\r\nbody`,
    ]);
  });

  test("S6: has begun when its bytes were given to the connection, before the answer", async () => {
    const log: string[] = [];
    const server = await serverThat((socket) => {
      log.push("arrived");
      socket.write(OK);
    });
    await call(agent(), server.origin, { begin: { deadline: inOneMinute(), onBegun: () => log.push("begun") } });
    expect(log).toEqual(["begun", "arrived"]);
  });

  test("may have informational answers before the final one", async () => {
    const server = await serverThat((socket) => socket.write(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`));
    expect(await call(agent(), server.origin)).toMatchObject({ status: 200, body: Buffer.from("ok") });
  });

  test("P4: is not redirected", async () => {
    const server = await serverThat((socket) => {
      socket.write("HTTP/1.1 307 Elsewhere\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
    });
    expect(await call(agent(), server.origin)).toMatchObject({ status: 307 });
    expect(server.requests).toHaveLength(1);
  });

  test.each([
    [4_096, 4_096, false],
    [4_097, 4_096, true],
    [1_000_000, 4_096, true],
  ])("of %i bytes is read up to %i", async (length, read, isBodyCut) => {
    const server = await serverThat((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${"a".repeat(length)}`);
    });
    expect(await call(agent(), server.origin)).toMatchObject({ body: Buffer.alloc(read, "a"), isBodyCut });
  });

  test.each([
    ["breaks off", (socket: Socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"), 60_000],
    ["never ends", (socket: Socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"), 100],
  ])("keeps its status if the body %s", async (_how, answer, timeout) => {
    const server = await serverThat(answer);
    expect(await call(agent(), server.origin, { timeout })).toMatchObject({
      type: "Responded",
      status: 200,
      body: Buffer.from("ok"),
      isBodyCut: true,
    });
  });
});

describe("S6: a call that has not begun", () => {
  test("was refused by the other side", async () => {
    const server = await serverThat(() => {});
    await server[Symbol.asyncDispose]();
    expect(await call(agent(), server.origin)).toMatchObject({
      type: "NotBegun",
      reason: "CONNECT_FAILED",
      error: { code: "ECONNREFUSED" },
    });
  });

  test("was made when its deadline had passed", async () => {
    const server = await serverThat((socket) => socket.write(OK));
    expect(await callBy(agent(), server, performance.now() - 1)).toEqual(DEADLINE_PASSED);
    expect(server.connections).toBe(0);
  });

  test("waits for a handshake that never ends, until its deadline", async () => {
    const server = await serverThat(() => {});
    const secure = server.origin.replace("http:", "https:");
    const begin = { deadline: performance.now() + 50, onBegun: unexpected };
    expect(await call(agent(), secure, { begin })).toEqual(DEADLINE_PASSED);
    expect(server.requests).toEqual([]);
  });

  test("waits for a connection until its time-out, if it has no deadline", async () => {
    const server = await serverThat(() => {});
    const secure = server.origin.replace("http:", "https:");
    expect(await call(agent(), secure, { timeout: 50 })).toEqual(DEADLINE_PASSED);
  });

  test("sends nothing when the connection opens after its deadline", async () => {
    const server = await serverThat((socket) => socket.write(OK));
    const opening = Promise.withResolvers<void>();
    const dispatcher = agent((open) => void opening.promise.then(open), { connections: 1 });
    expect(await callBy(dispatcher, server, performance.now() + 50)).toEqual(DEADLINE_PASSED);
    opening.resolve();
    await expectOnlyTheNextCall(dispatcher, server);
  });

  test("sends nothing when the event loop stalled from before the connection until after its deadline", async () => {
    const server = await serverThat((socket) => socket.write(OK));
    const deadline = performance.now() + 100;
    // The connection opens in time, and the stall ends in the same turn of the event loop: no timer can run before.
    const dispatcher = agent(
      (open) => {
        stallUntil(deadline);
        open();
      },
      { connections: 1 },
    );
    expect(await callBy(dispatcher, server, deadline)).toEqual(DEADLINE_PASSED);
    await expectOnlyTheNextCall(dispatcher, server);
  });

  test("sends nothing when the event loop stalls while an idle connection is taken up again", async () => {
    const server = await serverThat((socket) => socket.write(OK));
    const dispatcher = agent();
    await call(dispatcher, server.origin);
    const deadline = performance.now() + 20;
    const late = callBy(dispatcher, server, deadline);
    stallUntil(deadline);
    expect(await late).toEqual(DEADLINE_PASSED);
    await call(dispatcher, server.origin, { body: Buffer.from("next") });
    expect(server.requests.map(bodyOf)).toEqual(["body", "next"]);
  });

  test("waits behind another call, until its deadline", async () => {
    const first = Promise.withResolvers<Socket>();
    const server = await serverThat((socket, request) => {
      if (request.endsWith("first")) first.resolve(socket);
      else socket.write(OK);
    });
    const dispatcher = agent(undefined, { connections: 1 });
    const slow = call(dispatcher, server.origin, { body: Buffer.from("first") });
    const socket = await first.promise;
    expect(await callBy(dispatcher, server, performance.now() + 20)).toEqual(DEADLINE_PASSED);
    socket.write(OK);
    expect(await slow).toMatchObject({ status: 200 });
    await call(dispatcher, server.origin, { body: Buffer.from("next") });
    expect(server.requests.map(bodyOf)).toEqual(["first", "next"]);
  });

  test("was made after the dispatcher was closed", async () => {
    const server = await serverThat((socket) => socket.write(OK));
    const dispatcher = agent();
    await dispatcher.close();
    expect(await call(dispatcher, server.origin)).toMatchObject({
      type: "NotBegun",
      reason: "CONNECT_FAILED",
      error: { code: "UND_ERR_DESTROYED" },
    });
  });
});

describe("S4: a call is ambiguous if it began and", () => {
  test.each([
    ["the connection is reset", (socket: Socket) => socket.resetAndDestroy()],
    ["the connection is closed", (socket: Socket) => socket.end()],
    ["the connection is closed within the headers", (socket: Socket) => socket.end("HTTP/1.1 200 OK\r\nContent-")],
    ["the answer is not HTTP", (socket: Socket) => socket.end("220 smtp.example ESMTP\r\n")],
    ["the answer upgrades the connection", (socket: Socket) => socket.write("HTTP/1.1 101 Go\r\nUpgrade: x\r\n\r\n")],
  ])("%s", async (_how, answer) => {
    const server = await serverThat(answer);
    let begun = 0;
    const begin = { deadline: inOneMinute(), onBegun: () => void begun++ };
    expect(await call(agent(), server.origin, { begin })).toEqual({ type: "Ambiguous", reason: "CONNECTION_LOST" });
    expect(begun).toBe(1);
    expect(server.requests).toHaveLength(1);
  });

  test("no answer comes in time, also after its begin deadline", async () => {
    const server = await serverThat(() => {});
    const begin = { deadline: performance.now() + 50, onBegun: () => {} };
    expect(await call(agent(), server.origin, { timeout: 100, begin })).toEqual({
      type: "Ambiguous",
      reason: "TIMED_OUT",
    });
  });

  test("the dispatcher would send it again", async () => {
    const server = await serverThat((socket) => socket.resetAndDestroy());
    const retrying = new RetryAgent(agent(), { methods: ["POST"], minTimeout: 1 });
    expect(await call(retrying, server.origin)).toEqual({ type: "Ambiguous", reason: "CONNECTION_LOST" });
    expect(server.requests).toHaveLength(1);
  });

  test("the dispatcher is destroyed", async () => {
    const dispatcher = agent();
    const server = await serverThat(() => void dispatcher.destroy());
    expect(await call(dispatcher, server.origin)).toEqual({ type: "Ambiguous", reason: "CONNECTION_LOST" });
  });
});

test("a header that HTTP does not allow is a fault of the caller", async () => {
  const server = await serverThat((socket) => socket.write(OK));
  await expect(call(agent(), server.origin, { headers: { "x-a": "1\r\nx-b: 2" } })).rejects.toThrow(
    errors.InvalidArgumentError,
  );
  expect(server.requests).toEqual([]);
});

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

const DEADLINE_PASSED: HttpCallResult = { type: "NotBegun", reason: "BEGIN_DEADLINE_PASSED" };

const inOneMinute = (): number => performance.now() + 60_000;

function unexpected(): void {
  throw new Error("The call must not begin.");
}

async function serverThat(answer: (socket: Socket, request: string) => void): Promise<RawServer> {
  const server = await rawServer(answer);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** `hold` gets each opened connection's hand-over to undici, to delay it. */
function agent(hold: (open: () => void) => void = (open) => open(), options: Agent.Options = {}): Agent {
  const dial = buildConnector({ allowH2: false });
  const dispatcher = new Agent({
    allowH2: false,
    ...options,
    connect: (options, callback) => dial(options, (...opened) => hold(() => callback(...opened))),
  });
  onTestFinished(() => dispatcher.destroy());
  return dispatcher;
}

function call(dispatcher: Dispatcher, url: string, given: Partial<HttpCall> = {}): Promise<HttpCallResult> {
  return httpCall(dispatcher, {
    method: "POST",
    url: new URL(url),
    headers: {},
    body: Buffer.from("body"),
    timeout: 60_000,
    ...given,
  });
}

function callBy(dispatcher: Agent, server: RawServer, deadline: number): Promise<HttpCallResult> {
  return call(dispatcher, server.origin, { begin: { deadline, onBegun: unexpected } });
}

/** The connection that was opened too late is kept: the next call uses it, and its bytes are the first on it. */
async function expectOnlyTheNextCall(dispatcher: Agent, server: RawServer): Promise<void> {
  expect(await call(dispatcher, server.origin, { body: Buffer.from("next") })).toMatchObject({ status: 200 });
  expect(server.requests.map(bodyOf)).toEqual(["next"]);
  expect(server.connections).toBe(1);
}

function stallUntil(time: number): void {
  while (performance.now() <= time) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}

function bodyOf(request: string): string {
  return request.slice(request.indexOf("\r\n\r\n") + 4);
}
