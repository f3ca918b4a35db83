import pino from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Mailbox } from "../../../src/channels/web-chat/mailbox.ts";
import type { Executor } from "../../../src/commands/executor.ts";
import type { StepResult } from "../../../src/commands/work.ts";
import { toGlobalId } from "../../../src/domain/global-id.ts";
import { type Instant, idOf } from "../../../src/domain/id.ts";
import type { OutboundMessage, OutboundReads } from "../../../src/store/outbound.ts";
import { type TestClock, testClock } from "../../support/clock.ts";
import { type StreamPair, streamPair } from "./stream-pair.ts";

type Status = "QUEUED" | "SENDING" | "SENT" | "CANCELED";

/** A fake write path and timeline of one ContactChannel, as far as a mailbox uses them. */
class FakeDesk {
  readonly clock: TestClock = testClock();
  readonly messages: { seq: number; status: Status; leasedAt: Instant | null }[] = [];
  /** The executed commands, in order: `lease 1`, `SENT 1`, … */
  readonly commands: string[] = [];
  blocked = false;
  /** Runs during each command. */
  during: (command: string) => void | Promise<void> = () => {};
  readonly #idle: (() => void)[] = [];

  readonly executor: Executor = {
    execute: async ({ steps: [step] }) => {
      const command = step?.command;
      if (command?.type === "LeaseOutbound") return [await this.#lease(seqOf(command.messageId))];
      if (command?.type === "SettleOutbound") return [await this.#settle(seqOf(command.messageId), command.result)];
      throw new Error("A mailbox sends no other commands.");
    },
    drain: async () => {},
  };

  readonly outbound: OutboundReads = {
    streamStart: async () => null,
    seqOf: async () => null,
    beforeLast: async () => 0,
    visitors: async () => [],
    leasedAt: async (id) => this.messages.find(({ seq }) => seq === seqOf(id))?.leasedAt ?? null,
    undelivered: async (_id, after, limit) => {
      const all = this.messages.flatMap(({ seq, status }): OutboundMessage[] =>
        status === "CANCELED"
          ? []
          : [{ id: idAt(seq), seq, status, text: `${seq}`, sentAt: 0, author: { type: "Bot" } }],
      );
      const sent = all.filter(({ status, seq }) => status === "SENT" && seq > after).slice(0, limit);
      return [...sent, ...all.filter(({ status }) => status !== "SENT").slice(0, limit)];
    },
  };

  record(status: Status): void {
    this.messages.push({ seq: this.messages.length + 1, status, leasedAt: null });
  }

  /** Resolves when this is the last executed command. */
  async until(command: string): Promise<void> {
    while (this.commands.at(-1) !== command) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async #lease(seq: number): Promise<StepResult> {
    const message = this.#message(seq);
    if (this.blocked) return { type: "ContactBlocked", blockId: idOf("block") };
    const changed = message.status === "QUEUED";
    if (changed) Object.assign(message, { status: "SENDING", leasedAt: this.clock.now() });
    await this.#did(`lease ${seq}`);
    return accepted(changed);
  }

  async #settle(seq: number, result: string): Promise<StepResult> {
    const message = this.#message(seq);
    const status = result === "NOT_BEGUN" ? (this.blocked ? "CANCELED" : "QUEUED") : "SENT";
    await this.#did(`${result} ${seq}`);
    Object.assign(message, { status });
    return accepted(true);
  }

  async #did(command: string): Promise<void> {
    await this.during(command);
    this.commands.push(command);
    for (const wake of this.#idle.splice(0)) wake();
  }

  #message(seq: number) {
    const message = this.messages.find((each) => each.seq === seq);
    if (message === undefined) throw new Error(`There is no message ${seq}.`);
    return message;
  }
}

function accepted(changed: boolean): StepResult {
  return { type: "Accepted", changed, messageId: null, conversationId: null, blockId: null };
}

const idAt = (seq: number) => idOf<"Message">(`00000000-0000-7000-8000-${`${seq}`.padStart(12, "0")}`);
const seqOf = (id: string) => Number(id.slice(-12));
const textOf = (seq: number) => `"id":"${toGlobalId("Message", idAt(seq))}","text":"${seq}"`;

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
  mailbox.add(pair.stream, 0);
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
  mailbox.add(pair.stream, 0);
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
  mailbox.add(pair.stream, 0);
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
  mailbox.add(pair.stream, 0);
  await desk.until("SENT 1");
  expect(desk.commands).toEqual(["lease 1", "SENT 1"]);
});

test("a stream that closes before the message is written is not a failure: the next stream gets the message", async () => {
  desk.record("QUEUED");
  desk.during = (command) => {
    if (command === "lease 1") pair.stream.destroy();
  };
  mailbox.add(pair.stream, 0);
  await desk.until("NOT_BEGUN 1");
  await pair.close();
  pair = await streamPair();
  desk.during = () => {};
  mailbox.add(pair.stream, 0);
  expect(await receivedUpTo(1)).toEqual([1]);
  await desk.until("SENT 1");
});

test("a message leased by another server delays the ones after it", async () => {
  desk.record("SENDING");
  desk.record("QUEUED");
  mailbox.add(pair.stream, 0);
  await new Promise((resolve) => setImmediate(resolve));
  expect(desk.commands).toEqual([]);
  Object.assign(desk.messages[0] ?? {}, { status: "SENT" });
  mailbox.wake();
  expect(await receivedUpTo(2)).toEqual([1, 2]);
  expect(desk.commands[0]).toBe("lease 2");
});

test("a message that another server leased first is not written here", async () => {
  desk.record("QUEUED");
  desk.record("QUEUED");
  const { undelivered } = desk.outbound;
  Object.assign(desk.outbound, {
    undelivered: async (...args: Parameters<typeof undelivered>) => {
      const read = await undelivered(...args);
      // Between the read and the lease request of this server.
      if (desk.messages[0]?.status === "QUEUED") Object.assign(desk.messages[0], { status: "SENDING" });
      return read;
    },
  });
  mailbox.add(pair.stream, 0);
  await desk.until("lease 1");
  await mailbox.stop();
  expect(desk.commands).toEqual(["lease 1"]);
});

test("if settling a message fails and it becomes pending again, it is not written twice on one stream", async () => {
  desk.record("QUEUED");
  desk.during = (command) => {
    if (command === "SENT 1") throw new Error("The database is gone.");
  };
  mailbox.add(pair.stream, 0);
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
    if (command === "lease 4") mailbox.add(late.stream, 0);
  };
  mailbox.add(pair.stream, 3);
  expect(await receivedUpTo(4)).toEqual([4]);
  const all = await late.readUntil(textOf(4));
  expect([...all.matchAll(/"text":"(\d+)"/g)].map(([, text]) => text)).toEqual(["1", "2", "3", "4"]);
  await late.close();
});

test("more than one page of sent and of queued messages is delivered completely, in order", async () => {
  for (let i = 0; i < 250; i++) desk.record("SENT");
  for (let i = 0; i < 250; i++) desk.record("QUEUED");
  mailbox.add(pair.stream, 10);
  expect(await receivedUpTo(500)).toEqual(Array.from({ length: 490 }, (_, index) => index + 11));
});

test("a stalled stream does not delay other streams", async () => {
  const stalled = await streamPair();
  const big = { id: "0", data: "x".repeat(100_000) };
  for (let taken = true; taken; ) {
    const sending = stalled.stream.send(big);
    taken = await Promise.race([sending, new Promise<false>((resolve) => setImmediate(resolve, false))]);
  }
  mailbox.add(stalled.stream, 0);
  mailbox.add(pair.stream, 0);
  desk.record("QUEUED");
  mailbox.wake();
  expect(await receivedUpTo(1)).toEqual([1]);
  await desk.until("SENT 1");
  await stalled.close();
});
