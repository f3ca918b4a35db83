import { describe, expect, test } from "vitest";
import { bootDesk } from "../support/app.ts";
import { at, listAt, seedContact, textAt } from "./support.ts";

const desk = await bootDesk();
const person = await desk.writes("somebody");
const other = await seedContact(desk);
const blocked = await seedContact(desk);
const block = await desk.graphql(
  `mutation { blockContact(input: { contactId: "${blocked.contactId}", notes: "as it was" }) { ... on BlockContactSuccess { blocks { id } } } }`,
);
const blockId = textAt(block.data, "blockContact.blocks.0.id");

const NUL = "a\0b";
const LONE = "a\ud800b";
const past = new Date(desk.clock.now()).toISOString();

const send = { conversationId: person.conversationId, text: "Hi" };
const start = { contactId: other.contactId, channelId: desk.line, text: "Hi" };
const table: readonly [string, string, Record<string, unknown>, readonly string[]][] = [
  ["blockContact", "notes of 2,001 characters", { contactId: other.contactId, notes: "é".repeat(2_001) }, ["notes"]],
  ["blockContact", "notes with NUL", { contactId: other.contactId, notes: NUL }, ["notes"]],
  ["blockContact", "notes with a lone surrogate", { contactId: other.contactId, notes: LONE }, ["notes"]],
  ["blockContact", "an end that is not in the future", { contactId: other.contactId, expiresAt: past }, ["expiresAt"]],
  ["unblockContact", "notes of 2,001 characters", { contactId: other.contactId, notes: "😀".repeat(2_001) }, ["notes"]],
  ["unblockContact", "notes with NUL", { contactId: other.contactId, notes: NUL }, ["notes"]],
  ["updateBlock", "notes of 2,001 characters", { blockId, notes: "x".repeat(2_001) }, ["notes"]],
  ["updateBlock", "notes with a lone surrogate", { blockId, notes: LONE }, ["notes"]],
  ["updateBlock", "an end that is not in the future", { blockId, expiresAt: past }, ["expiresAt"]],
  ["sendMessage", "no text", { ...send, text: "" }, ["text"]],
  ["sendMessage", "blank text", { ...send, text: " \n\t\u00a0" }, ["text"]],
  ["sendMessage", "5,001 characters", { ...send, text: "😀".repeat(5_001) }, ["text"]],
  ["sendMessage", "NUL", { ...send, text: NUL }, ["text"]],
  ["sendMessage", "a lone surrogate", { ...send, text: LONE }, ["text"]],
  ["sendMessage", "an empty key", { ...send, idempotencyKey: "" }, ["idempotencyKey"]],
  ["sendMessage", "a long key", { ...send, idempotencyKey: "k".repeat(256) }, ["idempotencyKey"]],
  ["sendMessage", "a key with NUL", { ...send, idempotencyKey: NUL }, ["idempotencyKey"]],
  ["sendMessage", "two faults at once", { ...send, text: NUL, idempotencyKey: LONE }, ["text", "idempotencyKey"]],
  ["startConversation", "blank text", { ...start, text: "  " }, ["text"]],
  ["startConversation", "5,001 characters", { ...start, text: "x".repeat(5_001) }, ["text"]],
  ["startConversation", "a lone surrogate", { ...start, text: LONE }, ["text"]],
  ["startConversation", "a key with a lone surrogate", { ...start, idempotencyKey: LONE }, ["idempotencyKey"]],
];

test.each(table)("%s refuses %s: nothing is recorded", async (mutation, _fault, input, paths) => {
  const before = await desk.app.database.prisma.event.count();
  const type = mutation.charAt(0).toUpperCase() + mutation.slice(1);
  const { data, errors } = await desk.graphql(
    `mutation ($input: ${type}Input!) { ${mutation}(input: $input) { __typename ... on InvalidInputError { code message fields { path message } } } }`,
    { input },
  );
  expect(errors).toBeUndefined();
  expect(at(data, mutation)).toMatchObject({ __typename: "InvalidInputError", code: "INVALID_INPUT" });
  expect(listAt(data, `${mutation}.fields`).map((field) => at(field, "path"))).toEqual(paths);
  expect(await desk.app.database.prisma.event.count()).toBe(before);
});

test("B5: what fits, fits: code points count, after trimming", async () => {
  const notes = `  ${"😀".repeat(2_000)}  `;
  const { data } = await desk.graphql(
    `mutation ($input: UpdateBlockInput!) { updateBlock(input: $input) { ... on UpdateBlockSuccess { changed block { notes } } } }`,
    { input: { blockId, notes } },
  );
  expect(at(data, "updateBlock")).toEqual({ changed: true, block: { notes: notes.trim() } });
  const text = "😀".repeat(5_000);
  const sent = await desk.graphql(
    `mutation ($input: SendMessageInput!) { sendMessage(input: $input) { ... on SendMessageSuccess { message { text } } } }`,
    { input: { ...send, text } },
  );
  expect(at(sent.data, "sendMessage.message.text")).toBe(text);
});

describe("DateTime", () => {
  const ask = (expiresAt: unknown) =>
    desk.graphql(
      `mutation ($input: BlockContactInput!) { blockContact(input: $input) { __typename ... on BlockContactSuccess { blocks { expiresAt } } } }`,
      { input: { contactId: other.contactId, expiresAt } },
    );

  test.each([
    "",
    "tomorrow",
    "2027-01-01",
    "2027-01-01T00:00:00",
    "2027-01-01 00:00:00Z",
    "2027-02-30T00:00:00Z",
    "2027-13-01T00:00:00Z",
    "2027-01-01T24:00:00Z",
    "2027-01-01T00:60:00Z",
    "2027-01-01T00:00:60Z",
    "2027-01-01T00:00:00+24:00",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59-23:00",
    "+012027-01-01T00:00:00Z",
    1_800_000_000_000,
    true,
    {},
  ])("%j is none", async (value) => {
    const { data, errors } = await ask(value);
    expect(data ?? null).toBeNull();
    expect(at(errors, "0.extensions.code")).toBe("GRAPHQL_VALIDATION_FAILED");
    expect(at(errors, "0.message")).toContain("RFC 3339");
  });

  test("in the document, too", async () => {
    const { errors } = await desk.graphql(
      `mutation { blockContact(input: { contactId: "x", expiresAt: "tomorrow" }) { __typename } }`,
    );
    expect(at(errors, "0.message")).toContain("RFC 3339");
  });

  test.each([
    ["2028-02-29T23:59:59.9999Z", "2028-02-29T23:59:59.999Z"],
    ["2027-06-01t12:00:00+02:00", "2027-06-01T10:00:00.000Z"],
    ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"],
  ])("%s is %s", async (value, utc) => {
    const { data, errors } = await ask(value);
    expect(errors).toBeUndefined();
    expect(at(data, "blockContact.blocks.0.expiresAt")).toBe(utc);
    await desk.graphql(`mutation { unblockContact(input: { contactId: "${other.contactId}" }) { __typename } }`);
  });
});
