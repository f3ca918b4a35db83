import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { toOpaqueId } from "../../src/domain/global-id.ts";
import { bootDesk, type Desk, lineText, rowId } from "../support/app.ts";
import { block, onLine, type Person, unblock } from "../support/people.ts";
import { cursorNow, type ListenOptions, listen, type ReceivedEvent } from "../support/subscriber.ts";
import { contactIdOf, latest, look } from "../support/view.ts";

let desk: Desk;
let someone: Person;
let start: string;
beforeAll(async () => {
  desk = await bootDesk();
});
beforeEach(async () => {
  someone = onLine(desk);
  await someone.says("Hello");
  start = await cursorNow(desk);
});

/** The next `count` events after the cursor taken before the test. */
async function next(
  subscription: Parameters<typeof listen>[1],
  count: number,
  options: ListenOptions = {},
): Promise<ReceivedEvent[]> {
  const listener = listen(desk, subscription, { after: start, ...options });
  const events = await listener.take(count);
  await listener.close();
  return events;
}

async function unsend(messageId: string): Promise<void> {
  const event = { type: "unsend", unsend: { messageId } };
  await desk.lineWebhook([lineText(someone.externalId, "", { ...event, timestamp: desk.clock.now() })]);
}

/** A text with this id of LINE's. */
async function says(text: string, id: string): Promise<void> {
  const said = lineText(someone.externalId, text, { timestamp: desk.clock.now() });
  await desk.lineWebhook([{ ...said, message: { type: "text", id, text } }]);
}

describe("messageChanged", () => {
  test("O6: an unsend is reported with its message, whose text is hidden", async () => {
    await says("My password is 1234", "unsent-1");
    await unsend("unsent-1");

    const filter = { conversationId: await latest(desk, someone) };
    const [changed] = await next("messageChanged", 1, { filter });

    expect(changed).toMatchObject({ change: "UNSENT", deliveryStatus: null, message: { text: null } });
    expect(changed?.actor.__typename).toBe("Contact");
  });

  test("O6: an unsend hides and reports every entry with the id of the message", async () => {
    await says("Mi password is 1234", "unsent-2");
    await says("My password is 1234", "unsent-2");
    await unsend("unsent-2");
    const changed = await next("messageChanged", 2, { filter: { contactId: await contactIdOf(desk, someone) } });
    expect(changed.map(({ change, message }) => [change, message?.text])).toEqual([
      ["UNSENT", null],
      ["UNSENT", null],
    ]);
  });

  test("B4: a block reports each message that it cancels, and answers with their number", async () => {
    const conversationId = await latest(desk, someone);
    await desk.ada.sendMessage({ conversationId, text: "First" });
    await desk.ada.sendMessage({ conversationId, text: "Second" });
    start = await cursorNow(desk);

    const { data } = await desk.ada.graphql<{ blockContact: { canceledMessageCount: number } }>(
      `mutation ($contactId: ID!) { blockContact(input: { contactId: $contactId }) {
        ... on BlockContactSuccess { canceledMessageCount }
      } }`,
      { contactId: await contactIdOf(desk, someone) },
    );

    // The greeting was queued as well.
    expect(data.blockContact.canceledMessageCount).toBe(3);
    const events = await next("messageChanged", 3, { filter: { contactId: await contactIdOf(desk, someone) } });
    expect(events.map(({ change, deliveryStatus }) => [change, deliveryStatus])).toEqual(
      Array(3).fill(["DELIVERY", "CANCELED"]),
    );
  });

  test("a filter by assignee also selects changes in the agent's conversations", async () => {
    const conversationId = await latest(desk, someone);
    await desk.ben.takeConversation({ conversationId });
    start = await cursorNow(desk);
    await block(desk, someone);

    const [mine] = await next("messageChanged", 1, { filter: { assigneeId: desk.ben.id } });

    expect(mine).toMatchObject({ change: "DELIVERY", deliveryStatus: "CANCELED" });
  });

  test("a filter by assignee also selects changes in conversations that are offered to the agent", async () => {
    await desk.ada.offerConversation({ conversationId: await latest(desk, someone), agentId: desk.ben.id });
    start = await cursorNow(desk);
    await block(desk, someone);
    const [offered] = await next("messageChanged", 1, { filter: { assigneeId: desk.ben.id } });
    expect(offered).toMatchObject({ change: "DELIVERY", deliveryStatus: "CANCELED" });
  });

  test("a filter by assignee also selects changes in conversations that others followed", async () => {
    await says("My password is 1234", "unsent-3");
    const conversationId = await latest(desk, someone);
    await desk.ben.sendMessage({ conversationId, text: "Do not tell" });
    await desk.ben.endConversation({ conversationId });
    await someone.says("Hello again");
    start = await cursorNow(desk);
    await unsend("unsent-3");
    await block(desk, someone);

    const mine = await next("messageChanged", 3, { filter: { assigneeId: desk.ben.id } });

    // The last two are the greeting and the answer of the first conversation.
    expect(mine.map(({ change, message }) => [change, message?.text])).toEqual([
      ["UNSENT", null],
      ["DELIVERY", "Welcome!"],
      ["DELIVERY", "Do not tell"],
    ]);
  });
});

describe("contactChanged", () => {
  test("D6: reachability", async () => {
    await someone.does("unfollow");
    const [event] = await next("contactChanged", 1, { filter: { contactId: await contactIdOf(desk, someone) } });
    expect(event).toMatchObject({
      changed: ["REACHABLE"],
      contactChannel: { externalId: someone.externalId, reachable: false },
    });
  });

  test("D6: a follow by somebody who can be reached changes nothing", async () => {
    const filter = { contactId: await contactIdOf(desk, someone) };
    await someone.does("follow");
    await someone.does("unfollow");
    expect((await next("deskEvents", 3, { filter })).map(({ __typename }) => __typename)).toEqual([
      "MessageRecordedEvent",
      "ContactChangedEvent",
      "MessageRecordedEvent",
    ]);
  });

  test("a name", async () => {
    const key = desk.as(await desk.key("inbound:write"));
    const externalId = `named-${someone.externalId}`;
    await key.recordInbound({
      channelId: desk.custom,
      externalId,
      eventId: externalId,
      kind: "TEXT",
      text: "Hello",
      displayName: "Mika",
    });
    const [event] = await next("contactChanged", 1, { filter: { channelId: desk.custom } });
    expect(event).toMatchObject({ changed: ["NAME"], contact: { name: "Mika" }, contactChannel: { externalId } });
  });
});

describe("deskEvents", () => {
  /** What one person does from the first message to an unblocked contact. */
  async function story(): Promise<{ filter: { contactId: string } }> {
    const contactId = await contactIdOf(desk, someone);
    await someone.does("unfollow");
    await block(desk, someone);
    await someone.says("Still here");
    await desk.ada.unblockContact({ contactId });
    return { filter: { contactId } };
  }

  const types = [
    "MessageRecordedEvent",
    "ContactChangedEvent",
    "ContactStatusChangedEvent",
    "ConversationEndedEvent",
    "MessageChangedEvent",
    "MessageRecordedEvent",
    "ContactStatusChangedEvent",
  ];

  test("O2: every event once, in the log's order, replayed and live alike", async () => {
    const live = listen(desk, "deskEvents", { filter: { contactId: await contactIdOf(desk, someone) }, after: start });
    const { filter } = await story();
    const received = await live.take(types.length);
    await live.close();
    const replayed = await next("deskEvents", types.length, { filter });

    expect(received.map(({ __typename }) => __typename).toSorted()).toEqual(types.toSorted());
    expect(replayed.map(({ id }) => id)).toEqual(received.map(({ id }) => id));
    const positions = received.map(({ cursor }) => Number(atob(cursor).split(":")[2]));
    expect(positions).toEqual([...new Set(positions)].toSorted((a, b) => a - b));
  });

  test("the end of a conversation comes once, whichever of its types is selected", async () => {
    const { filter } = await story();
    for (const selected of [
      ["CONVERSATION_CHANGED"],
      ["CONVERSATION_ENDED"],
      ["CONVERSATION_CHANGED", "CONVERSATION_ENDED"],
    ]) {
      const listener = listen(desk, "deskEvents", {
        after: start,
        filter: { ...filter, types: [...selected, "CONTACT_STATUS_CHANGED"] },
      });
      const received = (await listener.take(3)).map(({ __typename }) => __typename);
      await listener.close();
      expect(received).toEqual(["ContactStatusChangedEvent", "ConversationEndedEvent", "ContactStatusChangedEvent"]);
    }
  });

  test("an event has one id for each type under which it is delivered", async () => {
    const { filter } = await story();
    const [changed] = await next("conversationChanged", 1, { filter });
    const [ended] = await next("conversationEnded", 1, { filter });
    expect(rowId(changed?.id ?? "")).toBe(rowId(ended?.id ?? ""));
    expect(ended?.id).toBe(toOpaqueId("ConversationEndedEvent", rowId(changed?.id ?? "")));
    expect(changed?.id).not.toBe(ended?.id);
  });

  test("B8: the expiry of a block names the conversations that are no longer blocked", async () => {
    const conversationId = await latest(desk, someone);
    await desk.ada.endConversation({ conversationId });
    await block(desk, someone, { expiresAt: new Date(desk.clock.now() + 60_000) });
    start = await cursorNow(desk);
    desk.clock.advance(60_000);
    await desk.app.runDue();

    const { data } = await desk.ada.graphql<{ conversation: { blocked: boolean } }>(
      "query ($id: ID!) { conversation(id: $id) { blocked } }",
      { id: conversationId },
    );
    expect(data.conversation.blocked).toBe(false);
    const [expired] = await next("contactStatusChanged", 1);
    expect(expired?.conversations).toEqual([{ id: conversationId, blocked: false }]);
  });

  test("a block names the conversation that it ends, and an unblock does not, because it stays blocked", async () => {
    const conversationId = await latest(desk, someone);
    await block(desk, someone);
    const [blocked] = await next("contactStatusChanged", 1);
    expect(blocked?.conversations).toEqual([{ id: conversationId, blocked: true }]);
    await unblock(desk, someone);
    const [, unblocked] = await next("contactStatusChanged", 2);
    expect(unblocked?.conversations).toEqual([]);
  });
});

describe("a message's keys", () => {
  test("clientMessageId is the idempotency key, so that the event replaces the optimistic message", async () => {
    const { message } = await desk.ada.sendMessage({
      conversationId: await latest(desk, someone),
      text: "Hello",
      idempotencyKey: `key-${someone.externalId}`,
    });
    expect(await read(message?.id ?? "")).toMatchObject({ clientMessageId: `key-${someone.externalId}` });
  });

  test("quotedMessage is found by the provider's id", async () => {
    const quote = (id: string, text: string, more: object = {}): object =>
      lineText(someone.externalId, text, { message: { type: "text", id, text, ...more }, timestamp: desk.clock.now() });
    await desk.lineWebhook([quote("quoted-1", "Which one?")]);
    await desk.lineWebhook([quote("quoting-1", "This one", { quotedMessageId: "quoted-1" })]);
    const { contactChannelId } = await look(desk, someone);
    const { data } = await desk.ada.graphql<{ node: { messages: { edges: { node: { id: string } }[] } } }>(
      "query ($id: ID!) { node(id: $id) { ... on ContactChannel { messages(last: 1) { edges { node { id } } } } } }",
      { id: contactChannelId },
    );
    expect(await read(data.node.messages.edges[0]?.node.id ?? "")).toMatchObject({
      providerMessageId: "quoting-1",
      quotedMessage: { text: "Which one?", providerMessageId: "quoted-1", quotedMessage: null },
    });
  });

  async function read(id: string): Promise<unknown> {
    const { data } = await desk.ada.graphql<{ node: unknown }>(
      `query ($id: ID!) { node(id: $id) { ... on Message {
        clientMessageId providerMessageId quotedMessage { text providerMessageId quotedMessage { id } }
      } } }`,
      { id },
    );
    return data.node;
  }
});

test("a forbidden part does not null the rest of a result", async () => {
  const { data, errors } = await desk.vic.graphql(
    `query ($contactId: ID!) { viewer { role } flows { id } apiKeys { id } auditLog { edges { node { id } } }
      previewBlock(contactId: $contactId) { droppingOffers } }`,
    { contactId: await contactIdOf(desk, someone) },
  );
  expect(data).toEqual({ viewer: { role: "VIEWER" }, flows: null, apiKeys: null, auditLog: null, previewBlock: null });
  expect(errors?.map(({ extensions }) => extensions.code)).toEqual(Array(4).fill("FORBIDDEN"));
});
