import { createParser } from "eventsource-parser";
import type { FastifyInstance } from "fastify";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LineChannel } from "../../src/demo/line/channel.ts";
import { phonePage } from "../../src/demo/line/phone-page.ts";
import { type FakeLine, startFakeLine } from "../../src/demo/line/server.ts";
import { httpServer } from "../../src/http/server.ts";
import { createMetrics } from "../../src/platform/metrics.ts";
import { testClock } from "../support/clock.ts";

const MIKA = "U0000000000000000000000000000000a";
const clock = testClock();

let line: FakeLine;
let channel: LineChannel;
let http: FastifyInstance;
let url: string;
beforeEach(async () => {
  line = await startFakeLine({ clock });
  channel = line.addChannel({ id: "shop", secret: "secret", displayName: "Shop", accessToken: "token" });
  channel.addUser(MIKA, "Mika");
  http = httpServer({
    logger: pino({ level: "silent" }),
    metrics: createMetrics(),
    trustProxy: false,
    isUpgrade: () => false,
    ready: async () => {},
  });
  await http.register(await phonePage({ channel, clock }));
  url = `${await http.listen({ host: "127.0.0.1", port: 0 })}/demo/line`;
});
afterEach(async () => {
  await http.close();
  await line.stop();
});

async function ask(path: string, body?: unknown) {
  const init =
    body === undefined
      ? {}
      : { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  const response = await fetch(`${url}${path}`, init);
  return { status: response.status, body: await response.json() };
}

const act = (action: object) => ask(`/users/${MIKA}/actions`, action);
const screen = async () => (await ask(`/users/${MIKA}`)).body;
const push = (text: string) =>
  fetch(`${line.url}/v2/bot/message/push`, {
    method: "POST",
    headers: { authorization: "Bearer token", "content-type": "application/json" },
    body: JSON.stringify({ to: MIKA, messages: [{ type: "text", text }] }),
  });

test("the page has no script or style but files of its own, and its policy allows nothing else", async () => {
  const page = await fetch(url);
  expect(page.headers.get("content-security-policy")).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
      "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  const html = await page.text();
  expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
  const links = [...html.matchAll(/(?:src|href)="(\/demo[^"]*)"/g)].map(([, path]) => path);
  expect(links).toEqual(["/demo/line/chat.css", "/demo/line/phone.css", "/demo/line/phone.js"]);
  for (const path of [...links, "/demo/line/chat.js"]) {
    const { status, headers } = await fetch(new URL(path ?? "", url));
    expect([path, status, headers.get("x-content-type-options")]).toEqual([path, 200, "nosniff"]);
  }
});

test("it knows the account and its users, and takes a new one", async () => {
  const { body: added } = await ask("/users", { displayName: " Noor " });
  expect(added).toEqual({ userId: expect.stringMatching(/^U[0-9a-f]{32}$/), displayName: "Noor" });
  expect((await ask("/users")).body).toEqual({
    account: { displayName: "Shop", basicId: channel.account.basicId },
    users: [{ userId: MIKA, displayName: "Mika" }, added],
  });
  expect((await ask("/users", { displayName: " " })).status).toBe(400);
});

test("it shows both sides of the chat", async () => {
  expect((await act({ type: "write", text: "Hello" })).status).toBe(202);
  await push("Hi");
  expect(await screen()).toEqual({
    userId: MIKA,
    displayName: "Mika",
    isFriend: true,
    loadingFor: 0,
    entries: [
      {
        id: expect.any(String),
        at: clock.now(),
        from: "user",
        message: { type: "text", text: "Hello" },
        read: false,
        unsent: false,
      },
      { id: expect.any(String), at: clock.now(), from: "account", message: { type: "text", text: "Hi" } },
    ],
  });
});

test("it keeps the last 200 entries", async () => {
  for (let index = 0; index < 201; index += 1) channel.writeAs(MIKA, String(index));
  const { entries } = await screen();
  expect([entries.length, entries[0].message.text]).toEqual([200, "1"]);
});

test("it says how long the account is still writing", async () => {
  channel.account.showLoading({ chatId: MIKA, loadingSeconds: 5 });
  expect((await screen()).loadingFor).toBe(5_000);
  await act({ type: "unfollow" });
  expect((await screen()).loadingFor).toBe(0);
});

describe("what is refused", () => {
  test("to write to an account that one blocks, until one unblocks it", async () => {
    await act({ type: "unfollow" });
    expect((await act({ type: "write", text: "Hello" })).status).toBe(409);
    await act({ type: "follow" });
    expect((await act({ type: "write", text: "Hello" })).status).toBe(202);
  });

  test("to unsend what is not one's own, and the same twice", async () => {
    await push("Hi");
    const [{ id }] = (await screen()).entries;
    expect((await act({ type: "unsend", messageId: id })).status).toBe(409);
    const { messageId } = (await act({ type: "write", text: "Oh" })).body;
    expect((await act({ type: "unsend", messageId })).status).toBe(202);
    expect((await act({ type: "unsend", messageId })).status).toBe(409);
    expect((await screen()).entries).toMatchObject([{ from: "account" }, { unsent: true }]);
  });

  test.each([{ type: "dance" }, { type: "write" }, { type: "write", text: "" }])("%o", async (action) => {
    expect((await act(action)).status).toBe(400);
  });

  test("a user who is not known", async () => {
    expect((await ask("/users/U2")).status).toBe(404);
    expect((await ask("/users/U2/actions", { type: "follow" })).status).toBe(404);
  });
});

describe("images", () => {
  const send = (contentType: string) =>
    fetch(`${url}/users/${MIKA}/images`, {
      method: "POST",
      body: "a picture",
      headers: { "content-type": contentType },
    });

  test("are sent, shown, and gone after an unsend", async () => {
    const { messageId } = await (await send("image/png")).json();
    const image = await fetch(`${url}/users/${MIKA}/images/${messageId}`);
    expect([image.headers.get("content-type"), await image.text()]).toEqual(["image/png", "a picture"]);
    expect(image.headers.get("content-security-policy")).toBe("default-src 'none'; sandbox");
    await act({ type: "unsend", messageId });
    expect((await fetch(`${url}/users/${MIKA}/images/${messageId}`)).status).toBe(404);
  });

  test.each(["image/svg+xml", "text/html"])("%s is 415", async (contentType) => {
    expect((await send(contentType)).status).toBe(415);
  });
});

test("a stream tells of each change, and ends when the server stops", async () => {
  const response = await fetch(`${url}/users/${MIKA}/changes`);
  const ids: string[] = [];
  const parser = createParser({ onEvent: ({ id }) => ids.push(id ?? "") });
  const ended = (async () => {
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) parser.feed(chunk);
  })();
  await push("Hi");
  await expect.poll(() => ids).toEqual(["1"]);
  await act({ type: "unfollow" });
  await expect.poll(() => ids).toEqual(["1", "2"]);
  await http.close();
  await ended;
});
