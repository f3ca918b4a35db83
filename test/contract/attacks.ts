import { createHash } from "node:crypto";
import type { Asked } from "../support/ways.ts";

/** The only trusted query, under the id `role`. */
export const TRUSTED = "query Role { viewer { role } }";

/** An attack, and its answer over HTTP, SSE and WebSocket. */
export interface Attack extends Asked {
  readonly name: string;
  readonly code: string;
  /** The transports that cannot carry it, and why. */
  readonly notBy?: { readonly GET: string };
  /** The maximum number of errors in the answer. */
  readonly atMost?: number;
  /** A desk with the default settings, with introspection off, or with trusted documents only. */
  readonly against?: "open" | "closed" | "trusting";
}

const times = (count: number, part: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => part(i)).join(" ");
const nested = (levels: number): string => (levels === 0 ? "id" : `contact { channels { ${nested(levels - 1)} } }`);
const page = (list: string, of: string): string => `${list}(first: 100) { edges { node { ${of} } } }`;
const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
const apolloExtensions = (sha256Hash: string): object => ({ persistedQuery: { version: 1, sha256Hash } });
const TOO_LONG = { GET: "a URL is 16 KB long at most" };

const TOO_MUCH: readonly Attack[] = [
  { name: "too deep", query: `{ contact(id: "x") { channels { ${nested(5)} } } }`, code: "QUERY_TOO_DEEP" },
  {
    name: "too deep, through fragments",
    query: `{ contact(id: "x") { channels { ...F } } } fragment F on ContactChannel { ${nested(5)} }`,
    code: "QUERY_TOO_DEEP",
  },
  { name: "too wide", query: `{ viewer { ${times(501, (i) => `a${i}: role`)} } }`, code: "QUERY_TOO_WIDE" },
  { name: "too many aliases", query: `{ ${times(501, (i) => `a${i}: logCursor`)} }`, code: "QUERY_TOO_WIDE" },
  {
    name: "too many aliases of a page",
    query: `{ ${times(20, (i) => `a${i}: ${page("contacts", "conversations { edges { node { id } } }")}`)} }`,
    code: "QUERY_TOO_COSTLY",
  },
  {
    name: "fragments that double 30 times",
    query: `{ viewer { ...F0 } } ${times(30, (i) => `fragment F${i} on Viewer { a${i}: role ${i < 29 ? `...F${i + 1} ...F${i + 1}` : ""} }`)}`,
    code: "QUERY_TOO_WIDE",
  },
  {
    name: "nested pages",
    query: `{ ${page("contacts", page("conversations", page("messages", "id")))} }`,
    code: "QUERY_TOO_COSTLY",
  },
  {
    name: "nested pages, sized by a variable",
    query: `query ($n: Int) { ${page("contacts", page("conversations", page("messages", "id"))).replaceAll("100", "$n")} }`,
    variables: { n: 100 },
    code: "QUERY_TOO_COSTLY",
  },
  { name: "too many tokens", query: `{ ${times(2_001, () => "a")} }`, code: "GRAPHQL_PARSE_FAILED" },
  { name: "braces without end", query: "{ a ".repeat(1_001), code: "GRAPHQL_PARSE_FAILED" },
  { name: "brackets without end", query: `{ contact(id: ${"[".repeat(2_001)}`, code: "GRAPHQL_PARSE_FAILED" },
  {
    name: "three levels of nested lists",
    query: `{ contact(id: ${"[".repeat(900)}${"]".repeat(900)}) { id } }`,
    code: "GRAPHQL_PARSE_FAILED",
  },
  {
    name: "two levels of nested lists",
    query: `{ contact(id: ${"[".repeat(250)}${"]".repeat(250)}) { id } }`,
    code: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "too many directives",
    query: `{ viewer ${"@skip(if: false) ".repeat(250)}{ role } }`,
    code: "GRAPHQL_VALIDATION_FAILED",
    atMost: 101,
  },
  {
    name: "too many unknown directives",
    query: `{ viewer ${times(900, (i) => `@a${i}`)} { role } }`,
    code: "GRAPHQL_VALIDATION_FAILED",
    atMost: 101,
  },
  {
    name: "conflicting fields",
    query: `{ viewer { ${"a: role a: permissions ".repeat(240)} } }`,
    code: "GRAPHQL_VALIDATION_FAILED",
    atMost: 101,
  },
  { name: "a name of 200 KB", query: `{ ${"a".repeat(200_000)} }`, code: "GRAPHQL_VALIDATION_FAILED", notBy: TOO_LONG },
  {
    name: "a page of a million rows",
    query: "{ contacts(first: 1000000) { edges { node { id } } } }",
    code: "INVALID_INPUT",
  },
  {
    name: "introspection with deep recursion",
    query: `{ ${times(12, (i) => `a${i}: __schema { types { name } }`)} }`,
    code: "QUERY_TOO_COSTLY",
  },
];

const INVALID: readonly Attack[] = [
  { name: "nothing at all", query: "", code: "BAD_REQUEST" },
  { name: "blanks", query: " ", code: "GRAPHQL_PARSE_FAILED" },
  { name: "a NUL", query: "{ viewer { role\0 } }", code: "GRAPHQL_PARSE_FAILED" },
  { name: "no end", query: "{ viewer {", code: "GRAPHQL_PARSE_FAILED" },
  { name: "a field that there is not", query: "{ secrets }", code: "GRAPHQL_VALIDATION_FAILED" },
  {
    name: "a fragment that spreads itself",
    query: "{ viewer { ...A } } fragment A on Viewer { ...A }",
    code: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "fragments in a cycle",
    query: "{ viewer { ...A } } fragment A on Viewer { role ...B } fragment B on Viewer { role ...A }",
    code: "GRAPHQL_VALIDATION_FAILED",
  },
  { name: "a fragment that there is not", query: "{ viewer { ...A } }", code: "GRAPHQL_VALIDATION_FAILED" },
  {
    name: "@defer",
    query: "{ viewer { ... @defer { role } } }",
    code: "GRAPHQL_VALIDATION_FAILED",
  },
  { name: "@stream", query: "{ agents @stream { id } }", code: "GRAPHQL_VALIDATION_FAILED" },
  {
    name: "several operations without an operationName",
    query: "query A { viewer { role } } query B { viewer { role } }",
    code: "OPERATION_RESOLUTION_FAILURE",
  },
  {
    name: "an unknown operationName",
    query: "query A { viewer { role } }",
    operationName: "B",
    code: "OPERATION_RESOLUTION_FAILURE",
  },
  {
    name: "two operations with the same name",
    query: "query A { viewer { role } } query A { logCursor }",
    operationName: "A",
    code: "GRAPHQL_VALIDATION_FAILED",
  },
  { name: "no operation", query: "fragment A on Viewer { role }", code: "OPERATION_RESOLUTION_FAILURE" },
  { name: "types of its own", query: "type A { b: Int }", code: "OPERATION_RESOLUTION_FAILURE" },
  {
    name: "a subscription to several fields",
    query: "subscription { messageRecorded { id } conversationEnded { id } }",
    code: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "a subscription to several fields, in a fragment",
    query: "subscription { ...A } fragment A on Subscription { messageRecorded { id } b: messageRecorded { id } }",
    code: "GRAPHQL_VALIDATION_FAILED",
  },
  { name: "a subscription to nothing", query: "subscription { __typename }", code: "GRAPHQL_VALIDATION_FAILED" },
  {
    name: "a subscription whose field is skipped",
    query: "subscription { messageRecorded @skip(if: true) { id } }",
    code: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "a subscription whose fragment is skipped",
    query: "subscription { ...A @include(if: false) } fragment A on Subscription { messageRecorded { id } }",
    code: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "a subscription whose field is skipped by a variable",
    query: "subscription ($no: Boolean!) { messageRecorded @skip(if: $no) { id } }",
    variables: { no: true },
    code: "GRAPHQL_VALIDATION_FAILED",
  },
];

const VARIABLES: readonly Attack[] = [
  {
    name: "a duplicate variable",
    query: "query ($id: ID!, $id: ID!) { contact(id: $id) { id } }",
    variables: { id: "x" },
    code: "GRAPHQL_VALIDATION_FAILED",
  },
  { name: "a variable that there is not", query: "{ contact(id: $id) { id } }", code: "GRAPHQL_VALIDATION_FAILED" },
  {
    name: "an unused variable",
    query: "query ($id: ID!) { logCursor }",
    variables: { id: "x" },
    code: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "a missing variable",
    query: "query ($id: ID!) { contact(id: $id) { id } }",
    code: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "a variable of the wrong type",
    query: "query ($id: ID!) { contact(id: $id) { id } }",
    variables: { id: { __proto__: [] } },
    code: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "100,000 invalid values",
    query: "query ($s: [ConversationStatus!]) { conversations(filter: { status: $s }) { edges { node { id } } } }",
    variables: { s: Array<number>(100_000).fill(1) },
    code: "GRAPHQL_VALIDATION_FAILED",
    atMost: 51,
    notBy: TOO_LONG,
  },
  {
    name: "a search text of 200 KB",
    query: "query ($a: String) { contacts(after: $a) { edges { node { id } } } }",
    variables: { a: "x".repeat(200_000) },
    code: "INVALID_INPUT",
    notBy: TOO_LONG,
  },
];

const INTROSPECTION: readonly Attack[] = [
  { name: "__schema", query: "{ __schema { queryType { name } } }", code: "GRAPHQL_VALIDATION_FAILED" },
  { name: "__type", query: '{ __type(name: "Query") { name } }', code: "GRAPHQL_VALIDATION_FAILED" },
  {
    name: "__schema under an alias",
    query: "{ a: __schema { queryType { name } } }",
    code: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "__type in a fragment",
    query: '{ ...A } fragment A on Query { ... on Query { __type(name: "Query") { name } } }',
    code: "GRAPHQL_VALIDATION_FAILED",
  },
];

const UNTRUSTED: readonly Attack[] = [
  { name: "an unknown id", documentId: `sha256:${hash("{ logCursor }")}`, code: "PERSISTED_QUERY_NOT_FOUND" },
  {
    name: "an id with another hash prefix of the specification",
    documentId: "x-md5:0",
    code: "PERSISTED_QUERY_NOT_FOUND",
  },
  {
    name: "an unknown id in Apollo's format",
    extensions: apolloExtensions(hash("{ logCursor }")),
    code: "PERSISTED_QUERY_NOT_FOUND",
  },
  { name: "an id that is a property of every object", documentId: "__proto__", code: "PERSISTED_QUERY_NOT_FOUND" },
  { name: "another document", query: "{ logCursor }", code: "QUERY_NOT_IN_SAFELIST" },
  {
    name: "another document under a trusted id",
    query: "{ logCursor }",
    documentId: "role",
    extensions: apolloExtensions(hash(TRUSTED)),
    code: "QUERY_NOT_IN_SAFELIST",
  },
  {
    name: "another document, registered in Apollo's format",
    query: "{ logCursor }",
    extensions: apolloExtensions(hash("{ logCursor }")),
    code: "QUERY_NOT_IN_SAFELIST",
  },
  {
    name: "a trusted document with an addition",
    query: `${TRUSTED} query More { logCursor }`,
    operationName: "More",
    code: "QUERY_NOT_IN_SAFELIST",
  },
  { name: "a look at the schema", query: "{ __schema { queryType { name } } }", code: "QUERY_NOT_IN_SAFELIST" },
  {
    name: "another operation of a trusted document",
    documentId: "role",
    operationName: "More",
    code: "OPERATION_RESOLUTION_FAILURE",
  },
  { name: "neither text nor id", code: "BAD_REQUEST" },
];

const ids = [
  { name: "an id on a server without trusted documents", documentId: "role", code: "PERSISTED_QUERY_NOT_SUPPORTED" },
  {
    name: "Apollo's id on a server without trusted documents",
    extensions: apolloExtensions(hash(TRUSTED)),
    code: "PERSISTED_QUERY_NOT_SUPPORTED",
  },
] as const satisfies readonly Attack[];

export const attacks: readonly Attack[] = [
  ...TOO_MUCH,
  ...INVALID,
  ...VARIABLES,
  ...ids,
  ...INTROSPECTION.map((attack) => ({
    ...attack,
    name: `${attack.name} with introspection off`,
    against: "closed" as const,
  })),
  ...UNTRUSTED.map((attack) => ({
    ...attack,
    name: `${attack.name} with trusted documents`,
    against: "trusting" as const,
  })),
];
