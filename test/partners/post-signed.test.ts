import type { Socket } from "node:net";
import { Webhook } from "standardwebhooks";
import { expect, onTestFinished, test } from "vitest";
import { type GuardedAgentOptions, guardedAgent } from "../../src/partners/guarded-agent.ts";
import { type PostResult, postSigned, type SignedPost } from "../../src/partners/post-signed.ts";
import { newWebhookSecret } from "../../src/partners/standard-webhooks.ts";
import { type RawServer, rawServer } from "../support/raw-server.ts";

test("S7: a partner verifies what was posted, with the old and with the new secret", async () => {
  const server = await serverThat((socket) => socket.write("HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok"));
  const secrets = [newWebhookSecret(), newWebhookSecret()] as const;
  expect(await post(`${server.origin}/in?desk=1`, { id: "delivery-1", secrets })).toEqual({
    type: "Responded",
    status: 202,
    retryAfter: null,
    bodyExcerpt: "ok",
  });
  const [[head = "", body = ""] = []] = server.requests.map((request) => request.split("\r\n\r\n"));
  expect(head).toMatch(/^POST \/in\?desk=1 HTTP\/1.1\r\n/);
  const headers = Object.fromEntries(head.split("\r\n").map((line) => line.split(": ")));
  expect(headers).toMatchObject({
    "content-type": "application/json",
    "user-agent": "Deskgate",
    "webhook-id": "delivery-1",
  });
  for (const secret of secrets) expect(new Webhook(secret).verify(body, headers)).toEqual({ text: "hello" });
});

test("P2: a redirect and its header are the answer", async () => {
  const server = await serverThat((socket) => {
    socket.write("HTTP/1.1 301 Moved\r\nLocation: http://10.0.0.1/\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n");
  });
  expect(await post(server.origin)).toEqual({ type: "Responded", status: 301, retryAfter: "120", bodyExcerpt: "" });
  expect(server.requests).toHaveLength(1);
});

test.each([
  ["is cut at 4 KB between characters", Buffer.from(`ab${"語".repeat(2_000)}`), `ab${"語".repeat(1_364)}`],
  ["can be stored", Buffer.from([0x61, 0x00, 0xff, 0x62]), "a\uFFFD\uFFFDb"],
])("P2: the excerpt of the body %s", async (_what, body, bodyExcerpt) => {
  const server = await serverThat((socket) => {
    socket.write(`HTTP/1.1 500 Broken\r\nContent-Length: ${body.length}\r\n\r\n`);
    socket.write(body);
  });
  expect(await post(server.origin)).toMatchObject({ status: 500, bodyExcerpt });
});

test.each([
  "ftp://partner.example/",
  "file:///etc/passwd",
  "javascript:1",
  "ws://partner.example/",
  "partner.example",
  "",
])("P4: the URL '%s' is refused", async (url) => {
  expect(await post(url)).toEqual({ type: "NotBegun", reason: "URL_REFUSED" });
});

test("P4: a private address is refused, and nothing is sent", async () => {
  const server = await serverThat(() => {});
  const url = `http://partner.example:${server.port}/`;
  const refused = { type: "NotBegun", reason: "ADDRESS_REFUSED", addressClass: "LOOPBACK" };
  expect(await post(server.origin, {}, { allowedNetworks: [] })).toEqual(refused);
  expect(await post(url, {}, { allowedNetworks: [], resolve: partnerAt(["127.0.0.1"]) })).toEqual(refused);
  expect(server.connections).toBe(0);
});

test("P4: a connection that fails reveals no address", async () => {
  const server = await serverThat(() => {});
  await server[Symbol.asyncDispose]();
  const url = `http://partner.example:${server.port}/`;
  const refused = { type: "NotBegun", reason: "CONNECT_FAILED", code: "ECONNREFUSED" };
  expect(await post(url, {}, { resolve: partnerAt(["127.0.0.1"]) })).toEqual(refused);
  expect(await post(url, {}, { resolve: partnerAt(["127.0.0.1", "127.0.0.2"]) })).toEqual(refused);
});

test("S6: a post whose name is found after its begin deadline is not sent", async () => {
  const server = await serverThat((socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  const found = Promise.withResolvers<void>();
  const onBegun = (): void => expect.unreachable();
  const agent = guarded({
    connections: 1,
    resolve: async () => {
      await found.promise;
      return [{ address: "127.0.0.1", family: 4 }];
    },
  });
  const url = `http://partner.example:${server.port}/`;
  const late = postSigned(agent, { ...hello(url), begin: { deadline: performance.now() + 30, onBegun } });
  expect(await late).toEqual({ type: "NotBegun", reason: "BEGIN_DEADLINE_PASSED" });
  found.resolve();
  expect(await postSigned(agent, { ...hello(url), id: "next" })).toMatchObject({ status: 200 });
  expect(server.requests.map((request) => /webhook-id: (.*)\r\n/.exec(request)?.[1])).toEqual(["next"]);
});

test("S6: a post has begun when it was given to the connection", async () => {
  let begun = 0;
  const server = await serverThat((socket) => socket.resetAndDestroy());
  const begin = { deadline: performance.now() + 60_000, onBegun: () => void begun++ };
  expect(await post(server.origin, { begin })).toEqual({ type: "Ambiguous", reason: "CONNECTION_LOST" });
  expect(begun).toBe(1);
});

test("S2: a post ends after its time-out", async () => {
  const server = await serverThat(() => {});
  expect(await post(server.origin, { timeout: 50 })).toEqual({ type: "Ambiguous", reason: "TIMED_OUT" });
});

async function serverThat(answer: (socket: Socket, request: string) => void): Promise<RawServer> {
  const server = await rawServer(answer);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

function guarded(options: Partial<GuardedAgentOptions> = {}) {
  const agent = guardedAgent({ allowedNetworks: ["127.0.0.0/8"], ...options });
  onTestFinished(() => agent.destroy());
  return agent;
}

function partnerAt(addresses: readonly string[]): NonNullable<GuardedAgentOptions["resolve"]> {
  return async () => addresses.map((address) => ({ address, family: 4 }));
}

function hello(url: string): SignedPost {
  const body = Buffer.from(JSON.stringify({ text: "hello" }));
  return { url, id: "delivery", sentAt: Date.now(), body, secrets: [newWebhookSecret()] };
}

function post(
  url: string,
  given: Partial<SignedPost> = {},
  options: Partial<GuardedAgentOptions> = {},
): Promise<PostResult> {
  return postSigned(guarded(options), { ...hello(url), ...given });
}
