import { fork } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { signAgentToken } from "../../src/auth/token.ts";
import { bootDesk, type Desk, GREETING, lineText, SECRET } from "../support/app.ts";
import { freshDatabase } from "../support/database.ts";
import { bootLineDesk, textsOn } from "../support/fake-line.ts";
import { databaseOf, openFaultSession } from "../support/faults.ts";
import { onLine, visitor } from "../support/people.ts";
import { subscribed } from "../support/subscriber.ts";
import { latest, look } from "../support/view.ts";

/** Holds the row lock of a ContactChannel, so that its commands stay in progress. */
async function holding(desk: Desk, externalId: string) {
  const holder = await openFaultSession(databaseOf(desk));
  await holder.query("BEGIN");
  await holder.query(`SELECT FROM contact_channel WHERE external_id = '${externalId}' FOR UPDATE`);
  return {
    untilWaiting: holder.untilWaiting,
    release: async () => {
      await holder.query("ROLLBACK");
      await holder.end();
    },
  };
}

/** A request to the desk whose body has not arrived in full. */
async function uploading(desk: Desk) {
  const socket = connect(Number(new URL(desk.url).port), "localhost");
  await once(socket, "connect");
  socket.write("POST /graphql HTTP/1.1\r\nHost: desk\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{");
  // The server has seen it once it answers a later one.
  await fetch(`${desk.url}/health`);
  return socket;
}

test("stop: requests in progress are finished, answered and durable", async () => {
  const { url, drop } = await freshDatabase();
  const desk = await bootDesk({ env: { DATABASE_URL: url } });
  const someone = onLine(desk);
  await someone.says("Hello");
  const conversationId = await latest(desk, someone);
  const held = await holding(desk, someone.externalId);
  const event = lineText(someone.externalId, "Just in time", { timestamp: desk.clock.now() });
  const webhook = desk.lineWebhook([event]);
  await held.untilWaiting(1);
  const reply = desk.ada.sendMessage({ conversationId, text: "Me too" });
  await held.untilWaiting(2);
  const stopped = desk.app.stop();
  await held.release();
  expect((await webhook).status).toBe(200);
  expect((await reply).message.text).toBe("Me too");
  await stopped;
  await expect(desk.lineWebhook([event])).rejects.toThrow();

  const again = await bootDesk({ env: { DATABASE_URL: url } });
  const { timeline } = await look(again, someone, desk.ada);
  expect(timeline.slice(0, 2)).toEqual(["1 contact: Hello", `1 bot: ${GREETING}`]);
  expect(timeline.slice(2).toSorted()).toEqual(["1 agent: Me too", "1 contact: Just in time"]);
  await again.app.stop();
  await drop();
});

test("stop: no further call to a provider begins, while a request in progress is finished", async () => {
  const { desk, line, account, stop } = await bootLineDesk();
  onTestFinished(stop);
  const someone = onLine(desk);
  account.addUser(someone.externalId, "Mika");
  await account.writeAs(someone.externalId, "Hello").delivered;
  await expect.poll(() => line.log.all().length).toBe(1);
  await desk.app.runDue();
  line.faults.add({ effect: { type: "slow", ms: 200 }, operation: "push" });
  const conversationId = await latest(desk, someone);
  for (const text of ["One", "Two"]) await desk.ada.sendMessage({ conversationId, text });
  await expect.poll(() => line.log.all().length).toBe(2);
  const open = await uploading(desk);

  const stopped = desk.app.stop();
  await expect.poll(() => textsOn(account, someone.externalId)).toEqual([GREETING, "One"]);
  // Long enough for the next one to begin, which nothing would tell.
  await delay(200);
  open.end("}");
  await stopped;
  expect(line.log.all()).toHaveLength(2);
});

test("stop: sockets are closed with 1001 or 1012, streams are ended, and new connections are refused", async () => {
  const desk = await bootDesk();
  const { closed } = await subscribed(desk, desk.ada.token);
  const { person: someone, page } = await visitor(desk);
  const stream = await page.stream();
  await someone.says("Hello");
  expect(await stream.text()).toBe(GREETING);
  await desk.app.stop();
  expect([1001, 1012]).toContain(await closed);
  expect(await stream.rest()).toEqual([]);
  await expect(fetch(`${desk.url}/health`)).rejects.toThrow();
  // Stopping twice is allowed.
  await desk.app.stop();
});

test("stop: does not wait for a connection without a request", async () => {
  const desk = await bootDesk();
  const silent = connect(Number(new URL(desk.url).port), "localhost");
  await once(silent, "connect");
  // The server has accepted the connection once it answers a later one.
  await fetch(`${desk.url}/health`);
  const closed = once(silent, "close");
  await desk.app.stop();
  await closed;
});

test("stop: does not wait for a request that never ends", async () => {
  const desk = await bootDesk();
  const endless = connect(Number(new URL(desk.url).port), "localhost");
  endless.on("error", () => {});
  await once(endless, "connect");
  endless.write(
    [
      "POST /graphql HTTP/1.1",
      "Host: localhost",
      "Content-Type: application/json",
      `Authorization: Bearer ${desk.ada.token}`,
      "Content-Length: 100",
      "",
      '{"query":',
    ].join("\r\n"),
  );
  // The server has read these headers once it answers a later request.
  await fetch(`${desk.url}/health`);
  const closed = once(endless, "close");
  const asked = performance.now();
  await desk.app.stop();
  await closed;
  expect(performance.now() - asked).toBeLessThan(5_000);
});

test("stop: a component that does not stop in time is left behind", async () => {
  const desk = await bootDesk({ stopLimits: { total: 1_500, step: 500, reserve: 50 } });
  const someone = onLine(desk);
  await someone.says("Hello");
  const held = await holding(desk, someone.externalId);
  const webhook = desk.lineWebhook([lineText(someone.externalId, "Too late", { timestamp: desk.clock.now() })]);
  await held.untilWaiting(1);
  const asked = performance.now();
  await desk.app.stop();
  expect(performance.now() - asked).toBeLessThan(5_000);
  await held.release();
  expect((await webhook).status).toBe(200);
});

test("stop: the event loop becomes empty, so the process exits", async () => {
  const { url, drop } = await freshDatabase();
  const seeded = await bootDesk({ env: { DATABASE_URL: url } });
  await seeded.app.stop();
  const child = fork(new URL("stopping-app.ts", import.meta.url), [url, SECRET], { execArgv: [] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const exited = once(child, "exit");
  const [address] = await once(child, "message");
  const desk: Desk = { ...seeded, url: address };

  const token = await signAgentToken(SECRET, seeded.ada.email, Date.now(), 60_000);
  const { closed } = await subscribed(desk, token);
  const { person: someone, page } = await visitor(desk);
  const stream = await page.stream();
  await someone.says("Hello");
  expect(await stream.text()).toBe(GREETING);
  // Stopping does not wait for a client that has disconnected.
  const hangUp = new AbortController();
  await fetch(`${address}/graphql`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "text/event-stream",
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({ query: "subscription { messageRecorded { id } }" }),
    signal: hangUp.signal,
  });
  hangUp.abort();
  // The server has noticed once it answers a later request.
  await fetch(`${address}/health`);
  const asked = performance.now();
  child.send("stop");
  expect(await exited).toEqual([0, null]);
  expect(performance.now() - asked).toBeLessThan(10_000);
  expect([1001, 1012]).toContain(await closed);
  await stream.rest();
  await drop();
});
