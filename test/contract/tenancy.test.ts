import { beforeAll, describe, expect, test } from "vitest";
import { bootDesk, type Desk, type TestWorkspace } from "../support/app.ts";
import { block, contactIdOf, done, latest, look, type Mutation, mutate, rowCounts } from "./api.ts";
import { onLine, people } from "./people.ts";
import { cursorNow, heardSince, listen, subscriptions } from "./subscriber.ts";

let desk: Desk;
let other: TestWorkspace;
/** Of the other workspace. */
let ids: Record<
  | "contactId"
  | "contactChannelId"
  | "conversationId"
  | "channelId"
  | "custom"
  | "blockId"
  | "messageId"
  | "agentId"
  | "workspaceId",
  string
>;
/** Of our own. */
let ours: Record<"contactId" | "conversationId", string>;

beforeAll(async () => {
  desk = await bootDesk();
  other = await desk.workspace();
  const [stranger] = people(desk, 1, { workspace: other });
  if (stranger === undefined) throw new Error("Nobody is there.");
  await stranger.says("Hello from elsewhere");
  const seen = await look(desk, stranger, other.ada);
  const input = { contactId: seen.contactId, notes: "theirs" };
  const blocked = done(await mutate(desk, "blockContact", input, other.ada.token));
  const { data } = await desk.graphql<{ node: { messages: { edges: { node: { id: string } }[] } } }>(
    "query ($id: ID!) { node(id: $id) { ... on ContactChannel { messages(first: 1) { edges { node { id } } } } } }",
    { id: seen.contactChannelId },
    other.ada.token,
  );
  ids = {
    contactId: seen.contactId,
    contactChannelId: seen.contactChannelId,
    conversationId: seen.conversations[0]?.id ?? "",
    channelId: other.line,
    custom: other.custom,
    blockId: blocked.blocks?.[0]?.id ?? "",
    messageId: data.node.messages.edges[0]?.node.id ?? "",
    agentId: other.ben.id,
    workspaceId: other.id,
  };
  const mine = onLine(desk);
  await mine.says("Hello");
  ours = { contactId: (await look(desk, mine)).contactId, conversationId: await latest(desk, mine) };
});

describe("another workspace's ids are not found", () => {
  const inputs: [Mutation, () => object][] = [
    ["blockContact", () => ({ contactId: ids.contactId })],
    ["blockContact", () => ({ contactId: ours.contactId, channelId: ids.channelId })],
    ["blockContact", () => ({ contactId: ours.contactId, contactChannelId: ids.contactChannelId })],
    ["unblockContact", () => ({ contactId: ids.contactId })],
    ["updateBlock", () => ({ blockId: ids.blockId, notes: "ours now" })],
    ["sendMessage", () => ({ conversationId: ids.conversationId, text: "Hi" })],
    ["startConversation", () => ({ contactId: ids.contactId, channelId: ids.channelId, text: "Hi" })],
    ["startConversation", () => ({ contactId: ours.contactId, channelId: ids.channelId, text: "Hi" })],
    ["takeConversation", () => ({ conversationId: ids.conversationId })],
    ["offerConversation", () => ({ conversationId: ids.conversationId, agentId: desk.ben.id })],
    ["offerConversation", () => ({ conversationId: ours.conversationId, agentId: ids.agentId })],
    ["acceptConversation", () => ({ conversationId: ids.conversationId })],
    ["declineConversation", () => ({ conversationId: ids.conversationId })],
    ["transferConversation", () => ({ conversationId: ids.conversationId })],
    ["transferConversation", () => ({ conversationId: ours.conversationId, agentId: ids.agentId })],
    ["endConversation", () => ({ conversationId: ids.conversationId })],
    ["recordInbound", () => ({ channelId: ids.custom, externalId: "x", eventId: "x", kind: "TEXT", text: "Hi" })],
  ];

  test.each(inputs)("%s", async (mutation, input) => {
    const before = await rowCounts(desk);
    const answer = await mutate(desk, mutation, input());
    expect([answer.__typename, answer.code]).toEqual(["NotFoundError", "NOT_FOUND"]);
    expect(await rowCounts(desk)).toEqual(before);
  });

  test("by node, contact and conversation", async () => {
    for (const [name, id] of Object.entries(ids)) {
      const { data, errors } = await desk.graphql("query ($id: ID!) { node(id: $id) { id } }", { id });
      expect([name, data, errors]).toEqual([name, { node: null }, undefined]);
      const theirs = await desk.graphql("query ($id: ID!) { node(id: $id) { id } }", { id }, other.ada.token);
      expect([name, theirs.data]).toEqual([name, { node: { id } }]);
    }
    const { data } = await desk.graphql(
      "query ($contact: ID!, $conversation: ID!) { contact(id: $contact) { id } conversation(id: $conversation) { id } }",
      { contact: ids.contactId, conversation: ids.conversationId },
    );
    expect(data).toEqual({ contact: null, conversation: null });
  });

  test("in lists and their filters", async () => {
    const { data, errors } = await desk.graphql(
      `query ($contactId: ID!, $channelId: ID!, $agentId: ID!) {
        byChannel: contacts(filter: { channelId: $channelId }) { edges { node { id } } }
        bySearch: contacts(filter: { search: "U", status: BLOCKED }) { edges { node { id } } }
        conversations(filter: { contactId: $contactId }) { edges { node { id } } }
        there: conversations(filter: { channelId: $channelId }) { edges { node { id } } }
        theirs: conversations(filter: { assigneeId: $agentId }) { edges { node { id } } }
        blocks { edges { node { id } } }
        blocked: blocks(filter: { contactId: $contactId }) { edges { node { id } } }
        noted: blocks(filter: { search: "theirs" }) { edges { node { id } } }
      }`,
      { contactId: ids.contactId, channelId: ids.channelId, agentId: ids.agentId },
    );
    expect(errors).toBeUndefined();
    for (const [name, list] of Object.entries(data)) expect([name, list]).toEqual([name, { edges: [] }]);
    const { data: directory } = await desk.graphql<Record<"channels" | "agents", { id: string }[]>>(
      "{ channels { id } agents { id } }",
    );
    expect(directory.channels.map(({ id }) => id).toSorted()).toEqual(
      [desk.line, desk.webChat, desk.custom].toSorted(),
    );
    expect(directory.agents.map(({ id }) => id)).not.toContain(ids.agentId);
  });
});

describe("its subscriptions hear nothing of ours", () => {
  test.each(subscriptions)("%s", async (subscription) => {
    const since = await cursorNow(desk, other.ada.token);
    const someone = onLine(desk);
    await someone.says("Hello");
    await block(desk, someone);
    expect(await heardSince(desk, since, subscription, { workspace: other })).toEqual([]);
  });

  test("not even by our own ids", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    const contactId = await contactIdOf(desk, someone);
    const after = await cursorNow(desk, other.ada.token);
    const listener = listen(desk, "messageRecorded", { after, filter: { contactId }, token: other.ada.token });
    await someone.says("Private");
    // An unfiltered listener, opened later, has heard the mark: by then this one would have heard us.
    await heardSince(desk, after, "messageRecorded", { workspace: other });
    const silence = Symbol("silence");
    const heard = await Promise.race([
      listener.next(),
      heardSince(desk, after, "messageRecorded", { workspace: other }).then(() => silence),
    ]);
    expect(heard).toBe(silence);
    await listener.close();
  });
});

test("the same person of LINE in two workspaces is two contacts, and blocked in one of them", async () => {
  const here = onLine(desk);
  const there = onLine(desk, { workspace: other, externalId: here.externalId });
  await here.says("Hello", { eventId: "same" });
  await there.says("Hello", { eventId: "same" });
  await block(desk, here);
  expect((await look(desk, here)).here).toBe("BLOCKED");
  expect((await look(desk, there, other.ada)).here).toBe("ACTIVE");
});

test("a key works in its own workspace only", async () => {
  const key = await other.key("read", "contacts:block", "messages:write");
  expect((await mutate(desk, "blockContact", { contactId: ours.contactId }, key)).code).toBe("NOT_FOUND");
  const { data } = await desk.graphql("query ($id: ID!) { contact(id: $id) { id } }", { id: ours.contactId }, key);
  expect(data).toEqual({ contact: null });
});
