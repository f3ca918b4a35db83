import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { bootDesk, type Desk, GREETING, lineText } from "../support/app.ts";
import { documentOf } from "../support/client.ts";
import { freshDatabase } from "../support/database.ts";
import {
  type DatabaseProxy,
  databaseOf,
  type FaultSession,
  openFaultSession,
  startDatabaseProxy,
} from "../support/faults.ts";
import { onLine, type Person, people } from "../support/people.ts";
import { latest, look } from "../support/view.ts";

let desk: Desk;
let fault: FaultSession;
beforeAll(async () => {
  desk = await bootDesk();
  fault = await openFaultSession(databaseOf(desk));
});
afterAll(() => fault.end());
afterEach(() => fault.query("DROP TRIGGER IF EXISTS fault ON message"));

/** Makes the database fail when a message with this text is recorded: at once or at the commit. */
async function failOn(text: string, when: "insert" | "commit", how: string): Promise<void> {
  await fault.query(
    `CREATE OR REPLACE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${how}; RETURN NEW; END $$`,
  );
  const at =
    when === "insert"
      ? "TRIGGER fault BEFORE INSERT ON message"
      : "CONSTRAINT TRIGGER fault AFTER INSERT ON message DEFERRABLE INITIALLY DEFERRED";
  await fault.query(`CREATE ${at} FOR EACH ROW WHEN (NEW.text = '${text}') EXECUTE FUNCTION fault()`);
}

const refuse = "RAISE EXCEPTION 'The disk is full.'";
const cut = "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1)";

const event = (someone: Person, text: string) => lineText(someone.externalId, text, { timestamp: desk.clock.now() });

describe("O4: an event that cannot be recorded is answered 5xx, and recorded once when it is redelivered", () => {
  test.each([
    ["a statement fails", "insert", refuse],
    ["the commit fails", "commit", refuse],
    ["the connection is lost in the commit", "commit", cut],
  ] as const)("%s: its neighbours in the body, and other bodies, are recorded", async (_, when, how) => {
    await failOn("poison", when, how);
    const [one, two, three, ...others] = people(desk, 8);
    if (one === undefined || two === undefined || three === undefined)
      throw new Error("Fewer than three contacts were created.");
    const body = [event(one, "Hello"), event(two, "poison"), event(two, "Hello"), event(three, "Hello")];
    const [answer] = await Promise.all([desk.lineWebhook(body), ...others.map((other) => other.says("Hello"))]);

    expect(answer.status).toBe(503);
    const greeted = ["1 contact: Hello", `1 bot: ${GREETING}`];
    for (const someone of [one, two, three, ...others]) expect((await look(desk, someone)).timeline).toEqual(greeted);
    expect((await desk.lineWebhook(body)).status).toBe(503);

    await fault.query("DROP TRIGGER fault ON message");
    expect((await desk.lineWebhook(body)).status).toBe(200);
    expect((await look(desk, two)).timeline).toEqual([...greeted, "1 contact: poison"]);
    for (const someone of [one, three]) expect((await look(desk, someone)).timeline).toEqual(greeted);
  });

  test("a mutation: a masked error with an id, nothing recorded, and the same key works afterwards", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    const input = { conversationId: await latest(desk, someone), text: "poison", idempotencyKey: "again" };
    await failOn("poison", "commit", refuse);
    const { errors } = await desk.ada.graphql(documentOf("sendMessage"), { input });
    expect(errors).toMatchObject([
      { message: "Unexpected error.", extensions: { code: "INTERNAL", id: expect.any(String) } },
    ]);
    expect((await look(desk, someone)).statuses).toEqual(["WAITING"]);

    await fault.query("DROP TRIGGER fault ON message");
    const made = await desk.ada.sendMessage(input);
    expect(await desk.ada.attempt("sendMessage", input)).toEqual(made);
    expect((await look(desk, someone)).timeline.slice(2)).toEqual(["1 agent: poison"]);
  });

  test("connections are lost during a burst: no message answered with 200 is lost, none is duplicated", async () => {
    const contacts = people(desk, 12);
    const events = contacts.flatMap((someone) => Array.from({ length: 20 }, (_, n) => event(someone, `${n}`)));
    let answered = 0;
    const deliver = async (each: object): Promise<number> => {
      const { status } = await desk.lineWebhook([each]);
      answered += 1;
      if ([10, 60, 120, 180].includes(answered)) await fault.cutConnections();
      return status;
    };
    const first = await Promise.all(events.map(deliver));
    expect(first.filter((status) => status !== 200 && status < 500)).toEqual([]);
    const countOf = async (someone: Person) => {
      const { timeline } = await look(desk, someone);
      const texts = timeline.filter((entry) => entry.includes("contact"));
      return { recorded: texts.length, distinct: new Set(texts).size, greetings: timeline.length - texts.length };
    };
    for (const [n, someone] of contacts.entries()) {
      const accepted = first.slice(n * 20, n * 20 + 20).filter((status) => status === 200).length;
      if (accepted === 0) continue;
      const { recorded, distinct } = await countOf(someone);
      expect(recorded).toBeGreaterThanOrEqual(accepted);
      expect(distinct).toBe(recorded);
    }
    const again = await Promise.all(events.map(async (each) => (await desk.lineWebhook([each])).status));
    expect(new Set(again)).toEqual(new Set([200]));
    for (const someone of contacts)
      expect(await countOf(someone)).toEqual({ recorded: 20, distinct: 20, greetings: 1 });
  });
});

describe("the answer to a successful COMMIT is lost", () => {
  let proxied: Desk;
  let wire: DatabaseProxy;
  beforeAll(async () => {
    const database = await freshDatabase();
    wire = await startDatabaseProxy(database.url);
    proxied = await bootDesk({ env: { DATABASE_URL: wire.url } });
  });
  afterAll(() => wire.close());

  test("a webhook is answered 5xx, and its redelivery changes nothing", async () => {
    const someone = onLine(proxied);
    await someone.says("Hello");
    const event = lineText(someone.externalId, "Kept", { timestamp: proxied.clock.now() });
    wire.loseCommits(true);
    expect((await proxied.lineWebhook([event])).status).toBe(503);
    wire.loseCommits(false);
    expect(wire.lost()).toBe(1);
    const kept = (await look(proxied, someone)).timeline;
    expect(kept.at(-1)).toBe("1 contact: Kept");
    expect((await proxied.lineWebhook([event])).status).toBe(200);
    expect((await look(proxied, someone)).timeline).toEqual(kept);
  });

  test("a committed reply is not sent twice when it is repeated under its key", async () => {
    const someone = onLine(proxied);
    await someone.says("Hello");
    const input = { conversationId: await latest(proxied, someone), text: "Once", idempotencyKey: "once" };
    wire.loseCommits(true);
    expect((await proxied.ada.graphql(documentOf("sendMessage"), { input })).errors?.[0]?.extensions.code).toBe(
      "INTERNAL",
    );
    wire.loseCommits(false);
    await proxied.ada.sendMessage(input);
    expect((await look(proxied, someone)).timeline.slice(2)).toEqual(["1 agent: Once"]);
  });

  test("without a database: alive but not ready, requests are answered 5xx, and work again when the database is back", async () => {
    const someone = onLine(proxied);
    const event = lineText(someone.externalId, "Hello", { timestamp: proxied.clock.now() });
    const statusOf = async (path: string) => (await fetch(`${proxied.url}${path}`)).status;
    expect([await statusOf("/health"), await statusOf("/ready")]).toEqual([200, 200]);
    wire.cut(true);
    expect([await statusOf("/health"), await statusOf("/ready"), await statusOf("/metrics")]).toEqual([200, 503, 200]);
    expect((await proxied.lineWebhook([event])).status).toBeGreaterThanOrEqual(500);
    const { status, errors } = await proxied.ada.graphql("{ channels { id } }");
    expect([status >= 500 || errors?.[0]?.extensions.code === "INTERNAL"]).toEqual([true]);
    wire.cut(false);
    expect(await statusOf("/ready")).toBe(200);
    expect((await proxied.lineWebhook([event])).status).toBe(200);
    expect((await look(proxied, someone)).timeline).toEqual(["1 contact: Hello", `1 bot: ${GREETING}`]);
  });
});
