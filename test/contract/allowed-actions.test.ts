import { beforeAll, describe, expect, test } from "vitest";
import { rowId } from "../support/app.ts";
import type { Client, Mutation } from "../support/client.ts";
import { inMs } from "../support/clock.ts";
import { subscribeOverWebSocket } from "../support/graphql-subscription.ts";
import { addContactChannel, block, onLine, type Person, person, unblock } from "../support/people.ts";
import { cursorNow } from "../support/subscriber.ts";
import { contactIdOf, history, latest, look } from "../support/view.ts";
import { rowCounts } from "./row-counts.ts";
import { type AutomatedDesk, bootAutomatedDesk, someoneIn } from "./situations.ts";

let desk: AutomatedDesk;
let viewers: Readonly<Record<string, Client>>;

beforeAll(async () => {
  desk = await bootAutomatedDesk();
  viewers = {
    "an admin": desk.ada,
    "an agent": desk.ben,
    "a viewer": desk.vic,
    "a key that reads": desk.as(await desk.key("read")),
    "a key that replies": desk.as(await desk.key("read", "messages:write")),
    "a key that blocks": desk.as(await desk.key("read", "contacts:block")),
    "a key that unblocks": desk.as(await desk.key("read", "contacts:unblock")),
  };
});

/** A call of the mutation that an action stands for. */
interface Call<Action extends string> {
  readonly action: Action;
  readonly mutation: Mutation;
  readonly input: () => object | Promise<object>;
}

/**
 * Compares what the field says with what each mutation then answers. A refused call changes nothing, so all of those are
 * made of one person; each allowed call gets a person of its own.
 */
async function compare<Action extends string>(
  situation: () => Promise<Person>,
  client: Client,
  actionsOf: (someone: Person) => Promise<readonly Action[]>,
  callsOf: (someone: Person) => Promise<readonly Call<Action>[]>,
): Promise<readonly Action[]> {
  const someone = await situation();
  const allowed = await actionsOf(someone);
  const calls = await callsOf(someone);
  for (const { action, mutation, input } of calls) {
    if (allowed.includes(action)) continue;
    const { __typename } = await client.attempt(mutation, await input());
    expect([action, __typename]).toEqual([action, expect.stringMatching(/Error$/)]);
  }
  expect(await actionsOf(someone), "a refusal changes nothing").toEqual(allowed);
  for (const [index, { action }] of calls.entries()) {
    if (!allowed.includes(action)) continue;
    const another = await situation();
    expect(await actionsOf(another)).toEqual(allowed);
    const call = (await callsOf(another))[index];
    if (call === undefined) throw new Error("Another person has other calls.");
    const { __typename } = await client.attempt(call.mutation, await call.input());
    expect([action, __typename]).toEqual([action, expect.stringMatching(/Success$/)]);
  }
  return allowed;
}

async function ended(someone: Person): Promise<Person> {
  await desk.ada.endConversation({ conversationId: await latest(desk, someone) });
  return someone;
}

/** Blocks for a second, which then passes; the expiry is not recorded. */
async function blockedForASecond(someone: Person): Promise<Person> {
  await block(desk, someone, { expiresAt: inMs(desk, 1_000) });
  const { contactChannelId } = await look(desk, someone);
  await desk.app.database.prisma.contactChannel.update({
    where: { id: rowId(contactChannelId) },
    data: { dueAt: null },
  });
  desk.clock.advance(1_000);
  return someone;
}

async function blocked(someone: Person): Promise<Person> {
  await block(desk, someone);
  return someone;
}

async function unblocked(someone: Person): Promise<Person> {
  await block(desk, someone);
  await unblock(desk, someone);
  return someone;
}

async function followed(): Promise<Person> {
  const someone = onLine(desk);
  await someone.does("subscribeOverWebSocket");
  return someone;
}

describe("Conversation.allowedActions", () => {
  const situations: Record<string, () => Promise<Person>> = {
    BOT: () => someoneIn(desk, "BOT"),
    WAITING: () => someoneIn(desk, "WAITING"),
    ASSIGNING: () => someoneIn(desk, "ASSIGNING"),
    "an offer that has lapsed": async () => {
      const someone = await someoneIn(desk, "ASSIGNING");
      const { contactChannelId } = await look(desk, someone);
      const where = { id: rowId(contactChannelId) };
      await desk.app.database.prisma.contactChannel.update({ where, data: { dueAt: null } });
      desk.clock.advance(60_000);
      return someone;
    },
    ACTIVE: () => someoneIn(desk, "ACTIVE"),
    ENDED: async () => ended(await someoneIn(desk, "ACTIVE")),
    BLOCKED: async () => blocked(await someoneIn(desk, "ACTIVE")),
    "BLOCKED by a block that is over": async () => unblocked(await someoneIn(desk, "ACTIVE")),
    "ENDED before a block": async () => blocked(await ended(await someoneIn(desk, "ACTIVE"))),
  };

  const conversationOf = (someone: Person) => latest(desk, someone);
  const actionsBy = (client: Client) => async (someone: Person) => {
    const { data } = await client.graphql<{ conversation: { allowedActions: string[] } }>(
      "query ($id: ID!) { conversation(id: $id) { allowedActions } }",
      { id: await conversationOf(someone) },
    );
    return data.conversation.allowedActions;
  };
  const callsOf = async (someone: Person): Promise<readonly Call<string>[]> => {
    const conversationId = await conversationOf(someone);
    const to = { agentId: desk.ben.id };
    const call = (action: string, mutation: Mutation, more = {}): Call<string> => ({
      action,
      mutation,
      input: () => ({ conversationId, ...more }),
    });
    return [
      call("REPLY", "sendMessage", { text: "Hi" }),
      call("TAKE", "takeConversation"),
      call("OFFER", "offerConversation", to),
      call("ACCEPT", "acceptConversation"),
      call("DECLINE", "declineConversation"),
      call("TRANSFER", "transferConversation"),
      call("TRANSFER", "transferConversation", to),
      call("END", "endConversation"),
    ];
  };

  describe.each(Object.keys(situations))("%s", (name) => {
    test.each(["an admin", "an agent", "a viewer", "a key that reads", "a key that replies", "a key that blocks"])(
      "for %s: an allowed action is never refused, any other always is",
      async (who) => {
        const client = viewers[who];
        const situation = situations[name];
        if (client === undefined || situation === undefined) throw new Error(`There is no ${who} or ${name}.`);
        await compare(situation, client, actionsBy(client), callsOf);
      },
    );
  });

  test("what each of them may do", async () => {
    const offered = await someoneIn(desk, "ASSIGNING");
    const seen = [];
    for (const [who, client] of Object.entries(viewers)) seen.push([who, await actionsBy(client)(offered)]);
    expect(seen).toEqual([
      ["an admin", ["REPLY", "TAKE", "END"]],
      ["an agent", ["REPLY", "TAKE", "ACCEPT", "DECLINE", "END"]],
      ["a viewer", []],
      ["a key that reads", []],
      ["a key that replies", ["REPLY", "END"]],
      ["a key that blocks", []],
      ["a key that unblocks", []],
    ]);
  });

  test("of a conversation before the ongoing one: nothing", async () => {
    const someone = await ended(await someoneIn(desk, "WAITING"));
    const before = await latest(desk, someone);
    await someone.says("One more thing");
    const { data } = await desk.ada.graphql(
      "query ($before: ID!, $now: ID!) { before: conversation(id: $before) { allowedActions } now: conversation(id: $now) { allowedActions } }",
      { before, now: await latest(desk, someone) },
    );
    expect(data).toEqual({
      before: { allowedActions: [] },
      now: { allowedActions: ["REPLY", "TAKE", "OFFER", "END"] },
    });
  });

  test("agents with the same subscription each get their own actions", async () => {
    const other = await desk.agent("AGENT");
    const someone = await someoneIn(desk, "WAITING");
    const conversationId = await latest(desk, someone);
    const after = await cursorNow(desk);
    await desk.ada.offerConversation({ conversationId, agentId: desk.ben.id });
    const query = `subscription ($filter: ConversationChangedFilter, $after: Cursor) {
      conversationChanged(filter: $filter, after: $after) { to conversation { allowedActions } }
    }`;
    const variables = { filter: { conversationId }, after };
    const subscribers = [desk.ben, other, desk.ben].map(({ token }) =>
      subscribeOverWebSocket(desk, query, variables, token),
    );
    const received = [];
    for (const subscriber of subscribers) received.push((await subscriber.next()).data?.conversationChanged);
    for (const subscriber of subscribers) await subscriber.end();
    const forBen = ["REPLY", "TAKE", "ACCEPT", "DECLINE", "END"];
    expect(received).toEqual(
      [forBen, ["REPLY", "TAKE", "END"], forBen].map((allowedActions) => ({
        to: "ASSIGNING",
        conversation: { allowedActions },
      })),
    );
  });
});

describe("ContactChannel.allowedActions", () => {
  const situations: Record<string, () => Promise<Person>> = {
    "no conversation": followed,
    ongoing: () => someoneIn(desk, "WAITING"),
    ended: async () => ended(await someoneIn(desk, "WAITING")),
    blocked: async () => blocked(await someoneIn(desk, "WAITING")),
    "blocked without a conversation": async () => blocked(await followed()),
    "an expired block": async () => blockedForASecond(await someoneIn(desk, "WAITING")),
    unblocked: async () => unblocked(await someoneIn(desk, "WAITING")),
  };

  const actionsBy = (client: Client) => async (someone: Person) => {
    const { data } = await client.graphql<{ node: { allowedActions: string[] } }>(
      "query ($id: ID!) { node(id: $id) { ... on ContactChannel { allowedActions } } }",
      { id: (await look(desk, someone)).contactChannelId },
    );
    return data.node.allowedActions;
  };
  const callsOf = async (someone: Person): Promise<readonly Call<string>[]> => {
    const { contactId, contactChannelId } = await look(desk, someone);
    const here = { contactId, contactChannelId };
    return [
      { action: "BLOCK", mutation: "blockContact", input: () => here },
      { action: "UNBLOCK", mutation: "unblockContact", input: () => here },
      {
        action: "UPDATE_BLOCK",
        mutation: "updateBlock",
        input: async () => ({ blockId: (await history(desk, someone))[0]?.id ?? "none", notes: "Spam" }),
      },
      {
        action: "START",
        mutation: "startConversation",
        input: () => ({ ...here, channelId: someone.channel, text: "Hi" }),
      },
    ];
  };

  describe.each(Object.keys(situations))("%s", (name) => {
    test.each([
      "an admin",
      "an agent",
      "a viewer",
      "a key that reads",
      "a key that replies",
      "a key that blocks",
      "a key that unblocks",
    ])("for %s: an allowed action is never refused, any other always is", async (who) => {
      const client = viewers[who];
      const situation = situations[name];
      if (client === undefined || situation === undefined) throw new Error(`There is no ${who} or ${name}.`);
      await compare(situation, client, actionsBy(client), callsOf);
    });
  });

  test("what each of them may do", async () => {
    const someone = await blocked(await someoneIn(desk, "WAITING"));
    const seen = [];
    for (const [who, client] of Object.entries(viewers)) seen.push([who, await actionsBy(client)(someone)]);
    expect(seen).toEqual([
      ["an admin", ["BLOCK", "UNBLOCK", "UPDATE_BLOCK"]],
      ["an agent", ["BLOCK", "UNBLOCK", "UPDATE_BLOCK"]],
      ["a viewer", []],
      ["a key that reads", []],
      ["a key that replies", []],
      ["a key that blocks", ["BLOCK", "UPDATE_BLOCK"]],
      ["a key that unblocks", ["UNBLOCK"]],
    ]);
    await unblock(desk, someone);
    expect(await actionsBy(desk.ada)(someone)).toEqual(["BLOCK", "UNBLOCK", "START"]);
  });
});

interface Preview {
  readonly contactChannels: readonly { readonly id: string }[];
  readonly endingConversations: readonly { readonly id: string }[];
  readonly cancelingMessages: { readonly value: number; readonly capped: boolean };
  readonly droppingOffers: number;
  readonly droppingBotSessions: number;
}

interface Where {
  readonly contactId: string;
  readonly channelId?: string;
  readonly contactChannelId?: string;
}

const PREVIEW = `query ($contactId: ID!, $channelId: ID, $contactChannelId: ID) {
  previewBlock(contactId: $contactId, channelId: $channelId, contactChannelId: $contactChannelId) {
    contactChannels { id } endingConversations { id } cancelingMessages { value capped }
    droppingOffers droppingBotSessions
  }
}`;

async function preview(where: Where, by: Client = desk.ada): Promise<Preview> {
  const { data, errors } = await by.graphql<{ previewBlock: Preview }>(PREVIEW, where);
  expect(errors).toBeUndefined();
  return data.previewBlock;
}

/** The rows that a block changes. */
async function pendingOf(contactId: string) {
  const { prisma } = desk.app.database;
  const channels = await prisma.contactChannel.findMany({ where: { contactId: rowId(contactId) } });
  const contactChannelId = { in: channels.map(({ id }) => id) };
  return {
    canceled: await prisma.message.count({ where: { contactChannelId, deliveryStatus: "CANCELED" } }),
    offers: await prisma.conversation.count({ where: { contactChannelId, status: "ASSIGNING" } }),
    sessions: channels.filter(({ botStepId }) => botStepId !== null).length,
  };
}

/** Compares the preview with what blocking then does, and returns the preview. */
async function previewThenBlock(where: Where): Promise<Preview> {
  // Else a job could write meanwhile, because the clock has been advanced.
  await desk.app.runDue();
  const counts = await rowCounts(desk);
  const said = await preview(where);
  expect(await rowCounts(desk), "a preview writes nothing").toEqual(counts);

  const before = await pendingOf(where.contactId);
  const { blocks, changed, endedConversations } = await desk.ada.blockContact(where);
  const after = await pendingOf(where.contactId);
  expect(changed).toBe(said.contactChannels.length > 0);
  const inForce = blocks.map(({ contactChannel }) => contactChannel.id);
  expect(inForce).toEqual(expect.arrayContaining(said.contactChannels.map(({ id }) => id)));
  expect(said.endingConversations.map(({ id }) => id)).toEqual(endedConversations.map(({ id }) => id));
  expect(said).toMatchObject({
    cancelingMessages: { value: after.canceled - before.canceled, capped: false },
    droppingOffers: before.offers - after.offers,
    droppingBotSessions: before.sessions - after.sessions,
  });
  expect(await preview(where), "afterwards nothing is left to do").toEqual(nothing);
  return said;
}

const nothing: Preview = {
  contactChannels: [],
  endingConversations: [],
  cancelingMessages: { value: 0, capped: false },
  droppingOffers: 0,
  droppingBotSessions: 0,
};

describe("previewBlock says what blockContact then does", () => {
  test.each([
    ["BOT", { endingConversations: [{}], cancelingMessages: { value: 1 }, droppingBotSessions: 1 }],
    ["WAITING", { endingConversations: [{}], cancelingMessages: { value: 1 }, droppingOffers: 0 }],
    ["ASSIGNING", { endingConversations: [{}], droppingOffers: 1, droppingBotSessions: 0 }],
    ["ACTIVE", { endingConversations: [{}], droppingOffers: 0, droppingBotSessions: 0 }],
  ] as const)("%s", async (status, expected) => {
    const someone = await someoneIn(desk, status);
    expect(await previewThenBlock({ contactId: await contactIdOf(desk, someone) })).toMatchObject(expected);
  });

  test("queued messages: those that are still QUEUED", async () => {
    const someone = await someoneIn(desk, "ACTIVE");
    const conversationId = await latest(desk, someone);
    for (const text of ["One", "Two", "Three"]) await desk.ada.sendMessage({ conversationId, text });
    const { contactChannelId } = await look(desk, someone);
    const first = { contactChannelId: rowId(contactChannelId), text: "One" };
    await desk.app.database.prisma.message.updateMany({ where: first, data: { deliveryStatus: "SENDING" } });
    const said = await previewThenBlock({ contactId: await contactIdOf(desk, someone) });
    // The greeting, and two of the three.
    expect(said.cancelingMessages).toEqual({ value: 3, capped: false });
  });

  test("counts of 1,000 and more are capped", async () => {
    const someone = await someoneIn(desk, "ACTIVE");
    const { contactId, contactChannelId } = await look(desk, someone);
    const where = { id: rowId(contactChannelId) };
    const { prisma } = desk.app.database;
    const { workspaceId, channelId, lastSeq } = await prisma.contactChannel.findUniqueOrThrow({ where });
    const now = new Date(desk.clock.now());
    const add = (count: number, from: number) =>
      prisma.message.createMany({
        data: Array.from({ length: count }, (_, index) => ({
          id: crypto.randomUUID(),
          workspaceId,
          channelId,
          contactChannelId: where.id,
          seq: from + index + 1,
          direction: "OUTBOUND" as const,
          kind: "TEXT" as const,
          text: "Hi",
          authorType: "Agent" as const,
          authorId: rowId(desk.ada.id),
          sentAt: now,
          recordedAt: now,
          receivedWhileBlocked: false,
          deliveryStatus: "QUEUED" as const,
        })),
      });
    // With the greeting these are 999.
    await add(998, lastSeq);
    expect((await preview({ contactId })).cancelingMessages).toEqual({ value: 999, capped: false });
    await add(1, lastSeq + 998);
    expect((await preview({ contactId })).cancelingMessages).toEqual({ value: 1_000, capped: true });
    await add(1, lastSeq + 999);
    expect((await preview({ contactId })).cancelingMessages).toEqual({ value: 1_000, capped: true });
  });

  test("a lapsed offer is none, and an expired block does not count", async () => {
    const offered = await someoneIn(desk, "ASSIGNING");
    desk.clock.advance(60_000);
    const said = await preview({ contactId: await contactIdOf(desk, offered) });
    expect([said.droppingOffers, said.endingConversations.length]).toEqual([0, 1]);

    const expired = await blockedForASecond(await someoneIn(desk, "WAITING"));
    const again = await previewThenBlock({ contactId: await contactIdOf(desk, expired) });
    expect([again.contactChannels.length, again.endingConversations.length]).toEqual([1, 0]);
  });

  test("B2: everywhere, on one channel, or on one ContactChannel; what is blocked is left out", async () => {
    const someone = await someoneIn(desk, "WAITING");
    const elsewhere = await person(desk, "CUSTOM");
    const twice = onLine(desk);
    const none = onLine(desk, { channel: desk.withChatbot.LINE });
    for (const other of [elsewhere, twice, none]) await addContactChannel(desk, someone, other);
    await elsewhere.says("Hello from here");
    await twice.says("And from there");
    const contactId = await contactIdOf(desk, someone);
    const { contactChannelId } = await look(desk, twice);

    const everywhere = await preview({ contactId });
    expect([everywhere.contactChannels.length, everywhere.endingConversations.length]).toEqual([4, 3]);
    const onLineOnly = await preview({ contactId, channelId: desk.line });
    expect([onLineOnly.contactChannels.length, onLineOnly.endingConversations.length]).toEqual([2, 2]);

    const one = await previewThenBlock({ contactId, contactChannelId });
    expect(one.contactChannels).toEqual([{ id: contactChannelId }]);
    const other = await previewThenBlock({ contactId, channelId: desk.line });
    expect(other.contactChannels).toHaveLength(1);
    const rest = await previewThenBlock({ contactId });
    expect([rest.contactChannels.length, rest.endingConversations.length]).toEqual([2, 1]);
  });
});

describe("previewBlock is refused", () => {
  test("NOT_FOUND: a contact that is unknown, malformed, of another workspace, or not on this channel", async () => {
    const someone = await someoneIn(desk, "WAITING");
    const contactId = await contactIdOf(desk, someone);
    const neighbour = await desk.workspace();
    const cases: readonly [Client, Where][] = [
      [desk.ada, { contactId: "nonsense" }],
      [desk.ada, { contactId: desk.line }],
      [desk.ada, { contactId, channelId: desk.webChat }],
      [desk.ada, { contactId, channelId: contactId }],
      [desk.ada, { contactId, contactChannelId: "nonsense" }],
      [neighbour.ada, { contactId }],
    ];
    for (const [client, where] of cases) {
      const { data, errors } = await client.graphql(PREVIEW, where);
      expect([data, errors?.[0]?.extensions.code]).toEqual([{ previewBlock: null }, "NOT_FOUND"]);
    }
  });

  test("FORBIDDEN: without READ and BLOCK", async () => {
    const someone = await someoneIn(desk, "WAITING");
    const contactId = await contactIdOf(desk, someone);
    const permitted = [];
    for (const [who, client] of Object.entries({
      ...viewers,
      "a key that blocks unseen": desk.as(await desk.key("contacts:block")),
    })) {
      const { errors } = await client.graphql(PREVIEW, { contactId });
      if (errors === undefined) permitted.push(who);
      else expect(errors[0]?.extensions.code).toBe("FORBIDDEN");
    }
    expect(permitted).toEqual(["an admin", "an agent", "a key that blocks"]);
  });
});
