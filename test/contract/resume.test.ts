import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toOpaqueId } from "../../src/domain/global-id.ts";
import { first } from "../support/answers.ts";
import { bootDesk, type Desk, rowId, type TestWorkspace } from "../support/app.ts";
import { freshDatabase } from "../support/database.ts";
import { onLine, type Person, people } from "../support/people.ts";
import { cursorNow, type Subscription, subscriptions } from "../support/subscriber.ts";
import { contactIdOf } from "../support/view.ts";
import { type Stream, type Transport, transports } from "./streams.ts";

/** The maximum number of events by which an interrupted subscriber resumes earlier. */
const MAX_EVENTS_BACK = 25;
/** Sixty kilobytes per event: a thousand of them exceed the buffers between server and client. */
const LONG_EVENTS = `subscription ($after: Cursor) { messageRecorded(after: $after) {
  id message { a: text b: text c: text d: text }
} }`;
const LONG = "€".repeat(5_000);
const DAY = 24 * 60 * 60 * 1_000;

let desk: Desk;
beforeAll(async () => {
  desk = await bootDesk();
});

/** An event as delivered to a subscriber. */
interface DeliveredEvent {
  readonly id: string;
  readonly cursor: string;
}

/** A subscriber of one subscription, starting at a cursor, over several connections. */
class ResumingSubscriber {
  readonly transport: Transport;
  readonly subscription: Subscription;
  readonly token: string;
  readonly received: DeliveredEvent[] = [];
  after: string;

  constructor(transport: Transport, subscription: Subscription, { token, after }: { token: string; after: string }) {
    this.transport = transport;
    this.subscription = subscription;
    this.token = token;
    this.after = after;
  }

  get name(): string {
    return `${this.subscription} over ${this.transport}`;
  }

  /** Resumes after the last event. */
  connect({ url }: Desk): Stream {
    const query = `subscription ($after: Cursor) { ${this.subscription}(after: $after) { id cursor } }`;
    return transports[this.transport]({ url, token: this.token, query, variables: { after: this.after } });
  }

  /** Reads the next event; null if the connection ended without one. */
  async read(stream: Stream): Promise<DeliveredEvent | null> {
    const result = await stream.next();
    if (result === null) return null;
    const event = result.data?.[this.subscription];
    if (!isDeliveredEvent(event)) throw new Error(`${this.name}: ${JSON.stringify(result)}`);
    this.received.push(event);
    this.after = event.cursor;
    return event;
  }

  /** Reads events while more are expected. */
  async readWhile(stream: Stream, more: () => boolean): Promise<void> {
    while (more()) {
      if ((await this.read(stream)) === null) throw new Error(`${this.name}: ended with ${stream.ending()}.`);
    }
  }

  /** Connects, reads this many events and breaks the connection. */
  async readAndCut(at: Desk, count: number): Promise<void> {
    const stream = this.connect(at);
    const end = this.received.length + count;
    await this.readWhile(stream, () => this.received.length < end);
    stream.cut();
  }

  /** The code of the refusal, with the results before and after it. */
  async refusal(at: Desk): Promise<unknown> {
    const stream = this.connect(at);
    const result = await stream.next();
    const rest = await stream.next();
    const codes = result?.errors?.map(({ extensions }) => extensions?.code);
    return { codes, data: result?.data ?? null, rest, ending: stream.ending() };
  }
}

function isDeliveredEvent(event: unknown): event is DeliveredEvent {
  return typeof event === "object" && event !== null && "id" in event && "cursor" in event;
}

/** One subscriber for each subscription and transport. */
function resumingSubscribers(from: { token: string; after: string }): ResumingSubscriber[] {
  return (["WebSocket", "SSE"] as const).flatMap((transport) =>
    subscriptions.map((subscription) => new ResumingSubscriber(transport, subscription, from)),
  );
}

const types: Record<Subscription, string> = {
  messageRecorded: "type = 'MessageRecorded'",
  conversationChanged: "type = 'ConversationChanged'",
  conversationEnded: "type = 'ConversationChanged' AND data->>'to' IN ('ENDED', 'BLOCKED')",
  contactStatusChanged: "type = 'ContactStatusChanged'",
};

/** The events of the log for a subscription, in order. */
async function logged(at: Desk, workspace: TestWorkspace, subscription: Subscription): Promise<string[]> {
  const { rows } = await at.app.database.pool.query<{ id: string }>(
    `SELECT id FROM event WHERE workspace_id = $1 AND ${types[subscription]} ORDER BY position`,
    [rowId(workspace.id)],
  );
  const type = `${subscription.charAt(0).toUpperCase()}${subscription.slice(1)}Event`;
  return rows.map(({ id }) => toOpaqueId(type, id));
}

async function expectComplete(all: readonly ResumingSubscriber[], at: Desk, workspace: TestWorkspace): Promise<void> {
  for (const { name, subscription, received } of all) {
    expect([name, received.map(({ id }) => id)]).toEqual([name, await logged(at, workspace, subscription)]);
  }
}

/** The number of events that each subscription gets when one contact writes, is blocked and unblocked once. */
const eventsPerRound: Record<Subscription, number> = {
  messageRecorded: 2,
  conversationChanged: 2,
  conversationEnded: 1,
  contactStatusChanged: 2,
};

async function rounds(at: Desk, { ada }: TestWorkspace, who: Person, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    await who.says("Hello");
    const contactId = await contactIdOf(at, who, ada);
    await at.as(ada.token).blockContact({ contactId });
    await at.as(ada.token).unblockContact({ contactId });
  }
}

test("connections cut after every event: the parts add up to all events written before, during and after", async () => {
  const workspace = await desk.workspace();
  const { token } = workspace.ada;
  const all = resumingSubscribers({ token, after: await cursorNow(desk, token) });
  const someone = first(people(desk, 1, { workspace }));
  const readRounds = (count: number) =>
    Promise.all(
      all.map(async (subscriber) => {
        for (let n = 0; n < count * eventsPerRound[subscriber.subscription]; n++) await subscriber.readAndCut(desk, 1);
      }),
    );

  await rounds(desk, workspace, someone, 6);
  const during = rounds(desk, workspace, someone, 6);
  await readRounds(12);
  await during;
  await rounds(desk, workspace, someone, 6);
  await readRounds(6);
  await expectComplete(all, desk, workspace);
});

test("from the head of the log: no event is repeated or missed", async () => {
  const workspace = await desk.workspace();
  const { token } = workspace.ada;
  const someone = first(people(desk, 1, { workspace }));
  await rounds(desk, workspace, someone, 2);
  const before = new Map<Subscription, string[]>();
  for (const subscription of subscriptions) before.set(subscription, await logged(desk, workspace, subscription));

  const all = resumingSubscribers({ token, after: await cursorNow(desk, token) });
  const streams = all.map((subscriber) => ({ subscriber, stream: subscriber.connect(desk) }));
  await rounds(desk, workspace, someone, 1);
  for (const { subscriber, stream } of streams) {
    await subscriber.readWhile(stream, () => subscriber.received.length < eventsPerRound[subscriber.subscription]);
    stream.cut();
    const delivered = subscriber.received.map(({ id }) => id);
    const known = before.get(subscriber.subscription) ?? [];
    expect([subscriber.name, [...known, ...delivered]]).toEqual([
      subscriber.name,
      await logged(desk, workspace, subscriber.subscription),
    ]);
  }
});

test("connections broken at any point during concurrent writes: no event is lost or duplicated between replay and live", async () => {
  const workspace = await desk.workspace();
  const { token } = workspace.ada;
  const after = await cursorNow(desk, token);
  // The uninterrupted subscriber knows the cursors from which the others start.
  const uninterrupted = subscriptions.map((subscription) => {
    const subscriber = new ResumingSubscriber("WebSocket", subscription, { token, after });
    return { subscriber, stream: subscriber.connect(desk) };
  });
  let over = false;
  const writers = people(desk, 6, { workspace });
  const someone = first(writers);
  const writing = Promise.all(
    writers.map(async (writer) => {
      while (!over) await rounds(desk, workspace, writer, 1);
    }),
  );
  await Promise.all(
    uninterrupted.map(({ subscriber, stream }) =>
      subscriber.readWhile(stream, () => subscriber.received.length <= MAX_EVENTS_BACK),
    ),
  );
  const listening = Promise.all(
    uninterrupted.map(({ subscriber, stream }) => subscriber.readWhile(stream, () => !over)),
  );

  const anywhere = fc.record({
    transport: fc.constantFrom<Transport>("WebSocket", "SSE"),
    reference: fc.constantFrom(...uninterrupted.map(({ subscriber }) => subscriber)),
    behind: fc.nat(MAX_EVENTS_BACK),
    parts: fc.array(fc.nat(7), { minLength: 3, maxLength: 5 }),
  });
  const resumed = fc.assert(
    fc.asyncProperty(anywhere, async ({ transport, reference, behind, parts }) => {
      const begin = reference.received.at(-1 - behind);
      if (begin === undefined) throw new Error("The log has too few events.");
      const subscriber = new ResumingSubscriber(transport, reference.subscription, { token, after: begin.cursor });
      for (const count of parts) await subscriber.readAndCut(desk, count);
      const ids = await logged(desk, workspace, reference.subscription);
      const from = ids.indexOf(begin.id) + 1;
      expect(subscriber.received.map(({ id }) => id)).toEqual(ids.slice(from, from + subscriber.received.length));
    }),
    { numRuns: 10, endOnFailure: true },
  );
  await resumed.finally(() => {
    over = true;
  });
  await writing;
  // The listener is still waiting for another event.
  await rounds(desk, workspace, someone, 1);
  await listening;
  for (const { subscriber, stream } of uninterrupted) {
    stream.cut();
    const { subscription, received } = subscriber;
    const ids = await logged(desk, workspace, subscription);
    expect(received.map(({ id }) => id)).toEqual(ids.slice(0, received.length));
  }
});

test.each(["WebSocket", "SSE"] as const)(
  "a client that is slow for a while, live and over %s, gets the rest from the log: all of it, once",
  async (transport) => {
    const workspace = await desk.workspace();
    const { token } = workspace.ada;
    const someone = first(people(desk, 1, { workspace }));
    await someone.says(LONG);
    const known = await logged(desk, workspace, "messageRecorded");
    const after = await cursorNow(desk, token);
    const stream = transports[transport]({ url: desk.url, token, query: LONG_EVENTS, variables: { after } });
    await someone.says(LONG);
    const received: unknown[] = [(await stream.next())?.data?.messageRecorded];
    stream.pause();
    await repeatFirstMessage(desk, workspace, 1_000);
    await someone.says("The last one");
    stream.resume();

    const wanted = (await logged(desk, workspace, "messageRecorded")).slice(known.length);
    while (received.length < wanted.length) received.push((await stream.next())?.data?.messageRecorded);
    expect(received).toMatchObject(wanted.map((id) => ({ id })));
    stream.cut();
  },
);

describe("several instances", () => {
  let drop: () => Promise<void>;
  let one: Desk;
  let two: Desk;
  let start: () => Promise<Desk>;
  beforeAll(async () => {
    const database = await freshDatabase();
    drop = database.drop;
    start = () => bootDesk({ env: { DATABASE_URL: database.url } });
    [one, two] = await Promise.all([start(), start()]);
  });
  afterAll(async () => {
    await Promise.all([one.stop(), two.stop()]);
    await drop();
  });

  test("switching between both during writes to both: all events, in the order of the log", async () => {
    const workspace = await one.workspace();
    const { token } = workspace.ada;
    const all = resumingSubscribers({ token, after: await cursorNow(one, token) });
    const here = onLine(one, { workspace });
    const there = onLine(two, { workspace });
    const writing = [rounds(one, workspace, here, 9), rounds(two, workspace, there, 9)];
    await Promise.all(
      all.map(async (subscriber) => {
        for (let n = 0; n < 6 * eventsPerRound[subscriber.subscription]; n++)
          await subscriber.readAndCut(n % 2 ? one : two, 3);
      }),
    );
    await Promise.all(writing);
    await expectComplete(all, one, workspace);
  });

  test("one server restarts while another accepts writes: resuming on either misses no event", async () => {
    const workspace = await two.workspace();
    const { token } = workspace.ada;
    const all = resumingSubscribers({ token, after: await cursorNow(two, token) });
    const streams = all.map((subscriber) => ({ subscriber, stream: subscriber.connect(one) }));
    const writing = rounds(two, workspace, onLine(two, { workspace }), 16);
    await Promise.all(
      streams.map(({ subscriber, stream }) => subscriber.readWhile(stream, () => subscriber.received.length < 3)),
    );
    const interrupted = streams.map(async ({ subscriber, stream }) => {
      while ((await subscriber.read(stream)) !== null);
      return { transport: subscriber.transport, ending: stream.ending() };
    });
    await one.stop();
    const endings = (await Promise.all(interrupted)).flatMap(({ transport, ending }) =>
      transport === "WebSocket" ? [ending] : [],
    );
    expect(endings).toEqual(["1001", "1001", "1001", "1001"]);

    one = await start();
    await Promise.all(
      all.map(async (subscriber, n) => {
        const left = 16 * eventsPerRound[subscriber.subscription] - subscriber.received.length;
        await subscriber.readAndCut(n % 2 ? one : two, left);
      }),
    );
    await writing;
    await expectComplete(all, two, workspace);
  });
});

test("over SSE a server that stops does not complete the subscription, so that clients reconnect", async () => {
  const stopping = await bootDesk();
  const subscriber = new ResumingSubscriber("SSE", "messageRecorded", {
    token: stopping.ada.token,
    after: await cursorNow(stopping),
  });
  const stream = subscriber.connect(stopping);
  await first(people(stopping, 1)).says("Hello");
  await subscriber.readWhile(stream, () => subscriber.received.length < 2);
  await stopping.stop();
  expect(await subscriber.read(stream)).toBeNull();
  expect(stream.ending()).toBe("closed");
});

describe("cursors that cannot be resumed", () => {
  let workspace: TestWorkspace;
  let other: TestWorkspace;
  beforeAll(async () => {
    [workspace, other] = await Promise.all([desk.workspace(), desk.workspace()]);
    for (const each of [workspace, other]) await rounds(desk, each, first(people(desk, 1, { workspace: each })), 1);
  });

  test.each<[string, () => Promise<string>]>([
    ["garbage", async () => "!"],
    ["a number", async () => "1"],
    ["a page's cursor", () => pageCursor(other)],
    ["another workspace's", () => cursorNow(desk, other.ada.token)],
    ["one ahead of the log, as after a restored backup", () => lostCursor(workspace)],
  ])("%s: INVALID_INPUT, and the subscription ends", async (_, cursor) => {
    for (const subscriber of resumingSubscribers({ token: workspace.ada.token, after: await cursor() })) {
      expect([subscriber.name, await subscriber.refusal(desk)]).toEqual([
        subscriber.name,
        { codes: ["INVALID_INPUT"], data: null, rest: null, ending: "complete" },
      ]);
    }
  });
});

async function pageCursor({ ada }: TestWorkspace): Promise<string> {
  const query = "{ contacts { pageInfo { endCursor } } }";
  const { data } = await desk.as(ada.token).graphql<{ contacts: { pageInfo: { endCursor: string } } }>(query);
  return data.contacts.pageInfo.endCursor;
}

/** A cursor at the end of the log, whose last event is then deleted. */
async function lostCursor({ id, ada }: TestWorkspace): Promise<string> {
  const cursor = await cursorNow(desk, ada.token);
  await desk.app.database.pool.query(
    `WITH head AS (UPDATE log_head SET position = position - 1 WHERE workspace_id = $1 RETURNING position)
     DELETE FROM event USING head WHERE workspace_id = $1 AND event.position > head.position`,
    [rowId(id)],
  );
  return cursor;
}

describe("a pruned log", () => {
  let old: Desk;
  beforeAll(async () => {
    old = await bootDesk();
  });

  test("a subscriber that has all pruned events resumes; one that misses a single one gets CURSOR_EXPIRED", async () => {
    const { token } = old.ada;
    const someone = first(people(old, 1));
    const none = await cursorNow(old);
    await rounds(old, old, someone, 1);
    const oneMissing = await cursorNow(old);
    await someone.says("The last one before pruning");
    const all = await cursorNow(old);
    old.clock.advance(31 * DAY);
    await rounds(old, old, someone, 1);
    await old.app.pruneLog();

    for (const after of [none, oneMissing]) {
      for (const subscriber of resumingSubscribers({ token, after })) {
        expect([subscriber.name, await subscriber.refusal(old)]).toEqual([
          subscriber.name,
          { codes: ["CURSOR_EXPIRED"], data: null, rest: null, ending: "complete" },
        ]);
      }
    }
    const current = resumingSubscribers({ token, after: all });
    await Promise.all(current.map((subscriber) => subscriber.readAndCut(old, 1)));
    for (const { name, subscription, received } of current) {
      const [next] = await logged(old, old, subscription);
      expect([name, received.map(({ id }) => id)]).toEqual([name, [next]]);
    }
  });

  test.each(["WebSocket", "SSE"] as const)(
    "pruning overtakes a replay over %s: the delivered events have no gap, and CURSOR_EXPIRED follows them",
    async (transport) => {
      const workspace = await old.workspace();
      const { token } = workspace.ada;
      const after = await cursorNow(old, token);
      const someone = first(people(old, 1, { workspace }));
      await someone.says(LONG);
      await repeatFirstMessage(old, workspace, 4_000);
      old.clock.advance(31 * DAY);
      await someone.says("Not gone");
      const wanted = await logged(old, workspace, "messageRecorded");

      const stream = transports[transport]({ url: old.url, token, query: LONG_EVENTS, variables: { after } });
      const received: unknown[] = [(await stream.next())?.data?.messageRecorded];
      // More than the buffers hold, so the replay waits for the slow client.
      stream.pause();
      await old.app.pruneLog();
      stream.resume();
      let codes: unknown;
      for (let result = await stream.next(); result !== null; result = await stream.next()) {
        if (result.errors === undefined) received.push(result.data?.messageRecorded);
        else codes = result.errors.map(({ extensions }) => extensions?.code);
      }
      expect({ codes, ending: stream.ending() }).toEqual({ codes: ["CURSOR_EXPIRED"], ending: "complete" });
      expect(received.length).toBeLessThan(wanted.length);
      expect(received).toMatchObject(wanted.slice(0, received.length).map((id) => ({ id })));
    },
  );
});

/** Makes the log long by recording the same message many times. */
async function repeatFirstMessage(at: Desk, workspace: TestWorkspace, times: number): Promise<void> {
  const { pool } = at.app.database;
  const workspaceId = rowId(workspace.id);
  await pool.query(
    `INSERT INTO event SELECT (jsonb_populate_record(event, jsonb_build_object(
       'id', gen_random_uuid(), 'position', (SELECT position FROM log_head WHERE workspace_id = $1) + n))).*
     FROM event, generate_series(1, $2) AS n
     WHERE workspace_id = $1 AND type = 'MessageRecorded' AND position =
       (SELECT min(position) FROM event WHERE workspace_id = $1 AND type = 'MessageRecorded')`,
    [workspaceId, times],
  );
  await pool.query("UPDATE log_head SET position = position + $2 WHERE workspace_id = $1", [workspaceId, times]);
}
