import { setTimeout as sleep } from "node:timers/promises";
import { type Child, startChild } from "./child.ts";
import type { ClientAnswers } from "./fanout-clients.ts";
import { type Desk, SECRET } from "./fanout-desk.ts";
import { BURST, DOCUMENT } from "./fanout-message.ts";
import type { Memory, ServerAnswers, ServerName } from "./fanout-server.ts";

/** How messages come. */
export interface Load {
  readonly messages: number;
  /** Milliseconds from one to the next; 0 as fast as the server takes them, `BURST` at a time. */
  readonly every: number;
}

/** What a load cost, and how it was heard. */
export interface Figures {
  readonly deliveries: number;
  readonly perSecond: number;
  /** CPU of the server's process over the whole load, in microseconds. */
  readonly cpu: number;
  /** How much of one core the clients' process took: near 1 it is they who limit. */
  readonly clientsBusy: number;
  /** From publishing to receiving, in milliseconds; null where it was not asked for. */
  readonly latency: { readonly p50: number; readonly p99: number } | null;
  /** Not received, or received twice or out of turn. */
  readonly lost: number;
  readonly bytes: number;
}

/** What one subscriber asks. */
export interface Operation {
  readonly query: string;
  readonly variables: Record<string, unknown>;
}

/** Messages are numbered through, so that each is told from all others. */
let nextNumber = 1;

/** A server in a process of its own, and what is asked of it through the clients' process. */
export class Contender {
  readonly name: ServerName;
  readonly port: number;
  readonly #server: Child<ServerAnswers>;
  readonly #clients: Child<ClientAnswers>;
  readonly #desk: Desk;
  #connected = 0;

  static async start(name: ServerName, desk: Desk, clients: Child<ClientAnswers>): Promise<Contender> {
    const server = await startChild<ServerAnswers>("fanout-server.ts", [name]);
    const port = await server.ask("start", name, desk.databaseUrl, SECRET);
    return new Contender(name, port, server, clients, desk);
  }

  private constructor(
    name: ServerName,
    port: number,
    server: Child<ServerAnswers>,
    clients: Child<ClientAnswers>,
    desk: Desk,
  ) {
    this.name = name;
    this.port = port;
    this.#server = server;
    this.#clients = clients;
    this.#desk = desk;
  }

  /** Lets so many people write for the first time, where the server has people. */
  async introduce(people: number): Promise<void> {
    if (this.name === "deskgate")
      await this.#desk.write(
        this.port,
        everyone(people, () => 0),
      );
  }

  /** Connects that many more subscribers, each another agent, and waits until a message of each of the people was heard by all. */
  async connect(subscribers: number, operation = everything, people = 1): Promise<void> {
    const from = this.#connected;
    this.#connected += subscribers;
    await this.#clients.ask(
      "connect",
      `ws://127.0.0.1:${this.port}/graphql`,
      Array.from({ length: subscribers }, (_, index) => ({
        authorization: this.name === "deskgate" ? (this.#desk.authorizations[from + index] ?? null) : null,
        ...operation(from + index),
      })),
    );
    // Only who has heard something is known to be subscribed; the number 0 is not counted.
    do {
      if (this.name !== "deskgate") await this.#server.ask("publish", 0, 1, 0);
      else
        await this.#desk.write(
          this.port,
          everyone(people, () => 0),
        );
      await sleep(100);
    } while ((await this.#clients.ask("silent")) > 0);
    // What is still told of these messages belongs to nothing that is measured.
    await sleep(1_000);
  }

  async disconnect(): Promise<void> {
    await this.#clients.ask("disconnect");
    this.#connected = 0;
    // The server has its own work with the closing, which belongs to nothing that is measured.
    await sleep(300);
  }

  /** The same messages to all who are connected. */
  async run({ messages, every }: Load): Promise<Figures> {
    const counts = Array.from({ length: this.#connected }, () => messages);
    return this.measure(messages, counts, {}, async (first) => {
      if (this.name !== "deskgate") return this.#server.ask("publish", first, messages, every);
      const size = every === 0 ? BURST : 1;
      const began = performance.now();
      for (let sent = 0; sent < messages; sent += size) {
        await sleep(Math.max(0, began + sent * every - performance.now()));
        await this.#desk.write(
          this.port,
          everyone(size, (person) => first + sent + person),
        );
      }
      return null;
    });
  }

  /**
   * Measures what `publish` costs, which gives out `numbers` numbers from `first` on and answers when each was published, or
   * null where the database knows. `counts` says how many of them each subscriber must hear.
   */
  async measure(
    numbers: number,
    counts: number[],
    { inOrder = true, latency = true }: { readonly inOrder?: boolean; readonly latency?: boolean },
    publish: (first: number) => Promise<number[] | null>,
  ): Promise<Figures> {
    const first = nextNumber;
    nextNumber += numbers;
    await this.#clients.ask("expect", first, counts, inOrder);
    const [cpuBefore, clientsBefore] = [await this.#server.ask("cpu"), await this.#clients.ask("cpu")];
    const began = performance.timeOrigin + performance.now();
    const published = await publish(first);
    const heard = await this.#clients.ask("heard");
    const [cpu, clients] = [await this.#server.ask("cpu"), await this.#clients.ask("cpu")];
    const took = Math.max(1, heard.lastAt - began);
    const isHeard = latency && heard.deliveries > 0;
    return {
      deliveries: heard.deliveries,
      perSecond: (heard.deliveries / took) * 1_000,
      cpu: cpu - cpuBefore,
      clientsBusy: (clients - clientsBefore) / 1_000 / took,
      latency: isHeard
        ? await this.#clients.ask("latency", published ?? (await this.#desk.committedAt(first, numbers)))
        : null,
      lost: heard.lost + heard.wrong,
      bytes: heard.bytes,
    };
  }

  memory(): Promise<Memory> {
    return this.#server.ask("memory");
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}

/** A message of each of the first people. */
export function everyone(people: number, numberOf: (person: number) => number) {
  return Array.from({ length: people }, (_, person) => ({ person, n: numberOf(person) }));
}

function everything(_index: number): Operation {
  return { query: DOCUMENT, variables: {} };
}
