import { expect, test } from "vitest";
import { bootDesk } from "../support/app.ts";
import { at, follow, followEvents, textAt } from "./support.ts";

const desk = await bootDesk();

const cursorNow = async (): Promise<string> => textAt((await desk.graphql("{ logCursor }")).data, "logCursor");

async function mutate(mutation: string, input: object, token?: string): Promise<void> {
  const type = mutation.charAt(0).toUpperCase() + mutation.slice(1);
  const query = `mutation ($input: ${type}Input!) { ${mutation}(input: $input) { __typename ... on Error { message } } }`;
  const { data } = await desk.graphql(query, { input }, token);
  expect(at(data, mutation)).toEqual({ __typename: `${type}Success` });
}

test("B8: who comes back later reads the objects as they are then, though somebody who stayed read them before", async () => {
  const query = `subscription ($after: Cursor, $filter: ContactStatusChangedFilter) {
    contactStatusChanged(after: $after, filter: $filter) { cause contactChannel { status } } }`;
  const person = await desk.writes("expiring");
  const variables = { after: await cursorNow(), filter: { contactId: person.contactId } };
  const stays = follow(desk, query, variables);
  const expiresAt = new Date(desk.clock.now() + 60_000).toISOString();
  await mutate("blockContact", { contactId: person.contactId, expiresAt });
  const blocked = { cause: "BLOCKED", contactChannel: { status: "BLOCKED" } };
  expect(at((await stays.next()).data, "contactStatusChanged")).toEqual(blocked);

  desk.clock.advance(60_000);
  const comesBack = follow(desk, query, variables);
  const expired = { cause: "BLOCKED", contactChannel: { status: "ACTIVE" } };
  expect(at((await comesBack.next()).data, "contactStatusChanged")).toEqual(expired);
  await stays.end();
  await comesBack.end();
});

test("an event that cannot be told ends the subscription, and is not lost: who resumes gets it", async () => {
  const query = `subscription ($after: Cursor, $filter: MessageRecordedFilter) {
    messageRecorded(after: $after, filter: $filter) { message { text conversation { assignee { name } } } } }`;
  const person = await desk.writes("failing");
  await mutate("takeConversation", { conversationId: person.conversationId }, desk.ben.token);
  const variables = { after: await cursorNow(), filter: { contactId: person.contactId } };
  const stays = follow(desk, query, variables);
  const stream = await followEvents(desk, query, variables);
  const { pool } = desk.app.database;
  await desk.writes("failing", "Before");
  expect((await stays.next()).errors).toBeUndefined();
  expect((await stream.next()).errors).toBeUndefined();
  await pool.query("ALTER TABLE agent RENAME COLUMN name TO away");
  await desk.writes("failing", "Meanwhile");
  expect(at((await stream.next()).errors, "0.extensions.code")).toBe("INTERNAL");
  await expect(stream.next()).rejects.toThrow("over");
  expect(at((await stays.next()).errors, "0.extensions.code")).toBe("INTERNAL");
  await expect(stays.next()).rejects.toThrow("over");
  await pool.query("ALTER TABLE agent RENAME COLUMN away TO name");

  const resumes = follow(desk, query, variables);
  const texts = [await resumes.next(), await resumes.next()].map(({ data }) =>
    at(data, "messageRecorded.message.text"),
  );
  expect(texts).toEqual(["Before", "Meanwhile"]);
  await stays.end();
  await resumes.end();
});
