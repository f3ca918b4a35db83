import { beforeAll, describe, expect, test } from "vitest";
import type { OngoingStatus } from "../../src/domain/conversation.ts";
import { globalId, rowId } from "../support/app.ts";
import type { BlockView, Mutation } from "../support/client.ts";
import { block, onLine } from "../support/people.ts";
import { cursorNow } from "../support/subscriber.ts";
import { contactIdOf, latest, look } from "../support/view.ts";
import { type AutomatedDesk, bootAutomatedDesk, someoneIn } from "./situations.ts";

let desk: AutomatedDesk;
beforeAll(async () => {
  desk = await bootAutomatedDesk();
});

/** Every mutation that reaches the contact, with its input. */
const paths: [Mutation, (conversationId: string, contactId: string, messageId: string) => object][] = [
  ["sendMessage", (conversationId) => ({ conversationId, text: "Hello" })],
  ["startConversation", (_, contactId) => ({ contactId, channelId: desk.line, text: "Hello" })],
  ["setTyping", (conversationId) => ({ conversationId, typing: true })],
  ["setTyping", (conversationId) => ({ conversationId, typing: false })],
  ["markConversationRead", (conversationId, _, upToMessageId) => ({ conversationId, upToMessageId })],
  ["takeConversation", (conversationId) => ({ conversationId })],
  ["offerConversation", (conversationId) => ({ conversationId, agentId: desk.ben.id })],
  ["acceptConversation", (conversationId) => ({ conversationId })],
  ["transferConversation", (conversationId) => ({ conversationId, agentId: desk.ben.id })],
  ["transferConversation", (conversationId) => ({ conversationId })],
];

async function messageIn(conversationId: string): Promise<string> {
  const where = { conversationId: rowId(conversationId) };
  return globalId("Message", (await desk.app.database.prisma.message.findFirstOrThrow({ where })).id);
}

interface Blocked {
  readonly contactId: string;
  readonly conversationId: string;
  readonly messageId: string;
  readonly made: BlockView;
}

/** A contact who was blocked in each of these statuses. */
const blocked = new Map<OngoingStatus, Blocked>();
beforeAll(async () => {
  for (const status of ["WAITING", "ASSIGNING", "ACTIVE"] as const) {
    const someone = await someoneIn(desk, status);
    const conversationId = await latest(desk, someone);
    const made = await block(desk, someone, { notes: `was ${status}` });
    const messageId = await messageIn(conversationId);
    blocked.set(status, { contactId: await contactIdOf(desk, someone), conversationId, messageId, made });
  }
});

describe("D5: every mutation that reaches the contact is refused with the block", () => {
  test.each(paths)("%s, regardless of the status of the conversation", async (mutation, inputOf) => {
    const since = await cursorNow(desk);
    for (const { contactId, conversationId, messageId, made } of blocked.values()) {
      const refusal = { __typename: "ContactBlockedError", code: "CONTACT_BLOCKED", block: made };
      for (const agent of [desk.ada, desk.ben]) {
        expect(await agent.attempt(mutation, inputOf(conversationId, contactId, messageId))).toEqual(refusal);
      }
    }
    expect(await cursorNow(desk)).toBe(since);
  });

  test.each(paths.slice(0, 5))("%s by a partner's key", async (mutation, inputOf) => {
    const key = await desk.key("messages:write");
    const someone = await someoneIn(desk, "ACTIVE");
    const conversationId = await latest(desk, someone);
    const made = await block(desk, someone, { notes: "not for partners either" });
    const contactId = await contactIdOf(desk, someone);
    const messageId = await messageIn(conversationId);
    expect(await desk.as(key).attempt(mutation, inputOf(conversationId, contactId, messageId))).toEqual({
      __typename: "ContactBlockedError",
      code: "CONTACT_BLOCKED",
      block: made,
    });
  });

  test("in an older conversation of the same ContactChannel, too", async () => {
    const someone = await someoneIn(desk, "WAITING");
    const conversationId = await latest(desk, someone);
    await desk.ada.endConversation({ conversationId });
    await someone.says("Hello again");
    await block(desk, someone);
    expect((await desk.ada.attempt("sendMessage", { conversationId, text: "Hello" })).code).toBe("CONTACT_BLOCKED");
  });

  test("a contact without a conversation cannot be written to either", async () => {
    const someone = onLine(desk);
    await someone.does("follow");
    const made = await block(desk, someone);
    const contactId = await contactIdOf(desk, someone);
    const answer = await desk.ada.attempt("startConversation", { contactId, channelId: desk.line, text: "Hello" });
    expect([answer.code, answer.block]).toEqual(["CONTACT_BLOCKED", made]);
  });

  test("100 replies concurrent with the block are canceled or refused", async () => {
    const someone = await someoneIn(desk, "ACTIVE");
    const conversationId = await latest(desk, someone);
    const replies = Array.from({ length: 100 }, (_, n) =>
      (n % 2 ? desk.ada : desk.ben).attempt("sendMessage", { conversationId, text: `${n}` }),
    );
    const blocked = block(desk, someone);
    const answers = await Promise.all(replies);
    await blocked;
    const accepted = answers.filter((answer) => answer.__typename === "SendMessageSuccess");
    const refused = answers.filter((answer) => answer.code === "CONTACT_BLOCKED");
    expect(accepted.length + refused.length).toBe(100);
    const outbound = await desk.app.database.prisma.message.groupBy({
      by: ["deliveryStatus"],
      where: { conversationId: rowId(conversationId), direction: "OUTBOUND" },
      _count: true,
    });
    expect(outbound).toEqual([{ deliveryStatus: "CANCELED", _count: accepted.length + 1 }]);
  });

  test("C5: reading and updating the block stay allowed; declining and ending are invalid transitions", async () => {
    const someone = await someoneIn(desk, "ASSIGNING");
    const conversationId = await latest(desk, someone);
    const { id: blockId } = await block(desk, someone);
    await desk.ben.updateBlock({ blockId, notes: "later" });
    expect((await look(desk, someone, desk.vic)).activeBlock?.notes).toBe("later");
    for (const [mutation, to] of [
      ["declineConversation", "WAITING"],
      ["endConversation", "ENDED"],
    ] as const) {
      expect(await desk.ben.attempt(mutation, { conversationId })).toEqual({
        __typename: "InvalidTransitionError",
        code: "INVALID_TRANSITION",
        from: "BLOCKED",
        to,
      });
    }
  });

  test("C3: a refusal to write in a conversation that is over says how a new one begins", async () => {
    const someone = await someoneIn(desk, "ACTIVE");
    const conversationId = await latest(desk, someone);
    await desk.ada.endConversation({ conversationId });
    const { data } = await desk.ada.graphql(
      "mutation ($input: SendMessageInput!) { sendMessage(input: $input) { ... on Error { reason: message } } }",
      { input: { conversationId, text: "Hello" } },
    );
    expect(data?.sendMessage).toEqual({
      reason:
        "The conversation cannot change from ENDED to ACTIVE. It is over: the contact's next message or startConversation begins a new one.",
    });
  });
});
