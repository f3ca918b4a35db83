import { expect, test } from "vitest";
import { at } from "../support/answers.ts";
import { bootDesk } from "../support/app.ts";
import { subscribeOverSse, subscribeOverWebSocket } from "../support/graphql-subscription.ts";
import { cursorNow } from "../support/subscriber.ts";

const desk = await bootDesk();

test("B8: a replay reads objects in their current state, even if another subscriber read them before", async () => {
  const query = `subscription ($after: Cursor, $filter: ContactStatusChangedFilter) {
    contactStatusChanged(after: $after, filter: $filter) { cause contactChannel { status } } }`;
  const person = await desk.writes("expiring");
  const variables = { after: await cursorNow(desk), filter: { contactId: person.contactId } };
  const connected = subscribeOverWebSocket(desk, query, variables);
  const expiresAt = new Date(desk.clock.now() + 60_000).toISOString();
  await desk.ada.blockContact({ contactId: person.contactId, expiresAt });
  const blocked = { cause: "BLOCKED", contactChannel: { status: "BLOCKED" } };
  expect(at((await connected.next()).data, "contactStatusChanged")).toEqual(blocked);

  desk.clock.advance(60_000);
  const resumed = subscribeOverWebSocket(desk, query, variables);
  const expired = { cause: "BLOCKED", contactChannel: { status: "ACTIVE" } };
  expect(at((await resumed.next()).data, "contactStatusChanged")).toEqual(expired);
  await connected.end();
  await resumed.end();
});

test("an event that cannot be delivered ends the subscription, and is delivered on resuming", async () => {
  const query = `subscription ($after: Cursor, $filter: MessageRecordedFilter) {
    messageRecorded(after: $after, filter: $filter) { message { text conversation { assignee { name } } } } }`;
  const person = await desk.writes("failing");
  await desk.ben.takeConversation({ conversationId: person.conversationId });
  const variables = { after: await cursorNow(desk), filter: { contactId: person.contactId } };
  const connected = subscribeOverWebSocket(desk, query, variables);
  const stream = await subscribeOverSse(desk, query, variables);
  const { pool } = desk.app.database;
  await desk.writes("failing", "Before");
  expect((await connected.next()).errors).toBeUndefined();
  expect((await stream.next()).errors).toBeUndefined();
  await pool.query("ALTER TABLE agent RENAME COLUMN name TO away");
  await desk.writes("failing", "Meanwhile");
  expect(at((await stream.next()).errors, "0.extensions.code")).toBe("INTERNAL");
  await expect(stream.next()).rejects.toThrow("over");
  expect(at((await connected.next()).errors, "0.extensions.code")).toBe("INTERNAL");
  await expect(connected.next()).rejects.toThrow("over");
  await pool.query("ALTER TABLE agent RENAME COLUMN away TO name");

  const resumed = subscribeOverWebSocket(desk, query, variables);
  const texts = [await resumed.next(), await resumed.next()].map(({ data }) =>
    at(data, "messageRecorded.message.text"),
  );
  expect(texts).toEqual(["Before", "Meanwhile"]);
  await connected.end();
  await resumed.end();
});
