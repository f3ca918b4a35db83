import { describe, expect, test } from "vitest";
import { toGlobalId } from "../../src/domain/global-id.ts";
import { schema } from "../../src/graphql/schema/index.ts";
import { bootDesk, rowId } from "../support/app.ts";
import { at, follow, nodesAt, seedContact, seedConversation, textAt } from "./support.ts";

const desk = await bootDesk();
const { prisma } = desk.app.database;
const theirs = await desk.workspace();

// Something of every type in the other workspace.
const contact = await seedContact(desk, { workspace: theirs, name: "Foreign", externalId: "foreign-1" });
const conversationId = await seedConversation(desk, contact.rows, 3);
const blocked = await desk.graphql(
  `mutation { blockContact(input: { contactId: "${contact.contactId}", notes: "foreign notes" }) {
    ... on BlockContactSuccess { blocks { id } } } }`,
  {},
  theirs.ada.token,
);
const message = await prisma.message.findFirstOrThrow({ where: { conversationId: rowId(conversationId) } });
await theirs.key("read");
const apiKey = await prisma.apiKey.findFirstOrThrow({ where: { workspaceId: rowId(theirs.id) } });
const flow = await prisma.flow.findFirstOrThrow({ where: { workspaceId: rowId(theirs.id) } });
const foreign = {
  Agent: theirs.ben.id,
  ApiKey: toGlobalId("ApiKey", apiKey.id),
  Block: textAt(blocked.data, "blockContact.blocks.0.id"),
  Bot: toGlobalId("Flow", flow.id),
  Channel: theirs.line,
  Contact: contact.contactId,
  ContactChannel: contact.contactChannelId,
  Conversation: conversationId,
  Message: toGlobalId("Message", message.id),
  Workspace: theirs.id,
};

test("there is something of every type that has an id", () => {
  const node = schema.getType("Node");
  const types = Object.values(schema.getTypeMap()).filter(
    (type) => "getInterfaces" in type && type.getInterfaces().some((each) => each === node),
  );
  expect(Object.keys(foreign).toSorted()).toEqual(types.map(({ name }) => name).toSorted());
});

test.each(Object.entries(foreign))("node: a foreign %s is not there", async (type, id) => {
  const query = "query ($id: ID!) { node(id: $id) { __typename } }";
  expect((await desk.graphql(query, { id })).data).toEqual({ node: null });
  expect((await desk.graphql(query, { id }, theirs.ada.token)).data).toEqual({ node: { __typename: type } });
});

test("queries by foreign ids answer nothing", async () => {
  const { data, errors } = await desk.graphql(
    `query ($contact: ID!, $conversation: ID!, $agent: ID!, $channel: ID!) {
      contact(id: $contact) { id } conversation(id: $conversation) { id }
      a: contacts(filter: { channelId: $channel }) { edges { node { id } } }
      b: conversations(filter: { contactId: $contact }) { edges { node { id } } }
      c: conversations(filter: { assigneeId: $agent }) { edges { node { id } } }
      d: blocks(filter: { contactId: $contact }) { edges { node { id } } }
      e: blocks(filter: { blockedById: $agent }) { edges { node { id } } }
      f: contacts(filter: { search: "foreign" }) { edges { node { id } } }
      g: blocks(filter: { search: "foreign" }) { edges { node { id } } } }`,
    { contact: foreign.Contact, conversation: foreign.Conversation, agent: theirs.ada.id, channel: foreign.Channel },
  );
  expect(errors).toBeUndefined();
  expect(data).toMatchObject({ contact: null, conversation: null });
  for (const list of "abcdefg") expect(nodesAt(data, list)).toEqual([]);
});

test("lists show the viewer's own only", async () => {
  await desk.writes("ours");
  const query = `{ contacts { edges { node { id } } } conversations { edges { node { id } } } blocks { edges { node { id } } }
    channels { id } agents { id } apiKeys { id } flows { id } }`;
  const ours = JSON.stringify((await desk.graphql(query)).data);
  const other = JSON.stringify((await desk.graphql(query, {}, theirs.ada.token)).data);
  for (const id of Object.values(foreign)) expect(ours).not.toContain(id);
  for (const id of [foreign.Contact, foreign.Conversation, foreign.Block, foreign.Channel]) expect(other).toContain(id);
});

test("a page cursor of another workspace reaches nothing of it", async () => {
  const query = "query ($after: String) { contacts(after: $after) { edges { cursor node { name } } } }";
  const cursor = textAt((await desk.graphql(query, {}, theirs.ada.token)).data, "contacts.edges.0.cursor");
  const { data } = await desk.graphql(query, { after: cursor });
  expect(nodesAt(data, "contacts").map((node) => at(node, "name"))).not.toContain("Foreign");
});

describe("mutations on foreign ids: not found, and nothing is done", () => {
  const ours = () => desk.writes("mine");
  const cases: readonly [string, () => Promise<object>][] = [
    ["blockContact", async () => ({ contactId: foreign.Contact })],
    ["blockContact", async () => ({ contactId: (await ours()).contactId, channelId: foreign.Channel })],
    ["blockContact", async () => ({ contactId: (await ours()).contactId, contactChannelId: foreign.ContactChannel })],
    ["unblockContact", async () => ({ contactId: foreign.Contact })],
    ["updateBlock", async () => ({ blockId: foreign.Block, notes: "mine" })],
    ["sendMessage", async () => ({ conversationId: foreign.Conversation, text: "Hi" })],
    ["startConversation", async () => ({ contactId: foreign.Contact, channelId: foreign.Channel, text: "Hi" })],
    ["startConversation", async () => ({ contactId: foreign.Contact, channelId: desk.line, text: "Hi" })],
    ["takeConversation", async () => ({ conversationId: foreign.Conversation })],
    ["offerConversation", async () => ({ conversationId: (await ours()).conversationId, agentId: foreign.Agent })],
    ["offerConversation", async () => ({ conversationId: foreign.Conversation, agentId: desk.ben.id })],
    ["acceptConversation", async () => ({ conversationId: foreign.Conversation })],
    ["declineConversation", async () => ({ conversationId: foreign.Conversation })],
    ["transferConversation", async () => ({ conversationId: (await ours()).conversationId, agentId: foreign.Agent })],
    ["endConversation", async () => ({ conversationId: foreign.Conversation })],
    [
      "recordInbound",
      async () => ({ channelId: theirs.custom, externalId: "x", eventId: "x", kind: "TEXT", text: "x" }),
    ],
    ["revokeApiKey", async () => ({ apiKeyId: foreign.ApiKey })],
    ["updateFlow", async () => ({ flowId: foreign.Bot, enabled: false })],
    ["createFlow", async () => ({ channelId: foreign.Channel, name: "x", kind: "CHATBOT", definition: { steps: [] } })],
  ];

  test.each(cases)("%s", async (mutation, input) => {
    const given = await input();
    const before = await log();
    const type = mutation.charAt(0).toUpperCase() + mutation.slice(1);
    const { data } = await desk.graphql(
      `mutation ($input: ${type}Input!) { ${mutation}(input: $input) { ... on Error { code } } }`,
      { input: given },
    );
    expect(at(data, `${mutation}.code`)).toBe("NOT_FOUND");
    expect(await log()).toEqual(before);
  });

  async function log(): Promise<number> {
    return prisma.event.count();
  }
});

test("subscriptions hear their own workspace only, also with a cursor or filter from the other", async () => {
  const before = textAt((await desk.graphql("{ logCursor }", {}, theirs.ada.token)).data, "logCursor");
  const query = `subscription ($after: Cursor, $filter: ContactStatusChangedFilter) {
    contactStatusChanged(after: $after, filter: $filter) { block { notes } } }`;
  const start = textAt((await desk.graphql("{ logCursor }")).data, "logCursor");
  const everything = follow(desk, query, { after: start });
  const foreignOnly = follow(desk, query, { after: start, filter: { contactId: foreign.Contact } });

  await desk.graphql(
    `mutation { unblockContact(input: { contactId: "${foreign.Contact}" }) { __typename } }`,
    {},
    theirs.ada.token,
  );
  const mine = await desk.writes("heard");
  await desk.graphql(
    `mutation { blockContact(input: { contactId: "${mine.contactId}", notes: "ours" }) { __typename } }`,
  );
  expect((await everything.next()).data).toEqual({ contactStatusChanged: { block: { notes: "ours" } } });
  const nothing = await Promise.race([
    foreignOnly.next(),
    new Promise((resolve) => setTimeout(() => resolve("silence"), 300)),
  ]);
  expect(nothing).toBe("silence");
  expect(before).not.toBe("");
  await everything.end();
  await foreignOnly.end();
});
