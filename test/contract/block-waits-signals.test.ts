import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { bootDesk, globalId, rowId, type TestFlow } from "../support/app.ts";
import type { Client } from "../support/client.ts";
import { bootLineDesk, type LineDesk } from "../support/fake-line.ts";
import { databaseOf } from "../support/faults.ts";
import { type HeldConnections, heldConnections } from "../support/held-connections.ts";
import { onLine, type Person } from "../support/people.ts";
import { contactIdOf, latest, look } from "../support/view.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** A desk on whose LINE channel a contact, to whom nothing is being sent, is to be shown a signal. */
interface Situation extends LineDesk {
  readonly connections: HeldConnections;
  readonly someone: Person;
  readonly contactId: string;
}

const delayed: TestFlow = {
  kind: "CHATBOT",
  definition: { steps: [{ id: "first", text: "Still there?", delay: 30_000 }] },
};

async function situation(flows: readonly TestFlow[] = []): Promise<Situation> {
  const connections = heldConnections();
  const it = await bootLineDesk({ dispatcher: connections.dispatcher });
  onTestFinished(connections.release);
  const { desk } = it;
  stops.push(async () => {
    await desk.stop();
    await it.stop();
  });
  const channel = await desk.channel("LINE", flows);
  const settings = { accessToken: "token", showLoading: true, markAsRead: true };
  await desk.ada.updateChannel({ channelId: channel, line: settings });
  const someone = onLine(desk, { channel });
  const message = { type: "text", id: "1", text: "Hello", markAsReadToken: "read-1" };
  const event = { type: "message", mode: "active", timestamp: desk.clock.now(), webhookEventId: "1", message };
  await desk.lineWebhook([{ ...event, source: { type: "user", userId: someone.externalId } }], { channel });
  return { ...it, connections, someone, contactId: await contactIdOf(desk, someone) };
}

/** The ways to a signal whose call waits for a connection. */
const ways: Record<string, () => Promise<Situation>> = {
  "an agent who writes": async () => {
    const it = await situation();
    await it.desk.ada.setTyping({ conversationId: await latest(it.desk, it.someone), typing: true });
    return it;
  },
  "an agent who has read": async () => {
    const it = await situation();
    const conversationId = await latest(it.desk, it.someone);
    const { id } = await it.desk.app.database.prisma.message.findFirstOrThrow({
      where: { conversationId: rowId(conversationId) },
    });
    await it.desk.ada.markConversationRead({ conversationId, upToMessageId: globalId("Message", id) });
    return it;
  },
  "a chatbot with a delayed step": () => situation([delayed]),
};

async function stalled(way: string): Promise<Situation> {
  const it = await ways[way]?.();
  if (it === undefined) throw new Error(`There is no way ${way}.`);
  await it.connections.dialed;
  return it;
}

async function anotherInstance({ desk }: Situation): Promise<Client> {
  const other = await bootDesk({ env: { DATABASE_URL: databaseOf(desk) } });
  stops.push(other.stop);
  return other.as(desk.ada.token);
}

describe.each(Object.keys(ways))("S6: a block and the signal of %s", (way) => {
  test("it answers when the call has begun", async () => {
    const it = await stalled(way);
    let hasAnswered = false;
    const block = it.desk.ada.blockContact({ contactId: it.contactId }).then(() => {
      hasAnswered = true;
    });
    const here = async () => (await look(it.desk, it.someone)).here;
    await expect.poll(here, { interval: 5, timeout: 10_000 }).toBe("BLOCKED");
    // Its answer would come before that of a later query.
    for (let i = 0; i < 5; i++) await look(it.desk, it.someone);
    expect(hasAnswered).toBe(false);

    it.connections.release();

    await block;
    await it.desk.app.runDue();
    expect(it.line.log.all()).toHaveLength(1);
  });

  test("it answers when the lease has lapsed, and nothing begins after that", async () => {
    const it = await stalled(way);
    await expectNothingAfterBlock(it, it.desk.ada);
  });
});

test("S6: another instance waits for a signal until its lease has lapsed", async () => {
  const it = await stalled("an agent who writes");
  await expectNothingAfterBlock(it, await anotherInstance(it));
});

async function expectNothingAfterBlock(it: Situation, by: Client): Promise<void> {
  expect(await by.blockContact({ contactId: it.contactId })).toMatchObject({ changed: true });
  it.connections.release();
  await it.desk.app.runDue();
  expect(it.line.log.all()).toEqual([]);
}

test("S6: it does not wait for the answer to a signal that has begun", async () => {
  const it = await situation();
  it.connections.release();
  it.line.faults.add({ effect: { type: "hang" }, operation: "loading" });
  await it.desk.ada.setTyping({ conversationId: await latest(it.desk, it.someone), typing: true });
  await expect.poll(() => it.line.log.all().length, { interval: 5 }).toBe(1);
  await it.desk.ada.blockContact({ contactId: it.contactId });
  expect(it.line.log.all()).toMatchObject([{ operation: "loading", status: null }]);
  await it.stop();
});

test("B4: a chatbot's signal that was to come after a message is not granted once the contact is blocked", async () => {
  const steps = [
    { id: "first", text: "One moment.", next: "second" },
    { id: "second", text: "Here it is.", delay: 30_000 },
  ];
  const it = await situation([{ kind: "CHATBOT", definition: { steps } }]);
  await it.connections.dialed;
  await it.desk.ada.blockContact({ contactId: it.contactId });
  it.connections.release();
  await it.desk.app.runDue();
  expect(it.line.log.all()).toEqual([]);
});
