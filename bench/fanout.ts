import { type Child, startChild } from "./child.ts";
import type { ClientMethods } from "./fanout-clients.ts";
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
import { type Row, report, round, type Target } from "./report.ts";

const DOCUMENTS = 50;
/** Numbers of subscribers that each filter by one conversation; 0 gives the baseline to subtract. */
const FILTERED_SUBSCRIBERS = [SUBSCRIBERS, 10, 0] as const;

const LABELS: Record<ServerName, string> = {
  deskgate: "Deskgate",
  ws: "raw ws, prepared string",
  yoga: "stock Yoga + graphql-ws",
  mercurius: "Mercurius",
};

const NOTES = `
CPU µs: user and system CPU time of the server's process per delivery, minus that of the same messages without
  subscribers. For Deskgate, the result excludes webhooks and commits, and includes reading the log, executing,
  sending and open connections. PostgreSQL's processes are not counted. The other servers have no database: the
  benchmark passes the messages to them.
Latency: from publishing until a client has received the message; for Deskgate from PostgreSQL's commit time, which is
  taken before the write to disk.
paced: 10 messages per second. burst: 200 messages, 50 per commit or event-loop turn, as fast as the server allows.
Memory: of a fresh process after a garbage collection that releases free pages, minus that without subscribers, per
  subscriber; RSS in total, and the part of it that is JavaScript. Kernel memory of sockets is not included.
clients: share of one core that the clients' process used; near 100 %, the clients limit the deliveries per second.`;

/** Measures the cost of delivering to many subscribers, compared with other servers. `NOTES` explains the figures. */
export async function fanout(): Promise<void> {
  const desk = await startDesk(Math.max(...IDLE));
  let clients: Child<ClientMethods> | null = null;
  try {
    clients = await startChild<ClientMethods>("fanout-clients.ts");
    console.log(`Four servers, ${SUBSCRIBERS} subscribers …`);
    const fanOuts = await fanOutOfAll(desk, clients);
    const memories = new Map<ServerName, readonly Memory[]>();
    for (const name of SERVERS) {
      console.log(`Idle subscribers: ${LABELS[name]} …`);
      memories.set(name, await memoryOfIdle(name, desk, clients));
    }
    const ours = await Contender.start("deskgate", desk, clients);
    try {
      await ours.startConversations(SUBSCRIBERS);
      console.log(`${DOCUMENTS} documents …`);
      const documents = await manyDocuments(ours, DOCUMENTS);
      console.log("Commits at a steady rate …");
      const commits = await manyCommits(ours, desk);
      console.log("Filters by conversation …");
      const filtered = await filters(ours, desk, FILTERED_SUBSCRIBERS);
      printReport({ fanOuts, memories, documents, filtered, commits });
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
  readonly filtered: ReadonlyMap<number, readonly Figures[]>;
  readonly commits: Figures;
}

function printReport(measured: Measured): void {
  const { fanOuts, memories, documents, filtered, commits } = measured;
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
  for (const [count, figures] of filtered) {
    if (count === 0) continue;
    rows.push({
      server: `${LABELS.deskgate}, message for 1 of ${count}`,
      load: "filtered by conversation",
      "CPU µs": round(cpuOfMatch(filtered, count), 0),
      lost: sum(figures.map(({ lost }) => lost)),
    });
  }
  for (const [name, memory] of memories) {
    for (const [kind, load] of [
      ["rss", "idle, RSS"],
      ["heap", "idle, JavaScript"],
    ] as const) {
      const sizes = memory.map((each, index) => [`KB at ${IDLE[index]}`, round(each[kind] / 1_024, 1)]);
      rows.push({ server: LABELS[name], load, ...Object.fromEntries(sizes) });
    }
  }
  report("fanout", rows, targetsOf(measured));
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

function targetsOf({ fanOuts, memories, documents, filtered, commits }: Measured): Target[] {
  const ours = fanOuts.get("deskgate");
  const [raw, yoga] = [fanOuts.get("ws"), fanOuts.get("yoga")];
  if (ours === undefined || raw === undefined || yoga === undefined) throw new Error("Not all servers were measured.");
  const idle = memories.get("deskgate")?.at(-1)?.rss ?? Number.NaN;
  const [many, few] = FILTERED_SUBSCRIBERS;
  const growth = cpuOfMatch(filtered, many) / cpuOfMatch(filtered, few);
  const all = [
    ...Object.values(ours).flatMap(({ rounds }) => rounds),
    ...Object.values(documents),
    ...[...filtered.values()].flat(),
    commits,
  ];
  const lost = sum(all.map((figures) => figures.lost));
  const commitP99 = commits.latency?.p99 ?? Number.NaN;
  return [
    ...(["paced", "burst"] as const).flatMap((load) => [
      atMost(`CPU per delivery, Deskgate ÷ raw ws, ${load}`, cpuOfDelivery(ours[load]) / cpuOfDelivery(raw[load]), 1.5),
      atLeast(
        `CPU per delivery, stock Yoga ÷ Deskgate, ${load}`,
        cpuOfDelivery(yoga[load]) / cpuOfDelivery(ours[load]),
        5,
      ),
    ]),
    atMost(`KB per idle subscriber at ${IDLE.at(-1)}`, idle / 1_024, 25),
    atMost("deliveries lost, repeated or out of order", lost, 0),
    atMost("commit to client at 500 commits/s, p99 ms", commitP99, 10),
    atMost(`CPU per message for 1 of ${many} ÷ for 1 of ${few}`, growth, 1.5),
  ];
}

function atMost(name: string, value: number, limit: number): Target {
  return { name, value: round(value), target: `≤ ${limit}`, met: value <= limit };
}

function atLeast(name: string, value: number, limit: number): Target {
  return { name, value: round(value), target: `≥ ${limit}`, met: value >= limit };
}

/** CPU time per delivery in microseconds; the median of the rounds. */
function cpuOfDelivery({ rounds, withoutSubscribers }: Samples): number {
  return median(rounds.map(({ cpu, deliveries }) => (cpu - withoutSubscribers.cpu) / deliveries));
}

/** CPU time in microseconds of a message for one of `count` subscribers, minus that of one without subscribers. */
function cpuOfMatch(filtered: Measured["filtered"], count: number): number {
  const cpu = (subscribers: number): number => median((filtered.get(subscribers) ?? []).map(cpuOfOneEvent));
  return cpu(count) - cpu(0);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
