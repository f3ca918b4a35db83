import { getIntrospectionQuery } from "graphql";
import { describe, expect, test } from "vitest";
import { at, listAt } from "../support/answers.ts";
import { bootDesk, type Desk } from "../support/app.ts";
import { connect, subscribeOverSse, subscribeOverWebSocket } from "../support/graphql-subscription.ts";

const desk = await bootDesk();
const closed = await bootDesk({ env: { INTROSPECTION: "false" } });
const limited = await bootDesk({ env: { GRAPHQL_MAX_DEPTH: "3", GRAPHQL_MAX_COST: "1" } });

interface Asked {
  readonly data?: unknown;
  readonly errors?: unknown;
}

/** The three transports. Each gives the same answer to the same operation. */
const ways: Record<string, (on: Desk, query: string, variables?: Record<string, unknown>) => Promise<Asked>> = {
  HTTP: (on, query, variables) => on.ada.graphql(query, variables),
  SSE: async (on, query, variables) => {
    const results = await subscribeOverSse(on, query, variables, on.ada.token);
    const result = await results.next();
    await results.end();
    return result;
  },
  WebSocket: async (on, query, variables) => {
    const results = subscribeOverWebSocket(on, query, variables, on.ada.token);
    try {
      return await results.next();
    } catch (errors) {
      return { errors };
    } finally {
      await results.end();
    }
  },
};

const nest = (levels: number): string =>
  levels === 0 ? "id" : `contact { channels { ${levels <= 2 ? "id" : nest(levels - 2)} } }`;
const deep = (objects: number): string => `{ contact(id: "x") { channels { ${nest(objects - 2)} } } }`;

const tooMuch: readonly [string, string, string][] = [
  ["nesting", deep(12), "QUERY_TOO_DEEP"],
  [
    "nesting, hidden in fragments",
    `${deep(4).replace("id }", "...F }")} fragment F on ContactChannel { ${nest(8)} }`,
    "QUERY_TOO_DEEP",
  ],
  [
    "pages of pages",
    "{ contacts(first: 100) { edges { node { conversations(first: 100) { edges { node { messages(first: 2) { edges { node { id } } } } } } } } } }",
    "QUERY_TOO_COSTLY",
  ],
  [
    "pages of pages with `last`",
    "{ contacts(last: 100) { edges { node { conversations { edges { node { messages(last: 10) { edges { node { id } } } } } } } } } }",
    "QUERY_TOO_COSTLY",
  ],
  [
    "aliases of a page",
    `{ ${Array.from({ length: 20 }, (_, i) => `a${i}: contacts(first: 100) { edges { node { conversations { edges { node { id } } } } } }`).join(" ")} }`,
    "QUERY_TOO_COSTLY",
  ],
  [
    "aliases of a value",
    `{ ${Array.from({ length: 600 }, (_, i) => `a${i}: logCursor`).join(" ")} }`,
    "QUERY_TOO_WIDE",
  ],
  [
    "looks at the schema",
    `{ ${Array.from({ length: 12 }, (_, i) => `a${i}: __schema { types { name } }`).join(" ")} }`,
    "QUERY_TOO_COSTLY",
  ],
  [
    "fragments of fragments",
    `{ viewer { ...F0 } } ${Array.from({ length: 30 }, (_, i) => `fragment F${i} on Viewer { a${i}: role ${i < 29 ? `...F${i + 1} ...F${i + 1}` : ""} }`).join(" ")}`,
    "QUERY_TOO_WIDE",
  ],
];

describe.each(Object.entries(ways))("over %s", (_name, ask) => {
  test.each(tooMuch)("over a limit: %s", async (_case, query, code) => {
    const { data, errors } = await ask(desk, query);
    expect(data ?? null).toBeNull();
    expect(listAt({ errors }, "errors").map((error) => at(error, "extensions.code"))).toContain(code);
  });

  test("a page size in a variable counts, too", async () => {
    const query = `query ($n: Int) { contacts(first: $n) { edges { node { conversations(first: $n) { edges { node { messages(first: $n) { edges { node { id } } } } } } } } } }`;
    expect(at((await ask(desk, query, { n: 100 })).errors, "0.extensions.code")).toBe("QUERY_TOO_COSTLY");
    expect((await ask(desk, query, { n: 10 })).errors).toBeUndefined();
  });

  test("documents with too many tokens are refused", async () => {
    const { errors } = await ask(desk, `{ ${"viewer ".repeat(3_000)} }`);
    expect(at(errors, "0.message")).toMatch(/Syntax Error: Document contains more that 2000 tokens/);
  });

  test("an invalid operation gets an error that says why", async () => {
    const unreadable = await ask(desk, "{ contacts {");
    expect(at(unreadable.errors, "0.message")).toMatch(/^Syntax Error/);
    expect(at(unreadable.errors, "0.extensions.code")).toBe("GRAPHQL_PARSE_FAILED");
    expect(at((await ask(desk, "{ nothing }")).errors, "0.extensions.code")).toBe("GRAPHQL_VALIDATION_FAILED");
    expect(at((await ask(desk, "{ nothing }")).errors, "0.message")).toMatch(/Cannot query field "nothing"/);
    const query = "query ($at: DateTime!, $id: ID!) { contact(id: $id) { id } }";
    expect(at((await ask(desk, query, { at: "yesterday", id: "x" })).errors, "0.message")).toMatch(/at|DateTime/);
    expect(at((await ask(desk, "query ($id: ID!) { contact(id: $id) { id } }", {})).errors, "0.message")).toMatch(
      /\$id/,
    );
  });

  test("introspection can be disabled", async () => {
    const query = "{ __schema { queryType { name } } }";
    expect((await ask(desk, query)).errors).toBeUndefined();
    expect(at((await ask(closed, query)).errors, "0.message")).toMatch(/introspection/i);
    // Suggestions do not reveal the schema, either.
    expect(at((await ask(closed, "{ viewr { role } }")).errors, "0.message")).toBe(
      'Cannot query field "viewr" on type "Query".',
    );
    expect((await ask(closed, "{ viewer { __typename } }")).errors).toBeUndefined();
  });

  test("the limits are configurable", async () => {
    expect((await ask(limited, "{ contacts(first: 20) { edges { node { id } } } }")).errors).toBeUndefined();
    const costly = "{ contacts(first: 40) { edges { node { id } } } }";
    expect(at((await ask(limited, costly)).errors, "0.extensions.code")).toBe("QUERY_TOO_COSTLY");
    const nested = "{ contacts(first: 1) { edges { node { channels { id } } } } }";
    expect(at((await ask(limited, nested)).errors, "0.extensions.code")).toBe("QUERY_TOO_DEEP");
  });
});

describe("legitimate operations pass", () => {
  test.each([
    ["GraphiQL's introspection query", getIntrospectionQuery({ descriptions: true, inputValueDeprecation: true })],
    [
      "a page of 100 with eight objects per row",
      `{ contacts(first: 100) { edges { node { __typename id name status channels { __typename id
        channel { name } activeBlock { notes blockedBy { __typename } } currentConversation { status assignee { name } offeredTo { name } } } } }
        pageInfo { hasNextPage endCursor } } }`,
    ],
    [
      "a desk's page",
      `{ contacts(first: 20) { edges { node { id name channels { channel { name } }
        conversations(first: 3) { edges { node { id status assignee { name } messages(last: 5) { edges { node { text author {
          __typename ... on Agent { name } ... on Contact { status } ... on Bot { name } } } } } } } } } } } }`,
    ],
    [
      "a page of 100 blocks",
      `{ blocks(first: 100) { edges { node { notes blockedBy { __typename } liftedBy { __typename }
        contactChannel { externalId contact { name } channel { name } } endedConversations { id } } } } }`,
    ],
    [
      "a whole timeline",
      `{ conversation(id: "x") { status contact { name } assignee { name } messages(last: 100) { edges { cursor node {
        id text author { __typename } conversation { id } contactChannel { contact { name } } } } pageInfo { startCursor } } } }`,
    ],
    ["objects ten deep", deep(10)],
  ])("%s", async (_name, query) => {
    const { errors } = await desk.ada.graphql(query);
    expect(errors).toBeUndefined();
  });
});

describe("on one socket", () => {
  test("an invalid operation does not end other operations", async () => {
    const client = connect(desk);
    const results = client.iterate({ query: "subscription { messageRecorded { message { text } } }" });
    const next = results.next();
    for (const query of ["{", "{ nothing }", deep(20), "subscription { messageRecorded { nothing } }"]) {
      await expect(client.iterate({ query }).next()).rejects.toBeInstanceOf(Array);
    }
    let isDelivered = false;
    void next.then(() => {
      isDelivered = true;
    });
    while (!isDelivered) await desk.writes("neighbour", "still here");
    expect(at(await next, "value.data.messageRecorded.message.text")).toBe("still here");
    await client.dispose();
  });

  test("at most a hundred operations", async () => {
    const client = connect(desk);
    const query = "subscription { messageRecorded { message { text } } }";
    const all = Array.from({ length: 101 }, () => client.iterate({ query }));
    const firsts = all.map((each) => each.next().catch((errors: unknown) => errors));
    const refused = await firsts[100];
    expect(at(refused, "0.extensions.code")).toBe("TOO_MANY_SUBSCRIPTIONS");
    await all[0]?.return?.();
    // One operation is allowed again.
    await expect
      .poll(async () =>
        at(
          await client
            .iterate({ query: "{ viewer { role } }" })
            .next()
            .catch(() => null),
          "value.data",
        ),
      )
      .toEqual({ viewer: { role: "ADMIN" } });
    await client.dispose();
  });
});
