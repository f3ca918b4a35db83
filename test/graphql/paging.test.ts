import { describe, expect, test } from "vitest";
import { at, nodesAt, textAt } from "../support/answers.ts";
import { bootDesk, rowId } from "../support/app.ts";
import { seedContact, seedConversation } from "../support/seeds.ts";
import { countingStatements, rowsLookedAt } from "../support/statements.ts";

const desk = await bootDesk();
const { prisma } = desk.app.database;

const CONTACTS = `query ($first: Int, $after: String, $last: Int, $before: String, $filter: ContactFilter) {
  contacts(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
    edges { cursor node { id name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;

async function page(variables: Record<string, unknown>): Promise<{ names: unknown[]; info: unknown; data: unknown }> {
  const { data, errors } = await desk.ada.graphql(CONTACTS, variables);
  expect(errors).toBeUndefined();
  return {
    names: nodesAt(data, "contacts").map((node) => at(node, "name")),
    info: at(data, "contacts.pageInfo"),
    data,
  };
}

describe("a list of contacts", async () => {
  const start = desk.clock.now();
  // Two pairs of the same instant: the id decides between them.
  const times = [1, 1, 2, 3, 3, 4, 5];
  const seeded: string[] = [];
  for (const [index, time] of times.entries()) {
    const { contactId } = await seedContact(desk, { name: `paged ${index}`, at: start + time });
    seeded.push(contactId);
  }
  const filter = { search: "paged" };
  const newestFirst = [6, 5, 4, 3, 2, 1, 0].map((index) => `paged ${index}`);

  test("pages forwards and backwards return each row once", async () => {
    const forwards: unknown[] = [];
    let after: string | null = null;
    for (;;) {
      const { names, info } = await page({ first: 2, after, filter });
      forwards.push(...names);
      if (at(info, "hasNextPage") !== true) break;
      expect(at(info, "hasPreviousPage")).toBe(after !== null);
      after = textAt(info, "endCursor");
    }
    expect(forwards).toEqual(newestFirst);

    const backwards: unknown[] = [];
    let before: string | null = null;
    for (;;) {
      const { names, info } = await page({ last: 3, before, filter });
      backwards.unshift(...names);
      if (at(info, "hasPreviousPage") !== true) break;
      before = textAt(info, "startCursor");
    }
    expect(backwards).toEqual(newestFirst);
  });

  test("a row that moves between two pages neither repeats nor hides others", async () => {
    const first = await page({ first: 3, filter });
    expect(first.names).toEqual(newestFirst.slice(0, 3));
    // The last row seen and one not yet seen move to the top.
    for (const index of [4, 1]) {
      await prisma.contact.update({
        where: { id: rowId(seeded[index] ?? "") },
        data: { lastActivityAt: new Date(start + 10 + index) },
      });
    }
    const second = await page({ first: 10, after: textAt(first.info, "endCursor"), filter });
    expect(second.names).toEqual(["paged 3", "paged 2", "paged 0"]);
    const between = await page({
      first: 10,
      after: textAt(first.info, "startCursor"),
      before: textAt(second.info, "endCursor"),
      filter,
    });
    expect(between.names).toEqual(["paged 5", "paged 3", "paged 2"]);
  });

  test("20 rows by default, 100 at most, none for 0", async () => {
    await prisma.contact.createMany({
      data: Array.from({ length: 120 }, (_, index) => ({
        id: crypto.randomUUID(),
        workspaceId: rowId(desk.id),
        name: `many ${index}`,
        lastActivityAt: new Date(start),
        createdAt: new Date(start),
      })),
    });
    const many = { search: "many" };
    expect((await page({ filter: many })).names).toHaveLength(20);
    expect((await page({ first: 100, filter: many })).names).toHaveLength(100);
    expect((await page({ last: 100, filter: many })).names).toHaveLength(100);
    expect(await page({ first: 0, filter: many })).toMatchObject({ names: [], info: { hasNextPage: true } });
  });

  test.each([
    { first: 101 },
    { first: -1 },
    { last: 101 },
    { last: -1 },
    { first: 1, last: 1 },
    { after: "nonsense" },
    { after: "" },
    { before: Buffer.from("activity:x:y").toString("base64url") },
    { before: Buffer.from(`seq:1:${crypto.randomUUID()}`).toString("base64url") },
    { after: Buffer.from(`activity:1:${"'; drop table contact"}`).toString("base64url") },
  ])("refuses %o with a code", async (variables) => {
    const { errors, data } = await desk.ada.graphql(CONTACTS, variables);
    expect(data).toBeNull();
    expect(errors).toEqual([
      expect.objectContaining({
        extensions: { code: "INVALID_INPUT" },
        message: expect.stringMatching(/first|last|cursor/),
      }),
    ]);
  });
});

describe("a timeline", async () => {
  const person = await seedContact(desk, { name: "Talker" });
  const conversationId = await seedConversation(desk, person.rows, 25);
  const query = `query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { conversation(id: $id) {
    messages(first: $first, after: $after, last: $last, before: $before) {
      edges { node { text } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }`;
  const texts = async (variables: object): Promise<{ texts: unknown[]; info: unknown }> => {
    const { data, errors } = await desk.ada.graphql(query, { id: conversationId, ...variables });
    expect(errors).toBeUndefined();
    return {
      texts: nodesAt(data, "conversation.messages").map((node) => at(node, "text")),
      info: at(data, "conversation.messages.pageInfo"),
    };
  };

  test("is oldest first, and pages back from the newest with last and before", async () => {
    const newest = await texts({ last: 2 });
    expect(newest.texts).toEqual(["text 24", "text 25"]);
    expect(newest.info).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    const before = await texts({ last: 2, before: textAt(newest.info, "startCursor") });
    expect(before.texts).toEqual(["text 22", "text 23"]);
    expect(before.info).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
    const oldest = await texts({ first: 2 });
    expect(oldest.texts).toEqual(["text 1", "text 2"]);
    expect((await texts({ first: 100, after: textAt(oldest.info, "endCursor") })).texts).toHaveLength(23);
  });

  test("invalid nested arguments are refused, too", async () => {
    const { errors } = await desk.ada.graphql(query, { id: conversationId, first: 1_000 });
    expect(at(errors, "0.extensions.code")).toBe("INVALID_INPUT");
  });

  test("the same list twice with different aliases and arguments", async () => {
    const { data, errors } = await desk.ada.graphql(
      `query ($id: ID!) { contact(id: $id) { channels {
        newest: messages(last: 1) { edges { node { text } } }
        oldest: messages(first: 1) { edges { node { text } } } } } }`,
      { id: person.contactId },
    );
    expect(errors).toBeUndefined();
    expect(at(data, "contact.channels.0")).toEqual({
      newest: { edges: [{ node: { text: "text 25" } }] },
      oldest: { edges: [{ node: { text: "text 1" } }] },
    });
  });
});

/** A console's whole page: everything that it shows of each contact. */
const DESK_PAGE = `query ($first: Int!, $filter: ContactFilter) { contacts(first: $first, filter: $filter) { edges { node {
  id name status blocked lastActivityAt
  channels { id status externalId displayName channel { name kind } activeBlock { notes blockedBy { __typename ... on Agent { name } } }
    currentConversation { id status assignee { name } } }
  conversations(first: 3) { edges { node { id status blocked assignee { name } endedBy { __typename }
    messages(last: 5) { edges { node { text payload author { __typename ... on Agent { name } } } } } } } }
} } pageInfo { hasNextPage endCursor } } }`;

const BLOCKS_PAGE = `{ blocks(first: 50) { edges { node { notes blockedAt liftedBy { __typename } suppressedMessageCount
  blockedBy { __typename ... on Agent { name } ... on ApiKey { name } }
  contactChannel { externalId contact { name status } channel { name } }
  endedConversations { id status endedBy { __typename } } } } } }`;

describe("no N+1: a page takes the same statements regardless of its length", async () => {
  const person = "n-plus-1";
  for (let index = 0; index < 12; index++) {
    const { contactId } = await desk.writes(`${person} ${index}`);
    if (index % 3 === 0) {
      const by = index % 2 ? desk.as(await desk.key("contacts:block")) : desk.ada;
      await by.blockContact({ contactId, notes: "n" });
    }
  }

  test("contacts with channels, blocks, conversations, messages and their authors", async () => {
    const filter = { search: person };
    const few = await countingStatements(() => desk.ada.graphql(DESK_PAGE, { first: 2, filter }));
    const many = await countingStatements(() => desk.ada.graphql(DESK_PAGE, { first: 12, filter }));
    expect(nodesAt(few.result.data, "contacts")).toHaveLength(2);
    expect(nodesAt(many.result.data, "contacts")).toHaveLength(12);
    expect(many.result.errors).toBeUndefined();
    // One for the page, and one for each type of actor on it: contact, bot, agent, key.
    expect(many.statements.length).toBeLessThanOrEqual(5);
    expect(few.statements.length).toBeLessThanOrEqual(many.statements.length);
  });

  test("blocks with their actors, contacts and ended conversations", async () => {
    const { result, statements } = await countingStatements(() => desk.ada.graphql(BLOCKS_PAGE));
    expect(nodesAt(result.data, "blocks")).toHaveLength(4);
    expect(statements.length).toBeLessThanOrEqual(3);
  });

  test("authors that are contacts, with their status", async () => {
    const query = `query ($first: Int) { conversations(first: $first) { edges { node {
      messages(first: 1) { edges { node { author { ... on Contact { name status channels { externalId } } } } } } } } } }`;
    const few = await countingStatements(() => desk.ada.graphql(query, { first: 2 }));
    const many = await countingStatements(() => desk.ada.graphql(query, { first: 12 }));
    expect(many.result.errors).toBeUndefined();
    expect(many.statements).toHaveLength(few.statements.length);
  });

  test("the same list twice with different arguments", async () => {
    const query = `query ($filter: ContactFilter, $first: Int) { contacts(filter: $filter, first: $first) { edges { node {
      a: conversations(first: 1) { edges { node { id } } } b: conversations(last: 1) { edges { node { id } } }
      channels { activeBlock { id } blockHistory { edges { node { id } } } } } } } }`;
    const variables = { filter: { search: person } };
    const few = await countingStatements(() => desk.ada.graphql(query, { ...variables, first: 2 }));
    const many = await countingStatements(() => desk.ada.graphql(query, { ...variables, first: 12 }));
    expect(many.result.errors).toBeUndefined();
    expect(many.statements).toHaveLength(few.statements.length);
  });
});

describe("a nested list costs the same with 10 and with 10,000 messages in a conversation", async () => {
  const short = await seedContact(desk, { name: "Short history" });
  await seedConversation(desk, short.rows, 10);
  const long = await seedContact(desk, { name: "Long history" });
  await seedConversation(desk, long.rows, 10_000);
  await desk.app.database.pool.query("ANALYZE");

  test("in statements, in rows read by PostgreSQL, and in time", async () => {
    const costOf = async (name: string) => {
      const variables = { first: 20, filter: { search: name } };
      await desk.ada.graphql(DESK_PAGE, variables);
      const started = performance.now();
      const { result, statements } = await countingStatements(() => desk.ada.graphql(DESK_PAGE, variables));
      const time = performance.now() - started;
      expect(nodesAt(result.data, "contacts")).toHaveLength(1);
      return { statements, rows: await rowsLookedAt(desk, "message", statements), time };
    };
    const few = await costOf("Short history");
    const many = await costOf("Long history");
    expect(many.statements).toHaveLength(few.statements.length);
    // Five messages and one more, to know whether there are more.
    expect(many.rows).toBe(6);
    expect(few.rows).toBeLessThanOrEqual(10);
    expect(many.time).toBeLessThan(few.time * 5 + 50);
  });
});
