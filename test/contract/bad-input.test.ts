import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { first } from "../support/answers.ts";
import { bootDesk, type Desk, globalId } from "../support/app.ts";
import { type Client, documentOf, type Mutation } from "../support/client.ts";
import { inMs } from "../support/clock.ts";
import { unknownOutcome } from "../support/outbound.ts";
import { block, onLine } from "../support/people.ts";
import { contactIdOf, latest } from "../support/view.ts";
import { rowCounts } from "./row-counts.ts";

const NUL = "a\0b";
const LONE = "a\uD800b";
const UNKNOWN_ID = "00000000-0000-7000-8000-000000000000";

let desk: Desk;
let contactId: string;
let conversationId: string;
let blockId: string;
let partner: Client;
let unknown: string;
let deliveryId: string;

beforeAll(async () => {
  desk = await bootDesk();
  const someone = onLine(desk);
  await someone.says("Hello");
  contactId = await contactIdOf(desk, someone);
  conversationId = await latest(desk, someone);
  const blocked = onLine(desk);
  await blocked.says("Hello");
  blockId = (await block(desk, blocked)).id;
  unknown = (await unknownOutcome(desk)).messageId;
  partner = desk.as(await desk.key("inbound:write"));
  await partner.recordInbound({ channelId: desk.custom, externalId: "p", eventId: "p", kind: "TEXT", text: "Hi" });
  deliveryId = first((await partner.claimDeliveries({ channelId: desk.custom, max: 1 })).deliveries).deliveryId;
});

const partnersMutations: ReadonlySet<Mutation> = new Set([
  "recordInbound",
  "recordInbounds",
  "claimDeliveries",
  "acknowledgeDelivery",
]);

function by(mutation: Mutation): Client {
  return partnersMutations.has(mutation) ? partner : desk.ada;
}

let before: unknown;
beforeEach(async () => {
  before = await rowCounts(desk);
});
afterEach(async () => {
  expect(await rowCounts(desk)).toEqual(before);
});

describe("mutations name the invalid fields of their input", () => {
  const long = "x".repeat(5_001);
  const texts: [string, string][] = [
    ["NUL", NUL],
    ["a lone surrogate", LONE],
  ];
  const start = (change: object) => ({ contactId, channelId: desk.line, text: "Hi", ...change });
  const send = (change: object) => ({ conversationId, text: "Hi", ...change });
  const cases: [Mutation, string, () => object, ...string[]][] = [
    ...texts.flatMap(([what, text]): [Mutation, string, () => object, string][] => [
      ["blockContact", what, () => ({ contactId, notes: text }), "notes"],
      ["unblockContact", what, () => ({ contactId, notes: text }), "notes"],
      ["updateBlock", what, () => ({ blockId, notes: text }), "notes"],
      ["sendMessage", what, () => send({ text }), "text"],
      ["startConversation", what, () => start({ text }), "text"],
      ["recordInbound", what, () => inbound({ text }), "text"],
      ["recordInbound", what, () => inbound({ externalId: text }), "externalId"],
      ["recordInbound", what, () => inbound({ eventId: text }), "eventId"],
      ["recordInbound", what, () => inbound({ displayName: text }), "displayName"],
      ["recordInbound", what, () => inbound({ kind: "EVENT", eventType: text }), "eventType"],
      ["recordInbound", `${what} in a key of the payload`, () => inbound({ payload: { [text]: 1 } }), "payload"],
      ["recordInbound", `${what} deep in the payload`, () => inbound({ payload: [{ a: [text] }] }), "payload"],
      ["recordInbound", `${what} deep in a key`, () => inbound({ payload: { deep: [{ [text]: 1 }] } }), "payload"],
      ["recordInbound", `${what} as the payload`, () => inbound({ payload: text }), "payload"],
      ["createApiKey", what, () => ({ name: text, scopes: ["READ"] }), "name"],
    ]),
    ["blockContact", "notes too long", () => ({ contactId, notes: "x".repeat(2_001) }), "notes"],
    ["blockContact", "an expiry equal to now", () => ({ contactId, expiresAt: inMs(desk, 0) }), "expiresAt"],
    ["blockContact", "an expiry in the past", () => ({ contactId, expiresAt: inMs(desk, -1) }), "expiresAt"],
    ["updateBlock", "an expiry equal to now", () => ({ blockId, expiresAt: inMs(desk, 0) }), "expiresAt"],
    ["updateBlock", "an expiry in the past", () => ({ blockId, expiresAt: inMs(desk, -1) }), "expiresAt"],
    ["sendMessage", "no text", () => send({ text: "" }), "text"],
    ["sendMessage", "a blank text", () => send({ text: " \n\t\u00a0" }), "text"],
    ["sendMessage", "a text that is too long", () => send({ text: long }), "text"],
    ["sendMessage", "5,001 code points", () => send({ text: "😀".repeat(5_001) }), "text"],
    ["sendMessage", "two errors", () => send({ text: NUL, idempotencyKey: LONE }), "text", "idempotencyKey"],
    ["startConversation", "a blank text", () => start({ text: "  " }), "text"],
    ["startConversation", "a text that is too long", () => start({ text: long }), "text"],
    ["retryMessage", "an unknown outcome, unconfirmed", () => ({ messageId: unknown }), "acceptDuplicate"],
    [
      "retryMessage",
      "an unknown outcome, refused",
      () => ({ messageId: unknown, acceptDuplicate: false }),
      "acceptDuplicate",
    ],
    ["recordInbound", "a TEXT without text", () => inbound({ text: null }), "text"],
    ["recordInbound", "a TEXT with an empty text", () => inbound({ text: "" }), "text"],
    ["recordInbound", "an EVENT without a type", () => inbound({ kind: "EVENT" }), "eventType"],
    ["recordInbound", "an EVENT without a type or text", () => inbound({ kind: "EVENT", text: null }), "eventType"],
    ["recordInbound", "an empty type", () => inbound({ kind: "EVENT", eventType: "", text: null }), "eventType"],
    ["recordInbound", "a message with a type", () => inbound({ eventType: "follow" }), "eventType"],
    ["recordInbound", "an empty externalId", () => inbound({ externalId: "" }), "externalId"],
    ["recordInbound", "an externalId that is too long", () => inbound({ externalId: "x".repeat(256) }), "externalId"],
    ["recordInbound", "an empty eventId", () => inbound({ eventId: "" }), "eventId"],
    ["recordInbound", "an eventId that is too long", () => inbound({ eventId: "x".repeat(256) }), "eventId"],
    ["recordInbound", "a payload nested too deep", () => inbound({ payload: nested(150) }), "payload"],
    ["recordInbound", "a LINE channel", () => inbound({ channelId: desk.line }), "channelId"],
    ["recordInbound", "a WEB_CHAT channel", () => inbound({ channelId: desk.webChat }), "channelId"],
    [
      "recordInbound",
      "an unsend of nothing",
      () => inbound({ kind: "EVENT", eventType: "unsend" }),
      "providerMessageId",
    ],
    ["recordInbound", "an edit of nothing", () => inbound({ kind: "EVENT", eventType: "edit" }), "providerMessageId"],
    ["recordInbound", "an edit without text", () => inbound(edit({ text: null })), "text"],
    ["recordInbound", "an empty providerMessageId", () => inbound({ providerMessageId: "" }), "providerMessageId"],
    ["recordInbounds", "no items", () => ({ items: [] }), "items"],
    ["recordInbounds", "101 items", () => ({ items: Array(101).fill(inbound({})) }), "items"],
    ["claimDeliveries", "max 0", () => ({ channelId: desk.custom, max: 0 }), "max"],
    ["claimDeliveries", "max 101", () => ({ channelId: desk.custom, max: 101 }), "max"],
    ["claimDeliveries", "a LINE channel", () => ({ channelId: desk.line, max: 1 }), "channelId"],
    ["acknowledgeDelivery", "the error of a success", () => report({ code: "X", message: "x" }), "code", "message"],
    ["acknowledgeDelivery", "the id of a failure", () => failure({ providerMessageId: "x" }), "providerMessageId"],
    ["acknowledgeDelivery", "an empty code", () => failure({ code: "" }), "code"],
    ["acknowledgeDelivery", "a reason that is too long", () => failure({ message: "x".repeat(501) }), "message"],
    ["acknowledgeDelivery", "NUL in the reason", () => failure({ message: NUL }), "message"],
    ["acknowledgeDelivery", "an empty id", () => report({ providerMessageId: "" }), "providerMessageId"],
    ["createApiKey", "no name", () => ({ name: "", scopes: ["READ"] }), "name"],
    ["createApiKey", "a name that is too long", () => ({ name: "x".repeat(256), scopes: ["READ"] }), "name"],
    ["createApiKey", "no scopes", () => ({ name: "x", scopes: [] }), "scopes"],
  ];

  function inbound(change: object): object {
    return { channelId: desk.custom, externalId: "x", eventId: "x", kind: "TEXT", text: "Hi", ...change };
  }

  function edit(change: object): object {
    return { kind: "EVENT", eventType: "edit", providerMessageId: "m", ...change };
  }

  function report(change: object): object {
    return { deliveryId, status: "SENT", ...change };
  }

  function failure(change: object): object {
    return { deliveryId, status: "FAILED", ...change };
  }

  function nested(depth: number): unknown {
    return JSON.parse("[".repeat(depth) + "]".repeat(depth));
  }

  test.each(cases)("%s: %s", async (mutation, _, input, ...paths) => {
    const answer = await by(mutation).attempt(mutation, input());
    expect([answer.__typename, answer.code]).toEqual(["InvalidInputError", "INVALID_INPUT"]);
    expect(answer.fields?.map((field) => field.path)).toEqual(paths);
  });

  const wrongIds = () => ["", "x", "💥", NUL, LONE, UNKNOWN_ID, "Contact:1", "x".repeat(5_000), desk.ada.id, desk.id];
  type Target = "Contact" | "Conversation" | "Block" | "Channel" | "Message";
  const unknownId = (type: Target) => globalId(type, UNKNOWN_ID);
  const targets: [Mutation, (id: string) => object, Target][] = [
    ["blockContact", (id) => ({ contactId: id }), "Contact"],
    ["blockContact", (id) => ({ contactId, channelId: id }), "Channel"],
    ["unblockContact", (id) => ({ contactId: id }), "Contact"],
    ["updateBlock", (id) => ({ blockId: id }), "Block"],
    ["sendMessage", (id) => ({ conversationId: id, text: "Hi" }), "Conversation"],
    ["setTyping", (id) => ({ conversationId: id, typing: true }), "Conversation"],
    ["markConversationRead", (id) => ({ conversationId: id, upToMessageId: unknown }), "Conversation"],
    ["markConversationRead", (id) => ({ conversationId, upToMessageId: id }), "Message"],
    ["retryMessage", (id) => ({ messageId: id }), "Message"],
    ["cancelMessage", (id) => ({ messageId: id }), "Message"],
    ["startConversation", (id) => ({ contactId: id, channelId: desk.line, text: "Hi" }), "Contact"],
    ["takeConversation", (id) => ({ conversationId: id }), "Conversation"],
    ["offerConversation", (id) => ({ conversationId: id, agentId: desk.ben.id }), "Conversation"],
    ["acceptConversation", (id) => ({ conversationId: id }), "Conversation"],
    ["declineConversation", (id) => ({ conversationId: id }), "Conversation"],
    ["transferConversation", (id) => ({ conversationId: id }), "Conversation"],
    ["endConversation", (id) => ({ conversationId: id }), "Conversation"],
    ["claimDeliveries", (id) => ({ channelId: id, max: 1 }), "Channel"],
    ["acknowledgeDelivery", (id) => ({ deliveryId: id, status: "SENT" }), "Channel"],
    ["recordInbound", (id) => ({ channelId: id, externalId: "x", eventId: "x", kind: "TEXT", text: "Hi" }), "Channel"],
  ];

  test.each(targets)(
    "%s: a malformed id, an id of another type and an unknown id are not found",
    async (mutation, input, type) => {
      for (const id of [...wrongIds(), unknownId(type)]) {
        const { code } = await by(mutation).attempt(mutation, input(id));
        expect([id, code]).toEqual([id, "NOT_FOUND"]);
      }
    },
  );

  test("queries return null or an empty list for such ids", async () => {
    for (const id of [...wrongIds(), unknownId("Contact")]) {
      const { data, errors } = await desk.ada.graphql(
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
    "%j is not a DateTime",
    async (expiresAt) => {
      const { data, errors } = await desk.ada.graphql(documentOf("blockContact"), { input: { contactId, expiresAt } });
      expect(data ?? null).toBeNull();
      expect(errors?.[0]?.message).toContain("DateTime");
    },
  );
});

test("a search takes wildcards literally, and refuses NUL and lone surrogates", async () => {
  for (const search of ["%", "_", "\\", "'", '"', "(", "$1"]) {
    const { data, errors } = await desk.ada.graphql(
      "query ($search: String) { contacts(filter: { search: $search }) { edges { node { id } } } }",
      { search },
    );
    expect([search, errors, data]).toEqual([search, undefined, { contacts: { edges: [] } }]);
  }
  for (const search of [NUL, LONE]) {
    const { errors } = await desk.ada.graphql(
      "query ($search: String) { contacts(filter: { search: $search }) { edges { node { id } } } }",
      { search },
    );
    expect(errors?.[0]?.extensions.code).toBe("INVALID_INPUT");
  }
});
