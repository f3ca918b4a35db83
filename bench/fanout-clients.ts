import { once } from "node:events";
import { WebSocket } from "ws";
import { serveParent } from "./child.ts";
import { DIGITS, MARK } from "./fanout-message.ts";
import { percentile } from "./report.ts";

/** One subscription on its own socket. */
export interface Subscriber {
  readonly authorization: string | null;
  readonly query: string;
  readonly variables: Record<string, unknown>;
}

/** What the subscribers have received since `expect`. */
export interface Received {
  readonly deliveries: number;
  /** Expected but not received. */
  readonly lost: number;
  /** Received twice, out of order or without being expected. */
  readonly wrong: number;
  /** Mean size of a message in bytes. */
  readonly bytes: number;
  /** When the last message arrived, in milliseconds since the epoch. */
  readonly lastAt: number;
}

/** The functions of the clients' process. */
export type ClientMethods = {
  /** Connects more subscribers to the server that is being measured. */
  connect(url: string, subscribers: Subscriber[]): Promise<void>;
  /** How many subscribers have not received anything yet. */
  withoutMessages(): number;
  /** From now on, subscriber `i` must receive the `counts[i]` numbers from `first` on, each once, and nothing else. */
  expect(first: number, counts: number[], inOrder: boolean): void;
  /** Waits until everything has arrived, or nothing has arrived for five seconds. */
  received(): Promise<Received>;
  /** Latencies of the deliveries in milliseconds; the message `first + i` was published at `publishedAt[i]`. */
  latency(publishedAt: number[]): { readonly p50: number; readonly p99: number };
  /** CPU time used by the process so far, in microseconds. */
  cpu(): number;
  disconnect(): Promise<void>;
};

/** How many sockets connect concurrently. */
const CONCURRENCY = 100;
/** In milliseconds. */
const IDLE_TIMEOUT = 5_000;

const sockets: WebSocket[] = [];
let hasReceived: boolean[] = [];
/** By subscriber: the number expected next, if they must arrive in order. */
let next: number[] = [];
let isOrdered = true;
let first = 0;
let maxCount = 0;
let counts: number[] = [];
let receivedAt = new Float64Array(0);
let outstanding = 0;
let received = { deliveries: 0, wrong: 0, bytes: 0, lastAt: 0 };

serveParent<ClientMethods>({
  connect: async (url, subscribers) => {
    const waiting = [...subscribers];
    await Promise.all(
      Array.from({ length: CONCURRENCY }, async () => {
        for (let each = waiting.shift(); each !== undefined; each = waiting.shift()) await subscribe(url, each);
      }),
    );
  },
  withoutMessages: () => hasReceived.filter((has) => !has).length,
  expect: (from, expected, inOrder) => {
    first = from;
    isOrdered = inOrder;
    counts = expected;
    maxCount = Math.max(0, ...expected);
    next = expected.map(() => from);
    outstanding = expected.reduce((sum, count) => sum + count, 0);
    receivedAt = new Float64Array(expected.length * maxCount);
    received = { deliveries: 0, wrong: 0, bytes: 0, lastAt: 0 };
  },
  received: async () => {
    for (let deadline = now() + IDLE_TIMEOUT, before = outstanding; outstanding > 0 && now() < deadline; ) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (outstanding < before) deadline = now() + IDLE_TIMEOUT;
      before = outstanding;
    }
    return { ...received, lost: outstanding, bytes: received.bytes / Math.max(1, received.deliveries) };
  },
  latency: (publishedAt) => {
    const latencies: number[] = [];
    counts.forEach((count, index) => {
      for (let n = 0; n < count; n++) {
        const at = receivedAt[index * maxCount + n];
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
      const close = once(socket, "close");
      socket.terminate();
      return close;
    });
    await Promise.all(closed);
    hasReceived = [];
    next = [];
  },
});

async function subscribe(url: string, { authorization, query, variables }: Subscriber): Promise<void> {
  const socket = new WebSocket(url, "graphql-transport-ws", { perMessageDeflate: false, skipUTF8Validation: true });
  const index = sockets.push(socket) - 1;
  hasReceived[index] = false;
  socket.on("close", (code, reason) => {
    throw new Error(`The server closed a socket with ${code} ${reason}.`);
  });
  // The first message may arrive together with the open event, so listen for it before.
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
  if (mark === -1) throw new Error(`A client received an unexpected message: ${data.toString()}`);
  const n = Number(data.toString("latin1", mark + 1, mark + 1 + DIGITS));
  hasReceived[index] = true;
  // The number 0 only shows that the subscription is established.
  if (n === 0) return;
  const offset = n - first;
  const slot = index * maxCount + offset;
  const isExpected = offset >= 0 && offset < (counts[index] ?? 0) && receivedAt[slot] === 0;
  if (!isExpected || (isOrdered && n !== next[index])) {
    received.wrong += 1;
    return;
  }
  next[index] = n + 1;
  receivedAt[slot] = at;
  outstanding -= 1;
  received.deliveries += 1;
  received.bytes += data.length;
  received.lastAt = at;
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
