import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bootDesk, type Desk, lineText } from "../support/app.ts";
import { inMs } from "../support/clock.ts";
import { freshDatabase } from "../support/database.ts";
import { block, onLine, type Person } from "../support/people.ts";
import { cursorNow, eventsSince, externalIdOf, listen } from "../support/subscriber.ts";
import { contactIdOf, latest, look } from "../support/view.ts";

/** Two instances on one database, each with its own clock. */
let one: Desk;
let two: Desk;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await freshDatabase();
  drop = database.drop;
  const env = { DATABASE_URL: database.url };
  one = await bootDesk({ env });
  two = await bootDesk({ env });
});
afterAll(async () => {
  await Promise.all([one.stop(), two.stop()]);
  await drop();
});

/** The same contact, writing to each instance. */
function both(): [Person, Person] {
  const here = onLine(one);
  return [here, onLine(two, here)];
}

describe("two instances", () => {
  test("O3, C2: an event received by both at once is recorded once, also of an unknown contact", async () => {
    const [here] = both();
    const event = lineText(here.externalId, "Hello", { timestamp: one.clock.now() });
    const deliveries = Array.from({ length: 20 }, (_, n) =>
      (n % 2 ? one : two).lineWebhook([event], { channel: here.channel }),
    );
    const statuses = (await Promise.all(deliveries)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect((await look(one, here)).timeline).toEqual(["1 contact: Hello", "1 bot: Welcome!"]);
  });

  test("U2: 20 messages on both instances after the unblock start the flows once", async () => {
    const [here, there] = both();
    await here.says("Hello");
    await block(one, here);
    for (const { clock } of [one, two]) clock.advance(1_000);
    await two.as(one.ada.token).unblockContact({ contactId: await contactIdOf(one, here) });
    await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? here : there).says(`${n}`)));
    const { statuses, timeline } = await look(one, here);
    expect(statuses).toEqual(["BLOCKED", "WAITING"]);
    expect(timeline.slice(2).filter((entry) => entry.includes("bot"))).toEqual(["2 bot: Welcome!"]);
    expect(timeline).toHaveLength(23);
  });

  test("B6, idempotencyKey: concurrent calls on both have one effect", async () => {
    const [here] = both();
    await here.says("Hello");
    const conversationId = await latest(one, here);
    const input = { conversationId, text: "Hi", idempotencyKey: "both" };
    const sent = await Promise.all(
      Array.from({ length: 10 }, (_, n) => (n % 2 ? one : two).as(one.ada.token).sendMessage(input)),
    );
    expect(new Set(sent.map((answer) => answer.message.id)).size).toBe(1);

    const contactId = await contactIdOf(one, here);
    const since = await cursorNow(one);
    const blocked = await Promise.all(
      Array.from({ length: 10 }, (_, n) => (n % 2 ? one : two).as(one.ada.token).blockContact({ contactId })),
    );
    expect(blocked.filter(({ changed }) => changed)).toHaveLength(1);
    expect(new Set(blocked.map(({ blocks }) => blocks[0]?.id)).size).toBe(1);
    expect((await eventsSince(one, since, "contactStatusChanged")).map(externalIdOf)).toEqual([here.externalId]);
  });

  test("O2: the commits of one are delivered to the subscribers of the other", async () => {
    const [here, there] = both();
    const after = await cursorNow(one);
    const listener = listen(two, "messageRecorded", { after, token: one.ada.token });
    await here.says("From one");
    await there.says("From two");
    const received = await listener.take(3);
    expect(received.map(({ message }) => message?.text)).toEqual(["From one", "Welcome!", "From two"]);
    await listener.close();
  });

  test("B8: an expiry found by both is delivered once", async () => {
    const [here] = both();
    await here.says("Hello");
    await block(one, here, { expiresAt: inMs(one, 60_000) });
    const since = await cursorNow(one);
    for (const { clock } of [one, two]) clock.advance(60_000);
    await Promise.all([one.app.runDue(), two.app.runDue(), one.app.runDue(), two.app.runDue()]);
    const received = await eventsSince(one, since, "contactStatusChanged");
    expect(received.map((event) => [externalIdOf(event), event.cause])).toEqual([[here.externalId, "EXPIRED"]]);
  });

  test("O1: with different clocks, times of one ContactChannel do not decrease", async () => {
    const [here, there] = both();
    await here.says("Hello");
    one.clock.advance(60_000);
    await here.says("A minute ahead");
    const { id } = await block(one, here);
    await there.says("Behind");
    const { data } = await one.ada.graphql<{ node: { blockedAt: string; contactChannel: Timeline } }>(
      `query ($id: ID!) { node(id: $id) { ... on Block { blockedAt contactChannel { messages { edges { node {
        text recordedAt receivedWhileBlocked
      } } } } } } }`,
      { id },
    );
    const entries = data.node.contactChannel.messages.edges.map(({ node }) => node);
    const last = entries.at(-1);
    expect(last).toEqual({ text: "Behind", recordedAt: data.node.blockedAt, receivedWhileBlocked: true });
    const times = entries.map(({ recordedAt }) => recordedAt);
    expect(times.toSorted()).toEqual(times);
    two.clock.advance(60_000);
  });

  interface Timeline {
    messages: { edges: { node: { text: string; recordedAt: string; receivedWhileBlocked: boolean } }[] };
  }
});
