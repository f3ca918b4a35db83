import pino from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Mailbox } from "../../../src/channels/web-chat/mailbox.ts";
import type { Executor } from "../../../src/commands/executor.ts";
import type { StepResult } from "../../../src/commands/work.ts";
import { openLeases } from "../../../src/delivery/open-leases.ts";
import type { Command } from "../../../src/domain/command.ts";
import { toGlobalId } from "../../../src/domain/global-id.ts";
import { idOf } from "../../../src/domain/id.ts";
import type { ChatEntry, ChatReads } from "../../../src/store/chat-entries.ts";
import { type TestClock, testClock } from "../../support/clock.ts";
import { type StreamPair, streamPair } from "./stream-pair.ts";

type Status = ChatEntry["status"] | "CANCELED";

/** A fake write path and timeline of one ContactChannel, as far as a mailbox uses them. */
class FakeDesk {
  readonly clock: TestClock = testClock();
  readonly openLeases = openLeases({ clock: this.clock, isOpen: async () => false });
  readonly messages: { seq: number; status: Status }[] = [];
  /** The executed commands, in order: `lease 1`, `SENT 1`, …; `no lease` if none was granted. */
  readonly commands: string[] = [];
  blocked = false;
  /** Runs during each command. */
  during: (command: string) => void | Promise<void> = () => {};
  readonly #idle: (() => void)[] = [];

  readonly executor: Executor = {
    execute: async ({ steps: [step] }) => {
      const command = step?.command;
      if (command?.type === "LeaseOutbound") return [await this.#lease()];
      if (command?.type === "SettleOutbound") return [await this.#settle(command)];
      throw new Error("A mailbox sends no other commands.");
    },
    drain: async () => {},
  };

  readonly reads: ChatReads = {
    streamStart: async () => null,
    seqOf: async () => null,
    beforeLast: async () => 0,
    visitors: async () => [],
    undelivered: async (_id, { after, own, limit }) => {
      const all = this.messages.flatMap(({ seq, status }) => (status === "CANCELED" ? [] : [chatEntry(seq, status)]));
      const page = (wanted: (entry: ChatEntry) => boolean) => all.filter(wanted).slice(0, limit);
      return [
        ...page(({ status, seq }) => status === "SENT" && seq > after),
        ...page(({ status, seq }) => own && status === "OWN" && seq > after),
        ...page(({ status }) => status === "QUEUED" || status === "SENDING"),
      ].toSorted((a, b) => a.seq - b.seq);
    },
  };

  record(status: Status): void {
    this.messages.push({ seq: this.messages.length + 1, status });
  }

  /** Resolves when this is the last executed command. */
  async until(command: string): Promise<void> {
    while (this.commands.at(-1) !== command) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Leases the first pending message, as `decide` does. */
  async #lease(): Promise<StepResult> {
    const head = this.messages.find(({ status }) => status === "QUEUED" || status === "SENDING");
    if (this.blocked || head === undefined || head.status === "SENDING") {
      await this.#did("no lease");
      return this.blocked ? { type: "ContactBlocked", blockId: idOf("block") } : accepted;
    }
    head.status = "SENDING";
    const grantedAt = this.clock.now();
    await this.#did(`lease ${head.seq}`);
    const lease = { messageIds: [idAt(head.seq)], attempt: 1, call: { type: "PUSH" }, failures: 0, grantedAt } as const;
    return { ...accepted, changed: true, lease };
  }

  async #settle({ messageIds, outcome }: Extract<Command, { type: "SettleOutbound" }>): Promise<StepResult> {
    const message = this.messages.find(({ seq }) => idAt(seq) === messageIds[0]);
    if (message === undefined) throw new Error(`There is no message ${messageIds[0]}.`);
    await this.#did(`${outcome.type} ${message.seq}`);
    message.status = outcome.type === "NOT_BEGUN" ? (this.blocked ? "CANCELED" : "QUEUED") : "SENT";
    return { ...accepted, changed: true };
  }

  async #did(command: string): Promise<void> {
    await this.during(command);
    this.commands.push(command);
    for (const wake of this.#idle.splice(0)) wake();
  }
}

const accepted = { type: "Accepted", changed: false, messageId: null, conversationId: null, blockId: null } as const;

function chatEntry(seq: number, status: ChatEntry["status"]): ChatEntry {
  const author = status === "OWN" ? ({ type: "Visitor" } as const) : ({ type: "Bot" } as const);
  return { id: idAt(seq), seq, status, text: `${seq}`, menu: null, sentAt: 0, author, clientMessageId: null };
}

const idAt = (seq: number) => idOf<"Message">(`00000000-0000-7000-8000-${`${seq}`.padStart(12, "0")}`);
const textOf = (seq: number) => `"id":"${toGlobalId("Message", idAt(seq))}","text":"${seq}"`;

const from = (lastSeq: number) => ({ lastSeq, own: false });
const bothWaysFrom = (lastSeq: number) => ({ lastSeq, own: true });

let desk: FakeDesk;
let pair: StreamPair;
let mailbox: Mailbox;
beforeEach(async () => {
  desk = new FakeDesk();
  pair = await streamPair();
  mailbox = new Mailbox({ ...desk, workspaceId: idOf("workspace"), logger: pino({ level: "silent" }) });
  mailbox.belongsTo(idOf("contact-channel"));
});
afterEach(async () => {
  await mailbox.stop();
  await pair.close();
});

/** The numbers of the received messages, up to and including this one. */
async function receivedUpTo(seq: number): Promise<number[]> {
  const all = await pair.readUntil(textOf(seq));
  return [...all.matchAll(/"text":"(\d+)"/g)].map(([, text]) => Number(text));
}

test("B4 each message is sent under its own lease, one after another", async () => {
  for (let i = 0; i < 3; i++) desk.record("QUEUED");
  mailbox.add(pair.stream, from(0));
  expect(await receivedUpTo(3)).toEqual([1, 2, 3]);
  await desk.until("SENT 3");
  expect(desk.commands).toEqual(["lease 1", "SENT 1", "lease 2", "SENT 2", "lease 3", "SENT 3"]);
});

test("B4 D7 without a lease nothing is sent: a message stopped by a block is not written", async () => {
  desk.record("QUEUED");
  desk.record("QUEUED");
  desk.during = (command) => {
    if (command === "SENT 1") desk.blocked = true;
  };
  mailbox.add(pair.stream, from(0));
  await desk.until("SENT 1");
  await mailbox.stop();
  expect(desk.commands).toEqual(["lease 1", "SENT 1"]);
  pair.stream.finish();
  expect(await pair.readUntil("\r\n0\r\n\r\n")).not.toContain(textOf(2));
});

test("B4 a lease that is a second old before the write begins is released, and requested again", async () => {
  desk.record("QUEUED");
  let isSlow = true;
  desk.during = (command) => {
    if (command === "lease 1" && isSlow) desk.clock.advance(1_001);
    isSlow = false;
  };
  mailbox.add(pair.stream, from(0));
  await desk.until("NOT_BEGUN 1");
  // The mailbox is also notified of its own release.
  mailbox.wake();
  await desk.until("SENT 1");
  expect(desk.commands).toEqual(["lease 1", "NOT_BEGUN 1", "lease 1", "SENT 1"]);
  expect(await receivedUpTo(1)).toEqual([1]);
});

test("B4 a long wait for the lease does not count as the age of the lease", async () => {
  desk.record("QUEUED");
  const { execute } = desk.executor;
  Object.assign(desk.executor, {
    execute: (work: Parameters<typeof execute>[0]) => {
      desk.clock.advance(5_000);
      return execute(work);
    },
  });
  mailbox.add(pair.stream, from(0));
  await desk.until("SENT 1");
  expect(desk.commands).toEqual(["lease 1", "SENT 1"]);
});

test("a stream that closes before the message is written is not a failure: the next stream gets the message", async () => {
  desk.record("QUEUED");
  desk.during = (command) => {
    if (command === "lease 1") pair.stream.destroy();
  };
  mailbox.add(pair.stream, from(0));
  await desk.until("NOT_BEGUN 1");
  await pair.close();
  pair = await streamPair();
  desk.during = () => {};
  mailbox.add(pair.stream, from(0));
  expect(await receivedUpTo(1)).toEqual([1]);
  await desk.until("SENT 1");
});

test("a message leased by another server delays the ones after it", async () => {
  desk.record("SENDING");
  desk.record("QUEUED");
  mailbox.add(pair.stream, from(0));
  await new Promise((resolve) => setImmediate(resolve));
  expect(desk.commands).toEqual([]);
  Object.assign(desk.messages[0] ?? {}, { status: "SENT" });
  mailbox.wake();
  expect(await receivedUpTo(2)).toEqual([1, 2]);
  expect(desk.commands[0]).toBe("lease 2");
});

test("S1 a message that another server leased first is not written here, nor is the one after it", async () => {
  desk.record("QUEUED");
  desk.record("QUEUED");
  betweenReadAndLease(() => ({ 1: "SENDING" }));
  mailbox.add(pair.stream, from(0));
  await desk.until("no lease");
  await mailbox.stop();
  expect(desk.commands).toEqual(["no lease"]);
});

test("S1 if the head of the queue is another message than the one that was read, the lease is given back", async () => {
  desk.record("QUEUED");
  desk.record("QUEUED");
  betweenReadAndLease(() => ({ 1: "SENT" }));
  mailbox.add(pair.stream, from(0));
  await desk.until("NOT_BEGUN 2");
  // The mailbox is also notified of its own release.
  mailbox.wake();
  expect(await receivedUpTo(2)).toEqual([1, 2]);
  await desk.until("SENT 2");
  expect(desk.commands).toEqual(["lease 2", "NOT_BEGUN 2", "lease 2", "SENT 2"]);
});

/** Changes statuses once, after this server has read the timeline and before it requests a lease. */
function betweenReadAndLease(changes: () => Record<number, Status>): void {
  const { undelivered } = desk.reads;
  let isFirst = true;
  Object.assign(desk.reads, {
    undelivered: async (...args: Parameters<typeof undelivered>) => {
      const read = await undelivered(...args);
      if (isFirst) {
        for (const [seq, status] of Object.entries(changes())) {
          Object.assign(desk.messages[Number(seq) - 1] ?? {}, { status });
        }
      }
      isFirst = false;
      return read;
    },
  });
}

test("if settling a message fails and it becomes pending again, it is not written twice on one stream", async () => {
  desk.record("QUEUED");
  desk.during = (command) => {
    if (command === "SENT 1") throw new Error("The database is gone.");
  };
  mailbox.add(pair.stream, from(0));
  expect(await receivedUpTo(1)).toEqual([1]);
  await new Promise((resolve) => setImmediate(resolve));
  // As the sweeper of expired leases does.
  Object.assign(desk.messages[0] ?? {}, { status: "QUEUED" });
  desk.during = () => {};
  desk.record("QUEUED");
  mailbox.wake();
  await desk.until("SENT 2");
  expect(await receivedUpTo(2)).toEqual([1, 2]);
  expect(desk.commands).toEqual(["lease 1", "lease 1", "SENT 1", "lease 2", "SENT 2"]);
});

test("a stream added during delivery gets old messages before new ones", async () => {
  for (let i = 0; i < 3; i++) desk.record("SENT");
  desk.record("QUEUED");
  const late = await streamPair();
  desk.during = (command) => {
    if (command === "lease 4") mailbox.add(late.stream, from(0));
  };
  mailbox.add(pair.stream, from(3));
  expect(await receivedUpTo(4)).toEqual([4]);
  const all = await late.readUntil(textOf(4));
  expect([...all.matchAll(/"text":"(\d+)"/g)].map(([, text]) => text)).toEqual(["1", "2", "3", "4"]);
  await late.close();
});

test("more than one page of sent and of queued messages is delivered completely, in order", async () => {
  for (let i = 0; i < 250; i++) desk.record("SENT");
  for (let i = 0; i < 250; i++) desk.record("QUEUED");
  mailbox.add(pair.stream, from(10));
  expect(await receivedUpTo(500)).toEqual(Array.from({ length: 490 }, (_, index) => index + 11));
});

test("a stalled stream does not delay other streams", async () => {
  const stalled = await streamPair();
  const big = { id: "0", data: "x".repeat(100_000) };
  for (let taken = true; taken; ) {
    const sending = stalled.stream.send(big);
    taken = await Promise.race([sending, new Promise<false>((resolve) => setImmediate(resolve, false))]);
  }
  mailbox.add(stalled.stream, from(0));
  mailbox.add(pair.stream, from(0));
  desk.record("QUEUED");
  mailbox.wake();
  expect(await receivedUpTo(1)).toEqual([1]);
  await desk.until("SENT 1");
  await stalled.close();
});

test("S10 a stream that receives both ways gets the visitor's own entries in their place, other streams do not", async () => {
  for (const status of ["OWN", "SENT", "OWN", "QUEUED", "OWN"] as const) desk.record(status);
  const oneWay = await streamPair();
  mailbox.add(oneWay.stream, from(0));
  mailbox.add(pair.stream, bothWaysFrom(0));
  expect(await receivedUpTo(5)).toEqual([1, 2, 3, 4, 5]);
  desk.record("QUEUED");
  mailbox.wake();
  expect(await receivedUpTo(6)).toEqual([1, 2, 3, 4, 5, 6]);
  const all = await oneWay.readUntil(textOf(6));
  expect([...all.matchAll(/"text":"(\d+)"/g)].map(([, text]) => text)).toEqual(["2", "4", "6"]);
  await oneWay.close();
});

test("S10 an own entry waits for the message before it, which would otherwise count as received", async () => {
  desk.record("SENDING");
  desk.record("OWN");
  mailbox.add(pair.stream, bothWaysFrom(0));
  await new Promise((resolve) => setImmediate(resolve));
  desk.record("OWN");
  // As the job does for a lease that another server has lost.
  Object.assign(desk.messages[0] ?? {}, { status: "QUEUED" });
  mailbox.wake();
  expect(await receivedUpTo(3)).toEqual([1, 2, 3]);
  await desk.until("SENT 1");
});

test("S10 more than one page of entries of each kind is delivered completely, in order", async () => {
  for (let i = 0; i < 450; i++) desk.record(i % 3 === 0 ? "OWN" : i < 225 ? "SENT" : "QUEUED");
  mailbox.add(pair.stream, bothWaysFrom(10));
  expect(await receivedUpTo(450)).toEqual(Array.from({ length: 440 }, (_, index) => index + 11));
});
