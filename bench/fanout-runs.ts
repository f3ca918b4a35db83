import { setTimeout as sleep } from "node:timers/promises";
import type { Child } from "./child.ts";
import type { ClientMethods } from "./fanout-clients.ts";
import { Contender, type Figures, type Load, type Operation, oneEach } from "./fanout-contender.ts";
import type { Desk } from "./fanout-desk.ts";
import { DOCUMENT, otherDocument } from "./fanout-message.ts";
import type { Memory, ServerName } from "./fanout-server.ts";

export const SERVERS: readonly ServerName[] = ["deskgate", "ws", "yoga", "mercurius"];
export const SUBSCRIBERS = 1_000;
/** Numbers of idle subscribers at which memory is measured. */
export const IDLE = [1_000, 5_000, 10_000] as const;
export const LOADS: Record<LoadName, Load> = {
  paced: { messages: 30, every: 100 },
  burst: { messages: 200, every: 0 },
};
export type LoadName = "paced" | "burst";
const ROUNDS = 3;

/** The results of one load: of each round, and of the same messages without subscribers. */
export interface Samples {
  readonly rounds: readonly Figures[];
  readonly withoutSubscribers: Figures;
}

export type FanOut = Record<LoadName, Samples>;

/** Runs the same loads on all servers, alternating in several rounds, so that disturbances affect all of them alike. */
export async function fanOutOfAll(desk: Desk, clients: Child<ClientMethods>): Promise<ReadonlyMap<ServerName, FanOut>> {
  const contenders: Contender[] = [];
  try {
    for (const name of SERVERS) contenders.push(await Contender.start(name, desk, clients));
    for (const contender of contenders) await warmUp(contender);
    const rounds = new Map<ServerName, Record<LoadName, Figures>[]>(SERVERS.map((name) => [name, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const contender of contenders) {
        await contender.connect(SUBSCRIBERS);
        rounds.get(contender.name)?.push(await bothLoads(contender));
        await contender.disconnect();
      }
    }
    const results = new Map<ServerName, FanOut>();
    for (const contender of contenders) {
      const withoutSubscribers = await bothLoads(contender);
      const samples = (load: LoadName): Samples => ({
        rounds: rounds.get(contender.name)?.map((figures) => figures[load]) ?? [],
        withoutSubscribers: withoutSubscribers[load],
      });
      results.set(contender.name, { paced: samples("paced"), burst: samples("burst") });
    }
    return results;
  } finally {
    for (const contender of contenders) await contender.stop();
  }
}

async function warmUp(contender: Contender): Promise<void> {
  // First messages also start conversations, which costs more than a message.
  await contender.startConversations(SUBSCRIBERS);
  await contender.connect(SUBSCRIBERS);
  await contender.run({ messages: 50, every: 0 });
  await contender.disconnect();
}

async function bothLoads(contender: Contender): Promise<Record<LoadName, Figures>> {
  return { paced: await contender.run(LOADS.paced), burst: await contender.run(LOADS.burst) };
}

/** Memory per idle subscriber in bytes, at each number of subscribers in `IDLE`. */
export async function memoryOfIdle(name: ServerName, desk: Desk, clients: Child<ClientMethods>): Promise<Memory[]> {
  const contender = await Contender.start(name, desk, clients);
  try {
    // Code that is loaded and compiled on first use must not be attributed to subscribers.
    await contender.connect(200);
    await contender.disconnect();
    const baseline = await contender.memory();
    const memories: Memory[] = [];
    let connected = 0;
    for (const subscribers of IDLE) {
      await contender.connect(subscribers - connected);
      connected = subscribers;
      const { rss, heap } = await contender.memory();
      memories.push({ rss: (rss - baseline.rss) / subscribers, heap: (heap - baseline.heap) / subscribers });
    }
    await contender.disconnect();
    return memories;
  } finally {
    await contender.stop();
  }
}

/** Runs both loads with the subscribers spread over several documents; the paced load runs first and warms up. */
export async function manyDocuments(contender: Contender, documents: number): Promise<Record<LoadName, Figures>> {
  await contender.connect(SUBSCRIBERS, (index) => ({ query: otherDocument(index % documents), variables: {} }));
  const figures = await bothLoads(contender);
  await contender.disconnect();
  return figures;
}

/** Contacts who write while each subscriber filters by the conversation of one contact. */
export const WRITERS = 10;
const MESSAGES_EACH = 60;

/** Measures subscribers that each filter by one conversation of their own. Returns the rounds by subscriber count. */
export async function filters(
  contender: Contender,
  desk: Desk,
  subscribers: readonly number[],
): Promise<ReadonlyMap<number, readonly Figures[]>> {
  const conversationIds = await desk.conversationIds(SUBSCRIBERS);
  const operationOf = (index: number): Operation => ({
    query: DOCUMENT,
    variables: { filter: { conversationId: conversationIds[index] } },
  });
  const results = new Map<number, Figures[]>(subscribers.map((count) => [count, []]));
  // The first round is the warm-up.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const count of subscribers) {
      if (count > 0) await contender.connect(count, operationOf, count);
      const counts = Array.from({ length: count }, (_, index) => (index < WRITERS ? MESSAGES_EACH : 0));
      const figures = await contender.measure(MESSAGES_EACH, counts, { latency: false }, async (first) => {
        for (let n = first; n < first + MESSAGES_EACH; n++)
          await desk.write(
            contender.port,
            oneEach(WRITERS, () => n),
          );
        return null;
      });
      if (round > 0) results.get(count)?.push(figures);
      await contender.disconnect();
    }
  }
  return results;
}

/** CPU time of a message in `filters`, in microseconds. */
export function cpuOfOneEvent({ cpu }: Figures): number {
  return cpu / (WRITERS * MESSAGES_EACH);
}

export const CONSOLES = 10;
const EVENTS_PER_SECOND = 500;
const SECONDS = 5;
/** Long enough for the write path to be compiled, in seconds. */
const WARM_UP = 5;

/** Delivers events at a steady rate to a few consoles, each from its own webhook request and usually its own commit. */
export async function manyCommits(contender: Contender, desk: Desk): Promise<Figures> {
  await contender.connect(CONSOLES);
  const run = (seconds: number): Promise<Figures> => {
    const events = seconds * EVENTS_PER_SECOND;
    // Concurrent webhook requests may be committed in another order.
    const options = { inOrder: false };
    return contender.measure(events, Array(CONSOLES).fill(events), options, async (first) => {
      const began = performance.now();
      const writes: Promise<void>[] = [];
      for (let sent = 0; sent < events; sent++) {
        const early = began + (sent / EVENTS_PER_SECOND) * 1_000 - performance.now();
        if (early > 1) await sleep(early);
        writes.push(desk.write(contender.port, [{ contact: sent % SUBSCRIBERS, n: first + sent }]));
      }
      await Promise.all(writes);
      return null;
    });
  };
  await run(WARM_UP);
  const rounds: Figures[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await run(SECONDS));
  await contender.disconnect();
  const [, median] = rounds.toSorted((a, b) => (a.latency?.p99 ?? 0) - (b.latency?.p99 ?? 0));
  if (median === undefined) throw new Error("Too few rounds for a median.");
  return { ...median, lost: rounds.reduce((sum, { lost }) => sum + lost, 0) };
}
