import { type Child, startChild } from "./child.ts";
import type { ClientAnswers } from "./fanout-clients.ts";
import { Contender, type Figures } from "./fanout-contender.ts";
import { startDesk } from "./fanout-desk.ts";
import {
  cpuOfOneEvent,
  type FanOut,
  fanOutOfAll,
  filters,
  IDLE,
  type LoadName,
  manyCommits,
  manyDocuments,
  memoryOfIdle,
  type Samples,
  SERVERS,
  SUBSCRIBERS,
} from "./fanout-runs.ts";
import type { Memory, ServerName } from "./fanout-server.ts";
import { type Aim, type Row, report, round } from "./report.ts";

const DOCUMENTS = 50;
/** How many listen to a conversation each, while a message concerns one of them; none for what is to be taken off. */
const LISTENERS = [SUBSCRIBERS, 10, 0] as const;

const LABELS: Record<ServerName, string> = {
  deskgate: "this server",
  ws: "raw ws, ready string",
  yoga: "stock Yoga + graphql-ws",
  mercurius: "Mercurius",
};

const NOTES = `
CPU µs: of the server's process, user and system, with the subscribers less the same messages without any, for each delivery.
  For this server that takes off webhooks and commits, and leaves reading, executing, writing and all that subscribers cost by
  being connected. PostgreSQL's processes are not counted; the others have no database and are handed the message.
Latency: from publish, or from PostgreSQL's time of the commit (taken before it is written to disk), until a client has it.
paced: 10 messages a second. burst: 200 messages, 50 in one commit or one turn, the next as soon as the server takes them.
Memory: RSS of a fresh process after a collection that gives free pages back, less the same without subscribers, for each of
  them; beside it what of the difference is JavaScript. What the kernel keeps for a socket is not in it.
clients: share of one core that the clients' process took; near 100 % it is they who limit the deliveries a second.`;

/** What it costs to tell many: this server whole, beside servers that do nothing else. `NOTES` says how it is counted. */
export async function fanout(): Promise<void> {
  const desk = await startDesk(Math.max(...IDLE));
  let clients: Child<ClientAnswers> | null = null;
  try {
    clients = await startChild<ClientAnswers>("fanout-clients.ts");
    console.log(`Four servers, ${SUBSCRIBERS} subscribers …`);
    const fanOuts = await fanOutOfAll(desk, clients);
    const memories = new Map<ServerName, readonly Memory[]>();
    for (const name of SERVERS) {
      console.log(`Idle subscribers: ${LABELS[name]} …`);
      memories.set(name, await memoryOfIdle(name, desk, clients));
    }
    const ours = await Contender.start("deskgate", desk, clients);
    try {
      await ours.introduce(SUBSCRIBERS);
      console.log(`${DOCUMENTS} documents …`);
      const documents = await manyDocuments(ours, DOCUMENTS);
      console.log("Commits at a steady rate …");
      const commits = await manyCommits(ours, desk);
      console.log("Filters by conversation …");
      const listeners = await filters(ours, desk, LISTENERS);
      tell({ fanOuts, memories, documents, listeners, commits });
    } finally {
      await ours.stop();
    }
  } finally {
    await clients?.stop();
    await desk.stop();
  }
}

interface Measured {
  readonly fanOuts: ReadonlyMap<ServerName, FanOut>;
  readonly memories: ReadonlyMap<ServerName, readonly Memory[]>;
  readonly documents: Record<LoadName, Figures>;
  readonly listeners: ReadonlyMap<number, readonly Figures[]>;
  readonly commits: Figures;
}

function tell(measured: Measured): void {
  const { fanOuts, memories, documents, listeners, commits } = measured;
  const rows: Row[] = [];
  for (const load of ["paced", "burst"] as const) {
    for (const [name, fanOut] of fanOuts) rows.push({ server: LABELS[name], load, ...columnsOf(fanOut[load]) });
    const withoutSubscribers = fanOuts.get("deskgate")?.[load].withoutSubscribers ?? documents[load];
    const samples = { rounds: [documents[load]], withoutSubscribers };
    rows.push({ server: `${LABELS.deskgate}, ${DOCUMENTS} documents`, load, ...columnsOf(samples) });
  }
  rows.push({
    server: `${LABELS.deskgate}, 10 consoles`,
    load: "500 commits/s",
    "p50 ms": round(commits.latency?.p50 ?? Number.NaN),
    "p99 ms": round(commits.latency?.p99 ?? Number.NaN),
    lost: commits.lost,
  });
  for (const [count, figures] of listeners) {
    if (count === 0) continue;
    rows.push({
      server: `${LABELS.deskgate}, message for 1 of ${count}`,
      load: "by conversation",
      "CPU µs": round(cpuOfMatch(listeners, count), 0),
      lost: sum(figures.map(({ lost }) => lost)),
    });
  }
  for (const [name, memory] of memories) {
    for (const [kind, load] of [
      ["rss", "idle, RSS"],
      ["heap", "idle, JavaScript"],
    ] as const) {
      const sizes = memory.map((each, index) => [`KB of ${IDLE[index]}`, round(each[kind] / 1_024, 1)]);
      rows.push({ server: LABELS[name], load, ...Object.fromEntries(sizes) });
    }
  }
  report("fanout", rows, aimsOf(measured));
  console.log(NOTES);
}

function columnsOf(samples: Samples): Row {
  const { rounds } = samples;
  return {
    "deliveries /s": round(median(rounds.map(({ perSecond }) => perSecond)), 0),
    "CPU µs": round(cpuOfDelivery(samples)),
    "p50 ms": round(median(rounds.map(({ latency }) => latency?.p50 ?? Number.NaN)), 1),
    "p99 ms": round(median(rounds.map(({ latency }) => latency?.p99 ?? Number.NaN)), 1),
    lost: sum(rounds.map(({ lost }) => lost)),
    bytes: round(median(rounds.map(({ bytes }) => bytes)), 0),
    "clients %": round(median(rounds.map(({ clientsBusy }) => clientsBusy)) * 100, 0),
  };
}

function aimsOf({ fanOuts, memories, documents, listeners, commits }: Measured): Aim[] {
  const ours = fanOuts.get("deskgate");
  const [raw, yoga] = [fanOuts.get("ws"), fanOuts.get("yoga")];
  if (ours === undefined || raw === undefined || yoga === undefined) throw new Error("Not all servers were measured.");
  const idle = memories.get("deskgate")?.at(-1)?.rss ?? Number.NaN;
  const [many, few] = LISTENERS;
  const byMatching = cpuOfMatch(listeners, many) / cpuOfMatch(listeners, few);
  const all = [
    ...Object.values(ours).flatMap(({ rounds }) => rounds),
    ...Object.values(documents),
    ...[...listeners.values()].flat(),
    commits,
  ];
  const lost = sum(all.map((figures) => figures.lost));
  const slowest = commits.latency?.p99 ?? Number.NaN;
  return [
    ...(["paced", "burst"] as const).flatMap((load) => [
      atMost(`CPU a delivery ÷ raw ws, ${load}`, cpuOfDelivery(ours[load]) / cpuOfDelivery(raw[load]), 1.5),
      atLeast(
        `CPU a delivery, stock Yoga ÷ this server, ${load}`,
        cpuOfDelivery(yoga[load]) / cpuOfDelivery(ours[load]),
        5,
      ),
    ]),
    atMost(`KB per idle subscriber at ${IDLE.at(-1)}`, idle / 1_024, 25),
    atMost("deliveries lost, repeated or out of turn", lost, 0),
    atMost("commit to client at 500 commits/s, p99 ms", slowest, 10),
    atMost(`CPU of a message for 1 of ${many} ÷ for 1 of ${few}`, byMatching, 1.5),
  ];
}

function atMost(name: string, value: number, limit: number): Aim {
  return { name, value: round(value), target: `≤ ${limit}`, holds: value <= limit };
}

function atLeast(name: string, value: number, limit: number): Aim {
  return { name, value: round(value), target: `≥ ${limit}`, holds: value >= limit };
}

/** In microseconds; the median of the rounds. */
function cpuOfDelivery({ rounds, withoutSubscribers }: Samples): number {
  return median(rounds.map(({ cpu, deliveries }) => (cpu - withoutSubscribers.cpu) / deliveries));
}

/** In microseconds: what a message that one of so many listens to costs more than one that nobody listens to. */
function cpuOfMatch(listeners: Measured["listeners"], count: number): number {
  const cpu = (of: number): number => median((listeners.get(of) ?? []).map(cpuOfOneEvent));
  return cpu(count) - cpu(0);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
