import { beforeAll, describe, expect, test } from "vitest";
import type { Scope } from "../../src/auth/permission.ts";
import { bootDesk, type Desk } from "../support/app.ts";
import { block, contactIdOf, latest, look, type Mutation, mutate } from "./api.ts";
import { onLine } from "./people.ts";
import { listen } from "./subscriber.ts";

type Holder = "ADMIN" | "AGENT" | "VIEWER" | Scope;

const agents = ["ADMIN", "AGENT"] as const;
const holders: readonly Holder[] = [
  ...agents,
  "VIEWER",
  "read",
  "messages:write",
  "contacts:block",
  "contacts:unblock",
  "inbound:write",
];

let desk: Desk;
let tokens: ReadonlyMap<Holder, string>;

beforeAll(async () => {
  desk = await bootDesk();
  const keys = await Promise.all(
    holders.slice(3).map(async (scope): Promise<[Holder, string]> => [scope, await desk.key(scope as Scope)]),
  );
  tokens = new Map<Holder, string>([
    ["ADMIN", desk.ada.token],
    ["AGENT", desk.ben.token],
    ["VIEWER", desk.vic.token],
    ...keys,
  ]);
});

/** Section 4 of the contract, a row a line. */
const table: [Mutation, readonly Holder[]][] = [
  ["sendMessage", [...agents, "messages:write"]],
  ["startConversation", [...agents, "messages:write"]],
  ["endConversation", [...agents, "messages:write"]],
  ["takeConversation", agents],
  ["offerConversation", agents],
  ["acceptConversation", agents],
  ["declineConversation", agents],
  ["transferConversation", agents],
  ["blockContact", [...agents, "contacts:block"]],
  ["updateBlock", [...agents, "contacts:block"]],
  ["unblockContact", [...agents, "contacts:unblock"]],
  ["recordInbound", ["inbound:write"]],
];

describe("who may do what", () => {
  test.each(table)("%s: %s", async (mutation, allowed) => {
    const someone = onLine(desk);
    await someone.says("Hello");
    const blocked = onLine(desk);
    await blocked.says("Hello");
    const { id: blockId } = await block(desk, blocked);
    const contactId = await contactIdOf(desk, someone);
    const conversationId = await latest(desk, someone);
    const inputs: Record<Mutation, object> = {
      sendMessage: { conversationId, text: "Hi" },
      startConversation: { contactId, channelId: desk.line, text: "Hi" },
      endConversation: { conversationId },
      takeConversation: { conversationId },
      offerConversation: { conversationId, agentId: desk.ben.id },
      acceptConversation: { conversationId },
      declineConversation: { conversationId },
      transferConversation: { conversationId },
      blockContact: { contactId },
      updateBlock: { blockId, notes: "why" },
      unblockContact: { contactId },
      recordInbound: { channelId: desk.custom, externalId: "x", eventId: mutation, kind: "TEXT", text: "Hi" },
    };
    const may: Holder[] = [];
    for (const holder of holders) {
      const { code } = await mutate(desk, mutation, inputs[mutation], tokens.get(holder));
      if (code !== "FORBIDDEN") may.push(holder);
    }
    expect(may).toEqual(allowed);
  });

  test("reading: every role, and keys with the scope read", async () => {
    const queries = [
      "contacts { edges { node { id } } }",
      "conversations { edges { node { id } } }",
      "blocks { edges { node { id } } }",
      "channels { id }",
      "agents { id }",
      "logCursor",
      `node(id: "${desk.line}") { id }`,
    ];
    for (const query of queries) {
      const may: Holder[] = [];
      for (const holder of holders) {
        const { errors } = await desk.graphql(`{ ${query} }`, {}, tokens.get(holder));
        if (errors === undefined) may.push(holder);
        else expect(errors.map(({ extensions }) => extensions.code)).toEqual(["FORBIDDEN"]);
      }
      expect([query, may]).toEqual([query, [...agents, "VIEWER", "read"]]);
    }
  });

  test("a key that may not read learns nothing by a mutation's answer but what it made", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    const contactId = await contactIdOf(desk, someone);
    const { data, errors } = await desk.graphql(
      `mutation ($contactId: ID!) { blockContact(input: { contactId: $contactId }) {
        ... on BlockContactSuccess { contact { conversations { edges { node { messages { edges { node { text } } } } } } } }
      } }`,
      { contactId },
      tokens.get("contacts:block"),
    );
    expect([data ?? null, errors?.[0]?.extensions.code]).toEqual([null, "FORBIDDEN"]);
    expect((await look(desk, someone)).here).toBe("ACTIVE");
  });

  test("subscribing needs read", async () => {
    const listener = listen(desk, "messageRecorded", { token: tokens.get("inbound:write") ?? "" });
    expect(await listener.fault()).toBe("FORBIDDEN");
    await listener.close();
  });

  test("what a key does bears its name", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    const contactId = await contactIdOf(desk, someone);
    await mutate(desk, "blockContact", { contactId }, tokens.get("contacts:block"));
    await mutate(desk, "unblockContact", { contactId }, tokens.get("contacts:unblock"));
    const { data } = await desk.graphql(
      `query ($contactId: ID!) { blocks(filter: { contactId: $contactId }) { edges { node {
        blockedBy { __typename ... on ApiKey { name } } liftedBy { __typename ... on ApiKey { name } }
        endedConversations { endedBy { __typename ... on ApiKey { name } } }
      } } } }`,
      { contactId },
    );
    const partner = { __typename: "ApiKey", name: "Partner" };
    expect(data).toEqual({
      blocks: {
        edges: [{ node: { blockedBy: partner, liftedBy: partner, endedConversations: [{ endedBy: partner }] } }],
      },
    });
  });

  test("managing keys is for admins", async () => {
    const create = `mutation { createApiKey(input: { name: "Shop", scopes: [READ] }) {
      ... on CreateApiKeySuccess { key apiKey { id prefix } } ... on Error { code } } }`;
    for (const holder of holders.slice(1)) {
      const { data } = await desk.graphql(create, {}, tokens.get(holder));
      expect([holder, data]).toEqual([holder, { createApiKey: { code: "FORBIDDEN" } }]);
      const { errors } = await desk.graphql("{ apiKeys { id } }", {}, tokens.get(holder));
      expect(errors?.[0]?.extensions.code).toBe("FORBIDDEN");
    }
    const { data } = await desk.graphql<{ createApiKey: { key: string; apiKey: { id: string; prefix: string } } }>(
      create,
    );
    const { key, apiKey } = data.createApiKey;
    expect(key.startsWith(apiKey.prefix)).toBe(true);
    const asKey = () => desk.graphql("{ viewer { role permissions actor { ... on ApiKey { name } } } }", {}, key);
    expect((await asKey()).data).toEqual({ viewer: { role: null, permissions: ["READ"], actor: { name: "Shop" } } });
    await desk.graphql("mutation ($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) { __typename } }", {
      id: apiKey.id,
    });
    expect((await asKey()).status).toBe(401);
    const stored = await desk.app.database.prisma.apiKey.findMany();
    expect(JSON.stringify(stored)).not.toContain(key);
  });

  test("a conversation cannot be given to somebody who may only read", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    const conversationId = await latest(desk, someone);
    const answer = await mutate(desk, "offerConversation", { conversationId, agentId: desk.vic.id });
    expect(answer).toMatchObject({ code: "INVALID_INPUT", fields: [{ path: "agentId" }] });
  });

  test("what a role sees of itself", async () => {
    const seen = async (holder: Holder) => {
      const { data } = await desk.graphql<{ viewer: object }>(
        "{ viewer { role permissions } }",
        {},
        tokens.get(holder),
      );
      return data.viewer;
    };
    const work = ["READ", "REPLY", "ASSIGN", "BLOCK", "UNBLOCK"];
    expect(await Promise.all(holders.map(seen))).toEqual([
      { role: "ADMIN", permissions: [...work, "ADMINISTER"] },
      { role: "AGENT", permissions: work },
      { role: "VIEWER", permissions: ["READ"] },
      { role: null, permissions: ["READ"] },
      { role: null, permissions: ["REPLY"] },
      { role: null, permissions: ["BLOCK"] },
      { role: null, permissions: ["UNBLOCK"] },
      { role: null, permissions: ["RECORD_INBOUND"] },
    ]);
  });
});
