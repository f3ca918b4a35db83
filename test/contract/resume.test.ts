import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { first } from "../support/answers.ts";
import { bootDesk, type Desk, rowId, type TestWorkspace } from "../support/app.ts";
import { freshDatabase } from "../support/database.ts";
import { onLine, type Person, people } from "../support/people.ts";
import { cursorNow, type Subscription, subscriptions } from "../support/subscriber.ts";
import { contactIdOf } from "../support/view.ts";
import { type Stream, type Transport, transports } from "./streams.ts";

/** The maximum number of events by which an interrupted subscriber resumes earlier. */
const FURTHEST_BEHIND = 25;
/** Sixty kilobytes per event: a thousand of them exceed the buffers between server and client. */
const AT_LENGTH = `subscription ($after: Cursor) { messageRecorded(after: $after) {
  id message { a: text b: text c: text d: text }
} }`;
const LONG = "€".repeat(5_000);
const DAY = 24 * 60 * 60 * 1_000;

let desk: Desk;
beforeAll(async () => {
  desk = await bootDesk();
});

/** An event as delivered to a subscriber. */
interface Told {
  readonly id: string;
  readonly cursor: string;
}

/** A subscriber of one subscription, starting at a cursor, over several connections. */
class Follower {
  readonly transport: Transport;
  readonly subscription: Subscription;
  readonly token: string;
  readonly heard: Told[] = [];
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
  async hear(stream: Stream): Promise<Told | null> {
    const result = await stream.next();
    if (result === null) return null;
    const event = result.data?.[this.subscription];
    if (!isTold(event)) throw new Error(`${this.name}: ${JSON.stringify(result)}`);
    this.heard.push(event);
    this.after = event.cursor;
    return event;
  }

  /** Reads events while more are expected. */
  async hearWhile(stream: Stream, more: () => boolean): Promise<void> {
    while (more()) {
      if ((await this.hear(stream)) === null) throw new Error(`${this.name}: ended with ${stream.ending()}.`);
    }
  }

  /** Connects, reads this many events and breaks the connection. */
  async part(at: Desk, count: number): Promise<void> {
    const stream = this.connect(at);
    const end = this.heard.length + count;
    await this.hearWhile(stream, () => this.heard.length < end);
    stream.cut();
  }

  /** The code of the refusal, with the results before and after it. */
  async fault(at: Desk): Promise<unknown> {
    const stream = this.connect(at);
    const result = await stream.next();
    const rest = await stream.next();
    const faults = result?.errors?.map(({ extensions }) => extensions?.code);
    return { faults, data: result?.data ?? null, rest, ending: stream.ending() };
  }
}

function isTold(event: unknown): event is Told {
  return typeof event === "object" && event !== null && "id" in event && "cursor" in event;
}

/** One subscriber for each subscription and transport. */
function followers(from: { token: string; after: string }): Follower[] {
  return (["WebSocket", "SSE"] as const).flatMap((transport) =>
    subscriptions.map((subscription) => new Follower(transport, subscription, from)),
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
  return rows.map(({ id }) => id);
}

async function expectAllHeard(all: readonly Follower[], at: Desk, workspace: TestWorkspace): Promise<void> {
  for (const { name, subscription, heard } of all) {
    expect([name, heard.map(({ id }) => id)]).toEqual([name, await logged(at, workspace, subscription)]);
  }
}

/** The number of events that each subscription gets when one contact writes, is blocked and unblocked once. */
const perRound: Record<Subscription, number> = {
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
  const all = followers({ token, after: await cursorNow(desk, token) });
  const someone = first(people(desk, 1, { workspace }));
  const hearRounds = (count: number) =>
    Promise.all(
      all.map(async (follower) => {
        for (let n = 0; n < count * perRound[follower.subscription]; n++) await follower.part(desk, 1);
      }),
    );

  await rounds(desk, workspace, someone, 6);
  const during = rounds(desk, workspace, someone, 6);
  await hearRounds(12);
  await during;
  await rounds(desk, workspace, someone, 6);
  await hearRounds(6);
  await expectAllHeard(all, desk, workspace);
});

test("from the head of the log: no event is repeated or missed", async () => {
  const workspace = await desk.workspace();
  const { token } = workspace.ada;
  const someone = first(people(desk, 1, { workspace }));
  await rounds(desk, workspace, someone, 2);
  const before = new Map<Subscription, string[]>();
  for (const subscription of subscriptions) before.set(subscription, await logged(desk, workspace, subscription));

  const all = followers({ token, after: await cursorNow(desk, token) });
  const streams = all.map((follower) => ({ follower, stream: follower.connect(desk) }));
  await rounds(desk, workspace, someone, 1);
  for (const { follower, stream } of streams) {
    await follower.hearWhile(stream, () => follower.heard.length < perRound[follower.subscription]);
    stream.cut();
    const told = follower.heard.map(({ id }) => id);
    const known = before.get(follower.subscription) ?? [];
    expect([follower.name, [...known, ...told]]).toEqual([
      follower.name,
      await logged(desk, workspace, follower.subscription),
    ]);
  }
});

test("connections broken at any point during concurrent writes: no event is lost or duplicated between replay and live", async () => {
  const workspace = await desk.workspace();
  const { token } = workspace.ada;
  const after = await cursorNow(desk, token);
  // The uninterrupted subscriber knows the cursors from which the others start.
  const steady = subscriptions.map((subscription) => {
    const follower = new Follower("WebSocket", subscription, { token, after });
    return { follower, stream: follower.connect(desk) };
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
    steady.map(({ follower, stream }) => follower.hearWhile(stream, () => follower.heard.length <= FURTHEST_BEHIND)),
  );
  const listening = Promise.all(steady.map(({ follower, stream }) => follower.hearWhile(stream, () => !over)));

  const anywhere = fc.record({
    transport: fc.constantFrom<Transport>("WebSocket", "SSE"),
    reference: fc.constantFrom(...steady.map(({ follower }) => follower)),
    behind: fc.nat(FURTHEST_BEHIND),
    parts: fc.array(fc.nat(7), { minLength: 3, maxLength: 5 }),
  });
  const resumed = fc.assert(
    fc.asyncProperty(anywhere, async ({ transport, reference, behind, parts }) => {
      const begin = reference.heard.at(-1 - behind);
      if (begin === undefined) throw new Error("The log has too few events.");
      const follower = new Follower(transport, reference.subscription, { token, after: begin.cursor });
      for (const count of parts) await follower.part(desk, count);
      const ids = await logged(desk, workspace, reference.subscription);
      const from = ids.indexOf(begin.id) + 1;
      expect(follower.heard.map(({ id }) => id)).toEqual(ids.slice(from, from + follower.heard.length));
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
  for (const { follower, stream } of steady) {
    stream.cut();
    const { subscription, heard } = follower;
    const ids = await logged(desk, workspace, subscription);
    expect(heard.map(({ id }) => id)).toEqual(ids.slice(0, heard.length));
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
    const stream = transports[transport]({ url: desk.url, token, query: AT_LENGTH, variables: { after } });
    await someone.says(LONG);
    const heard: unknown[] = [(await stream.next())?.data?.messageRecorded];
    stream.pause();
    await repeatFirstMessage(desk, workspace, 1_000);
    await someone.says("The last one");
    stream.resume();

    const wanted = (await logged(desk, workspace, "messageRecorded")).slice(known.length);
    while (heard.length < wanted.length) heard.push((await stream.next())?.data?.messageRecorded);
    expect(heard).toMatchObject(wanted.map((id) => ({ id })));
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
    const all = followers({ token, after: await cursorNow(one, token) });
    const here = onLine(one, { workspace });
    const there = onLine(two, { workspace });
    const writing = [rounds(one, workspace, here, 9), rounds(two, workspace, there, 9)];
    await Promise.all(
      all.map(async (follower) => {
        for (let n = 0; n < 6 * perRound[follower.subscription]; n++) await follower.part(n % 2 ? one : two, 3);
      }),
    );
    await Promise.all(writing);
    await expectAllHeard(all, one, workspace);
  });

  test("one server restarts while another accepts writes: resuming on either misses no event", async () => {
    const workspace = await two.workspace();
    const { token } = workspace.ada;
    const all = followers({ token, after: await cursorNow(two, token) });
    const streams = all.map((follower) => ({ follower, stream: follower.connect(one) }));
    const writing = rounds(two, workspace, onLine(two, { workspace }), 16);
    await Promise.all(
      streams.map(({ follower, stream }) => follower.hearWhile(stream, () => follower.heard.length < 3)),
    );
    const interrupted = streams.map(async ({ follower, stream }) => {
      while ((await follower.hear(stream)) !== null);
      return { transport: follower.transport, ending: stream.ending() };
    });
    await one.stop();
    const endings = (await Promise.all(interrupted)).flatMap(({ transport, ending }) =>
      transport === "WebSocket" ? [ending] : [],
    );
    expect(endings).toEqual(["1001", "1001", "1001", "1001"]);

    one = await start();
    await Promise.all(
      all.map(async (follower, n) => {
        const left = 16 * perRound[follower.subscription] - follower.heard.length;
        await follower.part(n % 2 ? one : two, left);
      }),
    );
    await writing;
    await expectAllHeard(all, two, workspace);
  });
});

test("over SSE a server that stops does not complete the subscription, so that clients reconnect", async () => {
  const stopping = await bootDesk();
  const follower = new Follower("SSE", "messageRecorded", {
    token: stopping.ada.token,
    after: await cursorNow(stopping),
  });
  const stream = follower.connect(stopping);
  await first(people(stopping, 1)).says("Hello");
  await follower.hearWhile(stream, () => follower.heard.length < 2);
  await stopping.stop();
  expect(await follower.hear(stream)).toBeNull();
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
    for (const follower of followers({ token: workspace.ada.token, after: await cursor() })) {
      expect([follower.name, await follower.fault(desk)]).toEqual([
        follower.name,
        { faults: ["INVALID_INPUT"], data: null, rest: null, ending: "complete" },
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
    const oneShort = await cursorNow(old);
    await someone.says("The last one of then");
    const all = await cursorNow(old);
    old.clock.advance(31 * DAY);
    await rounds(old, old, someone, 1);
    await old.app.pruneLog();

    for (const after of [none, oneShort]) {
      for (const follower of followers({ token, after })) {
        expect([follower.name, await follower.fault(old)]).toEqual([
          follower.name,
          { faults: ["CURSOR_EXPIRED"], data: null, rest: null, ending: "complete" },
        ]);
      }
    }
    const current = followers({ token, after: all });
    await Promise.all(current.map((follower) => follower.part(old, 1)));
    for (const { name, subscription, heard } of current) {
      const [next] = await logged(old, old, subscription);
      expect([name, heard.map(({ id }) => id)]).toEqual([name, [next]]);
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

      const stream = transports[transport]({ url: old.url, token, query: AT_LENGTH, variables: { after } });
      const heard: unknown[] = [(await stream.next())?.data?.messageRecorded];
      // More than the buffers hold, so the replay waits for the slow client.
      stream.pause();
      await old.app.pruneLog();
      stream.resume();
      let faults: unknown;
      for (let result = await stream.next(); result !== null; result = await stream.next()) {
        if (result.errors === undefined) heard.push(result.data?.messageRecorded);
        else faults = result.errors.map(({ extensions }) => extensions?.code);
      }
      expect({ faults, ending: stream.ending() }).toEqual({ faults: ["CURSOR_EXPIRED"], ending: "complete" });
      expect(heard.length).toBeLessThan(wanted.length);
      expect(heard).toMatchObject(wanted.slice(0, heard.length).map((id) => ({ id })));
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
