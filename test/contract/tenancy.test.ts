import { beforeAll, describe, expect, test } from "vitest";
import { schema } from "../../src/graphql/schema/index.ts";
import { first } from "../support/answers.ts";
import { bootDesk, type Desk, globalId, rowId, type TestWorkspace } from "../support/app.ts";
import type { Mutation } from "../support/client.ts";
import { block, onLine } from "../support/people.ts";
import { cursorNow, eventsSince, listen, subscriptions } from "../support/subscriber.ts";
import { contactIdOf, latest, look } from "../support/view.ts";
import { rowCounts } from "./row-counts.ts";

const types = [
  "Agent",
  "ApiKey",
  "AuditLogEntry",
  "Block",
  "Bot",
  "Channel",
  "Contact",
  "ContactChannel",
  "Conversation",
  "Flow",
  "Message",
  "Workspace",
] as const;

let desk: Desk;
let other: TestWorkspace;
/** An object of each type with an id, in the other workspace. */
let foreign: Record<(typeof types)[number], string>;
/** A delivery of the other workspace. */
let foreignDelivery: string;
let ours: Record<"contactId" | "conversationId", string>;

beforeAll(async () => {
  desk = await bootDesk();
  other = await desk.workspace();
  const { prisma } = desk.app.database;
  const theirs = { where: { workspaceId: rowId(other.id) } };
  const outbound = { where: { ...theirs.where, direction: "OUTBOUND" } } as const;
  const stranger = onLine(desk, { workspace: other, externalId: "foreign-1" });
  await stranger.says("Hello from elsewhere");
  const { contactId, contactChannelId, conversations } = await look(desk, stranger, other.ada);
  await prisma.contact.updateMany({ ...theirs, data: { name: "Foreign" } });
  const { blocks } = await other.ada.blockContact({ contactId, notes: "foreign notes" });
  const partner = desk.as(await other.key("inbound:write"));
  await partner.recordInbound({
    channelId: other.custom,
    externalId: "foreign",
    eventId: "e",
    kind: "TEXT",
    text: "Hi",
  });
  foreignDelivery = first((await partner.claimDeliveries({ channelId: other.custom, max: 1 })).deliveries).deliveryId;
  foreign = {
    Agent: other.ada.id,
    ApiKey: globalId("ApiKey", (await prisma.apiKey.findFirstOrThrow(theirs)).id),
    AuditLogEntry: globalId("AuditLogEntry", (await prisma.auditLogEntry.findFirstOrThrow(theirs)).id),
    Block: first(blocks).id,
    Bot: globalId("Bot", (await prisma.flow.findFirstOrThrow(theirs)).id),
    Flow: globalId("Flow", (await prisma.flow.findFirstOrThrow(theirs)).id),
    Channel: other.line,
    Contact: contactId,
    ContactChannel: contactChannelId,
    Conversation: first(conversations).id,
    Message: globalId("Message", (await prisma.message.findFirstOrThrow(outbound)).id),
    Workspace: other.id,
  };
  const mine = onLine(desk);
  await mine.says("Hello");
  ours = { contactId: await contactIdOf(desk, mine), conversationId: await latest(desk, mine) };
});

describe("ids of another workspace are not found", () => {
  const inputs: [Mutation, () => object][] = [
    ["blockContact", () => ({ contactId: foreign.Contact })],
    ["blockContact", () => ({ contactId: ours.contactId, channelId: foreign.Channel })],
    ["blockContact", () => ({ contactId: ours.contactId, contactChannelId: foreign.ContactChannel })],
    ["unblockContact", () => ({ contactId: foreign.Contact })],
    ["updateBlock", () => ({ blockId: foreign.Block, notes: "ours now" })],
    ["sendMessage", () => ({ conversationId: foreign.Conversation, text: "Hi" })],
    ["startConversation", () => ({ contactId: foreign.Contact, channelId: foreign.Channel, text: "Hi" })],
    ["startConversation", () => ({ contactId: foreign.Contact, channelId: desk.line, text: "Hi" })],
    ["startConversation", () => ({ contactId: ours.contactId, channelId: foreign.Channel, text: "Hi" })],
    ["setTyping", () => ({ conversationId: foreign.Conversation, typing: true })],
    ["markConversationRead", () => ({ conversationId: foreign.Conversation, upToMessageId: foreign.Message })],
    ["markConversationRead", () => ({ conversationId: ours.conversationId, upToMessageId: foreign.Message })],
    ["retryMessage", () => ({ messageId: foreign.Message })],
    ["cancelMessage", () => ({ messageId: foreign.Message })],
    ["takeConversation", () => ({ conversationId: foreign.Conversation })],
    ["offerConversation", () => ({ conversationId: foreign.Conversation, agentId: desk.ben.id })],
    ["offerConversation", () => ({ conversationId: ours.conversationId, agentId: foreign.Agent })],
    ["acceptConversation", () => ({ conversationId: foreign.Conversation })],
    ["declineConversation", () => ({ conversationId: foreign.Conversation })],
    ["transferConversation", () => ({ conversationId: foreign.Conversation })],
    ["transferConversation", () => ({ conversationId: ours.conversationId, agentId: foreign.Agent })],
    ["endConversation", () => ({ conversationId: foreign.Conversation })],
    ["recordInbound", () => ({ channelId: other.custom, externalId: "x", eventId: "x", kind: "TEXT", text: "Hi" })],
    ["claimDeliveries", () => ({ channelId: other.custom, max: 1 })],
    ["acknowledgeDelivery", () => ({ deliveryId: foreignDelivery, status: "SENT" })],
    ["revokeApiKey", () => ({ apiKeyId: foreign.ApiKey })],
    ["updateChannel", () => ({ channelId: foreign.Channel, name: "ours now" })],
    ["archiveChannel", () => ({ channelId: foreign.Channel })],
    ["testChannel", () => ({ channelId: foreign.Channel })],
    ["updateFlow", () => ({ flowId: foreign.Bot, enabled: false })],
    ["createFlow", () => ({ channelId: foreign.Channel, name: "x", kind: "CHATBOT", definition: { steps: [] } })],
  ];

  test.each(inputs)("%s", async (mutation, input) => {
    const before = await rowCounts(desk);
    const answer = await desk.ada.attempt(mutation, input());
    expect([answer.__typename, answer.code]).toEqual(["NotFoundError", "NOT_FOUND"]);
    expect(await rowCounts(desk)).toEqual(before);
  });

  test("there is a foreign object of every type with an id", () => {
    const node = schema.getType("Node");
    const nodes = Object.values(schema.getTypeMap()).filter(
      (type) => "getInterfaces" in type && type.getInterfaces().some((each) => each === node),
    );
    expect(Object.keys(foreign).toSorted()).toEqual(nodes.map(({ name }) => name).toSorted());
  });

  test.each(types)("by node: %s", async (type) => {
    const query = "query ($id: ID!) { node(id: $id) { __typename id } }";
    const id = foreign[type];
    expect(await desk.ada.graphql(query, { id })).toEqual({ status: 200, data: { node: null } });
    expect((await other.ada.graphql(query, { id })).data).toEqual({ node: { __typename: type, id } });
  });

  test("by contact and conversation, and in the filters of lists", async () => {
    const { data, errors } = await desk.ada.graphql(
      `query ($contactId: ID!, $conversationId: ID!, $channelId: ID!, $agentId: ID!) {
        contact(id: $contactId) { id }
        conversation(id: $conversationId) { id }
        byChannel: contacts(filter: { channelId: $channelId }) { edges { node { id } } }
        byName: contacts(filter: { search: "foreign" }) { edges { node { id } } }
        byExternalId: contacts(filter: { search: "foreign-1", status: BLOCKED }) { edges { node { id } } }
        byContact: conversations(filter: { contactId: $contactId }) { edges { node { id } } }
        onChannel: conversations(filter: { channelId: $channelId }) { edges { node { id } } }
        byAssignee: conversations(filter: { assigneeId: $agentId }) { edges { node { id } } }
        blocks { edges { node { id } } }
        blocksOf: blocks(filter: { contactId: $contactId }) { edges { node { id } } }
        blockedBy: blocks(filter: { blockedById: $agentId }) { edges { node { id } } }
        auditLog { edges { node { id } } }
        changesBy: auditLog(filter: { actorId: $agentId }) { edges { node { id } } }
        changesOf: auditLog(filter: { subjectId: $channelId }) { edges { node { id } } }
        byNotes: blocks(filter: { search: "foreign" }) { edges { node { id } } }
      }`,
      {
        contactId: foreign.Contact,
        conversationId: foreign.Conversation,
        channelId: foreign.Channel,
        agentId: foreign.Agent,
      },
    );
    expect(errors).toBeUndefined();
    const { contact, conversation, ...lists } = data;
    expect([contact, conversation]).toEqual([null, null]);
    for (const [name, list] of Object.entries(lists)) expect([name, list]).toEqual([name, { edges: [] }]);
  });

  test("in whole lists", async () => {
    const query = `{ contacts { edges { node { id } } } conversations { edges { node { id } } } blocks { edges { node { id } } }
      channels { id } agents { id } apiKeys { id } flows { id } auditLog { edges { node { id } } } }`;
    const { data } = await desk.ada.graphql<Record<"channels", { id: string }[]>>(query);
    const theirs = JSON.stringify((await other.ada.graphql(query)).data);
    for (const id of Object.values(foreign)) expect(JSON.stringify(data)).not.toContain(id);
    for (const { id } of [other.ben, other.vic]) expect(JSON.stringify(data)).not.toContain(id);
    for (const type of ["Contact", "Conversation", "Block", "Channel"] as const)
      expect(theirs).toContain(foreign[type]);
    expect(data.channels.map(({ id }) => id).toSorted()).toEqual([desk.line, desk.webChat, desk.custom].toSorted());
  });

  test("a page cursor of another workspace leads to none of its contacts", async () => {
    interface Page {
      contacts: { edges: { cursor: string; node: { name: string | null } }[] };
    }
    const query = "query ($after: String) { contacts(after: $after) { edges { cursor node { name } } } }";
    const { cursor } = first((await other.ada.graphql<Page>(query)).data.contacts.edges);
    const { data } = await desk.ada.graphql<Page>(query, { after: cursor });
    expect(data.contacts.edges.map(({ node }) => node.name)).not.toContain("Foreign");
  });
});

describe("subscriptions of another workspace get none of our events", () => {
  test.each(subscriptions)("%s", async (subscription) => {
    const since = await cursorNow(desk, other.ada.token);
    const someone = onLine(desk);
    await someone.says("Hello");
    await block(desk, someone);
    expect(await eventsSince(desk, since, subscription, { workspace: other })).toEqual([]);
  });

  test.each(subscriptions)("%s, filtered by an id of ours", async (subscription) => {
    const someone = onLine(desk);
    await someone.says("Hello");
    const contactId = await contactIdOf(desk, someone);
    const after = await cursorNow(desk, other.ada.token);
    const listener = listen(desk, subscription, { after, filter: { contactId }, token: other.ada.token });
    await someone.says("Private");
    await block(desk, someone);
    // The listener would have received our events before the mark of a later, unfiltered listener.
    await eventsSince(desk, after, subscription, { workspace: other });
    const silence = Symbol("silence");
    const received = await Promise.race([
      listener.next(),
      eventsSince(desk, after, subscription, { workspace: other }).then(() => silence),
    ]);
    expect(received).toBe(silence);
    await listener.close();
  });
});

test("the same LINE user in two workspaces is two contacts, blocked in one of them", async () => {
  const here = onLine(desk);
  const there = onLine(desk, { workspace: other, externalId: here.externalId });
  await here.says("Hello", { eventId: "same" });
  await there.says("Hello", { eventId: "same" });
  await block(desk, here);
  expect((await look(desk, here)).here).toBe("BLOCKED");
  expect((await look(desk, there, other.ada)).here).toBe("ACTIVE");
});

test("a key works in its own workspace only", async () => {
  const key = desk.as(await other.key("read", "contacts:block", "messages:write"));
  expect((await key.attempt("blockContact", { contactId: ours.contactId })).code).toBe("NOT_FOUND");
  const { data } = await key.graphql("query ($id: ID!) { contact(id: $id) { id } }", { id: ours.contactId });
  expect(data).toEqual({ contact: null });
});
