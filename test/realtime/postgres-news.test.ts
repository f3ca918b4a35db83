import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cursorNow, type Heard, listen } from "../contract/subscriber.ts";
import {
  bootInstances,
  consolesOn,
  everybodyWrites,
  type Instances,
  lastRecorded,
  latencies,
  shown,
} from "./consoles.ts";

let instances: Instances;
beforeAll(async () => {
  instances = await bootInstances(3);
});
afterAll(() => instances.stop());

describe("three instances with PostgreSQL alone", () => {
  test("what is committed on one is on the others' consoles long before they would look", () => expectPrompt(100));

  test("everything that is committed anywhere is on every console, once and in order", async () => {
    const consoles = await consolesOn(instances);
    const count = await everybodyWrites(instances, 10);
    const recorded = await lastRecorded(instances, count);
    for (const console of consoles) expect((await console.take(count)).map(shown)).toEqual(recorded);
    for (const console of consoles) await console.close();
  });

  test("whose connection is cut hears all the same, and listens again", async () => {
    const before = await sessions();
    expect(before).toHaveLength(3);
    const consoles = await consolesOn(instances);
    const writing = everybodyWrites(instances, 10);
    await database().query("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid", [before]);
    const count = await writing;
    const recorded = await lastRecorded(instances, count);
    for (const console of consoles) expect((await console.take(count)).map(shown)).toEqual(recorded);
    for (const console of consoles) await console.close();

    await expect.poll(sessions, { timeout: 10_000 }).toHaveLength(3);
    expect((await sessions()).filter((pid) => before.includes(pid))).toEqual([]);
    await expectPrompt(20);
  });

  test("a console that goes from one to another resumes where it was, while others write", async () => {
    const { desks } = instances;
    const [{ ada }] = desks;
    let after = await cursorNow(desks[0]);
    const heard: Heard[] = [];
    let visits = 0;
    const writing = everybodyWrites(instances, 20);
    // Fewer than are written, so that it never waits for one that nobody writes.
    while (heard.length < 200) {
      const listener = listen(desks[visits % 3] ?? desks[0], "messageRecorded", { after, token: ada.token });
      heard.push(...(await listener.take(1 + (visits % 5))));
      after = heard.at(-1)?.cursor ?? after;
      visits += 1;
      await listener.close();
    }
    const count = await writing;
    const rest = listen(desks[1] ?? desks[0], "messageRecorded", { after, token: ada.token });
    heard.push(...(await rest.take(count - heard.length)));
    await rest.close();
    expect(heard.map(shown)).toEqual(await lastRecorded(instances, count));
    expect(visits).toBeGreaterThan(60);
  });
});

/** Whoever only looked at the log every 250 ms would take about that long: each message waits for the one before to be heard. */
async function expectPrompt(messages: number): Promise<void> {
  const samples = await latencies(instances, messages);
  expect(samples[samples.length * 0.5]).toBeLessThan(50);
  expect(samples[samples.length * 0.9]).toBeLessThan(125);
}

/** The sessions by which the instances hear of each other. */
async function sessions(): Promise<number[]> {
  const { rows } = await database().query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'deskgate news' AND query ~ 'LISTEN|pg_notify'`,
  );
  return rows.map(({ pid }) => pid);
}

function database() {
  return instances.desks[0].app.database.pool;
}
