import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bootDesk, type Desk, globalId } from "../support/app.ts";
import { block, contactIdOf, documentOf, inMs, latest, type Mutation, mutate, rowCounts } from "./api.ts";
import { onLine } from "./people.ts";

const NUL = "a\0b";
const LONE = "a\uD800b";
const NOBODY = "00000000-0000-7000-8000-000000000000";

let desk: Desk;
let contactId: string;
let conversationId: string;
let blockId: string;
let partner: string;

beforeAll(async () => {
  desk = await bootDesk();
  const someone = onLine(desk);
  await someone.says("Hello");
  contactId = await contactIdOf(desk, someone);
  conversationId = await latest(desk, someone);
  const blocked = onLine(desk);
  await blocked.says("Hello");
  blockId = (await block(desk, blocked)).id;
  partner = await desk.key("inbound:write");
});

let before: unknown;
beforeEach(async () => {
  before = await rowCounts(desk);
});
afterEach(async () => {
  expect(await rowCounts(desk)).toEqual(before);
});

describe("mutations answer what is wrong with their input, and where", () => {
  const long = "x".repeat(5_001);
  const texts: [string, string][] = [
    ["NUL", NUL],
    ["a lone surrogate", LONE],
  ];
  const cases: [Mutation, string, () => object, string][] = [
    ...texts.flatMap(([what, text]): [Mutation, string, () => object, string][] => [
      ["blockContact", what, () => ({ contactId, notes: text }), "notes"],
      ["unblockContact", what, () => ({ contactId, notes: text }), "notes"],
      ["updateBlock", what, () => ({ blockId, notes: text }), "notes"],
      ["sendMessage", what, () => ({ conversationId, text }), "text"],
      ["startConversation", what, () => ({ contactId, channelId: desk.line, text }), "text"],
      ["recordInbound", what, () => inbound({ text }), "text"],
      ["recordInbound", what, () => inbound({ externalId: text }), "externalId"],
      ["recordInbound", what, () => inbound({ eventId: text }), "eventId"],
      ["recordInbound", what, () => inbound({ displayName: text }), "displayName"],
      ["recordInbound", what, () => inbound({ kind: "EVENT", eventType: text }), "eventType"],
      ["recordInbound", what, () => inbound({ payload: { deep: [{ [text]: 1 }] } }), "payload"],
    ]),
    ["blockContact", "notes too long", () => ({ contactId, notes: "x".repeat(2_001) }), "notes"],
    ["blockContact", "an end that is now", () => ({ contactId, expiresAt: inMs(desk, 0) }), "expiresAt"],
    ["blockContact", "an end in the past", () => ({ contactId, expiresAt: inMs(desk, -1) }), "expiresAt"],
    ["updateBlock", "an end in the past", () => ({ blockId, expiresAt: inMs(desk, -1) }), "expiresAt"],
    ["sendMessage", "no text", () => ({ conversationId, text: " \n" }), "text"],
    ["sendMessage", "a text too long", () => ({ conversationId, text: long }), "text"],
    ["startConversation", "a text too long", () => ({ contactId, channelId: desk.line, text: long }), "text"],
    ["recordInbound", "a TEXT without text", () => inbound({ text: null }), "text"],
    ["recordInbound", "an EVENT without type", () => inbound({ kind: "EVENT" }), "eventType"],
    ["recordInbound", "a message with type", () => inbound({ eventType: "follow" }), "eventType"],
    ["recordInbound", "nobody", () => inbound({ externalId: "" }), "externalId"],
    ["recordInbound", "no event id", () => inbound({ eventId: "" }), "eventId"],
    ["recordInbound", "a channel that is not CUSTOM", () => inbound({ channelId: desk.line }), "channelId"],
  ];

  function inbound(change: object): object {
    return { channelId: desk.custom, externalId: "x", eventId: "x", kind: "TEXT", text: "Hi", ...change };
  }

  test.each(cases)("%s: %s", async (mutation, _, input, path) => {
    const answer = await mutate(desk, mutation, input(), mutation === "recordInbound" ? partner : undefined);
    expect([answer.code, answer.fields?.map((field) => field.path)]).toEqual(["INVALID_INPUT", [path]]);
  });

  const wrongIds = () => ["", "x", "💥", NUL, LONE, NOBODY, "Contact:1", "x".repeat(5_000), desk.ada.id, desk.id];
  const unknown = (type: "Contact" | "Conversation" | "Block" | "Channel") => globalId(type, NOBODY);
  const targets: [Mutation, (id: string) => object, "Contact" | "Conversation" | "Block" | "Channel"][] = [
    ["blockContact", (id) => ({ contactId: id }), "Contact"],
    ["blockContact", (id) => ({ contactId, channelId: id }), "Channel"],
    ["unblockContact", (id) => ({ contactId: id }), "Contact"],
    ["updateBlock", (id) => ({ blockId: id }), "Block"],
    ["sendMessage", (id) => ({ conversationId: id, text: "Hi" }), "Conversation"],
    ["startConversation", (id) => ({ contactId: id, channelId: desk.line, text: "Hi" }), "Contact"],
    ["takeConversation", (id) => ({ conversationId: id }), "Conversation"],
    ["offerConversation", (id) => ({ conversationId: id, agentId: desk.ben.id }), "Conversation"],
    ["acceptConversation", (id) => ({ conversationId: id }), "Conversation"],
    ["declineConversation", (id) => ({ conversationId: id }), "Conversation"],
    ["transferConversation", (id) => ({ conversationId: id }), "Conversation"],
    ["endConversation", (id) => ({ conversationId: id }), "Conversation"],
    ["recordInbound", (id) => ({ channelId: id, externalId: "x", eventId: "x", kind: "TEXT", text: "Hi" }), "Channel"],
  ];

  test.each(targets)("%s: a malformed id, another type's, an unknown one: not found", async (mutation, input, type) => {
    const token = mutation === "recordInbound" ? partner : undefined;
    for (const id of [...wrongIds(), unknown(type)]) {
      const { code } = await mutate(desk, mutation, input(id), token);
      expect([id, code]).toEqual([id, "NOT_FOUND"]);
    }
  });

  test("queries answer null or an empty list for such ids", async () => {
    for (const id of [...wrongIds(), unknown("Contact")]) {
      const { data, errors } = await desk.graphql(
        `query ($id: ID!) { contact(id: $id) { id } conversation(id: $id) { id }
          contacts(filter: { channelId: $id }) { edges { node { id } } }
          conversations(filter: { contactId: $id }) { edges { node { id } } }
          blocks(filter: { blockedById: $id, contactId: $id }) { edges { node { id } } } }`,
        { id },
      );
      const nothing = { edges: [] };
      expect([id, errors, data]).toEqual([
        id,
        undefined,
        { contact: null, conversation: null, contacts: nothing, conversations: nothing, blocks: nothing },
      ]);
    }
  });

  test.each(["tomorrow", "2026-02-30T00:00:00Z", "2026-01-01", 5, { year: 2026 }])(
    "a DateTime such as %j",
    async (expiresAt) => {
      const { data, errors } = await desk.graphql(documentOf("blockContact"), { input: { contactId, expiresAt } });
      expect(data ?? null).toBeNull();
      expect(errors?.[0]?.message).toContain("DateTime");
    },
  );
});

test("nothing of all this was a fault of ours: a search with signs that mean something elsewhere finds itself only", async () => {
  for (const search of ["%", "_", "\\", "'", '"', "(", "$1"]) {
    const { data, errors } = await desk.graphql(
      "query ($search: String) { contacts(filter: { search: $search }) { edges { node { id } } } }",
      { search },
    );
    expect([search, errors, data]).toEqual([search, undefined, { contacts: { edges: [] } }]);
  }
  for (const search of [NUL, LONE]) {
    const { errors } = await desk.graphql(
      "query ($search: String) { contacts(filter: { search: $search }) { edges { node { id } } } }",
      { search },
    );
    expect(errors?.[0]?.extensions.code).toBe("INVALID_INPUT");
  }
});
