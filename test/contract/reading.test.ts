import { describe, expect, test } from "vitest";
import { toGlobalId } from "../../src/domain/global-id.ts";
import { at, first, listAt, nodesAt } from "../support/answers.ts";
import { bootDesk, lineText, rowId } from "../support/app.ts";
import { seedContact, seedContactChannel } from "../support/seeds.ts";

const desk = await bootDesk();
const { prisma } = desk.app.database;

describe("viewer", () => {
  test("an agent and a key get their identity and permissions", async () => {
    const query = `{ viewer { role permissions workspace { id name }
      actor { __typename ... on Agent { id email } ... on ApiKey { name prefix } } } }`;
    const agent = await desk.vic.graphql(query);
    expect(agent.data).toEqual({
      viewer: {
        role: "VIEWER",
        permissions: ["READ"],
        workspace: { id: desk.id, name: "Test" },
        actor: { __typename: "Agent", id: desk.vic.id, email: desk.vic.email },
      },
    });
    const key = await desk.key("messages:write", "inbound:write");
    const partner = await desk.as(key).graphql(query);
    expect(at(partner.data, "viewer")).toMatchObject({
      role: null,
      permissions: ["REPLY", "RECORD_INBOUND"],
      actor: { __typename: "ApiKey", name: "Partner", prefix: expect.stringMatching(/^dg_/) },
    });
  });
});

describe("node", () => {
  test("returns every type by its id", async () => {
    const person = await desk.writes("node-person");
    const blockId = first((await desk.ada.blockContact({ contactId: person.contactId })).blocks).id;
    const flow = await prisma.flow.findFirstOrThrow({ where: { channelId: rowId(desk.line) } });
    const key = await prisma.apiKey.findFirst({ where: { workspaceId: rowId(desk.id) } });
    const ids = {
      Agent: desk.ben.id,
      Block: blockId,
      Bot: toGlobalId("Bot", flow.id),
      Flow: toGlobalId("Flow", flow.id),
      Channel: desk.line,
      Contact: person.contactId,
      ContactChannel: person.contactChannelId,
      Conversation: person.conversationId,
      Message: person.messageId,
      Workspace: desk.id,
      ...(key === null ? {} : { ApiKey: toGlobalId("ApiKey", key.id) }),
    };
    expect(Object.keys(ids)).toHaveLength(11);
    for (const [type, id] of Object.entries(ids)) {
      const { data } = await desk.ada.graphql("query ($id: ID!) { node(id: $id) { __typename id } }", { id });
      expect(at(data, "node")).toEqual({ __typename: type, id });
    }
  });

  test("fragments on it load the selected fields", async () => {
    const person = await desk.writes("fragment-person");
    const { data, errors } = await desk.ada.graphql(
      `query ($id: ID!) { node(id: $id) {
        ... on Contact { status channels { externalId } conversations { edges { node { status } } } }
        ... on Message { text } } }`,
      { id: person.contactId },
    );
    expect(errors).toBeUndefined();
    expect(at(data, "node")).toEqual({
      status: "ACTIVE",
      channels: [{ externalId: "fragment-person" }],
      conversations: { edges: [{ node: { status: "WAITING" } }] },
    });
  });

  test.each([
    "",
    "x",
    "Q29udGFjdA",
    "💥",
    "a".repeat(5_000),
    btoa("Contact:1"),
    btoa(`Nothing:${crypto.randomUUID()}`),
  ])("an invalid id is null: %s", async (id) => {
    const { data, errors } = await desk.ada.graphql(
      "query ($id: ID!) { node(id: $id) { id } contact(id: $id) { id } conversation(id: $id) { id } }",
      { id },
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({ node: null, contact: null, conversation: null });
  });

  test("an id of another type is null", async () => {
    const person = await desk.writes("other-type");
    const { data } = await desk.ada.graphql(
      `{ contact(id: "${person.conversationId}") { id } conversation(id: "${person.contactId}") { id } }`,
    );
    expect(data).toEqual({ contact: null, conversation: null });
  });
});

describe("B7: the status of a contact is derived from its ContactChannels", () => {
  test("blocked on one channel: BLOCKED there, and as a contact", async () => {
    const person = await seedContact(desk, { name: "Two Places", externalId: "b7" });
    await seedContactChannel(desk, person.rows.contactId, { channel: desk.webChat });
    await desk.ada.blockContact({ contactId: person.contactId, channelId: desk.line });

    const { data } = await desk.ada.graphql(
      `query ($id: ID!) { contact(id: $id) { status blocked channels { status blocked channel { kind } activeBlock { active } } } }`,
      { id: person.contactId },
    );
    expect(at(data, "contact")).toEqual({
      status: "BLOCKED",
      blocked: true,
      channels: [
        { status: "BLOCKED", blocked: true, channel: { kind: "LINE" }, activeBlock: { active: true } },
        { status: "ACTIVE", blocked: false, channel: { kind: "WEB_CHAT" }, activeBlock: null },
      ],
    });

    const found = async (filter: object): Promise<boolean> => {
      const answer = await desk.ada.graphql(
        "query ($filter: ContactFilter) { contacts(filter: $filter, first: 100) { edges { node { id } } } }",
        { filter: { search: "Two Places", ...filter } },
      );
      expect(answer.errors).toBeUndefined();
      return nodesAt(answer.data, "contacts").length === 1;
    };
    expect(await found({ status: "BLOCKED" })).toBe(true);
    expect(await found({ status: "ACTIVE" })).toBe(false);
    expect(await found({ status: "BLOCKED", channelId: desk.line })).toBe(true);
    expect(await found({ status: "ACTIVE", channelId: desk.line })).toBe(false);
    expect(await found({ status: "BLOCKED", channelId: desk.webChat })).toBe(false);
    expect(await found({ status: "ACTIVE", channelId: desk.webChat })).toBe(true);
    expect(await found({ channelId: desk.webChat })).toBe(true);
    expect(await found({ channelId: desk.custom })).toBe(false);
    expect(await found({ status: "ACTIVE", channelId: desk.custom })).toBe(false);
  });
});

describe("B8: an expiry takes effect at its time, before it is recorded", () => {
  test("in fields and filters alike", async () => {
    const person = await desk.writes("whose block expires");
    const expiresAt = new Date(desk.clock.now() + 60_000).toISOString();
    const blockId = first((await desk.ada.blockContact({ contactId: person.contactId, expiresAt })).blocks).id;
    const look = async (): Promise<unknown> => {
      const { data, errors } = await desk.ada.graphql(
        `query ($id: ID!, $contact: ContactFilter, $active: BlockFilter, $over: BlockFilter) {
          contact(id: $id) { status blocked channels { status activeBlock { id }
            blockHistory { edges { node { active expiresAt liftedAt liftedBy { __typename } } } } }
            conversations { edges { node { status blocked } } } }
          contacts(filter: $contact) { edges { node { id } } }
          active: blocks(filter: $active) { edges { node { id } } }
          over: blocks(filter: $over) { edges { node { id } } } }`,
        {
          id: person.contactId,
          contact: { status: "BLOCKED", search: "whose block expires" },
          active: { active: true, contactId: person.contactId },
          over: { active: false, contactId: person.contactId },
        },
      );
      expect(errors).toBeUndefined();
      return data;
    };
    const ended = { node: { status: "BLOCKED", blocked: true } };
    expect(await look()).toEqual({
      contact: {
        status: "BLOCKED",
        blocked: true,
        channels: [
          {
            status: "BLOCKED",
            activeBlock: { id: blockId },
            blockHistory: { edges: [{ node: { active: true, expiresAt, liftedAt: null, liftedBy: null } }] },
          },
        ],
        conversations: { edges: [ended] },
      },
      contacts: { edges: [{ node: { id: person.contactId } }] },
      active: { edges: [{ node: { id: blockId } }] },
      over: { edges: [] },
    });

    // No command has recorded the expiry, so the table still has the block in force.
    await prisma.contactChannel.update({ where: { id: rowId(person.contactChannelId) }, data: { dueAt: null } });
    desk.clock.advance(60_000);
    const row = await prisma.block.findUniqueOrThrow({ where: { id: rowId(blockId) } });
    expect(row.liftedAt).toBeNull();
    expect(await look()).toEqual({
      contact: {
        status: "ACTIVE",
        blocked: false,
        channels: [
          {
            status: "ACTIVE",
            activeBlock: null,
            blockHistory: {
              edges: [{ node: { active: false, expiresAt, liftedAt: expiresAt, liftedBy: { __typename: "System" } } }],
            },
          },
        ],
        conversations: { edges: [ended] },
      },
      contacts: { edges: [] },
      active: { edges: [] },
      over: { edges: [{ node: { id: blockId } }] },
    });
  });
});

describe("search", () => {
  test("any part of name, display name and external id, ignoring case; wildcards are literal", async () => {
    await seedContact(desk, { name: "Søren 100%", displayName: "Under_Score", externalId: "ext-ABC-1" });
    await seedContact(desk, { name: "Soren 1000", displayName: "UnderXScore", externalId: "ext-xyz-\\" });
    const found = async (search: string): Promise<readonly unknown[]> => {
      const { data } = await desk.ada.graphql(
        "query ($filter: ContactFilter) { contacts(filter: $filter) { edges { node { name } } } }",
        { filter: { search } },
      );
      return nodesAt(data, "contacts").map((node) => at(node, "name"));
    };
    expect(await found("SØREN")).toEqual(["Søren 100%"]);
    expect(await found("0%")).toEqual(["Søren 100%"]);
    expect(await found("der_sc")).toEqual(["Søren 100%"]);
    expect(await found("EXT-abc")).toEqual(["Søren 100%"]);
    expect(await found("z-\\")).toEqual(["Soren 1000"]);
    expect(await found("nobody is called so")).toEqual([]);
    expect((await found("")).length).toBeGreaterThan(1);
  });

  test("in the notes of blocks", async () => {
    const person = await desk.writes("notes-person");
    await desk.ada.blockContact({ contactId: person.contactId, notes: "Threatened us: 50%_off" });
    const found = async (search: string): Promise<number> => {
      const { data } = await desk.ada.graphql(
        "query ($filter: BlockFilter) { blocks(filter: $filter) { edges { node { notes } } } }",
        { filter: { search } },
      );
      return nodesAt(data, "blocks").length;
    };
    expect(await found("THREATENED")).toBe(1);
    expect(await found("%_o")).toBe(1);
    expect(await found("%x_o")).toBe(0);
  });
});

describe("filters", () => {
  test("conversations by status, channel, contact and assignee, combined", async () => {
    const person = await desk.writes("filter-person");
    await desk.ben.takeConversation({ conversationId: person.conversationId });
    const found = async (filter: object): Promise<boolean> => {
      const { data, errors } = await desk.ada.graphql(
        "query ($filter: ConversationFilter) { conversations(filter: $filter, first: 100) { edges { node { id } } } }",
        { filter },
      );
      expect(errors).toBeUndefined();
      return nodesAt(data, "conversations").some((node) => at(node, "id") === person.conversationId);
    };
    const all = {
      status: ["ACTIVE", "WAITING"],
      channelId: desk.line,
      contactId: person.contactId,
      assigneeId: desk.ben.id,
    };
    expect(await found({})).toBe(true);
    expect(await found(all)).toBe(true);
    expect(await found({ ...all, status: ["ENDED"] })).toBe(false);
    expect(await found({ ...all, channelId: desk.webChat })).toBe(false);
    expect(await found({ ...all, contactId: desk.line })).toBe(false);
    expect(await found({ ...all, assigneeId: desk.ada.id })).toBe(false);
    expect(await found({ ...all, assigneeId: "nonsense" })).toBe(false);
  });

  test("blocks by active, channel, contact and actor", async () => {
    const person = await desk.writes("block-filter");
    const blockId = first((await desk.ada.blockContact({ contactId: person.contactId })).blocks).id;
    const found = async (filter: object): Promise<boolean> => {
      const { data } = await desk.ada.graphql(
        "query ($filter: BlockFilter) { blocks(filter: $filter, first: 100) { edges { node { id } } } }",
        { filter },
      );
      return nodesAt(data, "blocks").some((node) => at(node, "id") === blockId);
    };
    const all = { active: true, channelId: desk.line, contactId: person.contactId, blockedById: desk.ada.id };
    expect(await found(all)).toBe(true);
    expect(await found({ ...all, active: false })).toBe(false);
    expect(await found({ ...all, channelId: desk.custom })).toBe(false);
    expect(await found({ ...all, contactId: "nonsense" })).toBe(false);
    expect(await found({ ...all, blockedById: desk.ben.id })).toBe(false);
    expect(await found({ ...all, blockedById: desk.line })).toBe(false);
  });
});

describe("timelines", () => {
  test("O6: an unsent message has neither text nor payload; the entry stays", async () => {
    const person = await desk.writes("unsender", "regretted");
    const message = await prisma.message.findUniqueOrThrow({ where: { id: rowId(person.messageId) } });
    await desk.lineWebhook([
      {
        ...lineText("unsender", ""),
        type: "unsend",
        webhookEventId: "unsend-1",
        unsend: { messageId: message.providerMessageId },
      },
    ]);
    const { data } = await desk.ada.graphql(
      `query ($id: ID!) { conversation(id: $id) { messages { edges { node { kind eventType text payload unsentAt } } } } }`,
      { id: person.conversationId },
    );
    expect(nodesAt(data, "conversation.messages").at(0)).toMatchObject({
      kind: "TEXT",
      text: null,
      payload: null,
      unsentAt: new Date(desk.clock.now()).toISOString(),
    });
    expect(JSON.stringify(data)).not.toContain("regretted");
  });

  test("authors are contact, bot, agent and key", async () => {
    const person = await desk.writes("authors");
    const input = { conversationId: person.conversationId, text: "Hi" };
    await desk.ben.sendMessage(input);
    await desk.as(await desk.key("messages:write")).sendMessage(input);
    const { data } = await desk.ada.graphql(
      `query ($id: ID!) { conversation(id: $id) { assignee { id } messages { edges { node { direction deliveryStatus
        author { __typename } } } } } }`,
      { id: person.conversationId },
    );
    const authors = nodesAt(data, "conversation.messages").map((node) => at(node, "author.__typename"));
    expect(authors).toEqual(["Contact", "Bot", "Agent", "ApiKey"]);
    // C4: the agent's reply took the conversation, the key's message changed nothing.
    expect(at(data, "conversation.assignee.id")).toBe(desk.ben.id);
  });
});

describe("lists without paging", () => {
  test("channels and agents, without removed agents", async () => {
    const gone = await desk.agent("AGENT");
    await prisma.agent.update({ where: { id: rowId(gone.id) }, data: { removedAt: new Date() } });
    const { data } = await desk.vic.graphql("{ channels { id kind } agents { id role } }");
    expect(listAt(data, "channels")).toHaveLength(3);
    const agents = listAt(data, "agents").map((agent) => at(agent, "id"));
    expect(agents).toContain(desk.ada.id);
    expect(agents).not.toContain(gone.id);
  });
});

test("B3: one query sees one state, however many statements and fields it needs", async () => {
  const person = await desk.writes("torn");
  const query = `query ($id: ID!, $filter: BlockFilter) {
    contact(id: $id) { status channels { activeBlock { id } blockHistory(first: 1) { edges { node { active } } } } }
    blocks(filter: $filter) { edges { node { id } } }
    logCursor }`;
  const variables = { id: person.contactId, filter: { contactId: person.contactId, active: true } };
  const seen = new Map<unknown, unknown>();
  let over = false;
  const reading = async (): Promise<void> => {
    while (!over) {
      const { data, errors } = await desk.ada.graphql(query, variables);
      expect(errors).toBeUndefined();
      const there = at(data, "contact.channels.0");
      const isBlocked = [
        at(data, "contact.status") === "BLOCKED",
        at(there, "activeBlock") !== null,
        at(there, "blockHistory.edges.0.node.active") === true,
        nodesAt(data, "blocks").length === 1,
      ];
      expect(new Set(isBlocked).size, JSON.stringify(data)).toBe(1);
      // The cursor is consistent with the data: the same cursor has the same state.
      const cursor = at(data, "logCursor");
      if (seen.has(cursor)) expect(seen.get(cursor)).toBe(isBlocked[0]);
      seen.set(cursor, isBlocked[0]);
    }
  };
  const readers = [reading(), reading()];
  for (let round = 0; round < 15; round++) {
    await desk.ada.blockContact({ contactId: person.contactId });
    await desk.ada.unblockContact({ contactId: person.contactId });
  }
  over = true;
  await Promise.all(readers);
  expect(seen.size).toBeGreaterThan(2);
});
