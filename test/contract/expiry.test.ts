import { beforeAll, describe, expect, test } from "vitest";
import { first, nodesOf } from "../support/answers.ts";
import { bootDesk, type Desk } from "../support/app.ts";
import { inMs } from "../support/clock.ts";
import { freshDatabase } from "../support/database.ts";
import { block, onLine, type Person } from "../support/people.ts";
import { cursorNow, eventsSince, externalIdOf, listen } from "../support/subscriber.ts";
import { contactIdOf, history, latest, look } from "../support/view.ts";

const MINUTE = 60_000;

let desk: Desk;
beforeAll(async () => {
  desk = await bootDesk();
});

async function blockedForAMinute(): Promise<Person> {
  const someone = onLine(desk);
  await someone.says("Hello");
  await block(desk, someone, { expiresAt: inMs(desk, MINUTE), notes: "for a minute" });
  return someone;
}

/** The delivered events of a contact's blocks. */
async function expiries(since: string, someone: Person) {
  const received = await eventsSince(desk, since, "contactStatusChanged");
  return received
    .filter((event) => externalIdOf(event) === someone.externalId)
    .map(({ cause, status, contactStatus, actor, occurredAt }) => [
      cause,
      status,
      contactStatus,
      actor.__typename,
      occurredAt,
    ]);
}

describe("B8: a block stops holding at expiresAt", () => {
  test("reads and filters: to the millisecond, before any job or command", async () => {
    const someone = await blockedForAMinute();
    const contactId = await contactIdOf(desk, someone);
    const filters = `query ($blocked: ContactFilter!, $active: ContactFilter!, $inForce: BlockFilter!, $over: BlockFilter!) {
      blocked: contacts(filter: $blocked) { edges { node { id } } }
      active: contacts(filter: $active) { edges { node { id } } }
      inForce: blocks(filter: $inForce) { edges { node { active liftedAt liftedBy { __typename } } } }
      over: blocks(filter: $over) { edges { node { active liftedAt liftedBy { __typename } } } }
    }`;
    const search = someone.externalId;
    const read = async () => {
      const { data } = await desk.ada.graphql<Record<string, { edges: { node: object }[] }>>(filters, {
        blocked: { search, status: "BLOCKED" },
        active: { search, status: "ACTIVE", channelId: desk.line },
        inForce: { contactId, active: true },
        over: { contactId, active: false },
      });
      const { status, here, activeBlock } = await look(desk, someone);
      const blocks = await history(desk, someone);
      return {
        ...Object.fromEntries(Object.entries(data).map(([name, list]) => [name, nodesOf(list)])),
        fields: [status, here, activeBlock?.notes, first(blocks).liftedAt],
      };
    };
    const events = await desk.app.database.prisma.event.count();

    desk.clock.advance(MINUTE - 1);
    expect(await read()).toEqual({
      blocked: [{ id: contactId }],
      active: [],
      inForce: [{ active: true, liftedAt: null, liftedBy: null }],
      over: [],
      fields: ["BLOCKED", "BLOCKED", "for a minute", null],
    });
    desk.clock.advance(1);
    expect(await read()).toEqual({
      blocked: [],
      active: [{ id: contactId }],
      inForce: [],
      over: [{ active: false, liftedAt: inMs(desk, 0), liftedBy: { __typename: "System" } }],
      fields: ["ACTIVE", "ACTIVE", undefined, inMs(desk, 0)],
    });
    expect(await desk.app.database.prisma.event.count()).toBe(events);
  });

  test("decisions: a message sent in the last millisecond of the block is suppressed, one sent at expiresAt is new", async () => {
    const someone = await blockedForAMinute();
    desk.clock.advance(MINUTE - 1);
    await someone.says("Too early");
    desk.clock.advance(1);
    await someone.says("In time");
    expect((await look(desk, someone)).timeline).toEqual([
      "1 contact: Hello",
      "1 bot: Welcome!",
      "1 contact: Too early (blocked)",
      "2 contact: In time",
      "2 bot: Welcome!",
    ]);
  });

  test("an agent can start a conversation from expiresAt on", async () => {
    const someone = await blockedForAMinute();
    const contactId = await contactIdOf(desk, someone);
    const input = { contactId, channelId: someone.channel, text: "Hi" };
    desk.clock.advance(MINUTE - 1);
    expect((await desk.ada.attempt("startConversation", input)).code).toBe("CONTACT_BLOCKED");
    desk.clock.advance(1);
    await desk.ada.startConversation(input);
  });

  test.each<[string, (someone: Person) => Promise<unknown>]>([
    ["a message", (someone) => someone.says("Hello again")],
    ["a repeated event", (someone) => someone.does("follow", { eventId: "again-and-again" })],
    [
      "a refused command",
      async (someone) =>
        expect((await desk.ada.attempt("endConversation", { conversationId: await latest(desk, someone) })).code).toBe(
          "INVALID_TRANSITION",
        ),
    ],
    [
      "an unblock that finds no block in force",
      async (someone) => {
        const contactId = await contactIdOf(desk, someone);
        expect(await desk.ada.unblockContact({ contactId })).toMatchObject({ changed: false, blocks: [] });
      },
    ],
    ["another block", (someone) => block(desk, someone, { notes: "another" })],
    ["the job", () => desk.app.runDue()],
  ])("%s appends the expiry first, once, with the time of the expiry", async (_, happens) => {
    await onLine(desk).does("follow", { eventId: "again-and-again" });
    const someone = await blockedForAMinute();
    const since = await cursorNow(desk);
    const end = inMs(desk, MINUTE);
    desk.clock.advance(2 * MINUTE);
    await happens(someone);
    await happens(someone);
    await desk.app.runDue();

    const ended = (await expiries(since, someone)).filter(([cause]) => cause !== "BLOCKED");
    // The contact's status is that after the whole commit, in which the contact may have been blocked again.
    const { status } = await look(desk, someone);
    expect(ended).toEqual([["EXPIRED", "ACTIVE", status, "System", end]]);
    expect((await history(desk, someone)).at(-1)).toMatchObject({ liftedAt: end, notes: "for a minute" });
  });

  test("the expiry is recorded before the events of the command that found it", async () => {
    const someone = await blockedForAMinute();
    const since = await cursorNow(desk);
    desk.clock.advance(MINUTE);
    await block(desk, someone);
    expect((await expiries(since, someone)).map(([cause]) => cause)).toEqual(["EXPIRED", "BLOCKED"]);
    expect(await history(desk, someone)).toHaveLength(2);
  });

  test("an expiry one millisecond ahead is accepted", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    expect((await block(desk, someone, { expiresAt: inMs(desk, 1) })).expiresAt).toBe(inMs(desk, 1));
  });

  test("a new block after an expiry is returned as the only one in force", async () => {
    const someone = await blockedForAMinute();
    const contactId = await contactIdOf(desk, someone);
    desk.clock.advance(MINUTE);
    const answer = await desk.ada.blockContact({ contactId });
    expect(answer).toMatchObject({ changed: true, contact: { status: "BLOCKED" }, blocks: [{ expiresAt: null }] });
  });

  test("updateBlock moves expiresAt later or earlier, or removes it", async () => {
    const someone = await blockedForAMinute();
    const { activeBlock } = await look(desk, someone);
    const move = (expiresAt: string | null) => desk.ada.updateBlock({ blockId: activeBlock?.id ?? "", expiresAt });
    const since = await cursorNow(desk);
    const causesAndTimes = async () => (await expiries(since, someone)).map(([cause, , , , at]) => [cause, at]);

    await move(inMs(desk, 10 * MINUTE));
    desk.clock.advance(2 * MINUTE);
    await desk.app.runDue();
    expect((await look(desk, someone)).here).toBe("BLOCKED");
    await move(null);
    desk.clock.advance(60 * MINUTE);
    await desk.app.runDue();
    expect((await look(desk, someone)).here).toBe("BLOCKED");
    await move(inMs(desk, MINUTE));
    desk.clock.advance(2 * MINUTE);
    await desk.app.runDue();
    expect((await look(desk, someone)).here).toBe("ACTIVE");
    expect((await causesAndTimes()).map(([cause]) => cause)).toEqual(["UPDATED", "UPDATED", "UPDATED", "EXPIRED"]);
    expect((await causesAndTimes()).at(-1)).toEqual(["EXPIRED", inMs(desk, -MINUTE)]);
  });

  test("without any command it is delivered within 5 s", async () => {
    const someone = await blockedForAMinute();
    const listener = listen(desk, "contactStatusChanged", { after: await cursorNow(desk) });
    desk.clock.advance(MINUTE);
    const reached = Date.now();
    let event = await listener.next();
    // Blocks of earlier tests expire at this time, too.
    while (externalIdOf(event) !== someone.externalId) event = await listener.next();
    expect(Date.now() - reached).toBeLessThan(5_000);
    expect([externalIdOf(event), event.cause, event.occurredAt]).toEqual([
      someone.externalId,
      "EXPIRED",
      inMs(desk, 0),
    ]);
    await listener.close();
  });

  test("several blocks that expire at once are each lifted once", async () => {
    const [one, two] = [await blockedForAMinute(), await blockedForAMinute()];
    const since = await cursorNow(desk);
    desk.clock.advance(MINUTE);
    await Promise.all([desk.app.runDue(), desk.app.runDue(), one.says("Hi"), two.says("Hi")]);
    const ended = [...(await expiries(since, one)), ...(await expiries(since, two))];
    expect(ended.map(([cause]) => cause)).toEqual(["EXPIRED", "EXPIRED"]);
  });
});

describe("B8: across a downtime", () => {
  test("an expiry during a downtime is delivered once, within 5 s of readiness, with its own time", async () => {
    const { url, drop } = await freshDatabase();
    const env = { DATABASE_URL: url };
    const before = await bootDesk({ env });
    const someone = onLine(before);
    await someone.says("Hello");
    await block(before, someone, { expiresAt: inMs(before, MINUTE) });
    const since = await cursorNow(before);
    const { token } = before.ada;
    await before.app.stop();

    const after = await bootDesk({ env });
    after.clock.advance(10 * MINUTE);
    const ready = Date.now();
    const listener = listen(after, "contactStatusChanged", { after: since, token });
    const event = await listener.next();
    expect(Date.now() - ready).toBeLessThan(5_000);
    expect(event).toMatchObject({
      cause: "EXPIRED",
      actor: { __typename: "System" },
      occurredAt: inMs(after, -9 * MINUTE),
    });
    await listener.close();

    await onLine(after, someone).says("Hello again");
    const count = await after.app.database.prisma.event.count({ where: { type: "ContactStatusChanged" } });
    expect(count).toBe(2);
    await after.app.stop();
    await drop();
  });
});
