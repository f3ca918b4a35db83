import { Writable } from "node:stream";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { idOf } from "../../../src/domain/id.ts";
import { postgresNotifier } from "../../../src/realtime/instances/postgres-notifier.ts";
import { freshDatabase } from "../../support/database.ts";
import { cursorNow, listen, type ReceivedEvent } from "../../support/subscriber.ts";
import {
  bootInstances,
  consolesOn,
  type Instances,
  lastRecorded,
  latencies,
  shown,
  writeOnAllInstances,
} from "../consoles.ts";

let instances: Instances;
beforeAll(async () => {
  instances = await bootInstances(3);
});
afterAll(() => instances.stop());

describe("three instances with PostgreSQL alone", () => {
  test("commits on one instance reach the consoles of the others long before the next poll", () => expectPrompt(100));

  test("all commits of all instances reach every console, once and in order", async () => {
    const consoles = await consolesOn(instances);
    const count = await writeOnAllInstances(instances, 10);
    const recorded = await lastRecorded(instances, count);
    for (const console of consoles) expect((await console.take(count)).map(shown)).toEqual(recorded);
    for (const console of consoles) await console.close();
  });

  test("an instance whose connection is cut still delivers all events, and listens again", async () => {
    const sessions = (): Promise<number[]> => sessionsOn(instances.url);
    const before = await sessions();
    expect(before).toHaveLength(3);
    const consoles = await consolesOn(instances);
    const writing = writeOnAllInstances(instances, 10);
    await cut(before);
    const count = await writing;
    const recorded = await lastRecorded(instances, count);
    for (const console of consoles) expect((await console.take(count)).map(shown)).toEqual(recorded);
    for (const console of consoles) await console.close();

    await expect.poll(sessions, { timeout: 10_000 }).toHaveLength(3);
    expect((await sessions()).filter((pid) => before.includes(pid))).toEqual([]);
    await expectPrompt(20);
  });

  test("a console that switches between instances resumes at its cursor, during concurrent writes", async () => {
    const { desks } = instances;
    const [{ ada }] = desks;
    let after = await cursorNow(desks[0]);
    const received: ReceivedEvent[] = [];
    let switches = 0;
    const writing = writeOnAllInstances(instances, 20);
    // Fewer than are written, so that it never waits for an event that is not coming.
    while (received.length < 200) {
      const listener = listen(desks[switches % 3] ?? desks[0], "messageRecorded", { after, token: ada.token });
      received.push(...(await listener.take(1 + (switches % 5))));
      after = received.at(-1)?.cursor ?? after;
      switches += 1;
      await listener.close();
    }
    const count = await writing;
    const rest = listen(desks[1] ?? desks[0], "messageRecorded", { after, token: ada.token });
    received.push(...(await rest.take(count - received.length)));
    await rest.close();
    expect(received.map(shown)).toEqual(await lastRecorded(instances, count));
    expect(switches).toBeGreaterThan(60);
  });
});

describe("PostgreSQL notifier", () => {
  const workspaces = ["one", "two", "three"].map((name) => idOf<"Workspace">(name));

  test("coalesces notifications made during another one, once per workspace; and does not notify itself", async () => {
    const { url, drop } = await freshDatabase();
    const [one, two] = [await startNotifier(url), await startNotifier(url)];
    one.notifier.notify(idOf("first"), []);
    for (let n = 0; n < 30; n++) for (const workspaceId of workspaces) one.notifier.notify(workspaceId, []);
    await expect.poll(() => two.received).toEqual(["first", ...workspaces].map((id) => [id, null]));
    two.notifier.notify(idOf("back"), []);
    await expect.poll(() => one.received).toEqual([["back", null]]);
    expect([...one.logged, ...two.logged]).toEqual([]);
    await Promise.all([one.notifier.stop(), two.notifier.stop()]);
    await drop();
  });

  test("the loss and the recovery of the connection are logged once each", async () => {
    const { url, drop } = await freshDatabase();
    const { notifier, logged } = await startNotifier(url);
    await cut(await sessionsOn(url));
    for (const workspaceId of workspaces) notifier.notify(workspaceId, []);
    await expect
      .poll(() => logged, { timeout: 10_000 })
      .toEqual([
        "no change notifications from other instances; the log is polled",
        "change notifications from other instances have resumed",
      ]);
    await notifier.stop();
    await drop();
  });

  test("neither startup nor stopping waits for an unreachable database", async () => {
    const { notifier, logged } = await startNotifier("postgresql://nobody@127.0.0.1:1/nothing");
    notifier.notify(idOf("one"), []);
    await notifier.stop();
    expect(logged).toEqual(["no change notifications from other instances; the log is polled"]);
  });
});

/** A notifier, the notifications that it received, and its log messages. */
async function startNotifier(url: string) {
  const received: unknown[] = [];
  const logged: string[] = [];
  const lines = new Writable({
    write: (chunk, _, done) => {
      logged.push(JSON.parse(String(chunk)).msg);
      done();
    },
  });
  const notifier = await postgresNotifier({
    url,
    onChange: (...notification) => received.push(notification),
    logger: pino({}, lines),
  });
  return { notifier, received, logged };
}

/** Polling every 250 ms would take about that long, since each message waits for the delivery of the one before. */
async function expectPrompt(messages: number): Promise<void> {
  const samples = await latencies(instances, messages);
  expect(samples[samples.length * 0.5]).toBeLessThan(50);
  expect(samples[samples.length * 0.9]).toBeLessThan(125);
}

/** The sessions by which the instances on a database notify each other. */
async function sessionsOn(url: string): Promise<number[]> {
  const { rows } = await instances.desks[0].app.database.pool.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity
     WHERE datname = $1 AND application_name = 'deskgate notifications' AND query ~ 'LISTEN|pg_notify'`,
    [new URL(url).pathname.slice(1)],
  );
  return rows.map(({ pid }) => pid);
}

async function cut(pids: readonly number[]): Promise<void> {
  await instances.desks[0].app.database.pool.query("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid", [
    pids,
  ]);
}
