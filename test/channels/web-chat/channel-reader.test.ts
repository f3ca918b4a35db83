import pino from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ChannelReader, type ReaderSource } from "../../../src/channels/web-chat/channel-reader.ts";
import { type ContactChannelId, idOf } from "../../../src/domain/id.ts";
import type { ReaderOptions } from "../../../src/realtime/hub.ts";
import type { ChatEntry, ChatReads } from "../../../src/store/chat-entries.ts";
import type { EventData, LogEvent } from "../../../src/store/log-event.ts";
import { channelRecord } from "../../support/channel-record.ts";
import { testClock } from "../../support/clock.ts";
import { type StreamPair, streamPair } from "./stream-pair.ts";

const channelId = idOf<"Channel">("channel");
const ann = { visitorId: "ann", contactChannelId: idOf<"ContactChannel">("of ann") };
const bob = { visitorId: "bob", contactChannelId: idOf<"ContactChannel">("of bob") };

/** A log reader that delivers the events that the test passes to it. */
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

  /** Delivers the event if the reader wants it; returns whether it does. */
  deliver(contactChannelId: ContactChannelId, data: EventData, of = channelId): boolean {
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
let sent: ChatEntry[];
/** The errors with which the next attempts to open a log reader fail. */
let faults: Error[];
beforeEach(async () => {
  readers = [];
  faults = [];
  sent = [];
  pair = await streamPair();
});
afterEach(() => pair.close());

const reads: ChatReads = {
  streamStart: async () => null,
  seqOf: async () => null,
  beforeLast: async () => 0,
  undelivered: async (id, { after }) => (id === ann.contactChannelId ? sent.filter(({ seq }) => seq > after) : []),
  visitors: async (ids) => [ann, bob].filter(({ contactChannelId }) => ids.includes(contactChannelId)),
};

function startReader(onEmpty: () => void = () => {}): ChannelReader {
  const hub: ReaderSource = {
    openReader: async (_workspaceId, options) => {
      const fault = faults.shift();
      if (fault !== undefined) throw fault;
      const reader = new FakeReader(options);
      readers.push(reader);
      return reader;
    },
  };
  return new ChannelReader({
    channel: channelRecord("WEB_CHAT", { id: channelId }),
    hub,
    executor: { execute: () => Promise.reject(new Error("No message is pending.")), drain: async () => {} },
    reads,
    clock: testClock(),
    openLeases: { open: () => ({ deadline: 0, onBegun: () => {} }), close: () => {}, closed: async () => {} },
    logger: pino({ level: "silent" }),
    onEmpty,
  });
}

function send(text: string): EventData {
  const seq = sent.length + 1;
  const messageId = idOf<"Message">(`${seq}`);
  const author = { type: "Bot" } as const;
  sent.push({ id: messageId, seq, status: "SENT", text, menu: null, sentAt: 0, author, clientMessageId: null });
  return { type: "DeliveryChanged", messageId, seq, from: "SENDING", to: "SENT" };
}

const appeared: EventData = { type: "ContactAppeared" };
const recorded = (direction: "INBOUND" | "OUTBOUND"): EventData => ({
  type: "MessageRecorded",
  messageId: idOf("message"),
  seq: 1,
  direction,
});

test("it wants only events of its channel's visitors that a stream needs", async () => {
  const channelReader = startReader();
  await channelReader.started;
  const [reader] = readers;
  channelReader.hold("ann").add(pair.stream, { lastSeq: 0, own: false });
  channelReader.introduce("ann", ann.contactChannelId);
  const wanted = [recorded("OUTBOUND"), send("1")];
  const unwanted: EventData[] = [
    recorded("INBOUND"),
    { type: "DeliveryChanged", messageId: idOf("1"), seq: 1, from: "QUEUED", to: "SENDING" },
    { type: "BotSessionChanged" },
    appeared,
  ];
  expect(wanted.map((data) => reader?.deliver(ann.contactChannelId, data))).toEqual([true, true]);
  expect(unwanted.map((data) => reader?.deliver(ann.contactChannelId, data))).toEqual([false, false, false, false]);
  expect(reader?.deliver(bob.contactChannelId, recorded("OUTBOUND"))).toBe(false);
  expect(reader?.deliver(ann.contactChannelId, recorded("OUTBOUND"), idOf("another"))).toBe(false);
});

test("S10 it wants the visitor's own entries if a stream receives them", async () => {
  const channelReader = startReader();
  await channelReader.started;
  channelReader.hold("ann").add(pair.stream, { lastSeq: 0, own: true });
  channelReader.introduce("ann", ann.contactChannelId);
  expect(readers[0]?.deliver(ann.contactChannelId, recorded("INBOUND"))).toBe(true);
});

test("a visitor without a ContactChannel is associated with it once it appears", async () => {
  const channelReader = startReader();
  await channelReader.started;
  channelReader.hold("ann").add(pair.stream, { lastSeq: 0, own: false });
  send("Welcome!");
  expect(readers[0]?.deliver(bob.contactChannelId, appeared)).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  expect(readers[0]?.deliver(ann.contactChannelId, appeared)).toBe(true);
  expect(await pair.readUntil("Welcome!")).toContain('"text":"Welcome!"');
  expect(readers[0]?.deliver(bob.contactChannelId, appeared)).toBe(false);
});

test("a log reader that fails is replaced, and events missed in between are delivered", async () => {
  const channelReader = startReader();
  await channelReader.started;
  channelReader.hold("ann").add(pair.stream, { lastSeq: 0, own: false });
  channelReader.introduce("ann", ann.contactChannelId);
  await new Promise((resolve) => setImmediate(resolve));
  send("Missed");
  readers[0]?.fail(new Error("The log was pruned past the reader."));
  expect(await pair.readUntil("Missed")).toContain('"text":"Missed"');
  expect(readers[1]?.deliver(ann.contactChannelId, send("ReceivedEvent"))).toBe(true);
  expect(await pair.readUntil("ReceivedEvent")).toContain('"text":"ReceivedEvent"');
});

test("it does not start if the log cannot be read", async () => {
  faults = [new Error("The database is unreachable.")];
  await expect(startReader().started).rejects.toThrow("The database is unreachable.");
});

test("it closes its log reader when the last visitor leaves", async () => {
  let emptied = 0;
  const channelReader = startReader(() => {
    emptied += 1;
  });
  await channelReader.started;
  channelReader.hold("ann");
  channelReader.hold("ann");
  channelReader.hold("bob");
  channelReader.release("ann");
  channelReader.release("bob");
  expect([emptied, readers[0]?.returned]).toEqual([0, false]);
  channelReader.release("ann");
  expect([emptied, readers[0]?.returned]).toEqual([1, true]);
});

test("if the visitor leaves before the log reader is open, the log reader is closed", async () => {
  const channelReader = startReader();
  channelReader.hold("ann");
  channelReader.release("ann");
  await channelReader.started;
  expect(readers[0]?.returned).toBe(true);
});
