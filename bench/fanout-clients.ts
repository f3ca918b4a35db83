import { once } from "node:events";
import { WebSocket } from "ws";
import { answerParent } from "./child.ts";
import { DIGITS, MARK } from "./fanout-message.ts";
import { percentile } from "./report.ts";

/** One subscription on a socket of its own. */
export interface Subscriber {
  readonly authorization: string | null;
  readonly query: string;
  readonly variables: Record<string, unknown>;
}

/** What the subscribers heard since they were told what to expect. */
export interface Heard {
  readonly deliveries: number;
  /** Expected and not received. */
  readonly lost: number;
  /** Received twice, out of turn, or not asked for. */
  readonly wrong: number;
  /** The mean size of a message. */
  readonly bytes: number;
  /** When the last one came, in milliseconds of the epoch. */
  readonly lastAt: number;
}

/** What the clients' process can be asked. */
export type ClientAnswers = {
  /** Connects more subscribers to the one server that is being measured. */
  connect(url: string, subscribers: Subscriber[]): Promise<void>;
  /** How many have never received anything. */
  silent(): number;
  /** From here on each subscriber must hear the next `counts[i]` numbers from `first` on, each once, and nothing else. */
  expect(first: number, counts: number[], inOrder: boolean): void;
  /** Waits until all has come, or nothing more came for five seconds. */
  heard(): Promise<Heard>;
  /** Latencies of the deliveries in milliseconds, where the message `first + i` was published at `publishedAt[i]`. */
  latency(publishedAt: number[]): { readonly p50: number; readonly p99: number };
  cpu(): number;
  disconnect(): Promise<void>;
};

/** How many connect at the same time. */
const AT_ONCE = 100;
/** In milliseconds. */
const PATIENCE = 5_000;

const sockets: WebSocket[] = [];
let hasHeard: boolean[] = [];
/** By subscriber: which number is to come next, where they come in order. */
let next: number[] = [];
let isOrdered = true;
let first = 0;
let width = 0;
let counts: number[] = [];
let receivedAt = new Float64Array(0);
let open = 0;
let heard = { deliveries: 0, wrong: 0, bytes: 0, lastAt: 0 };

answerParent<ClientAnswers>({
  connect: async (url, subscribers) => {
    const waiting = [...subscribers];
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let each = waiting.shift(); each !== undefined; each = waiting.shift()) await subscribe(url, each);
      }),
    );
  },
  silent: () => hasHeard.filter((has) => !has).length,
  expect: (from, expected, inOrder) => {
    first = from;
    isOrdered = inOrder;
    counts = expected;
    width = Math.max(0, ...expected);
    next = expected.map(() => from);
    open = expected.reduce((sum, count) => sum + count, 0);
    receivedAt = new Float64Array(expected.length * width);
    heard = { deliveries: 0, wrong: 0, bytes: 0, lastAt: 0 };
  },
  heard: async () => {
    for (let patience = now() + PATIENCE, before = open; open > 0 && now() < patience; ) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (open < before) patience = now() + PATIENCE;
      before = open;
    }
    return { ...heard, lost: open, bytes: heard.bytes / Math.max(1, heard.deliveries) };
  },
  latency: (publishedAt) => {
    const latencies: number[] = [];
    counts.forEach((count, index) => {
      for (let n = 0; n < count; n++) {
        const at = receivedAt[index * width + n];
        if (at) latencies.push(at - (publishedAt[n] ?? Number.NaN));
      }
    });
    const sorted = [...Float64Array.from(latencies).sort()];
    return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
  },
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  disconnect: async () => {
    const closed = sockets.splice(0).map((socket) => {
      socket.removeAllListeners("close");
      const gone = once(socket, "close");
      socket.terminate();
      return gone;
    });
    await Promise.all(closed);
    hasHeard = [];
    next = [];
  },
});

async function subscribe(url: string, { authorization, query, variables }: Subscriber): Promise<void> {
  const socket = new WebSocket(url, "graphql-transport-ws", { perMessageDeflate: false, skipUTF8Validation: true });
  const index = sockets.push(socket) - 1;
  hasHeard[index] = false;
  socket.on("close", (code, reason) => {
    throw new Error(`The server closed a socket with ${code} ${reason}.`);
  });
  // The first message may come in the same moment as the opening.
  const acknowledged = once(socket, "message");
  await once(socket, "open");
  socket.send(
    JSON.stringify({ type: "connection_init", ...(authorization === null ? {} : { payload: { authorization } }) }),
  );
  await acknowledged;
  socket.on("message", (data: Buffer) => receive(index, data));
  socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query, variables } }));
}

function receive(index: number, data: Buffer): void {
  const at = now();
  const mark = data.indexOf(MARK);
  if (mark === -1) throw new Error(`A client got: ${data.toString()}`);
  const n = Number(data.toString("latin1", mark + 1, mark + 1 + DIGITS));
  hasHeard[index] = true;
  // The number 0 only tells that the subscription is there.
  if (n === 0) return;
  const place = n - first;
  const slot = index * width + place;
  const isExpected = place >= 0 && place < (counts[index] ?? 0) && receivedAt[slot] === 0;
  if (!isExpected || (isOrdered && n !== next[index])) {
    heard.wrong += 1;
    return;
  }
  next[index] = n + 1;
  receivedAt[slot] = at;
  open -= 1;
  heard.deliveries += 1;
  heard.bytes += data.length;
  heard.lastAt = at;
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
