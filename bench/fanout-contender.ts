import { setTimeout as sleep } from "node:timers/promises";
import { type Child, startChild } from "./child.ts";
import type { ClientMethods } from "./fanout-clients.ts";
import { type Desk, SECRET } from "./fanout-desk.ts";
import { BURST, DOCUMENT } from "./fanout-message.ts";
import type { Memory, ServerMethods, ServerName } from "./fanout-server.ts";

/** How messages are published. */
export interface Load {
  readonly messages: number;
  /** Milliseconds between two messages; with 0, `BURST` at a time, as fast as the server accepts them. */
  readonly every: number;
}

/** What a load cost, and how it was delivered. */
export interface Figures {
  readonly deliveries: number;
  readonly perSecond: number;
  /** CPU time of the server's process over the whole load, in microseconds. */
  readonly cpu: number;
  /** Share of one core that the clients' process used; near 1, the clients are the bottleneck. */
  readonly clientsBusy: number;
  /** From publishing to receiving, in milliseconds; null if it was not measured. */
  readonly latency: { readonly p50: number; readonly p99: number } | null;
  /** Not received, received twice or received out of order. */
  readonly lost: number;
  readonly bytes: number;
}

/** The operation of one subscriber. */
export interface Operation {
  readonly query: string;
  readonly variables: Record<string, unknown>;
}

/** Message numbers are unique over all runs, so that each message can be identified. */
let nextNumber = 1;

/** A server in its own process, measured through the clients' process. */
export class Contender {
  readonly name: ServerName;
  readonly port: number;
  readonly #server: Child<ServerMethods>;
  readonly #clients: Child<ClientMethods>;
  readonly #desk: Desk;
  #connected = 0;

  static async start(name: ServerName, desk: Desk, clients: Child<ClientMethods>): Promise<Contender> {
    const server = await startChild<ServerMethods>("fanout-server.ts", [name]);
    const port = await server.call("start", name, desk.databaseUrl, SECRET);
    return new Contender(name, port, server, clients, desk);
  }

  private constructor(
    name: ServerName,
    port: number,
    server: Child<ServerMethods>,
    clients: Child<ClientMethods>,
    desk: Desk,
  ) {
    this.name = name;
    this.port = port;
    this.#server = server;
    this.#clients = clients;
    this.#desk = desk;
  }

  /** Starts the conversations of the first contacts; does nothing for servers without contacts. */
  async startConversations(contacts: number): Promise<void> {
    if (this.name === "deskgate")
      await this.#desk.write(
        this.port,
        oneEach(contacts, () => 0),
      );
  }

  /** Connects more subscribers, each as another agent; resolves when each has received a message. */
  async connect(subscribers: number, operation = allMessages, contacts = 1): Promise<void> {
    const from = this.#connected;
    this.#connected += subscribers;
    await this.#clients.call(
      "connect",
      `ws://127.0.0.1:${this.port}/graphql`,
      Array.from({ length: subscribers }, (_, index) => ({
        authorization: this.name === "deskgate" ? (this.#desk.authorizations[from + index] ?? null) : null,
        ...operation(from + index),
      })),
    );
    // A subscriber that has received a message is known to be subscribed; the number 0 is not counted.
    do {
      if (this.name !== "deskgate") await this.#server.call("publish", 0, 1, 0);
      else
        await this.#desk.write(
          this.port,
          oneEach(contacts, () => 0),
        );
      await sleep(100);
    } while ((await this.#clients.call("withoutMessages")) > 0);
    // Let the remaining deliveries of these messages finish before anything is measured.
    await sleep(1_000);
  }

  async disconnect(): Promise<void> {
    await this.#clients.call("disconnect");
    this.#connected = 0;
    // Let the server finish closing the sockets before anything is measured.
    await sleep(300);
  }

  /** Measures a load whose messages all go to every connected subscriber. */
  async run({ messages, every }: Load): Promise<Figures> {
    const counts = Array.from({ length: this.#connected }, () => messages);
    return this.measure(messages, counts, {}, async (first) => {
      if (this.name !== "deskgate") return this.#server.call("publish", first, messages, every);
      const size = every === 0 ? BURST : 1;
      const began = performance.now();
      for (let sent = 0; sent < messages; sent += size) {
        await sleep(Math.max(0, began + sent * every - performance.now()));
        await this.#desk.write(
          this.port,
          oneEach(size, (contact) => first + sent + contact),
        );
      }
      return null;
    });
  }

  /**
   * Measures the cost of `publish`, which publishes `numbers` messages, numbered from `first` on. It returns when each
   * was published, or null if the database records that. `counts` says how many of them each subscriber must receive.
   */
  async measure(
    numbers: number,
    counts: number[],
    { inOrder = true, latency = true }: { readonly inOrder?: boolean; readonly latency?: boolean },
    publish: (first: number) => Promise<number[] | null>,
  ): Promise<Figures> {
    const first = nextNumber;
    nextNumber += numbers;
    await this.#clients.call("expect", first, counts, inOrder);
    const [cpuBefore, clientsBefore] = [await this.#server.call("cpu"), await this.#clients.call("cpu")];
    const began = performance.timeOrigin + performance.now();
    const published = await publish(first);
    const received = await this.#clients.call("received");
    const [cpu, clients] = [await this.#server.call("cpu"), await this.#clients.call("cpu")];
    const took = Math.max(1, received.lastAt - began);
    const hasLatency = latency && received.deliveries > 0;
    return {
      deliveries: received.deliveries,
      perSecond: (received.deliveries / took) * 1_000,
      cpu: cpu - cpuBefore,
      clientsBusy: (clients - clientsBefore) / 1_000 / took,
      latency: hasLatency
        ? await this.#clients.call("latency", published ?? (await this.#desk.committedAt(first, numbers)))
        : null,
      lost: received.lost + received.wrong,
      bytes: received.bytes,
    };
  }

  memory(): Promise<Memory> {
    return this.#server.call("memory");
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}

/** One message from each of the first contacts. */
export function oneEach(contacts: number, numberOf: (contact: number) => number) {
  return Array.from({ length: contacts }, (_, contact) => ({ contact, n: numberOf(contact) }));
}

function allMessages(_index: number): Operation {
  return { query: DOCUMENT, variables: {} };
}
