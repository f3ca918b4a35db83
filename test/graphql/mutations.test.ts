import { describe, expect, test } from "vitest";
import { bootDesk, rowId } from "../support/app.ts";
import { at, listAt, seedContact, seedPresence, textAt } from "./support.ts";

const desk = await bootDesk();
const { prisma } = desk.app.database;

const SHOWN = {
  blockContact: `... on BlockContactSuccess { changed contact { id status }
    blocks { id notes expiresAt blockedBy { __typename } contactChannel { id } } endedConversations { id status endReason } }`,
  unblockContact: `... on UnblockContactSuccess { changed contact { id status }
    blocks { id liftedAt liftNotes liftedBy { __typename ... on Agent { id } } } }`,
  updateBlock: "... on UpdateBlockSuccess { changed block { id notes expiresAt } }",
  sendMessage:
    "... on SendMessageSuccess { message { id text deliveryStatus conversation { id status assignee { id } } } }",
  startConversation:
    "... on StartConversationSuccess { conversation { id status assignee { id } } message { id text } }",
  takeConversation: "... on TakeConversationSuccess { changed conversation { id status assignee { id } } }",
  offerConversation: "... on OfferConversationSuccess { changed conversation { status offeredTo { id } } }",
  acceptConversation:
    "... on AcceptConversationSuccess { changed conversation { status assignee { id } offeredTo { id } } }",
  declineConversation: "... on DeclineConversationSuccess { changed conversation { status offeredTo { id } } }",
  transferConversation:
    "... on TransferConversationSuccess { changed conversation { status assignee { id } offeredTo { id } } }",
  endConversation: "... on EndConversationSuccess { changed conversation { status endReason endedBy { __typename } } }",
  recordInbound: `... on RecordInboundSuccess { changed message { id kind text eventType payload sentAt
    receivedWhileBlocked conversation { id status } contactChannel { displayName reachable externalId } } }`,
};
type Mutation = keyof typeof SHOWN;

/** Which refusals can be spread into the union of the mutation. */
const more: Partial<Record<Mutation, string>> = Object.fromEntries(
  (["sendMessage", "startConversation", "takeConversation", "offerConversation"] as const).map((name) => [
    name,
    "... on ContactBlockedError { block { id } } ... on InvalidTransitionError { from to }",
  ]),
);
const withFields: readonly Mutation[] = [
  "blockContact",
  "unblockContact",
  "updateBlock",
  "sendMessage",
  "startConversation",
  "offerConversation",
  "transferConversation",
  "recordInbound",
];

async function call(mutation: Mutation, input: Record<string, unknown>, token?: string): Promise<unknown> {
  const type = mutation.charAt(0).toUpperCase() + mutation.slice(1);
  const fields = withFields.includes(mutation) ? "... on InvalidInputError { fields { path message } }" : "";
  const { data, errors } = await desk.graphql(
    `mutation ($input: ${type}Input!) { ${mutation}(input: $input) {
      __typename ... on Error { code reason: message } ${fields} ${more[mutation] ?? ""} ${SHOWN[mutation]} } }`,
    { input },
    token,
  );
  expect(errors).toBeUndefined();
  return at(data, mutation);
}

const refused = { __typename: expect.stringMatching(/Error$/) };

describe("blockContact", () => {
  test("B2: with neither channel nor presence, everywhere, in one go", async () => {
    const person = await desk.writes("everywhere");
    const elsewhere = await seedPresence(desk, rowId(person.contactId), { channel: desk.webChat });
    const answer = await call("blockContact", { contactId: person.contactId, notes: "  spam \n" });
    expect(answer).toMatchObject({
      __typename: "BlockContactSuccess",
      changed: true,
      contact: { id: person.contactId, status: "BLOCKED" },
      endedConversations: [{ id: person.conversationId, status: "BLOCKED", endReason: "BLOCKED" }],
    });
    const blocks = listAt(answer, "blocks");
    expect(blocks.map((block) => at(block, "contactChannel.id")).toSorted()).toEqual(
      [person.contactChannelId, elsewhere].toSorted(),
    );
    expect(blocks.map((block) => at(block, "notes"))).toEqual(["spam", "spam"]);
  });

  test("B2: a channel, or one of several presences there", async () => {
    const person = await seedContact(desk);
    const second = await seedPresence(desk, person.rows.contactId);
    await seedPresence(desk, person.rows.contactId, { channel: desk.webChat });
    const narrowed = await call("blockContact", {
      contactId: person.contactId,
      channelId: desk.line,
      contactChannelId: second,
    });
    expect(listAt(narrowed, "blocks").map((block) => at(block, "contactChannel.id"))).toEqual([second]);
    const there = await call("blockContact", { contactId: person.contactId, channelId: desk.line });
    // B6: all in force for the request, the one from before included.
    expect(there).toMatchObject({ changed: true, blocks: [{}, {}], endedConversations: [] });
    const again = await call("blockContact", { contactId: person.contactId, channelId: desk.line });
    expect(again).toMatchObject({ changed: false, blocks: [{}, {}] });
    expect(await call("blockContact", { contactId: person.contactId, channelId: desk.custom })).toMatchObject({
      code: "NOT_FOUND",
    });
    const mismatched = { contactId: person.contactId, channelId: desk.webChat, contactChannelId: second };
    expect(await call("blockContact", mismatched)).toMatchObject({ code: "NOT_FOUND" });
  });

  test("B6: two agents at once make one block", async () => {
    const person = await desk.writes("at-once");
    const answers = await Promise.all(
      [desk.ada, desk.ben].map(({ token }) => call("blockContact", { contactId: person.contactId }, token)),
    );
    expect(answers.map((answer) => at(answer, "changed")).toSorted()).toEqual([false, true]);
    expect(new Set(answers.map((answer) => textAt(answer, "blocks.0.id"))).size).toBe(1);
  });

  test("B8: with an end in the future", async () => {
    const person = await desk.writes("until");
    const expiresAt = new Date(desk.clock.now() + 1).toISOString();
    expect(await call("blockContact", { contactId: person.contactId, expiresAt })).toMatchObject({
      blocks: [{ expiresAt }],
    });
  });
});

describe("unblockContact", () => {
  test("U1, U5: answers the blocks that it lifted, and changes nothing where there is none", async () => {
    const person = await desk.writes("unblocked");
    await call("blockContact", { contactId: person.contactId });
    const answer = await call("unblockContact", { contactId: person.contactId, notes: " sorry " }, desk.ben.token);
    expect(answer).toMatchObject({
      changed: true,
      contact: { status: "ACTIVE" },
      blocks: [
        {
          liftedAt: new Date(desk.clock.now()).toISOString(),
          liftNotes: "sorry",
          liftedBy: { __typename: "Agent", id: desk.ben.id },
        },
      ],
    });
    expect(await call("unblockContact", { contactId: person.contactId })).toMatchObject({ changed: false, blocks: [] });
  });
});

describe("updateBlock", () => {
  test("B6: absent is unchanged, null is none", async () => {
    const person = await desk.writes("updated");
    const expiresAt = new Date(desk.clock.now() + 60_000).toISOString();
    const blocked = await call("blockContact", { contactId: person.contactId, notes: "first", expiresAt });
    const blockId = textAt(blocked, "blocks.0.id");
    const same = { id: blockId, notes: "first", expiresAt };
    expect(await call("updateBlock", { blockId })).toMatchObject({ changed: false, block: same });
    expect(await call("updateBlock", { blockId, notes: " second " })).toMatchObject({
      changed: true,
      block: { notes: "second", expiresAt },
    });
    expect(await call("updateBlock", { blockId, expiresAt: null })).toMatchObject({
      changed: true,
      block: { notes: "second", expiresAt: null },
    });
    expect(await call("updateBlock", { blockId, notes: "  " })).toMatchObject({
      changed: true,
      block: { notes: null },
    });
    await call("unblockContact", { contactId: person.contactId });
    expect(await call("updateBlock", { blockId, notes: "late" })).toMatchObject({
      code: "INVALID_INPUT",
      fields: [{ path: "blockId" }],
    });
  });
});

describe("writing", () => {
  test("C4: an agent's message takes what is nobody's", async () => {
    const { conversationId } = await desk.writes("reply");
    const answer = await call("sendMessage", { conversationId, text: "  as it is  " }, desk.ben.token);
    expect(answer).toMatchObject({
      message: {
        text: "  as it is  ",
        deliveryStatus: "QUEUED",
        conversation: { id: conversationId, status: "ACTIVE", assignee: { id: desk.ben.id } },
      },
    });
  });

  test("D5: a block refuses, and says which", async () => {
    const person = await desk.writes("refusing");
    const blocked = await call("blockContact", { contactId: person.contactId });
    const refusal = { code: "CONTACT_BLOCKED", block: { id: textAt(blocked, "blocks.0.id") } };
    const { conversationId, contactId } = person;
    expect(await call("sendMessage", { conversationId, text: "Hi" })).toMatchObject(refusal);
    expect(await call("startConversation", { contactId, channelId: desk.line, text: "Hi" })).toMatchObject(refusal);
    expect(await call("takeConversation", { conversationId })).toMatchObject(refusal);
    expect(await call("offerConversation", { conversationId, agentId: desk.ben.id })).toMatchObject(refusal);
    // C5: declining or ending reaches nobody.
    expect(await call("endConversation", { conversationId })).toMatchObject({ code: "INVALID_TRANSITION" });
  });

  test("U6: starting a conversation, with the presence where there are several", async () => {
    const person = await seedContact(desk);
    const input = { contactId: person.contactId, channelId: desk.line, text: "Hello" };
    const second = await seedPresence(desk, person.rows.contactId);
    expect(await call("startConversation", input)).toMatchObject({
      code: "INVALID_INPUT",
      fields: [{ path: "contactChannelId" }],
    });
    const started = await call("startConversation", { ...input, contactChannelId: second }, desk.ben.token);
    expect(started).toMatchObject({
      conversation: { status: "ACTIVE", assignee: { id: desk.ben.id } },
      message: { text: "Hello" },
    });
    expect(await call("startConversation", { ...input, contactChannelId: second })).toMatchObject({
      code: "INVALID_TRANSITION",
      from: "ACTIVE",
      to: "ACTIVE",
    });
  });

  test("an idempotency key answers with what the first call made, also when two arrive at once", async () => {
    const { conversationId } = await desk.writes("repeated");
    const input = { conversationId, text: "Once", idempotencyKey: "key-1" };
    const answers = await Promise.all([call("sendMessage", input), call("sendMessage", input)]);
    expect(new Set(answers.map((answer) => textAt(answer, "message.id"))).size).toBe(1);
    expect(await call("sendMessage", { ...input, text: "Other" })).toMatchObject({
      code: "INVALID_INPUT",
      fields: [{ path: "idempotencyKey" }],
    });
    // Scoped to actor and mutation.
    const others = await call("sendMessage", input, desk.ben.token);
    expect(textAt(others, "message.id")).not.toBe(textAt(answers[0], "message.id"));

    // C5: the replay comes before the block.
    const blocked = await prisma.conversation.findUniqueOrThrow({ where: { id: rowId(conversationId) } });
    await call("blockContact", { contactId: `${btoa(`Contact:${blocked.contactId}`).replaceAll("=", "")}` });
    expect(await call("sendMessage", input)).toMatchObject({ message: { id: textAt(answers[0], "message.id") } });

    const person = await seedContact(desk);
    const start = { contactId: person.contactId, channelId: desk.line, text: "Hi", idempotencyKey: "key-1" };
    const first = await call("startConversation", start);
    expect(await call("startConversation", start)).toEqual(first);
  });

  test("only successes are remembered", async () => {
    const person = await desk.writes("refused-first");
    const input = { conversationId: person.conversationId, text: "Hi", idempotencyKey: "key-2" };
    await call("blockContact", { contactId: person.contactId });
    expect(await call("sendMessage", input)).toMatchObject({ code: "CONTACT_BLOCKED" });
    await call("unblockContact", { contactId: person.contactId });
    expect(await call("sendMessage", input)).toMatchObject({ code: "INVALID_TRANSITION", from: "BLOCKED" });
  });
});

describe("C3: handling", () => {
  test("take, transfer, offer, decline, accept, end", async () => {
    const { conversationId } = await desk.writes("handled");
    const ben = { id: desk.ben.id };
    const taken = { changed: true, conversation: { status: "ACTIVE", assignee: { id: desk.ada.id } } };
    expect(await call("takeConversation", { conversationId })).toMatchObject(taken);
    expect(await call("takeConversation", { conversationId })).toMatchObject({ ...taken, changed: false });
    expect(await call("transferConversation", { conversationId })).toMatchObject({
      changed: true,
      conversation: { status: "WAITING", assignee: null },
    });
    expect(await call("offerConversation", { conversationId, agentId: desk.ben.id })).toMatchObject({
      conversation: { status: "ASSIGNING", offeredTo: ben },
    });
    // By that agent only.
    expect(await call("declineConversation", { conversationId })).toMatchObject({ code: "INVALID_TRANSITION" });
    expect(await call("declineConversation", { conversationId }, desk.ben.token)).toMatchObject({
      conversation: { status: "WAITING", offeredTo: null },
    });
    await call("offerConversation", { conversationId, agentId: desk.ben.id });
    expect(await call("acceptConversation", { conversationId }, desk.ben.token)).toMatchObject({
      conversation: { status: "ACTIVE", assignee: ben, offeredTo: null },
    });
    expect(await call("transferConversation", { conversationId, agentId: desk.ada.id })).toMatchObject({
      conversation: { status: "ASSIGNING", assignee: null, offeredTo: { id: desk.ada.id } },
    });
    expect(await call("endConversation", { conversationId }, await desk.key("messages:write"))).toMatchObject({
      changed: true,
      conversation: { status: "ENDED", endReason: "RESOLVED", endedBy: { __typename: "ApiKey" } },
    });
    expect(await call("endConversation", { conversationId })).toMatchObject(refused);
  });

  test("offers and transfers go to agents who work here and can answer", async () => {
    const { conversationId } = await desk.writes("offered");
    const gone = await desk.agent("AGENT");
    await prisma.agent.update({ where: { id: rowId(gone.id) }, data: { removedAt: new Date() } });
    for (const mutation of ["offerConversation", "transferConversation"] as const) {
      for (const agentId of ["nonsense", desk.line, gone.id]) {
        expect(await call(mutation, { conversationId, agentId })).toMatchObject({ code: "NOT_FOUND" });
      }
      expect(await call(mutation, { conversationId, agentId: desk.vic.id })).toMatchObject({
        code: "INVALID_INPUT",
        fields: [{ path: "agentId" }],
      });
    }
  });
});

describe("recordInbound", async () => {
  const key = await desk.key("inbound:write");
  const text = (eventId: string, input: object = {}): Record<string, unknown> => ({
    channelId: desk.custom,
    externalId: "partner-person",
    eventId,
    kind: "TEXT",
    text: "Hi",
    ...input,
  });

  test("O3: records once per event id", async () => {
    const sentAt = new Date(desk.clock.now() - 5_000).toISOString();
    const input = text("e1", { sentAt, displayName: " Pat ", payload: { deep: [{ x: 1 }, null, "é"] } });
    const first = await call("recordInbound", input, key);
    expect(first).toMatchObject({
      changed: true,
      message: {
        kind: "TEXT",
        text: "Hi",
        sentAt,
        payload: { deep: [{ x: 1 }, null, "é"] },
        conversation: { status: "WAITING" },
        contactChannel: { displayName: "Pat", externalId: "partner-person", reachable: true },
      },
    });
    expect(await call("recordInbound", { ...input, text: "Other" }, key)).toMatchObject({
      changed: false,
      message: { id: textAt(first, "message.id"), text: "Hi" },
    });
  });

  test("D6: follow and unfollow say whether the contact can be reached", async () => {
    const event = (eventId: string, eventType: string) => text(eventId, { kind: "EVENT", eventType, text: null });
    const reachable = async (eventId: string, type: string) =>
      at(await call("recordInbound", event(eventId, type), key), "message.contactChannel.reachable");
    expect(await reachable("e2", "unfollow")).toBe(false);
    expect(await reachable("e3", "order_shipped")).toBe(false);
    expect(await reachable("e4", "follow")).toBe(true);
  });

  test("D1: while blocked it is recorded and flagged", async () => {
    const { data } = await desk.graphql(`{ contacts(filter: { search: "partner-person" }) { edges { node { id } } } }`);
    await call("blockContact", { contactId: textAt(data, "contacts.edges.0.node.id") });
    expect(await call("recordInbound", text("e5"), key)).toMatchObject({
      changed: true,
      message: { receivedWhileBlocked: true, conversation: { status: "BLOCKED" } },
    });
  });

  test.each([
    ["kind", { kind: "EVENT", text: null }, "eventType"],
    ["eventType of a message", { eventType: "follow" }, "eventType"],
    ["a text without text", { text: null }, "text"],
    ["an empty text", { text: "" }, "text"],
    ["NUL", { text: "a\0b" }, "text"],
    ["a lone surrogate", { text: "\udc00" }, "text"],
    ["NUL deep in the payload", { payload: [{ a: ["\0"] }] }, "payload"],
    ["NUL in a key of the payload", { payload: { "\0": 1 } }, "payload"],
    ["a lone surrogate in the payload", { payload: "\ud83d" }, "payload"],
    ["a payload nested too deep", { payload: JSON.parse(`${"[".repeat(150)}${"]".repeat(150)}`) }, "payload"],
    ["an empty externalId", { externalId: "" }, "externalId"],
    ["a long externalId", { externalId: "x".repeat(256) }, "externalId"],
    ["NUL in externalId", { externalId: "\0" }, "externalId"],
    ["an empty eventId", { eventId: "" }, "eventId"],
    ["a long eventId", { eventId: "x".repeat(256) }, "eventId"],
    ["a lone surrogate in eventId", { eventId: "\ud800" }, "eventId"],
    ["NUL in displayName", { displayName: "a\0" }, "displayName"],
    ["an empty eventType", { kind: "EVENT", eventType: "", text: null }, "eventType"],
  ])("refuses %s", async (_name, input, path) => {
    expect(await call("recordInbound", text("bad", input), key)).toMatchObject({
      __typename: "InvalidInputError",
      fields: [{ path }],
    });
    expect(await prisma.message.count({ where: { eventId: "bad" } })).toBe(0);
  });

  test("only on CUSTOM channels", async () => {
    for (const channelId of [desk.line, desk.webChat]) {
      expect(await call("recordInbound", text("elsewhere", { channelId }), key)).toMatchObject({
        code: "INVALID_INPUT",
        fields: [{ path: "channelId" }],
      });
    }
    expect(await call("recordInbound", text("nowhere", { channelId: "nonsense" }), key)).toMatchObject({
      code: "NOT_FOUND",
    });
  });
});

test("what is undone by time is read so right after a mutation", async () => {
  const person = await desk.writes("soon");
  const expiresAt = new Date(desk.clock.now() + 10).toISOString();
  await call("blockContact", { contactId: person.contactId, expiresAt });
  desk.clock.advance(10);
  const answer = await call("blockContact", { contactId: person.contactId });
  expect(answer).toMatchObject({ changed: true, contact: { status: "BLOCKED" }, blocks: [{ expiresAt: null }] });
});
