import { afterEach, expect, onTestFinished, test } from "vitest";
import { nodesAt } from "../support/answers.ts";
import { bootDesk, type Desk, GREETING } from "../support/app.ts";
import type { Client } from "../support/client.ts";
import { bootLineDesk, type LineDesk, textsOn } from "../support/fake-line.ts";
import { databaseOf } from "../support/faults.ts";
import { type HeldConnections, heldConnections } from "../support/held-connections.ts";
import { onLine, type Person } from "../support/people.ts";
import { contactIdOf, latest, look } from "../support/view.ts";

/** A desk whose greeting to a contact is leased, while the connection to LINE does not open. */
interface Stalled extends LineDesk {
  readonly connections: HeldConnections;
  readonly someone: Person;
  readonly contactId: string;
}

async function stalled(): Promise<Stalled> {
  const connections = heldConnections();
  const line = await bootLineDesk({ dispatcher: connections.dispatcher });
  onTestFinished(connections.release);
  const someone = await greetedBy(line);
  await connections.dialed;
  return { ...line, connections, someone, contactId: await contactIdOf(line.desk, someone) };
}

/** A contact who has written for the first time. */
async function greetedBy({ desk, account, stop }: LineDesk): Promise<Person> {
  const someone = onLine(desk);
  account.addUser(someone.externalId, "Mika");
  await account.writeAs(someone.externalId, "Hello").delivered;
  stops.push(async () => {
    await desk.stop();
    await stop();
  });
  return someone;
}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** Another instance on the desk's database. */
async function anotherInstance(desk: Desk): Promise<Client> {
  const other = await bootDesk({ env: { DATABASE_URL: databaseOf(desk) } });
  stops.push(other.stop);
  return other.as(desk.ada.token);
}

/** Blocks the contact; `hasAnswered` tells whether the answer has come. */
function blocking(by: Client, contactId: string) {
  const call = { hasAnswered: false, changed: by.blockContact({ contactId }).then(({ changed }) => changed) };
  void call.changed.then(() => {
    call.hasAnswered = true;
  });
  return call;
}

/** Polls until the value is as expected; on a busy machine that may take a while. */
function eventually<Value>(read: () => Value | Promise<Value>) {
  return expect.poll(read, { interval: 5, timeout: 10_000 });
}

/** Resolves when the block has committed. */
async function committed({ desk, someone }: Stalled): Promise<void> {
  await eventually(async () => (await look(desk, someone)).here).toBe("BLOCKED");
}

test("S6: it answers when the call that was leased before it has begun, also if nothing changes; the outcome counts", async () => {
  const it = await stalled();
  const block = blocking(it.desk.ada, it.contactId);
  await committed(it);
  const again = blocking(it.desk.ben, it.contactId);
  // Its answer would come before that of a later query.
  for (let i = 0; i < 5; i++) await look(it.desk, it.someone);
  expect([block.hasAnswered, again.hasAnswered]).toEqual([false, false]);

  it.connections.release();

  expect([await block.changed, await again.changed]).toEqual([true, false]);
  await eventually(() => textsOn(it.account, it.someone.externalId)).toEqual([GREETING]);
  await eventually(async () => (await look(it.desk, it.someone)).deliveries).toEqual(["SENT"]);
  expect(it.line.log.all()).toHaveLength(1);
});

test.each(["the same instance", "another instance"])(
  "S6: it answers when the lease has lapsed, and nothing begins after that; %s",
  async (where) => {
    const it = await stalled();
    const by = where === "another instance" ? await anotherInstance(it.desk) : it.desk.ada;
    expect(await by.blockContact({ contactId: it.contactId })).toMatchObject({ changed: true });

    it.connections.release();
    await it.desk.app.runDue();

    expect((await look(it.desk, it.someone)).deliveries).toEqual(["CANCELED"]);
    expect(it.line.log.all()).toEqual([]);
  },
);

test("S6: it waits for the call of its own instance also if the clock jumps ahead meanwhile", async () => {
  const it = await stalled();
  it.desk.clock.advance(60_000);
  const block = blocking(it.desk.ada, it.contactId);
  await committed(it);
  // Its answer would come before that of a later query.
  for (let i = 0; i < 5; i++) await look(it.desk, it.someone);
  expect(block.hasAnswered).toBe(false);
  it.connections.release();
  await block.changed;
});

test("S6: another instance waits for a call that has not begun, and answers once it is settled", async () => {
  const it = await stalled();
  const block = blocking(await anotherInstance(it.desk), it.contactId);
  await committed(it);
  it.connections.release();
  await block.changed;
  expect((await look(it.desk, it.someone)).deliveries).toEqual(["SENT"]);
});

test("S6: it does not wait for the answer to a call that has begun, whose outcome counts", async () => {
  const it = await bootLineDesk();
  it.line.faults.add({ effect: { type: "slow", ms: 2_000 } });
  const someone = await greetedBy(it);
  await eventually(() => it.line.log.all().length).toBe(1);
  await it.desk.ada.blockContact({ contactId: await contactIdOf(it.desk, someone) });
  expect((await look(it.desk, someone)).deliveries).toEqual(["SENDING"]);
  await eventually(async () => (await look(it.desk, someone)).deliveries).toEqual(["SENT"]);
});

test("S6: what was to be repeated is canceled, and its outcome is unknown where an attempt may have arrived", async () => {
  const it = await bootLineDesk();
  const { ada } = it.desk;
  it.line.faults.add({ effect: { type: "swallow" }, operation: "push" });
  const someone = await greetedBy(it);
  await eventually(async () => (await look(it.desk, someone)).deliveries).toEqual(["SENT"]);
  const conversationId = await latest(it.desk, someone);
  await ada.sendMessage({ conversationId, text: "Swallowed" });
  await eventually(() => it.line.log.all().length).toBe(2);
  await eventually(async () => (await look(it.desk, someone)).deliveries).toEqual(["SENT", "QUEUED"]);
  await ada.sendMessage({ conversationId, text: "Behind it" });

  await ada.blockContact({ contactId: await contactIdOf(it.desk, someone) });

  const { data } = await ada.graphql(
    "query ($id: ID!) { conversation(id: $id) { messages(last: 2) { edges { node { text deliveryStatus deliveryError { code } } } } } }",
    { id: conversationId },
  );
  expect(nodesAt(data, "conversation.messages")).toEqual([
    { text: "Swallowed", deliveryStatus: "CANCELED", deliveryError: { code: "OUTCOME_UNKNOWN" } },
    { text: "Behind it", deliveryStatus: "CANCELED", deliveryError: null },
  ]);
});
