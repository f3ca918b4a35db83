import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { demoChannelIds } from "../../src/demo/workspace.ts";
import { asMatcher, asPattern, onOneLine, tidy } from "./output.ts";
import { type Example, examplesOf, fencesOf, pages, read, tableUnder } from "./pages.ts";
import { rowsWritten, type Server, Shell, startServer } from "./server.ts";

const { scripts }: { scripts: Record<string, string> } = JSON.parse(read("package.json"));
const SHOWN_URL = "http://localhost:4000";
const missing = ["curl", "openssl"].filter((program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0);
const examples = pages.flatMap((page) => examplesOf(page).map((example) => ({ ...example, page: page.path })));

/** All pages share a server and a shell. The README comes first: the tour works after its command that blocks a contact. */
describe(missing.length > 0 ? `the examples (without ${missing.join(", ")})` : "the examples", () => {
  let server: Server;
  let shell: Shell;
  let broken = false;

  beforeAll(async () => {
    server = await startServer();
    shell = new Shell(server.dataDir);
  });
  afterAll(async () => {
    await shell?.end();
    await server?.end();
  });

  test("a start prints what the README shows", () => {
    const welcome = pages.flatMap(fencesOf).find(({ marker }) => marker === "npm start prints")?.text ?? "";
    const printed = server.output.filter((line) => !line.startsWith("{")).join("\n");
    expect(tidy(printed)).toMatch(asPattern(welcome.replaceAll(SHOWN_URL, server.url)));
  });

  test.skipIf(missing.length > 0).for(examples)("$page: $name", async (example, context) => {
    if (broken) context.skip("an example before it failed");
    broken = true;
    if (example.language === "sql") expect(await rowsWritten(server, example.script)).not.toContain(0);
    else await runInShell(example);
    broken = false;
  });

  async function runInShell({ language, script, prints, exit }: Example): Promise<void> {
    const command = language === "graphql" ? printedCommand(script) : asRunHere(script, server.url);
    const { code, output, errors } = await shell.run(command);
    expect({ code, errors }).toEqual({ code: exit, errors: "" });
    if (prints?.language === "json") expect(JSON.parse(output)).toEqual(asMatcher(JSON.parse(prints.text)));
    else expect(tidy(output)).toMatch(asPattern(prints?.text ?? ""));
  }

  /** The command that the start has printed, which has to send this document. */
  function printedCommand(document: string): string {
    const command = server.output.find((line) => line.startsWith("curl ")) ?? "";
    const { query }: { query: string } = JSON.parse(/-d '(.+)'$/.exec(command)?.[1] ?? "{}");
    expect(query).toMatch(asPattern(onOneLine(document)));
    return `${command}\n`;
  }

  test("every path is served", async () => {
    const paths = tableUnder(pages, "path", "what").map(([path = ""]) => path.replaceAll("`", "").split(" "));
    expect(paths.length).toBeGreaterThan(8);
    for (const [method = "", path = ""] of paths) {
      const channel = path.startsWith("/chat/") ? demoChannelIds.webChat : demoChannelIds.line;
      const { status } = await fetch(server.url + path.replace(":channelId", channel), { method });
      expect({ method, path, status }).not.toMatchObject({ status: 404 });
    }
  });

  test("the error codes of libraries are those in the table", async () => {
    for (const [query, code] of [
      ["{", "GRAPHQL_PARSE_FAILED"],
      ["{ nothing }", "GRAPHQL_VALIDATION_FAILED"],
    ] as const) {
      expect(await graphql(server, query)).toMatchObject({ errors: [{ extensions: { code } }] });
    }
  });
});

/** The page's address and npm commands replaced by those of the test: npm itself would only cost time. */
function asRunHere(script: string, url: string): string {
  return script
    .replaceAll(SHOWN_URL, url)
    .replaceAll(/npm run -s (\w+) --/g, (_, name: string) => scripts[name] ?? "")
    .replaceAll("npx node ", "node ");
}

async function graphql({ url, token }: Server, query: string): Promise<unknown> {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ query }),
  });
  return JSON.parse(await response.text());
}
