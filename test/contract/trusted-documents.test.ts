import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse as parseGraphql, print } from "graphql";
import { afterAll, describe, expect, test } from "vitest";
import { at } from "../support/answers.ts";
import { bootDesk, type Desk } from "../support/app.ts";
import { type Asked, requests, type SharedSocket, sharedSocket, type Way } from "../support/ways.ts";

const folder = mkdtempSync(join(tmpdir(), "trusted-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function fileOf(content: string): string {
  const path = join(folder, `${++files}.json`);
  writeFileSync(path, content);
  return path;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

// As printed and named by codegen's client preset and Relay's compiler, on one line or several.
const ROLE = "query Role { viewer { role } }";
const CONTACT = "query Contact($id: ID!) {\n  contact(id: $id) {\n    id\n  }\n}\n";
const BLOCK = "mutation Block($input: BlockContactInput!) { blockContact(input: $input) { __typename } }";
const FEED = "subscription Feed($after: Cursor) { messageRecorded(after: $after) { message { text } } }";
const BOTH = "query One { viewer { role } } query Two { logCursor }";
const MD5_OF_CONTACT = createHash("md5").update(CONTACT).digest("hex");

const desk = await bootDesk({
  env: {
    TRUSTED_DOCUMENTS: fileOf(
      JSON.stringify({
        [sha256(ROLE)]: ROLE,
        [MD5_OF_CONTACT]: CONTACT,
        [`sha256:${sha256(BLOCK)}`]: BLOCK,
        [sha256(FEED)]: FEED,
        both: BOTH,
      }),
    ),
  },
});
const socket: SharedSocket = await sharedSocket(desk, FEED);
afterAll(() => socket.close());
const ways: [string, Way][] = [
  ...Object.entries(requests),
  ["WebSocket", (_desk: Desk, asked: Asked) => socket.ask(asked)],
];

const apolloRequest = (sha256Hash: string): Asked => ({ extensions: { persistedQuery: { version: 1, sha256Hash } } });

describe.each(ways)("over %s", (way, ask) => {
  test.each<[string, Asked]>([
    ["the id in the file", { documentId: sha256(ROLE) }],
    ["the id in the format of the specification", { documentId: `sha256:${sha256(ROLE)}` }],
    ["the id in the format of Apollo Client and urql", apolloRequest(sha256(ROLE))],
    ["the text", { query: ROLE }],
    ["the text, reformatted", { query: print(parseGraphql(ROLE)) }],
    ["the text with a comment and other whitespace", { query: `# who\n${ROLE.replaceAll(" ", "\n , ")}` }],
    ["the text and its id, as Apollo Client registers it", { query: ROLE, ...apolloRequest(sha256(ROLE)) }],
    ["the text and an id with another hash", { query: ROLE, documentId: "md5:1" }],
    ["one operation of several", { documentId: "both", operationName: "One" }],
  ])("%s", async (_, asked) => {
    expect(await ask(desk, asked)).toEqual({ data: { viewer: { role: "ADMIN" } } });
  });

  test.each([MD5_OF_CONTACT, `sha256:${sha256(CONTACT)}`])("an id with variables, such as %s", async (documentId) => {
    const { contactId } = await desk.writes("somebody");
    const answer = await ask(desk, { documentId, variables: { id: contactId } });
    expect(answer).toEqual({ data: { contact: { id: contactId } } });
  });

  test("a subscription by its id", async () => {
    const after = at((await socket.ask({ documentId: "both", operationName: "Two" })).data, "logCursor");
    await desk.writes("somebody", "by id");
    const answer = await ask(desk, { documentId: sha256(FEED), variables: { after } });
    if (["POST", "GET"].includes(way)) expect(at(answer.errors, "0.extensions.code")).toBe("NOT_ACCEPTABLE");
    else expect(answer).toEqual({ data: { messageRecorded: { message: { text: "by id" } } } });
  });

  test("a mutation by its id, except by GET", async () => {
    const answer = await ask(desk, { documentId: sha256(BLOCK), variables: { input: { contactId: "x" } } });
    if (way.endsWith("GET")) expect(at(answer.errors, "0.extensions.code")).toBe("BAD_REQUEST");
    else expect(answer).toEqual({ data: { blockContact: { __typename: "NotFoundError" } } });
  });
});

test("GraphiQL is not served, since it could run nothing", async () => {
  const page = await fetch(`${desk.url}/graphql`, { headers: { accept: "text/html,*/*;q=0.8" } });
  expect(page.status).toBe(401);
});

describe("an invalid file is refused at startup", () => {
  const start = (path: string, env: NodeJS.ProcessEnv = {}): Promise<unknown> =>
    bootDesk({ env: { TRUSTED_DOCUMENTS: path, ...env } });

  test("with all errors, and the id of each document", async () => {
    const path = fileOf(
      JSON.stringify({ unreadable: "query {", good: ROLE, unknown: "{ secrets }", long: `{ ${"a ".repeat(2_001)} }` }),
    );
    await expect(start(path)).rejects.toThrow(
      [
        "Deskgate cannot start with these settings:",
        '  - TRUSTED_DOCUMENTS contains an invalid document "unreadable": Syntax Error: Expected Name, found <EOF>.',
        '  - TRUSTED_DOCUMENTS contains an invalid document "unknown": Cannot query field "secrets" on type "Query".',
        '  - TRUSTED_DOCUMENTS contains an invalid document "long": Syntax Error: Document contains more that 2000 tokens. Parsing aborted.',
      ].join("\n"),
    );
  });

  test("also if a document uses introspection while that is disabled", async () => {
    const path = fileOf(JSON.stringify({ look: "{ __schema { queryType { name } } }" }));
    await expect(start(path, { INTROSPECTION: "false" })).rejects.toThrow(
      'invalid document "look": GraphQL introspection has been disabled',
    );
  });

  test.each(["{", "[]", '{"a":1}', '{"":"{ logCursor }"}', "null"])("such as %s", async (content) => {
    const path = fileOf(content);
    await expect(start(path)).rejects.toThrow(
      `TRUSTED_DOCUMENTS: ${path} must contain a JSON object that maps ids to documents: { "<id>": "query …" }`,
    );
  });

  test("or a missing file", async () => {
    const path = join(folder, "nowhere.json");
    await expect(start(path)).rejects.toThrow(
      `TRUSTED_DOCUMENTS cannot be read: ENOENT: no such file or directory, open '${path}'`,
    );
  });
});
