import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { nodesAt } from "../support/answers.ts";
import { GREETING } from "../support/app.ts";
import { bootLineDesk, type LineDesk, textsOn } from "../support/fake-line.ts";
import { onLine, type Person } from "../support/people.ts";
import { cursorNow, listen } from "../support/subscriber.ts";
import { latest, look } from "../support/view.ts";

/** On a busy machine it may take a while. */
const POLLING = { interval: 5, timeout: 10_000 } as const;

let it: LineDesk;
beforeAll(async () => {
  it = await bootLineDesk();
});
afterEach(() => it.line.faults.clear());
afterAll(() => it.stop());

async function writes(): Promise<Person> {
  const someone = onLine(it.desk);
  it.account.addUser(someone.externalId, "Mika");
  await it.account.writeAs(someone.externalId, "Hello").delivered;
  return someone;
}

async function settled(someone: Person, expected: readonly string[]): Promise<void> {
  await expect.poll(async () => (await look(it.desk, someone)).deliveries, POLLING).toEqual(expected);
}

/** The steps of the deliveries in a conversation: `count` of them since the cursor. */
async function steps(after: string, conversationId: string, count: number): Promise<unknown[]> {
  const listener = listen(it.desk, "messageChanged", { after, filter: { conversationId } });
  const events = await listener.take(count);
  await listener.close();
  return events.map(({ change, deliveryStatus, message, actor }) => [
    message?.text,
    change,
    deliveryStatus,
    actor.__typename,
  ]);
}

test("each step of a delivery is a messageChanged event, with the status as of that step", async () => {
  const after = await cursorNow(it.desk);
  const someone = await writes();
  await settled(someone, ["SENT"]);
  expect(await steps(after, await latest(it.desk, someone), 2)).toEqual([
    [GREETING, "DELIVERY", "SENDING", "System"],
    [GREETING, "DELIVERY", "SENT", "System"],
  ]);
});

test("S4, S8: a refusal shows the provider's reason, and the message can be sent again", async () => {
  const someone = await writes();
  await settled(someone, ["SENT"]);
  const conversationId = await latest(it.desk, someone);
  it.line.faults.add({ effect: { type: "status", status: 400 }, operation: "push", times: 1 });
  const after = await cursorNow(it.desk);
  const { message } = await it.desk.ada.sendMessage({ conversationId, text: "Refused" });
  await settled(someone, ["SENT", "FAILED"]);
  await it.desk.ada.retryMessage({ messageId: message.id });
  await settled(someone, ["SENT", "FAILED", "SENT"]);
  const { data } = await it.desk.ada.graphql(
    `query ($id: ID!) { conversation(id: $id) { messages(last: 2) { edges { node {
      id deliveryStatus deliveryError { code message } retryOf { id }
    } } } } }`,
    { id: conversationId },
  );
  expect(nodesAt(data, "conversation.messages")).toEqual([
    {
      id: message.id,
      deliveryStatus: "FAILED",
      deliveryError: { code: "REJECTED", message: expect.stringMatching(/^LINE refused the message \(400\): ./) },
      retryOf: null,
    },
    { id: expect.any(String), deliveryStatus: "SENT", deliveryError: null, retryOf: { id: message.id } },
  ]);
  expect((await steps(after, conversationId, 4)).map((step) => Object(step)[2])).toEqual([
    "SENDING",
    "FAILED",
    "SENDING",
    "SENT",
  ]);
  expect(textsOn(it.account, someone.externalId)).toEqual([GREETING, "Refused"]);
});

test("S5: a reply whose answer was lost is repeated once, and counts as delivered if its token was used", async () => {
  it.line.faults.add({ effect: { type: "swallow" }, operation: "reply", times: 1 });
  const since = it.line.log.all().length;
  const someone = await writes();
  await expect.poll(() => it.line.log.after(since).length, POLLING).toBe(1);
  await settled(someone, ["QUEUED"]);
  it.desk.clock.advance(2_000);
  await it.desk.app.runDue();
  await settled(someone, ["SENT"]);
  expect(it.line.log.after(since).map(({ operation, status }) => [operation, status])).toEqual([
    ["reply", null],
    ["reply", 400],
  ]);
  expect(textsOn(it.account, someone.externalId)).toEqual([GREETING]);
});

test("S4: refused credentials are a fault of the channel, whose messages wait for new ones", async () => {
  const someone = await writes();
  await settled(someone, ["SENT"]);
  const conversationId = await latest(it.desk, someone);
  it.account.revokeToken("token");
  await it.desk.ada.sendMessage({ conversationId, text: "Waits" });
  const fault = async () =>
    (
      await it.desk.ada.graphql<{ channels: { name: string; fault: string | null }[] }>("{ channels { name fault } }")
    ).data.channels.find(({ name }) => name === "LINE")?.fault;
  await expect
    .poll(fault, POLLING)
    .toMatch(/^LINE refuses the access token \(401: .+\)\. Set a new one with updateChannel\.$/);
  await settled(someone, ["SENT", "QUEUED"]);

  const accessToken = it.account.issueToken();
  await it.desk.ada.updateChannel({ channelId: it.desk.line, line: { accessToken } });

  expect(await fault()).toBeNull();
  await it.desk.app.runDue();
  await settled(someone, ["SENT", "SENT"]);
  expect(textsOn(it.account, someone.externalId)).toEqual([GREETING, "Waits"]);
});
