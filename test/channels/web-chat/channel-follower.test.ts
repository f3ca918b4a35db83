import pino from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ChannelFollower, type ReaderSource } from "../../../src/channels/web-chat/channel-follower.ts";
import { type ContactChannelId, idOf } from "../../../src/domain/id.ts";
import type { ReaderOptions } from "../../../src/realtime/hub.ts";
import type { EventData, LogEvent } from "../../../src/store/log-event.ts";
import type { OutboundMessage, OutboundReads } from "../../../src/store/outbound.ts";
import { testClock } from "../../support/clock.ts";
import { type StreamPair, streamPair } from "./stream-pair.ts";

const channelId = idOf<"Channel">("channel");
const ann = { visitorId: "ann", contactChannelId: idOf<"ContactChannel">("of ann") };
const bob = { visitorId: "bob", contactChannelId: idOf<"ContactChannel">("of bob") };

/** One reader of the log, which the test writes. */
class FakeReader implements AsyncIterableIterator<LogEvent> {
  readonly options: ReaderOptions<LogEvent>;
  returned = false;
  #turn = Promise.withResolvers<IteratorResult<LogEvent>>();

  constructor(options: ReaderOptions<LogEvent>) {
    this.options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<LogEvent>> {
    return this.#turn.promise;
  }

  return(): Promise<IteratorResult<LogEvent>> {
    this.returned = true;
    this.#turn.resolve({ done: true, value: undefined });
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Whether the event was wanted; if so it is heard. */
  tell(contactChannelId: ContactChannelId, data: EventData, of = channelId): boolean {
    const event: LogEvent = {
      workspaceId: idOf("workspace"),
      position: 1,
      id: idOf("event"),
      occurredAt: 0,
      actor: { type: "System" },
      contactId: idOf("contact"),
      channelId: of,
      contactChannelId,
      conversationId: null,
      agentIds: [],
      data,
    };
    const isWanted = this.options.wants(event);
    if (isWanted) {
      const { resolve } = this.#turn;
      this.#turn = Promise.withResolvers();
      resolve({ done: false, value: event });
    }
    return isWanted;
  }

  fail(error: Error): void {
    this.#turn.reject(error);
  }
}

let readers: FakeReader[];
let pair: StreamPair;
let sent: OutboundMessage[];
/** What the log answers to the next readers, instead of following. */
let faults: Error[];
beforeEach(async () => {
  readers = [];
  faults = [];
  sent = [];
  pair = await streamPair();
});
afterEach(() => pair.close());

const outbound: OutboundReads = {
  streamStart: async () => null,
  seqOf: async () => null,
  beforeLast: async () => 0,
  leasedAt: async () => null,
  undelivered: async (id, after) => (id === ann.contactChannelId ? sent.filter(({ seq }) => seq > after) : []),
  visitors: async (ids) => [ann, bob].filter(({ contactChannelId }) => ids.includes(contactChannelId)),
};

function follower(onEmpty: () => void = () => {}): ChannelFollower {
  const hub: ReaderSource = {
    openReader: async (_workspaceId, options) => {
      const fault = faults.shift();
      if (fault !== undefined) throw fault;
      const reader = new FakeReader(options);
      readers.push(reader);
      return reader;
    },
  };
  return new ChannelFollower({
    channel: {
      id: channelId,
      workspaceId: idOf("workspace"),
      name: "Chat",
      kind: "WEB_CHAT",
      secret: null,
      fault: null,
      allowedOrigins: [],
    },
    hub,
    executor: { execute: () => Promise.reject(new Error("Nothing is pending.")), drain: async () => {} },
    outbound,
    clock: testClock(),
    logger: pino({ level: "silent" }),
    onEmpty,
  });
}

function send(text: string): EventData {
  const seq = sent.length + 1;
  const messageId = idOf<"Message">(`${seq}`);
  sent.push({ id: messageId, seq, status: "SENT", text, sentAt: 0, author: { type: "Bot" } });
  return { type: "DeliveryChanged", messageId, seq, from: "SENDING", to: "SENT" };
}

const appeared: EventData = { type: "ContactAppeared" };
const recorded = (direction: "INBOUND" | "OUTBOUND"): EventData => ({
  type: "MessageRecorded",
  messageId: idOf("message"),
  seq: 1,
  direction,
});

test("it hears of its channel's visitors only, and only what is news for a stream", async () => {
  const following = follower();
  await following.started;
  const [reader] = readers;
  following.hold("ann").add(pair.stream, 0);
  following.introduce("ann", ann.contactChannelId);
  const wanted = [recorded("OUTBOUND"), send("1")];
  const unwanted: EventData[] = [
    recorded("INBOUND"),
    { type: "DeliveryChanged", messageId: idOf("1"), seq: 1, from: "QUEUED", to: "SENDING" },
    { type: "BotSessionChanged" },
    appeared,
  ];
  expect(wanted.map((data) => reader?.tell(ann.contactChannelId, data))).toEqual([true, true]);
  expect(unwanted.map((data) => reader?.tell(ann.contactChannelId, data))).toEqual([false, false, false, false]);
  expect(reader?.tell(bob.contactChannelId, recorded("OUTBOUND"))).toBe(false);
  expect(reader?.tell(ann.contactChannelId, recorded("OUTBOUND"), idOf("another"))).toBe(false);
});

test("a visitor without a ContactChannel is known by it once it appears", async () => {
  const following = follower();
  await following.started;
  following.hold("ann").add(pair.stream, 0);
  send("Welcome!");
  expect(readers[0]?.tell(bob.contactChannelId, appeared)).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  expect(readers[0]?.tell(ann.contactChannelId, appeared)).toBe(true);
  expect(await pair.readUntil("Welcome!")).toContain('"text":"Welcome!"');
  expect(readers[0]?.tell(bob.contactChannelId, appeared)).toBe(false);
});

test("a reader that fails is replaced, and what was missed meanwhile is brought", async () => {
  const following = follower();
  await following.started;
  following.hold("ann").add(pair.stream, 0);
  following.introduce("ann", ann.contactChannelId);
  await new Promise((resolve) => setImmediate(resolve));
  send("Missed");
  readers[0]?.fail(new Error("The log was pruned past the reader."));
  expect(await pair.readUntil("Missed")).toContain('"text":"Missed"');
  expect(readers[1]?.tell(ann.contactChannelId, send("Heard"))).toBe(true);
  expect(await pair.readUntil("Heard")).toContain('"text":"Heard"');
});

test("where the log cannot be read it does not start", async () => {
  faults = [new Error("The database is away.")];
  await expect(follower().started).rejects.toThrow("The database is away.");
});

test("it leaves the log with the last visitor", async () => {
  let deserted = 0;
  const following = follower(() => {
    deserted += 1;
  });
  await following.started;
  following.hold("ann");
  following.hold("ann");
  following.hold("bob");
  following.release("ann");
  following.release("bob");
  expect([deserted, readers[0]?.returned]).toEqual([0, false]);
  following.release("ann");
  expect([deserted, readers[0]?.returned]).toEqual([1, true]);
});

test("a visitor who leaves before the log is followed leaves no reader behind", async () => {
  const following = follower();
  following.hold("ann");
  following.release("ann");
  await following.started;
  expect(readers[0]?.returned).toBe(true);
});
