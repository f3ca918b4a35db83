import { randomInt } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Writable } from "node:stream";
import pino from "pino";
import { afterEach, describe, expect, test } from "vitest";
import { idOf } from "../../../src/domain/id.ts";
import type { ChangeNotifier } from "../../../src/realtime/instances/change-notifier.ts";
import { redisNotifier } from "../../../src/realtime/instances/redis-notifier.ts";
import { openDatabase } from "../../../src/store/database.ts";
import type { LogEvent } from "../../../src/store/log-event.ts";
import { freshDatabase, type TestDatabase } from "../../support/database.ts";
import { randomFrom } from "../../support/random.ts";
import { type Delivery, type FakeRedis, startFakeRedis } from "../../support/redis.ts";
import {
  bootInstances,
  consolesOn,
  type Instances,
  lastRecorded,
  latencies,
  shown,
  writeOnAllInstances,
} from "../consoles.ts";

const LOCAL_REDIS = "redis://127.0.0.1:6379";
const isRedisUp = await new Promise<boolean>((resolve) => {
  const socket = connect(6379, "127.0.0.1");
  socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  socket.once("connect", () => socket.destroy());
});

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function boot(count: number, env: NodeJS.ProcessEnv): Promise<Instances> {
  const instances = await bootInstances(count, env);
  ends.push(instances.stop);
  return instances;
}

async function fakeRedis(deliver?: Delivery): Promise<FakeRedis> {
  const redis = await startFakeRedis(deliver);
  ends.push(redis.stop);
  return redis;
}

/** Contacts write on all instances, and every console must get all events, once and in order. */
async function expectComplete(instances: Instances, meanwhile: () => Promise<void> = async () => {}): Promise<void> {
  const consoles = await consolesOn(instances);
  const writing = writeOnAllInstances(instances, 10);
  await meanwhile();
  const count = await writing;
  const recorded = await lastRecorded(instances, count);
  for (const console of consoles) expect((await console.take(count)).map(shown)).toEqual(recorded);
  for (const console of consoles) await console.close();
}

/** Polling every 250 ms would take about that long, since each message waits for the delivery of the one before. */
async function expectPrompt(instances: Instances): Promise<void> {
  const samples = await latencies(instances, 50);
  expect(samples[samples.length * 0.5]).toBeLessThan(50);
  expect(samples[samples.length * 0.9]).toBeLessThan(125);
}

const reason = isRedisUp ? "" : ` (skipped: no Redis at ${LOCAL_REDIS})`;

describe.skipIf(!isRedisUp)(`three instances on a Redis${reason}`, () => {
  test("commits on one instance reach the consoles of the others long before the next poll, and completely", async () => {
    const instances = await boot(3, { REDIS_URL: LOCAL_REDIS });
    await expectPrompt(instances);
    await expectComplete(instances);
  });
});

describe("three instances on a faulty Redis", () => {
  const seeds = process.env.SEED === undefined ? [1, 2, 3].map(() => randomInt(2 ** 32)) : [Number(process.env.SEED)];

  test.for(seeds)(
    "messages are dropped, duplicated, reordered and corrupted: no event is lost (SEED=%i)",
    async (seed) => {
      const done = { dropped: 0, doubled: 0, delayed: 0, corrupted: 0, passed: 0 };
      const redis = await fakeRedis(faulty(seed, done));
      await expectComplete(await boot(3, { REDIS_URL: redis.url }));
      for (const times of Object.values(done)) expect(times).toBeGreaterThan(0);
    },
  );

  test("Redis goes down and comes back: events committed in between are delivered, too", async () => {
    const redis = await fakeRedis();
    const instances = await boot(3, { REDIS_URL: redis.url });
    await expectComplete(instances, redis.stop);
    await redis.start();
    await expect.poll(redis.subscribers, { timeout: 10_000 }).toBe(3);
    await expectPrompt(instances);
  });

  test("Redis is down from the start: the instances start, are ready, and use it once it is up", async () => {
    const redis = await fakeRedis();
    await redis.stop();
    const instances = await boot(2, { REDIS_URL: redis.url });
    for (const { url } of instances.desks) expect((await fetch(`${url}/ready`)).status).toBe(200);
    await expectComplete(instances);
    await redis.start();
    await expect.poll(redis.subscribers, { timeout: 10_000 }).toBe(2);
    await expectPrompt(instances);
  });
});

describe("Redis notifier", () => {
  const workspaceId = idOf<"Workspace">("w");
  const event = (position: number): LogEvent => ({
    workspaceId,
    position,
    id: idOf(`e${position}`),
    occurredAt: 0,
    actor: { type: "System" },
    contactId: idOf("c"),
    channelId: idOf("ch"),
    contactChannelId: idOf("cc"),
    conversationId: null,
    agentIds: [],
    data: { type: "ContactAppeared" },
  });

  /** A notifier, the notifications that it received, and its log messages. */
  interface RecordedNotifier {
    readonly notifier: ChangeNotifier;
    readonly received: unknown[];
    readonly logged: string[];
  }

  async function startNotifier(database: TestDatabase, url: string, secret = "shared"): Promise<RecordedNotifier> {
    const received: unknown[] = [];
    const logged: string[] = [];
    const opened = openDatabase(database.url, { poolSize: 1, onError: () => {} });
    const lines = new Writable({
      write: (chunk, _, done) => {
        logged.push(JSON.parse(String(chunk)).msg);
        done();
      },
    });
    const notifier = await redisNotifier({
      url,
      database: opened,
      secret,
      onChange: (...notification) => received.push(notification),
      logger: pino({}, lines),
    });
    ends.push(async () => {
      await notifier.stop();
      await opened.close();
    });
    return { notifier, received, logged };
  }

  async function database(): Promise<TestDatabase> {
    const made = await freshDatabase();
    ends.push(made.drop);
    return made;
  }

  test("carries events to the other instances on the same database only", async () => {
    const { url } = await fakeRedis();
    const [ours, theirs] = [await database(), await database()];
    const [one, two, otherReceiver] = [
      await startNotifier(ours, url),
      await startNotifier(ours, url),
      await startNotifier(theirs, url),
    ];
    one.notifier.notify(workspaceId, [event(1), event(2)]);
    await expect.poll(() => two.received).toEqual([[workspaceId, [event(1), event(2)]]]);
    const otherSender = await startNotifier(theirs, url);
    otherSender.notifier.notify(workspaceId, [event(3)]);
    await expect.poll(() => otherReceiver.received).toEqual([[workspaceId, [event(3)]]]);
    expect([one.received, otherSender.received]).toEqual([[], []]);
    expect([one, two, otherReceiver, otherSender].flatMap(({ logged }) => logged)).toEqual([]);
  });

  test("coalesces commits notified during another notification, and keeps them separate", async () => {
    const messages: string[] = [];
    const { url } = await fakeRedis((message, pass) => {
      messages.push(message);
      pass(message);
    });
    const ours = await database();
    const [one, two] = [await startNotifier(ours, url), await startNotifier(ours, url)];
    const commits = Array.from({ length: 100 }, (_, n) => [event(n)]);
    for (const commit of commits) one.notifier.notify(workspaceId, commit);
    await expect.poll(() => two.received).toEqual(commits.map((commit) => [workspaceId, commit]));
    // To both instances: the first commit, and then all others.
    expect(messages).toHaveLength(2 * 2);
  });

  test("messages of an instance with another AUTH_SECRET are ignored, which is logged once", async () => {
    const { url } = await fakeRedis();
    const ours = await database();
    const [one, two] = [await startNotifier(ours, url), await startNotifier(ours, url)];
    const other = await startNotifier(ours, url, "not shared");
    for (const position of [1, 2, 3]) other.notifier.notify(workspaceId, [event(position)]);
    one.notifier.notify(workspaceId, [event(4)]);
    await expect.poll(() => two.received).toEqual([[workspaceId, [event(4)]]]);
    await expect.poll(() => two.logged).toEqual([expect.stringContaining("not signed with our AUTH_SECRET")]);
  });

  test("neither startup nor stopping waits for a Redis that does not answer or is down", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const sockets: Socket[] = [];
    silent.on("connection", (socket) => sockets.push(socket));
    const redis = await fakeRedis();
    await redis.stop();
    const { port } = silent.address() as AddressInfo;
    const ours = await database();
    for (const url of [`redis://127.0.0.1:${port}`, redis.url]) {
      const { notifier } = await startNotifier(ours, url);
      notifier.notify(workspaceId, [event(1)]);
      await notifier.stop();
    }
    expect(sockets).toHaveLength(1);
    silent.close();
    for (const socket of sockets) socket.destroy();
    await redis.start();
    const { notifier } = await startNotifier(ours, redis.url);
    // Stopped notifiers have not reconnected.
    expect(redis.subscribers()).toBe(1);
    await notifier.stop();
  });

  test("the loss and the recovery of Redis are logged once each", async () => {
    const redis = await fakeRedis();
    await redis.stop();
    const { notifier, logged } = await startNotifier(await database(), redis.url);
    const away = "no change notifications from other instances; the log is polled";
    const back = "change notifications from other instances have resumed";
    expect(logged).toEqual([away]);
    for (const position of [1, 2, 3]) notifier.notify(workspaceId, [event(position)]);
    await redis.start();
    await expect.poll(() => logged, { timeout: 10_000 }).toEqual([away, back]);
    await redis.stop();
    await expect.poll(() => logged).toEqual([away, back, away]);
    await redis.start();
    await expect.poll(() => logged, { timeout: 10_000 }).toEqual([away, back, away, back]);
  });
});

/** Drops a tenth of the deliveries, duplicates a tenth, delays a tenth past later ones, and corrupts two tenths. */
function faulty(
  seed: number,
  done: Record<"dropped" | "doubled" | "delayed" | "corrupted" | "passed", number>,
): Delivery {
  const random = randomFrom(seed);
  return (message, pass) => {
    const choice = random();
    if (choice < 0.1) {
      done.dropped += 1;
    } else if (choice < 0.2) {
      done.doubled += 1;
      pass(message);
      pass(message);
    } else if (choice < 0.3) {
      done.delayed += 1;
      setTimeout(() => pass(message), random() * 50);
    } else if (choice < 0.5) {
      done.corrupted += 1;
      pass(corrupt(message, random));
    } else {
      done.passed += 1;
      pass(message);
    }
  };
}

/** Truncated, or with changed event and message ids, which keeps it well-formed. */
function corrupt(message: string, random: () => number): string {
  if (random() < 0.3) return message.slice(0, Math.floor(random() * message.length));
  return message.replaceAll(/(?<="(?:id|messageId)":"[\da-f-]*)\d/g, (digit) => String((Number(digit) + 1) % 10));
}
