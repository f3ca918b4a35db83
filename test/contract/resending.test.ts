import { beforeAll, describe, expect, test } from "vitest";
import { nodesAt } from "../support/answers.ts";
import { bootDesk, type Desk } from "../support/app.ts";
import type { Client } from "../support/client.ts";
import { canceledMessage, queuedMessage, unknownOutcome } from "../support/outbound.ts";
import { cursorNow, listen } from "../support/subscriber.ts";

let desk: Desk;
let partner: Client;
beforeAll(async () => {
  desk = await bootDesk();
  partner = desk.as(await desk.key("messages:write"));
});

/** The outbound messages of a conversation after the greeting, as text, delivery status and the text that each sends again. */
async function outbound(conversationId: string): Promise<unknown[]> {
  const { data } = await desk.ada.graphql(
    `query ($id: ID!) { conversation(id: $id) { messages { edges { node {
      direction text deliveryStatus retryOf { text } author { __typename }
    } } } } }`,
    { id: conversationId },
  );
  return nodesAt(data, "conversation.messages").slice(2);
}

async function contactOf(conversationId: string): Promise<string> {
  const { data } = await desk.ada.graphql<{ conversation: { contact: { id: string } } }>(
    "query ($id: ID!) { conversation(id: $id) { contact { id } } }",
    { id: conversationId },
  );
  return data.conversation.contact.id;
}

/** An invalid transition of a message, which has no conversation's statuses. */
const wrongStatus = { __typename: "InvalidTransitionError", code: "INVALID_TRANSITION", from: null, to: null };

describe("S8: retryMessage", () => {
  test("records a new message at the end of the queue, once", async () => {
    const { messageId, conversationId } = await canceledMessage(desk);
    await desk.ada.sendMessage({ conversationId, text: "Later" });
    const { message, changed } = await desk.ben.retryMessage({ messageId });
    const again = await desk.ada.retryMessage({ messageId });
    expect([changed, again]).toMatchObject([true, { changed: false, message: { id: message.id } }]);
    const author = { __typename: "Agent" };
    expect(await outbound(conversationId)).toEqual([
      { direction: "OUTBOUND", text: "Hi", deliveryStatus: "CANCELED", retryOf: null, author },
      { direction: "OUTBOUND", text: "Later", deliveryStatus: "QUEUED", retryOf: null, author },
      { direction: "OUTBOUND", text: "Hi", deliveryStatus: "QUEUED", retryOf: { text: "Hi" }, author },
    ]);
  });

  test("two retries at once record one message", async () => {
    const { messageId, conversationId } = await canceledMessage(desk);
    const answers = await Promise.all([desk.ada, desk.ben, partner].map((by) => by.retryMessage({ messageId })));
    expect(new Set(answers.map(({ message }) => message.id)).size).toBe(1);
    expect(answers.filter(({ changed }) => changed)).toHaveLength(1);
    expect(await outbound(conversationId)).toHaveLength(2);
  });

  test("by an API key, which is its author and takes nothing (rule C4)", async () => {
    const { conversationId } = await desk.writes("someone the key writes to");
    const { message: sent } = await partner.sendMessage({ conversationId, text: "Hi" });
    await partner.cancelMessage({ messageId: sent.id });
    await partner.retryMessage({ messageId: sent.id });
    const { data } = await desk.ada.graphql("query ($id: ID!) { conversation(id: $id) { status assignee { id } } }", {
      id: conversationId,
    });
    expect(data).toEqual({ conversation: { status: "WAITING", assignee: null } });
    expect(await outbound(conversationId)).toMatchObject([{}, { author: { __typename: "ApiKey" } }]);
  });

  test("what may have arrived is sent again only with acceptDuplicate", async () => {
    const { messageId, conversationId } = await unknownOutcome(desk);
    expect(await desk.ada.attempt("retryMessage", { messageId })).toMatchObject({
      code: "INVALID_INPUT",
      fields: [{ path: "acceptDuplicate" }],
    });
    expect(await outbound(conversationId)).toHaveLength(1);
    expect((await desk.ada.retryMessage({ messageId, acceptDuplicate: true })).changed).toBe(true);
    expect(await outbound(conversationId)).toHaveLength(2);
  });

  test("what is queued is not sent again", async () => {
    const { messageId } = await queuedMessage(desk);
    expect(await desk.ada.attempt("retryMessage", { messageId })).toEqual(wrongStatus);
  });

  test("only in an ongoing conversation", async () => {
    const { messageId, conversationId } = await canceledMessage(desk);
    await desk.ada.endConversation({ conversationId });
    expect(await desk.ada.attempt("retryMessage", { messageId })).toEqual({
      ...wrongStatus,
      from: "ENDED",
      to: "ACTIVE",
    });
  });

  test("an inbound message is not found", async () => {
    const { messageId } = await desk.writes("somebody else");
    for (const mutation of ["retryMessage", "cancelMessage"] as const) {
      expect(await desk.ada.attempt(mutation, { messageId })).toEqual({
        __typename: "NotFoundError",
        code: "NOT_FOUND",
      });
    }
  });

  test("C5, D5: invalid input comes before the block, the block before an invalid transition", async () => {
    const unknown = await unknownOutcome(desk);
    const queued = await queuedMessage(desk);
    for (const { conversationId } of [unknown, queued]) {
      await desk.ada.blockContact({ contactId: await contactOf(conversationId) });
    }
    const { messageId } = unknown;
    const codes = [
      await desk.ada.attempt("retryMessage", { messageId }),
      await desk.ada.attempt("retryMessage", { messageId, acceptDuplicate: true }),
      await desk.ada.attempt("retryMessage", { messageId: queued.messageId }),
    ].map(({ code }) => code);
    expect(codes).toEqual(["INVALID_INPUT", "CONTACT_BLOCKED", "CONTACT_BLOCKED"]);
  });
});

describe("S8: cancelMessage", () => {
  test("cancels what is queued, and nothing else; each step is a messageChanged event", async () => {
    const after = await cursorNow(desk);
    const { messageId, conversationId } = await queuedMessage(desk);
    await desk.ben.cancelMessage({ messageId });
    const again = await desk.ada.attempt("cancelMessage", { messageId });
    expect(again).toEqual(wrongStatus);
    const listener = listen(desk, "messageChanged", { after, filter: { conversationId } });
    expect(await listener.next()).toMatchObject({
      change: "DELIVERY",
      deliveryStatus: "CANCELED",
      actor: { id: desk.ben.id },
      message: { id: messageId },
    });
    await listener.close();
  });

  test("also while blocked it is an invalid transition: the block has canceled everything", async () => {
    const { messageId, conversationId } = await queuedMessage(desk);
    await desk.ada.blockContact({ contactId: await contactOf(conversationId) });
    expect(await desk.ada.attempt("cancelMessage", { messageId })).toEqual(wrongStatus);
  });
});
