import { execFile } from "node:child_process";
import { promisify } from "node:util";
import pino from "pino";
import { afterEach, expect, test } from "vitest";
import { type App, startApp } from "../../src/app.ts";
import { createSecretBox } from "../../src/auth/secret-box.ts";
import { loadConfig } from "../../src/config.ts";
import { channelSecrets } from "../../src/store/channel-secrets.ts";
import { bootDesk, type Desk, LINE_SECRET, lineSignature, lineText, rowId, SECRET } from "../support/app.ts";
import { clientOf } from "../support/client.ts";

const [one, two] = ["first-key-that-is-long-enough-for-it", "second-key-that-is-long-enough-for-it"];

const others: App[] = [];
afterEach(async () => {
  for (const app of others.splice(0)) await app.stop();
});

interface Instance {
  readonly url: string;
  readonly lines: string[];
}

/** Another instance on the database of the desk, with other keys. */
async function instance(desk: Desk, env: NodeJS.ProcessEnv): Promise<Instance> {
  const lines: string[] = [];
  const logger = pino({ level: "info" }, { write: (line) => lines.push(line) });
  const config = loadConfig({ ...environment(desk), PORT: "0", ...env });
  const app = await startApp({ config, logger, clock: desk.clock });
  others.push(app);
  return { url: app.url, lines };
}

function environment(desk: Desk): NodeJS.ProcessEnv {
  const DATABASE_URL = desk.app.database.pool.options.connectionString;
  return { DATABASE_URL, AUTH_SECRET: SECRET, DEMO: "false" };
}

/** The status that a signed webhook gets. */
async function deliver(url: string, channel: string): Promise<number> {
  const body = JSON.stringify({ destination: "U0", events: [lineText("U1", "Hello")] });
  const headers = { "x-line-signature": lineSignature(body) };
  return (await fetch(`${url}/webhooks/line/${channel}`, { method: "POST", headers, body })).status;
}

async function rotate(desk: Desk, SECRETS_KEY: string): Promise<string> {
  const env = { ...process.env, ...environment(desk), SECRETS_KEY };
  const { stdout } = await promisify(execFile)(process.execPath, ["src/programs/rotate-secrets.ts"], { env });
  return stdout.trim();
}

async function stored(desk: Desk, channel: string): Promise<string | null> {
  const row = await desk.app.database.prisma.channel.findUniqueOrThrow({ where: { id: rowId(channel) } });
  return row.secret;
}

async function faults(url: string, desk: Desk): Promise<ReadonlyMap<string, string | null>> {
  const { data } = await clientOf(url, desk.ada.token).graphql<{ channels: { id: string; fault: string | null }[] }>(
    "{ channels { id fault } }",
  );
  return new Map(data.channels.map(({ id, fault }) => [id, fault]));
}

test("secrets of an earlier version are encrypted once, also by several instances at once, and go on working", async () => {
  const desk = await bootDesk();
  const channels = [desk.line, await desk.channel("LINE"), await desk.channel("LINE")];
  expect(await stored(desk, desk.line)).toBe(LINE_SECRET);
  expect(await deliver(desk.url, desk.line)).toBe(200);

  const secrets = channelSecrets(desk.app.database, createSecretBox([SECRET]), () => {});
  const outcomes = await Promise.all(Array.from({ length: 4 }, () => secrets.sealPlain()));
  expect(outcomes.reduce((sum, { sealed }) => sum + sealed, 0)).toBe(channels.length);

  const sealed = await Promise.all(channels.map((channel) => stored(desk, channel)));
  for (const value of sealed) expect(value).toMatch(/^v1\./);
  expect(new Set(sealed).size).toBe(channels.length);
  await desk.app.runDue();
  expect(await Promise.all(channels.map((channel) => stored(desk, channel)))).toEqual(sealed);
  for (const channel of channels) expect(await deliver(desk.url, channel)).toBe(200);
});

test("the server encrypts them by itself", async () => {
  const desk = await bootDesk();
  await desk.app.runDue();
  expect(await stored(desk, desk.line)).toMatch(/^v1\./);
});

test("a secret that cannot be decrypted faults its channel and no other, and is logged without the secret", async () => {
  const desk = await bootDesk({ env: { SECRETS_KEY: one } });
  const lost = (await desk.ada.createChannel({ kind: "LINE", name: "x", line: { channelSecret: LINE_SECRET } }))
    .channel;
  const { url, lines } = await instance(desk, { SECRETS_KEY: two });

  // Not refused for its signature: LINE sends it again, and nothing is lost.
  expect(await deliver(url, lost.id)).toBe(503);
  expect(await deliver(url, desk.line)).toBe(200);
  const seen = await faults(url, desk);
  expect(seen.get(lost.id)).toContain("The channel secret cannot be decrypted.");
  expect([...seen.values()].filter((fault) => fault !== null)).toHaveLength(1);
  const logged = lines.filter((line) => line.includes("cannot be decrypted"));
  expect(logged).toHaveLength(1);
  expect(logged[0]).toContain(rowId(lost.id));
  for (const secret of [LINE_SECRET, one, two, (await stored(desk, lost.id)) ?? ""]) {
    expect(lines.join("\n")).not.toContain(secret);
  }
  // The instance that has the key is not affected.
  expect(await deliver(desk.url, lost.id)).toBe(200);

  const there = clientOf(url, desk.ada.token);
  const mended = await there.updateChannel({ channelId: lost.id, line: { channelSecret: LINE_SECRET } });
  expect(mended).toMatchObject({ changed: true, channel: { fault: null } });
  expect(await deliver(url, lost.id)).toBe(200);
});

test("a secret copied to another channel, or to another column, cannot be used there", async () => {
  const desk = await bootDesk();
  const [first, second] = await Promise.all(
    ["one", "two"].map(async (name) => {
      const line = { channelSecret: LINE_SECRET, accessToken: "token" };
      return (await desk.ada.createChannel({ kind: "LINE", name, line })).channel.id;
    }),
  );
  if (first === undefined || second === undefined) throw new Error("There are two.");
  await desk.app.database.prisma.channel.update({
    where: { id: rowId(second) },
    data: { secret: await stored(desk, first), accessToken: await stored(desk, second) },
  });
  expect((await faults(desk.url, desk)).get(second)).toContain("The channel secret and the access token");
  expect(await deliver(desk.url, second)).toBe(503);
  expect(await deliver(desk.url, first)).toBe(200);
});

test("rotation: nothing is interrupted from the first step to the last", async () => {
  const desk = await bootDesk({ env: { SECRETS_KEY: one } });
  const line = { channelSecret: LINE_SECRET, accessToken: "token" };
  const channel = (await desk.ada.createChannel({ kind: "LINE", name: "x", line })).channel.id;
  await desk.app.runDue();

  // 1. All instances get the new key for decrypting; 2. for encrypting.
  const step1 = await instance(desk, { SECRETS_KEY: `${one},${two}` });
  const step2 = await instance(desk, { SECRETS_KEY: `${two},${one}` });
  for (const { url } of [desk, step1, step2]) expect(await deliver(url, channel)).toBe(200);
  const written = await clientOf(step2.url, desk.ada.token).createChannel({ kind: "LINE", name: "y", line });
  expect(await deliver(step1.url, written.channel.id)).toBe(200);

  // 3. Everything is encrypted with the new key; a second run finds nothing to do.
  expect(await rotate(desk, `${two},${one}`)).toBe("Encrypted 3 secrets with the first key.");
  expect(await rotate(desk, `${two},${one}`)).toBe("Encrypted 0 secrets with the first key.");
  for (const { url } of [step1, step2]) expect(await deliver(url, channel)).toBe(200);

  // 4. The old key is gone.
  const step4 = await instance(desk, { SECRETS_KEY: two });
  for (const id of [channel, written.channel.id, desk.line]) expect(await deliver(step4.url, id)).toBe(200);
  expect([...(await faults(step4.url, desk)).values()].filter((fault) => fault !== null)).toEqual([]);
});

test("SECRETS_KEY can be introduced later, and then AUTH_SECRET can be changed", async () => {
  const desk = await bootDesk();
  await desk.app.runDue();
  const introduced = await instance(desk, { SECRETS_KEY: one });
  expect(await deliver(introduced.url, desk.line)).toBe(200);
  expect(await rotate(desk, one)).toBe("Encrypted 1 secrets with the first key.");
  const changed = await instance(desk, {
    SECRETS_KEY: one,
    AUTH_SECRET: "another-secret-of-tests-that-is-long-enough",
  });
  expect(await deliver(changed.url, desk.line)).toBe(200);
});

test("rotate-secrets leaves what it cannot decrypt, says so and fails", async () => {
  const desk = await bootDesk({ env: { SECRETS_KEY: one } });
  await desk.app.runDue();
  const before = await stored(desk, desk.line);
  const failure = await rotate(desk, two).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 1, stdout: "Encrypted 0 secrets with the first key.\n" });
  expect(failure).toMatchObject({ stderr: expect.stringContaining("1 secrets cannot be decrypted with any key.") });
  expect(await stored(desk, desk.line)).toBe(before);
});
