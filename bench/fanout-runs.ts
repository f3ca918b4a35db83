import { setTimeout as sleep } from "node:timers/promises";
import type { Child } from "./child.ts";
import type { ClientAnswers } from "./fanout-clients.ts";
import { Contender, everyone, type Figures, type Load, type Operation } from "./fanout-contender.ts";
import type { Desk } from "./fanout-desk.ts";
import { DOCUMENT, otherDocument } from "./fanout-message.ts";
import type { Memory, ServerName } from "./fanout-server.ts";

export const SERVERS: readonly ServerName[] = ["deskgate", "ws", "yoga", "mercurius"];
export const SUBSCRIBERS = 1_000;
/** How many subscribers are idle when memory is looked at. */
export const IDLE = [1_000, 5_000, 10_000] as const;
export const LOADS: Record<LoadName, Load> = {
  paced: { messages: 30, every: 100 },
  burst: { messages: 200, every: 0 },
};
export type LoadName = "paced" | "burst";
const ROUNDS = 3;

/** One kind of load: over the rounds, and what the same messages cost without any subscriber. */
export interface Samples {
  readonly rounds: readonly Figures[];
  readonly withoutSubscribers: Figures;
}

export type FanOut = Record<LoadName, Samples>;

/** The same messages to the same subscribers from all servers in turn, several times: what disturbs one disturbs all. */
export async function fanOutOfAll(desk: Desk, clients: Child<ClientAnswers>): Promise<ReadonlyMap<ServerName, FanOut>> {
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
      const alone = await bothLoads(contender);
      const samples = (load: LoadName): Samples => ({
        rounds: rounds.get(contender.name)?.map((figures) => figures[load]) ?? [],
        withoutSubscribers: alone[load],
      });
      results.set(contender.name, { paced: samples("paced"), burst: samples("burst") });
    }
    return results;
  } finally {
    for (const contender of contenders) await contender.stop();
  }
}

async function warmUp(contender: Contender): Promise<void> {
  // The people's first messages start their conversations, which is more than a message.
  await contender.introduce(SUBSCRIBERS);
  await contender.connect(SUBSCRIBERS);
  await contender.run({ messages: 50, every: 0 });
  await contender.disconnect();
}

async function bothLoads(contender: Contender): Promise<Record<LoadName, Figures>> {
  return { paced: await contender.run(LOADS.paced), burst: await contender.run(LOADS.burst) };
}

/** What one idle subscriber takes, in bytes, when there are as many as `IDLE` says. */
export async function memoryOfIdle(name: ServerName, desk: Desk, clients: Child<ClientAnswers>): Promise<Memory[]> {
  const contender = await Contender.start(name, desk, clients);
  try {
    // What is loaded and compiled at the first use is no subscriber's.
    await contender.connect(200);
    await contender.disconnect();
    const none = await contender.memory();
    const memories: Memory[] = [];
    let connected = 0;
    for (const subscribers of IDLE) {
      await contender.connect(subscribers - connected);
      connected = subscribers;
      const { rss, heap } = await contender.memory();
      memories.push({ rss: (rss - none.rss) / subscribers, heap: (heap - none.heap) / subscribers });
    }
    await contender.disconnect();
    return memories;
  } finally {
    await contender.stop();
  }
}

/** The subscribers spread over so many documents; the paced load, which is first, warms up. */
export async function manyDocuments(contender: Contender, documents: number): Promise<Record<LoadName, Figures>> {
  await contender.connect(SUBSCRIBERS, (index) => ({ query: otherDocument(index % documents), variables: {} }));
  const figures = await bothLoads(contender);
  await contender.disconnect();
  return figures;
}

/** People who write while each subscriber listens to the conversation of one person. */
export const WRITERS = 10;
const MESSAGES_EACH = 60;

/** Each subscriber hears one conversation, and each message concerns one of them: rounds with so many subscribers. */
export async function filters(
  contender: Contender,
  desk: Desk,
  subscribers: readonly number[],
): Promise<ReadonlyMap<number, readonly Figures[]>> {
  const conversationIds = await desk.conversationIds(SUBSCRIBERS);
  const ofOne = (index: number): Operation => ({
    query: DOCUMENT,
    variables: { filter: { conversationId: conversationIds[index] } },
  });
  const results = new Map<number, Figures[]>(subscribers.map((count) => [count, []]));
  // The first round is the warm-up.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const count of subscribers) {
      if (count > 0) await contender.connect(count, ofOne, count);
      const counts = Array.from({ length: count }, (_, index) => (index < WRITERS ? MESSAGES_EACH : 0));
      const figures = await contender.measure(MESSAGES_EACH, counts, { latency: false }, async (first) => {
        for (let n = first; n < first + MESSAGES_EACH; n++)
          await desk.write(
            contender.port,
            everyone(WRITERS, () => n),
          );
        return null;
      });
      if (round > 0) results.get(count)?.push(figures);
      await contender.disconnect();
    }
  }
  return results;
}

/** What a message of a conversation costs, in microseconds of CPU. */
export function cpuOfOneEvent({ cpu }: Figures): number {
  return cpu / (WRITERS * MESSAGES_EACH);
}

export const CONSOLES = 10;
const EVENTS_PER_SECOND = 500;
const SECONDS = 5;
/** Until the write path is compiled, in seconds. */
const WARM_UP = 5;

/** So many events a second, each with a webhook and a commit of its own where they do not coincide, told to a few consoles. */
export async function manyCommits(contender: Contender, desk: Desk): Promise<Figures> {
  await contender.connect(CONSOLES);
  const run = (seconds: number): Promise<Figures> => {
    const events = seconds * EVENTS_PER_SECOND;
    // Webhooks under way side by side may be committed in another order.
    const options = { inOrder: false };
    return contender.measure(events, Array(CONSOLES).fill(events), options, async (first) => {
      const began = performance.now();
      const writes: Promise<void>[] = [];
      for (let sent = 0; sent < events; sent++) {
        const early = began + (sent / EVENTS_PER_SECOND) * 1_000 - performance.now();
        if (early > 1) await sleep(early);
        writes.push(desk.write(contender.port, [{ person: sent % SUBSCRIBERS, n: first + sent }]));
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
  if (median === undefined) throw new Error("There are too few rounds for a median.");
  return { ...median, lost: rounds.reduce((sum, { lost }) => sum + lost, 0) };
}
