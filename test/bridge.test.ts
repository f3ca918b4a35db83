import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nodesAt } from "./support/answers.ts";
import { bootDesk, type Desk, SECRET } from "./support/app.ts";
import { type Client, clientOf } from "./support/client.ts";
import { freshDatabase, type TestDatabase } from "./support/database.ts";

const root = join(import.meta.dirname, "..");
const PEOPLE = ["mika", "noor", "ola"];
const MESSAGES = 12;

let database: TestDatabase;
/** The tokens, the key and the channel. */
let seeded: { readonly token: string; readonly key: string; readonly channel: string };
let now: number;
let deskgate: ChildProcess;
let url: string;
let bridge: ChildProcess;
let messenger: ChildProcess;
let messengerUrl: string;

beforeAll(async () => {
  database = await freshDatabase();
  const first: Desk = await bootDesk({ env: { DATABASE_URL: database.url } });
  const channel = await first.channel("CUSTOM", []);
  seeded = { token: first.ada.token, key: await first.key("inbound:write"), channel };
  now = first.clock.now();
  await first.stop();

  messenger = program("messenger.ts", { PORT: "0" });
  if (messenger.stdout === null) throw new Error("The process has no output.");
  const [line]: string[] = await once(createInterface({ input: messenger.stdout }), "line");
  messengerUrl = /http:\S+/.exec(line ?? "")?.[0] ?? "";
  await startDeskgate("0");
  startBridge();
});
afterAll(async () => {
  for (const child of [bridge, deskgate, messenger]) await killed(child);
  await database.drop();
});

function program(name: string, env: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [join("examples/bridge", name)], {
    cwd: root,
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "ignore"],
  });
}

function startBridge(): void {
  bridge = program("bridge.ts", { DESK: url, MESSENGER: messengerUrl, TOKEN: seeded.key, CHANNEL: seeded.channel });
}

async function startDeskgate(port: string): Promise<void> {
  deskgate = fork(join(root, "test/support/desk-process.ts"), {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: database.url,
      PORT: port,
      AUTH_SECRET: SECRET,
      DEMO: "false",
      LOG_LEVEL: "silent",
      CLOCK: `${now}`,
    },
    execArgv: [],
  });
  const ended = once(deskgate, "exit").then(([code]) => {
    throw new Error(`Deskgate ended with ${code} before it was ready.`);
  });
  [url] = await Promise.race([once(deskgate, "message"), ended]);
  ended.catch(() => {});
}

async function killed(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** Lets leases expire that nobody will settle any more. */
function advance(milliseconds: number): void {
  now += milliseconds;
  deskgate.send(milliseconds);
}

/** Repeats a request while Deskgate is down, as a client with an idempotency key may. */
async function patiently<Result>(request: (ada: Client) => Promise<Result>): Promise<Result> {
  for (;;) {
    const result = await request(clientOf(url, seeded.token)).catch(() => null);
    if (result !== null) return result;
    await delay(50);
  }
}

async function says(person: string, text: string): Promise<void> {
  await fetch(`${messengerUrl}/people/${person}/says`, { method: "POST", body: JSON.stringify({ text }) });
}

async function shownTo(person: string): Promise<string[]> {
  const shown: string[] = JSON.parse(await (await fetch(`${messengerUrl}/people/${person}`)).text());
  return shown.filter((line) => line.startsWith("<"));
}

interface Timeline {
  readonly conversationId: string;
  readonly inbound: readonly (string | null)[];
  readonly outbound: readonly string[];
}

async function timelineOf(person: string): Promise<Timeline | null> {
  const query = `query ($search: String) { contacts(filter: { search: $search }) { edges { node { channels {
    messages(first: 100) { edges { node { direction text deliveryStatus conversation { id } } } }
  } } } } }`;
  const { data } = await clientOf(url, seeded.token).graphql(query, { search: person });
  const entries = nodesAt(data, "contacts")
    .flatMap((contact) => nodesAt(contact, "channels.0.messages"))
    .map(Object);
  const conversationId = entries[0]?.conversation?.id;
  if (conversationId === undefined) return null;
  return {
    conversationId,
    inbound: entries.filter(({ direction }) => direction === "INBOUND").map(({ text }) => text),
    outbound: entries
      .filter(({ direction }) => direction === "OUTBOUND")
      .map(({ text, deliveryStatus }) => `${text}: ${deliveryStatus}`),
  };
}

test("S7: both ways, nothing is lost, doubled or out of order when the bridge and Deskgate are killed", async () => {
  const numbers = Array.from({ length: MESSAGES }, (_, n) => n);
  let isDone = false;
  const talk = Promise.all(
    PEOPLE.map(async (person) => {
      await says(person, "in 0");
      const { conversationId } = await patiently(async () => (await timelineOf(person)) ?? Promise.reject());
      for (const n of numbers) {
        if (n > 0) await says(person, `in ${n}`);
        const message = { conversationId, text: `out ${n}`, idempotencyKey: `${person} ${n}` };
        await patiently((ada) => ada.sendMessage(message));
      }
    }),
  ).finally(() => {
    isDone = true;
  });

  const { port } = new URL(url);
  for (let round = 0; round < 2 || !isDone; round++) {
    await somethingIsShown();
    await killed(bridge);
    startBridge();
    await somethingIsShown();
    await killed(deskgate);
    await startDeskgate(port);
    advance(30_000);
  }
  await talk;
  advance(30_000);

  for (const person of PEOPLE) {
    await expect
      .poll(() => timelineOf(person), { timeout: 20_000 })
      .toMatchObject({
        inbound: numbers.map((n) => `in ${n}`),
        outbound: numbers.map((n) => `out ${n}: SENT`),
      });
    expect(await shownTo(person)).toEqual(numbers.map((n) => `< out ${n}`));
  }

  /** Resolves when another message has arrived on a phone, or all have: then there is work in progress on both sides. */
  async function somethingIsShown(): Promise<void> {
    const before = await countShown();
    while ((await countShown()) === before && before < PEOPLE.length * MESSAGES && !isDone) {
      advance(1_000);
      await delay(20);
    }
  }

  async function countShown(): Promise<number> {
    return (await Promise.all(PEOPLE.map(shownTo))).flat().length;
  }
}, 90_000);
