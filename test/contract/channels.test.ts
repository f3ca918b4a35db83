import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bootDesk, type Desk, lineSignature, lineText, rowId } from "../support/app.ts";
import type { Client } from "../support/client.ts";
import { onLine } from "../support/people.ts";

const CHANNEL_SECRET = "0123456789abcdef0123456789abcdef";
const ACCESS_TOKEN = "token/+=of.the-bot";

/** A LINE that knows one access token; other tokens choose how it fails. */
const line = createServer((request, response) => {
  const token = request.headers.authorization?.replace("Bearer ", "");
  if (request.url !== "/line/v2/bot/info") response.writeHead(404).end();
  else if (token === ACCESS_TOKEN) {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ userId: "U1", basicId: "@shop", displayName: "Shop", chatMode: "bot" }));
  } else if (token === "broken") response.writeHead(500).end("oops");
  else if (token === "strange") response.end("<html>");
  else if (token === "elsewhere") response.writeHead(302, { location: "/line/v2/bot/info" }).end();
  else if (token !== "silent") response.writeHead(401).end("{}");
});

let desk: Desk;

beforeAll(async () => {
  await new Promise<void>((resolve) => line.listen(0, "127.0.0.1", resolve));
  const { port } = line.address() as AddressInfo;
  desk = await bootDesk({
    env: { PUBLIC_URL: "https://desk.example/", LINE_API_URL: `http://127.0.0.1:${port}/line` },
  });
});

afterAll(() => {
  line.closeAllConnections();
  line.close();
});

const lineChannel = (given: object = {}) => ({
  kind: "LINE",
  name: "Shop",
  line: { channelSecret: CHANNEL_SECRET, accessToken: ACCESS_TOKEN, ...given },
});

async function stored(channelId: string) {
  return desk.app.database.prisma.channel.findUniqueOrThrow({ where: { id: rowId(channelId) } });
}

describe("createChannel", () => {
  test("LINE: secrets are set and never returned, and the webhook takes its signatures at once", async () => {
    const { channel } = await desk.ada.createChannel({ ...lineChannel(), name: "  Shop " });
    expect(channel).toEqual({
      id: channel.id,
      name: "Shop",
      kind: "LINE",
      webhookUrl: `https://desk.example/webhooks/line/${channel.id}`,
      hasChannelSecret: true,
      hasAccessToken: true,
      fault: null,
      archivedAt: null,
    });
    const body = JSON.stringify({ destination: "U0", events: [lineText("U1", "Hello")] });
    const response = await fetch(`${desk.url}/webhooks/line/${channel.id}`, {
      method: "POST",
      headers: { "x-line-signature": lineSignature(body, CHANNEL_SECRET) },
      body,
    });
    expect(response.status).toBe(200);
  });

  test("secrets are encrypted at rest, each with its own IV", async () => {
    const rows = await Promise.all(
      [1, 2].map(async () => stored((await desk.ada.createChannel(lineChannel())).channel.id)),
    );
    const values = rows.flatMap(({ secret, accessToken }) => [secret, accessToken]);
    for (const value of values) expect(value).toMatch(/^v1\.[0-9a-f]{16}\.[\w-]+$/);
    expect(new Set(values).size).toBe(4);
    expect(JSON.stringify(rows)).not.toMatch(new RegExp(`${CHANNEL_SECRET}|of.the-bot`));
  });

  test("the other kinds", async () => {
    const webChat = { kind: "WEB_CHAT", name: "Web", webChat: { allowedOrigins: ["https://shop.example", "*"] } };
    const custom = { kind: "CUSTOM", name: "Partner", custom: { deliveryUrl: "https://partner.example/in?key=1" } };
    for (const input of [webChat, custom]) {
      const { channel } = await desk.ada.createChannel(input);
      expect(channel).toMatchObject({ kind: input.kind, webhookUrl: null, hasChannelSecret: false, fault: null });
    }
    const { channel } = await desk.ada.createChannel(custom);
    expect(await stored(channel.id)).toMatchObject({ deliveryUrl: custom.custom.deliveryUrl });
  });

  test("an administrator reads the settings that are not secret, and nobody else does", async () => {
    const webChat = { kind: "WEB_CHAT", name: "Web", webChat: { allowedOrigins: ["https://shop.example"] } };
    const custom = { kind: "CUSTOM", name: "Partner", custom: { deliveryUrl: "https://partner.example/in?key=1" } };
    const ids = [
      (await desk.ada.createChannel(webChat)).channel.id,
      (await desk.ada.createChannel(custom)).channel.id,
      (await desk.ada.createChannel(lineChannel({ showLoading: true }))).channel.id,
    ];
    const read = async (client: Client): Promise<unknown[]> =>
      Promise.all(
        ids.map(async (id) => {
          const query =
            "query ($id: ID!) { node(id: $id) { ... on Channel { allowedOrigins deliveryUrl showLoading markAsRead } } }";
          const { data } = await client.graphql<{ node: object }>(query, { id });
          return Object.values(data.node);
        }),
      );
    expect(await read(desk.ada)).toEqual([
      [webChat.webChat.allowedOrigins, null, null, null],
      [null, custom.custom.deliveryUrl, null, null],
      [null, null, true, false],
    ]);
    for (const client of [desk.ben, desk.vic, desk.as(await desk.key("read"))]) {
      expect(await read(client)).toEqual(Array(3).fill([null, null, null, null]));
    }
  });

  test.each<[string, object, string]>([
    ["a blank name", { kind: "LINE", name: " " }, "name"],
    ["the block of another kind", { kind: "LINE", name: "x", webChat: { allowedOrigins: [] } }, "webChat"],
    ["the block of another kind", { kind: "WEB_CHAT", name: "x", custom: { deliveryUrl: null } }, "custom"],
    ["the block of another kind", { kind: "CUSTOM", name: "x", line: {} }, "line"],
    ["an empty secret", lineChannel({ channelSecret: "" }), "line.channelSecret"],
    ["a token that no header can carry", lineChannel({ accessToken: "a\nb" }), "line.accessToken"],
    [
      "a path in an origin",
      { kind: "WEB_CHAT", name: "x", webChat: { allowedOrigins: ["*", "https://shop.example/"] } },
      "webChat.allowedOrigins.1",
    ],
    [
      "a user name in an origin",
      { kind: "WEB_CHAT", name: "x", webChat: { allowedOrigins: ["https://a@shop.example"] } },
      "webChat.allowedOrigins.0",
    ],
    [
      "an origin of another scheme",
      { kind: "WEB_CHAT", name: "x", webChat: { allowedOrigins: ["ftp://shop.example"] } },
      "webChat.allowedOrigins.0",
    ],
    ["no web address", { kind: "CUSTOM", name: "x", custom: { deliveryUrl: "partner.example" } }, "custom.deliveryUrl"],
    [
      "a password in the address",
      { kind: "CUSTOM", name: "x", custom: { deliveryUrl: "https://me:hunter2@partner.example" } },
      "custom.deliveryUrl",
    ],
  ])("%s is refused with its path", async (_, input, path) => {
    const count = await desk.app.database.prisma.channel.count();
    const answer = await desk.ada.attempt("createChannel", input);
    expect([answer.code, answer.fields?.map((field) => field.path)]).toEqual(["INVALID_INPUT", [path]]);
    expect(JSON.stringify(answer)).not.toContain("hunter2");
    expect(await desk.app.database.prisma.channel.count()).toBe(count);
  });
});

describe("updateChannel", () => {
  test("what is omitted stays, null removes, and the same again changes nothing", async () => {
    const { channel } = await desk.ada.createChannel(lineChannel());
    const channelId = channel.id;
    const before = await stored(channelId);
    expect(await desk.ada.updateChannel({ channelId })).toMatchObject({ changed: false });
    expect(await desk.ada.updateChannel({ channelId, name: null, line: null })).toMatchObject({ changed: false });
    expect(await desk.ada.updateChannel({ channelId, ...{ line: lineChannel().line } })).toMatchObject({
      changed: false,
    });
    expect(await stored(channelId)).toEqual(before);

    expect(await desk.ada.updateChannel({ channelId, name: "Store", line: { accessToken: null } })).toMatchObject({
      changed: true,
      channel: { name: "Store", hasChannelSecret: true, hasAccessToken: false },
    });
    expect((await stored(channelId)).secret).toBe(before.secret);
  });

  test("signals are off until they are set; null turns them off", async () => {
    const { id: channelId } = (await desk.ada.createChannel(lineChannel())).channel;
    const settings = async (line: object): Promise<unknown[]> => {
      const { changed } = await desk.ada.updateChannel({ channelId, line });
      const { showsLoading, marksRead } = await stored(channelId);
      return [changed, showsLoading, marksRead];
    };
    expect(await settings({})).toEqual([false, false, false]);
    expect(await settings({ markAsRead: true })).toEqual([true, false, true]);
    expect(await settings({ showLoading: true })).toEqual([true, true, true]);
    expect(await settings({ showLoading: true })).toEqual([false, true, true]);
    expect(await settings({ showLoading: null, markAsRead: false })).toEqual([true, false, false]);
  });

  test("a new channel secret is the one that signs from now on", async () => {
    const { channel } = await desk.ada.createChannel(lineChannel());
    const deliver = async (secret: string): Promise<number> => {
      const body = JSON.stringify({ destination: "U0", events: [] });
      const headers = { "x-line-signature": lineSignature(body, secret) };
      return (await fetch(`${desk.url}/webhooks/line/${channel.id}`, { method: "POST", headers, body })).status;
    };
    expect(await deliver(CHANNEL_SECRET)).toBe(200);
    await desk.ada.updateChannel({ channelId: channel.id, line: { channelSecret: "rotated" } });
    expect([await deliver(CHANNEL_SECRET), await deliver("rotated")]).toEqual([401, 200]);
    await desk.ada.updateChannel({ channelId: channel.id, line: { channelSecret: null } });
    expect(await deliver("rotated")).toBe(401);
  });

  test("the block of another kind is refused with its path", async () => {
    const answer = await desk.ada.attempt("updateChannel", {
      channelId: desk.webChat,
      line: { accessToken: "x" },
      custom: { deliveryUrl: "https://partner.example" },
    });
    expect(answer.fields?.map(({ path }) => path)).toEqual(["line", "custom"]);
  });

  test("two changes at once: both take effect, and the audit log has both in order", async () => {
    const channelId = (await desk.ada.createChannel(lineChannel())).channel.id;
    await Promise.all(
      Array.from({ length: 8 }, (_, index) => desk.ada.updateChannel({ channelId, name: `name ${index}` })),
    );
    const entries = await desk.app.database.prisma.auditLogEntry.findMany({
      where: { subjectId: rowId(channelId), action: "CHANNEL_UPDATED" },
    });
    const names = entries.map(({ before, after }) => [before, after].map((each) => Object(each).name));
    // A chain: each change starts from what another one left.
    expect(new Set(names.map(([from]) => from)).size).toBe(8);
    expect(names.map(([from]) => from).filter((from) => names.every(([, to]) => to !== from))).toEqual(["Shop"]);
  });
});

describe("testChannel", () => {
  const testWith = async (accessToken: string | null) => {
    const { channel } = await desk.ada.createChannel(lineChannel({ accessToken }));
    return desk.ada.testChannel({ channelId: channel.id });
  };

  test("LINE says who the bot is", async () => {
    expect(await testWith(ACCESS_TOKEN)).toEqual({
      __typename: "TestChannelSuccess",
      ok: true,
      displayName: "Shop",
      basicId: "@shop",
      problem: null,
      detail: "The access token is that of Shop (@shop).",
    });
  });

  test.each([
    [null, "NO_ACCESS_TOKEN"],
    ["revoked", "UNAUTHORIZED"],
    ["broken", "UNREACHABLE"],
    ["strange", "UNREACHABLE"],
    ["elsewhere", "UNREACHABLE"],
  ])("with the token %s: %s", async (accessToken, problem) => {
    const result = await testWith(accessToken);
    expect(result).toMatchObject({ ok: false, displayName: null, basicId: null, problem });
    if (accessToken !== null) expect(result.detail).not.toContain(`"${accessToken}"`);
  });

  test("a LINE that does not answer is given up after 5 seconds", async () => {
    const result = await testWith("silent");
    expect(result).toMatchObject({ problem: "UNREACHABLE", detail: "LINE did not respond within 5 seconds." });
  });

  test("an archived channel can still be tested", async () => {
    const channelId = (await desk.ada.createChannel(lineChannel())).channel.id;
    await desk.ada.archiveChannel({ channelId });
    expect(await desk.ada.testChannel({ channelId })).toMatchObject({ ok: true });
  });

  test("a LINE that is not there", async () => {
    const other = await bootDesk({ env: { LINE_API_URL: "http://127.0.0.1:1" } });
    await other.ada.updateChannel({ channelId: other.line, line: { accessToken: ACCESS_TOKEN } });
    expect(await other.ada.testChannel({ channelId: other.line })).toMatchObject({
      problem: "UNREACHABLE",
      detail: "LINE could not be reached.",
    });
    const { data } = await other.ada.graphql("{ channels { webhookUrl } }");
    // Without PUBLIC_URL nobody knows the URL.
    expect(data).toEqual({ channels: [{ webhookUrl: null }, { webhookUrl: null }, { webhookUrl: null }] });
  });
});

test("nothing of a secret is in the log, the events or the audit log", async () => {
  const channelId = (await desk.ada.createChannel(lineChannel())).channel.id;
  await desk.ada.updateChannel({ channelId, line: { channelSecret: "another-secret", accessToken: "another-token" } });
  await onLine(desk).says("Hello");
  const { prisma } = desk.app.database;
  const written = JSON.stringify([await prisma.auditLogEntry.findMany(), await prisma.channel.findMany()]);
  for (const secret of [CHANNEL_SECRET, ACCESS_TOKEN, "another-secret", "another-token"]) {
    expect(written).not.toContain(secret);
  }
  const sealed = await stored(channelId);
  const audit = JSON.stringify(await prisma.auditLogEntry.findMany());
  for (const value of [sealed.secret, sealed.accessToken]) expect(audit).not.toContain(value);
});
