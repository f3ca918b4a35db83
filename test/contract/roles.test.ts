import { beforeAll, describe, expect, test } from "vitest";
import type { Scope } from "../../src/auth/permission.ts";
import { schema } from "../../src/graphql/schema/index.ts";
import { first } from "../support/answers.ts";
import { bootDesk, type Desk } from "../support/app.ts";
import { type Client, documentOf, done, type Mutation } from "../support/client.ts";
import { canceledMessage, queuedMessage, unknownOutcome } from "../support/outbound.ts";
import { onLine } from "../support/people.ts";
import { listen } from "../support/subscriber.ts";
import { contactIdOf } from "../support/view.ts";

const scopes = ["read", "messages:write", "contacts:block", "contacts:unblock", "inbound:write"] as const;
type Holder = "ADMIN" | "AGENT" | "VIEWER" | Scope | "no scope";

const agents = ["ADMIN", "AGENT"] as const;
const readers = [...agents, "VIEWER", "read"] as const;

let desk: Desk;
let holders: ReadonlyMap<Holder, Client>;

beforeAll(async () => {
  desk = await bootDesk();
  const all: [Holder, Client][] = [
    ["ADMIN", desk.ada],
    ["AGENT", desk.ben],
    ["VIEWER", desk.vic],
  ];
  for (const scope of scopes) all.push([scope, desk.as(await desk.key(scope))]);
  all.push(["no scope", desk.as(await desk.key())]);
  holders = new Map(all);
});

function by(holder: Holder): Client {
  const client = holders.get(holder);
  if (client === undefined) throw new Error(`No client for ${holder}.`);
  return client;
}

let people = 0;
const writer = () => desk.writes(`person ${people++}`);
const contact = async () => ({ contactId: (await writer()).contactId });
const conversation = async () => ({ conversationId: (await writer()).conversationId });
const flow = { name: "Greeting", kind: "AUTO_REPLY_FIRST_MESSAGE", definition: { text: "Hi" } };
const newKey = { name: "Another", scopes: ["READ"] };
const newChannel = { kind: "LINE", name: "Shop" };
const channel = async () => ({ channelId: (await desk.ada.createChannel(newChannel)).channel.id });
/** The greeting of a new contact on a partner's channel. */
async function claimedDelivery(): Promise<string> {
  const channelId = desk.custom;
  const externalId = crypto.randomUUID();
  await by("inbound:write").recordInbound({ channelId, ...entry(), externalId });
  const { deliveries } = await by("inbound:write").claimDeliveries({ channelId, max: 100 });
  return first(deliveries.filter((delivery) => delivery.externalId === externalId)).deliveryId;
}

const entry = () => ({ externalId: "someone", eventId: crypto.randomUUID(), kind: "TEXT", text: "Hi" });

/** Section 4 of the contract: the holders of each permission, and a valid input. */
const table: Record<Mutation, { readonly allowed: readonly Holder[]; readonly input: () => Promise<object> }> = {
  sendMessage: {
    allowed: [...agents, "messages:write"],
    input: async () => ({ ...(await conversation()), text: "Hi" }),
  },
  startConversation: {
    allowed: [...agents, "messages:write"],
    input: async () => ({ ...(await contact()), channelId: desk.line, text: "Hi" }),
  },
  endConversation: { allowed: [...agents, "messages:write"], input: conversation },
  setTyping: {
    allowed: [...agents, "messages:write"],
    input: async () => ({ ...(await conversation()), typing: true }),
  },
  markConversationRead: {
    allowed: [...agents, "messages:write"],
    input: async () => {
      const { conversationId, messageId: upToMessageId } = await writer();
      return { conversationId, upToMessageId };
    },
  },
  retryMessage: {
    allowed: [...agents, "messages:write"],
    input: async () => ({ messageId: (await canceledMessage(desk)).messageId }),
  },
  cancelMessage: {
    allowed: [...agents, "messages:write"],
    input: async () => ({ messageId: (await queuedMessage(desk)).messageId }),
  },
  takeConversation: { allowed: agents, input: conversation },
  offerConversation: { allowed: agents, input: async () => ({ ...(await conversation()), agentId: desk.ben.id }) },
  acceptConversation: { allowed: agents, input: conversation },
  declineConversation: { allowed: agents, input: conversation },
  transferConversation: { allowed: agents, input: conversation },
  blockContact: { allowed: [...agents, "contacts:block"], input: contact },
  updateBlock: {
    allowed: [...agents, "contacts:block"],
    input: async () => ({ blockId: first((await desk.ada.blockContact(await contact())).blocks).id }),
  },
  unblockContact: { allowed: [...agents, "contacts:unblock"], input: contact },
  recordInbound: { allowed: ["inbound:write"], input: async () => ({ channelId: desk.custom, ...entry() }) },
  recordInbounds: {
    allowed: ["inbound:write"],
    input: async () => ({ items: [{ channelId: desk.custom, ...entry() }] }),
  },
  claimDeliveries: { allowed: ["inbound:write"], input: async () => ({ channelId: desk.custom, max: 1 }) },
  acknowledgeDelivery: {
    allowed: ["inbound:write"],
    input: async () => ({ deliveryId: await claimedDelivery(), status: "SENT" }),
  },
  createApiKey: { allowed: ["ADMIN"], input: async () => newKey },
  revokeApiKey: {
    allowed: ["ADMIN"],
    input: async () => ({ apiKeyId: (await desk.ada.createApiKey(newKey)).apiKey.id }),
  },
  createFlow: { allowed: ["ADMIN"], input: async () => ({ ...flow, channelId: desk.custom }) },
  updateFlow: {
    allowed: ["ADMIN"],
    input: async () => ({
      flowId: (await desk.ada.createFlow({ ...flow, channelId: desk.webChat })).flow.id,
      enabled: false,
    }),
  },
  createChannel: { allowed: ["ADMIN"], input: async () => newChannel },
  updateChannel: { allowed: ["ADMIN"], input: async () => ({ ...(await channel()), name: "Other" }) },
  archiveChannel: { allowed: ["ADMIN"], input: () => channel() },
  testChannel: { allowed: ["ADMIN"], input: () => channel() },
};
const mutations = Object.keys(table) as Mutation[];

describe("section 4: permissions for mutations", () => {
  test("the table has every mutation of the schema", () => {
    expect(mutations.toSorted()).toEqual(Object.keys(schema.getMutationType()?.getFields() ?? {}).toSorted());
  });

  test.each(mutations)("%s is forbidden without the permission", async (mutation) => {
    const { allowed, input } = table[mutation];
    const permitted: Holder[] = [];
    for (const [holder, client] of holders) {
      const { code } = await client.attempt(mutation, await input());
      if (code !== "FORBIDDEN") permitted.push(holder);
    }
    expect(permitted).toEqual(allowed);
  });

  test("a key without read gets the objects that its mutation changed, but no lists", async () => {
    const { contactId, conversationId } = await writer();
    const input = { conversationId, text: "Hi" };
    const objects = "message { id conversation { id status } contactChannel { contact { name } } }";
    done(await by("messages:write").attempt("sendMessage", input, objects));
    const before = await desk.app.database.prisma.message.count();
    const messages = "messages { edges { node { text } } }";
    for (const [holder, document, refused] of [
      ["messages:write", documentOf("sendMessage", `message { conversation { ${messages} } }`), input],
      [
        "contacts:block",
        documentOf("blockContact", `contact { conversations { edges { node { ${messages} } } } }`),
        { contactId },
      ],
    ] as const) {
      const { data, errors } = await by(holder).graphql(document, { input: refused });
      expect([data ?? null, errors?.[0]?.extensions.code]).toEqual([null, "FORBIDDEN"]);
    }
    // The whole operation is refused before anything is executed.
    expect(await desk.app.database.prisma.message.count()).toBe(before);
    const { data } = await desk.ada.graphql("query ($id: ID!) { contact(id: $id) { status } }", { id: contactId });
    expect(data).toEqual({ contact: { status: "ACTIVE" } });
  });

  test("actions of a key have the key as their actor", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    const contactId = await contactIdOf(desk, someone);
    await by("contacts:block").blockContact({ contactId });
    await by("contacts:unblock").unblockContact({ contactId });
    const { data } = await desk.ada.graphql(
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
});

describe("C5: the order of refusals", () => {
  // These refer to no object that could be missing: each item of recordInbounds has a result of its own.
  const withoutObject: readonly Mutation[] = ["createApiKey", "createChannel", "recordInbounds"];

  test.each(mutations.filter((mutation) => !withoutObject.includes(mutation)))(
    "%s: NOT_FOUND comes before FORBIDDEN",
    async (mutation) => {
      const input: Record<string, unknown> = { ...(await table[mutation].input()) };
      for (const id of [
        "conversationId",
        "contactId",
        "blockId",
        "channelId",
        "apiKeyId",
        "flowId",
        "messageId",
        "deliveryId",
      ]) {
        if (id in input) input[id] = "nonsense";
      }
      for (const holder of ["ADMIN", "VIEWER", "no scope"] as const) {
        expect([holder, (await by(holder).attempt(mutation, input)).code]).toEqual([holder, "NOT_FOUND"]);
      }
    },
  );

  test.each<[Mutation, () => object | Promise<object>]>([
    ["blockContact", () => ({ notes: "\0" })],
    ["unblockContact", () => ({ notes: "\0" })],
    ["updateBlock", () => ({ notes: "\0" })],
    ["sendMessage", () => ({ text: "\0" })],
    ["startConversation", () => ({ text: "\0" })],
    ["retryMessage", async () => ({ messageId: (await unknownOutcome(desk)).messageId })],
    ["offerConversation", () => ({ agentId: desk.vic.id })],
    ["transferConversation", () => ({ agentId: desk.vic.id })],
    ["recordInbound", () => ({ text: "\0" })],
    ["recordInbounds", () => ({ items: [] })],
    ["claimDeliveries", () => ({ max: 0 })],
    ["acknowledgeDelivery", () => ({ code: "" })],
    ["createApiKey", () => ({ name: "" })],
    ["createFlow", () => ({ name: "" })],
    ["updateFlow", () => ({ name: "" })],
    ["createChannel", () => ({ name: "" })],
    ["updateChannel", () => ({ name: "" })],
    ["testChannel", () => ({ channelId: desk.webChat })],
  ])("%s: FORBIDDEN comes before INVALID_INPUT", async (mutation, invalid) => {
    const input = { ...(await table[mutation].input()), ...(await invalid()) };
    const permitted = by(table[mutation].allowed.includes("ADMIN") ? "ADMIN" : "inbound:write");
    expect((await permitted.attempt(mutation, input)).code).toBe("INVALID_INPUT");
    expect((await by("no scope").attempt(mutation, input)).code).toBe("FORBIDDEN");
  });
});

describe("section 4: permissions for queries and subscriptions", () => {
  const queries: Record<string, () => string> = {
    agents: () => "agents { id }",
    apiKeys: () => "apiKeys { id }",
    auditLog: () => "auditLog { edges { node { id } } }",
    blocks: () => "blocks { edges { node { id } } }",
    channels: () => "channels { id }",
    contact: () => `contact(id: "x") { id }`,
    contacts: () => "contacts { edges { node { id } } }",
    conversation: () => `conversation(id: "x") { id }`,
    conversations: () => "conversations { edges { node { id } } }",
    flows: () => "flows { id }",
    logCursor: () => "logCursor",
    node: () => `missing: node(id: "x") { id } node(id: "${desk.line}") { id }`,
    previewBlock: () => `previewBlock(contactId: "${previewed}") { droppingOffers }`,
    viewer: () => "viewer { role }",
  };

  let previewed: string;
  beforeAll(async () => {
    previewed = (await contact()).contactId;
  });

  test("the table has every query of the schema", () => {
    expect(Object.keys(queries)).toEqual(Object.keys(schema.getQueryType()?.getFields() ?? {}).toSorted());
  });

  test.each(Object.entries(queries))("%s", async (name, query) => {
    const permitted: Holder[] = [];
    for (const [holder, client] of holders) {
      const { errors } = await client.graphql(`{ ${query()} }`);
      if (errors === undefined) permitted.push(holder);
      else expect(new Set(errors.map(({ extensions }) => extensions.code))).toEqual(new Set(["FORBIDDEN"]));
    }
    const admins = ["apiKeys", "auditLog", "flows"].includes(name);
    const blockers = name === "previewBlock";
    expect(permitted).toEqual(
      name === "viewer" ? [...holders.keys()] : admins ? ["ADMIN"] : blockers ? agents : readers,
    );
  });

  test("subscribing needs read", async () => {
    const listener = listen(desk, "messageRecorded", { token: by("inbound:write").token });
    expect(await listener.errorCode()).toBe("FORBIDDEN");
    await listener.close();
  });

  test("viewer shows the role and the permissions", async () => {
    const seen = [];
    for (const client of holders.values()) {
      seen.push((await client.graphql<{ viewer: object }>("{ viewer { role permissions } }")).data.viewer);
    }
    const work = ["READ", "REPLY", "ASSIGN", "BLOCK", "UNBLOCK"];
    expect(seen).toEqual([
      { role: "ADMIN", permissions: [...work, "ADMINISTER"] },
      { role: "AGENT", permissions: work },
      { role: "VIEWER", permissions: ["READ"] },
      { role: null, permissions: ["READ"] },
      { role: null, permissions: ["REPLY"] },
      { role: null, permissions: ["BLOCK"] },
      { role: null, permissions: ["UNBLOCK"] },
      { role: null, permissions: ["RECORD_INBOUND"] },
      { role: null, permissions: [] },
    ]);
  });
});

test("a key is shown once, stored only as a hash, and refused with 401 as soon as it is revoked", async () => {
  const created = await desk.ada.attempt(
    "createApiKey",
    { name: "  Acme  ", scopes: ["READ", "MESSAGES_WRITE", "READ"] },
    "key apiKey { id name prefix scopes revokedAt }",
  );
  const { key = "", apiKey: { id: apiKeyId } = { id: "" } } = created;
  expect(created.apiKey).toEqual({
    id: apiKeyId,
    name: "Acme",
    prefix: key.slice(0, 10),
    scopes: ["READ", "MESSAGES_WRITE"],
    revokedAt: null,
  });
  expect(key).not.toBe("");
  expect(JSON.stringify(await desk.app.database.prisma.apiKey.findMany())).not.toContain(key);
  const viewer = "{ viewer { role permissions actor { ... on ApiKey { name } } } }";
  expect((await desk.as(key).graphql(viewer)).data).toEqual({
    viewer: { role: null, permissions: ["READ", "REPLY"], actor: { name: "Acme" } },
  });
  expect((await desk.ada.revokeApiKey({ apiKeyId })).changed).toBe(true);
  expect((await desk.as(key).graphql(viewer)).status).toBe(401);
  expect((await desk.ada.revokeApiKey({ apiKeyId })).changed).toBe(false);
});
