import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { permissionsOfRole, permissionsOfScopes, roles, scopes } from "../src/auth/permission.ts";
import { settings } from "../src/config.ts";
import { demoChannelIds } from "../src/demo/workspace.ts";
import { ongoingStatuses, terminalStatuses } from "../src/domain/conversation.ts";
import { joinEmbeddedPostgres } from "../src/embedded-postgres/server.ts";

const root = join(import.meta.dirname, "..");
const readme = read("README.md");
const { scripts }: { scripts: Record<string, string> } = JSON.parse(read("package.json"));

/** A fenced block, with the comment above it that says what the tests do with it. */
interface Fence {
  readonly marker: string | null;
  readonly language: string;
  readonly text: string;
}

/** A block that is run, and what it is to print and to exit with. */
interface Example {
  readonly name: string;
  readonly language: string;
  readonly script: string;
  readonly prints: Fence | null;
  readonly exit: number;
}

const fences: readonly Fence[] = [...readme.matchAll(/(?:<!-- (.+?) -->\n\n)?```(\w+)\n([\s\S]*?)```/g)].map(
  ([, marker = null, language = "", text = ""]) => ({ marker, language, text }),
);

const examples: readonly Example[] = fences.flatMap(({ marker, language, text }, index) => {
  const [, name, exit = "0"] = /^run: (.+?)(?:, exit (\d+))?$/.exec(marker ?? "") ?? [];
  const next = fences[index + 1];
  if (name === undefined) return [];
  return [{ name, language, script: text, prints: next?.marker === "prints" ? next : null, exit: Number(exit) }];
});

const README_URL = "http://localhost:4000";
const missing = ["curl", "openssl"].filter((program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0);

describe("what the README says", () => {
  test("begins with the two commands", () => {
    expect(fences[0]).toEqual({ marker: null, language: "sh", text: "npm ci && npm start\nnpm ci && npm test\n" });
    expect(readme.indexOf("npm ci && npm start")).toBeLessThan(readme.indexOf("\n## "));
  });

  test("every command is run here, or says why not", () => {
    const commands = fences.slice(1).filter(({ language }) => ["sh", "bash", "sql"].includes(language));
    expect(commands.filter(({ marker }) => !/^(not )?run: ./.test(marker ?? ""))).toEqual([]);
    expect(fences.filter(({ marker }) => marker === "prints")).toHaveLength(
      examples.filter(({ prints }) => prints !== null).length,
    );
  });

  test("what it shows of the examples is what they do", () => {
    const shown = fences.flatMap(({ marker, text }) => {
      const [, path] = /^from (examples\/.+)$/.exec(marker ?? "") ?? [];
      // Without the indentation that it has there; "…" is what is left out.
      return path === undefined ? [] : text.split(/^ *….*\n/m).map((part) => ({ path, part: unindented(part) }));
    });
    expect(new Set(shown.map(({ path }) => path))).toEqual(
      new Set(readdirSync(join(root, "examples")).map((name) => `examples/${name}`)),
    );
    expect(fences.filter(({ language }) => language === "ts")).toHaveLength(
      fences.filter(({ marker }) => marker?.startsWith("from examples/")).length,
    );
    for (const { path, part } of shown)
      expect([path, unindented(read(path))]).toEqual([path, expect.stringContaining(part)]);
  });

  test("every place in it that it points to is there", () => {
    const headings = [...readme.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
    const anchors = headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w -]/g, "")
        .replaceAll(" ", "-"),
    );
    const linked = [...readme.matchAll(/\]\(#(\S+?)\)/g)].map(([, anchor = ""]) => anchor);
    expect(linked.filter((anchor) => !anchors.includes(anchor))).toEqual([]);
  });

  test("the configuration is what the server reads", () => {
    expect(tableUnder("setting", "default", "meaning")).toEqual(
      settings.map(({ name, default: value, meaning }) => [`\`${name}\``, value, meaning]),
    );
  });

  test("roles and scopes are what is enforced", () => {
    const table = tableUnder("permission", "what", ...roles.map((role) => `\`${role}\``), "a key's scope");
    expect(table.map(([permission, , ...granted]) => [permission, ...granted])).toEqual(
      [...permissionsOfRole("ADMIN")].toSpliced(-1, 0, "RECORD_INBOUND").map((permission) => {
        const scope = scopes.find((each) => permissionsOfScopes([each]).has(permission));
        return [
          `\`${permission}\``,
          ...roles.map((role) => (permissionsOfRole(role).has(permission) ? "yes" : "–")),
          scope === undefined ? "–" : `\`${scope.replaceAll(/[^a-z]/g, "_").toUpperCase()}\``,
        ];
      }),
    );
  });

  test("every npm script that it names is there, and every one that is there is named", () => {
    const code = [...codeInProse(), ...fences.map(({ text }) => text)].join("\n");
    const named = [...code.matchAll(/\bnpm (?:run )?(?:-s )?([a-z]+)/g)].map(([, name = ""]) => name);
    expect(named.filter((name) => name !== "ci" && scripts[name] === undefined)).toEqual([]);
    expect(Object.keys(scripts).filter((name) => name !== "postinstall" && !named.includes(name))).toEqual([]);
  });

  test("every file and folder that it names is there, and every folder of src/ is named", () => {
    const linked = [...readme.matchAll(/\]\((?!https?:|#)(\S+?)\)/g)].map(([, path = ""]) => path);
    const named = codeInProse().filter((code) =>
      /^(src|test|prisma|bench|examples)\/|^[\w.]+\.(graphql|json|md|ts|yaml)$/.test(code),
    );
    const house = fences.find(({ text }) => text.startsWith("src/\n"))?.text.split("\n") ?? [];
    const rooms = house.flatMap((line) => /^ {2}(\S+)/.exec(line)?.[1] ?? []);
    const floors = house.flatMap((line) => /^(\S+)/.exec(line)?.[1] ?? []);
    const paths = [...linked, ...named, ...floors, ...rooms.map((name) => `src/${name}`)];
    const isMade = (path: string): boolean => path.startsWith("bench/results/") || existsSync(join(root, "src", path));
    expect(paths.filter((path) => !existsSync(join(root, path)) && !isMade(path))).toEqual([]);

    const folders = readdirSync(join(root, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.filter(({ name }) => !rooms.includes(`${name}/`))).toEqual([]);
  });

  test("every place on this page that it points to is there", () => {
    const places = [...readme.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w -]/g, "")
        .replaceAll(" ", "-"),
    );
    const pointedTo = [...readme.matchAll(/\]\(#(\S+?)\)/g)].map(([, place = ""]) => place);
    expect(pointedTo.filter((place) => !places.includes(place))).toEqual([]);
  });

  test("every name in code style exists", () => {
    const known = new Set(
      [...source(), ...programs(), read("schema.graphql"), read("prisma/schema.prisma")].join("\n").match(/\w+/g),
    );
    const ofLibraries = new Set(["GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"]);
    const names = codeInProse().filter((code) =>
      /^(?:[A-Z]{2,}|[A-Z]+(?:_[A-Z]+)+|[A-Za-z]+[a-z][A-Z]\w+)$/.test(code),
    );
    expect(names.length).toBeGreaterThan(60);
    expect(names.filter((name) => !known.has(name) && !ofLibraries.has(name))).toEqual([]);
  });

  test("every error code that the server gives is named", () => {
    const calls =
      /\b(?:requestError|fail|errorBody)\([^";]*"([A-Z_]+)"|\bcode: "([A-Z_]+)"|\breturn "([A-Z]+_[A-Z]+)"/g;
    const given = source().flatMap((text) => [...text.matchAll(calls)].map(([, a, b, c]) => a ?? b ?? c ?? ""));
    expect(given.length).toBeGreaterThan(20);
    const named = new Set(codeInProse());
    // What Fastify's own faults are called.
    expect([...new Set(given)].filter((code) => !named.has(code) && code !== "BAD_REQUEST")).toEqual([]);
  });

  test("the diagram of a conversation has its statuses", () => {
    const diagram = fences.find(({ language, text }) => language === "mermaid" && text.includes("WAITING"))?.text ?? "";
    const states = [...diagram.matchAll(/^ +(\S+) --> ([^\s:]+)/gm)].flatMap(([, from = "", to = ""]) => [from, to]);
    expect([...new Set(states)].filter((state) => !["[*]", "ongoing"].includes(state)).sort()).toEqual(
      [...ongoingStatuses, ...terminalStatuses].sort(),
    );
  });
});

describe(
  missing.length > 0 ? `what the README shows (no ${missing.join(", no ")} here)` : "what the README shows",
  () => {
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

    test("is what a start prints", () => {
      const welcome = fences.find(({ marker }) => marker === "npm start prints")?.text ?? "";
      const printed = server.output.filter((line) => !line.startsWith("{")).join("\n");
      expect(tidy(printed)).toMatch(asPattern(welcome.replaceAll(README_URL, server.url)));
    });

    test.skipIf(missing.length > 0).for(examples)("$name", async ({ language, script, prints, exit }, context) => {
      if (broken) context.skip("an example before it failed");
      broken = true;
      if (language === "sql") {
        expect(await rowsWritten(server.dataDir, script)).not.toContain(0);
      } else {
        const { code, output, errors } = await shell.run(asRunHere(script, server.url));
        expect({ code, errors }).toEqual({ code: exit, errors: "" });
        if (prints?.language === "json") expect(JSON.parse(output)).toEqual(asMatcher(JSON.parse(prints.text)));
        else expect(tidy(output)).toMatch(asPattern(prints?.text ?? ""));
      }
      broken = false;
    });

    test("every path is served", async () => {
      const paths = tableUnder("path", "what").map(([path = ""]) => path.replaceAll("`", "").split(" "));
      expect(paths.length).toBeGreaterThan(8);
      for (const [method = "", path = ""] of paths) {
        const channel = path.startsWith("/chat/") ? demoChannelIds.webChat : demoChannelIds.line;
        const { status } = await fetch(server.url + path.replace(":channelId", channel), { method });
        expect({ method, path, status }).not.toMatchObject({ status: 404 });
      }
    });

    test("codes that come from the libraries are what it says", async () => {
      for (const [query, code] of [
        ["{", "GRAPHQL_PARSE_FAILED"],
        ["{ nothing }", "GRAPHQL_VALIDATION_FAILED"],
      ] as const) {
        expect(await graphql(server, query)).toMatchObject({ errors: [{ extensions: { code } }] });
      }
    });
  },
);

/** A server as `npm start` runs it, with data of its own. */
interface Server {
  readonly url: string;
  readonly dataDir: string;
  readonly token: string;
  readonly output: readonly string[];
  end(): Promise<void>;
}

async function startServer(): Promise<Server> {
  const dataDir = mkdtempSync(join(tmpdir(), "deskgate-readme-"));
  // PostgreSQL may have to run as another user than ours.
  chmodSync(dataDir, 0o755);
  const child = spawn(process.execPath, ["src/main.ts"], {
    cwd: root,
    env: { ...outerEnvironment(), PORT: "0", DATA_DIR: dataDir },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const end = async (): Promise<void> => {
    await endProcess(child);
    rmSync(dataDir, { recursive: true, force: true });
  };
  const output: string[] = [];
  const lines = createInterface({ input: child.stdout });
  const isReady = new Promise<void>((resolve, reject) => {
    child.once("exit", (code, signal) => {
      reject(new Error(`The server ended with ${signal ?? code} before it was ready:\n${output.join("\n")}`));
    });
    lines.on("line", (line) => {
      output.push(line);
      if (line.startsWith("curl ")) resolve();
    });
  });
  await isReady.catch(async (error: unknown) => {
    await end();
    throw error;
  });
  const url = /http:\/\/localhost:\d+(?=\/graphql)/.exec(output.join("\n"))?.[0] ?? "";
  const token = execFileSync(process.execPath, ["src/programs/print-token.ts", "ada@demo.test"], {
    cwd: root,
    env: { ...outerEnvironment(), DATA_DIR: dataDir },
  });
  return { url, dataDir, token: String(token).trim(), output, end };
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const tooLate = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await exited;
  clearTimeout(tooLate);
}

/** One shell through all examples, as a reader has one: what an example sets, the next ones know. */
class Shell {
  readonly #process;
  readonly #folder = mkdtempSync(join(tmpdir(), "deskgate-readme-shell-"));
  #count = 0;

  constructor(dataDir: string) {
    const PATH = `${dirname(process.execPath)}:${process.env.PATH}`;
    this.#process = spawn("sh", {
      cwd: root,
      env: { ...outerEnvironment(), PATH, DATA_DIR: dataDir },
      stdio: ["pipe", "ignore", "inherit"],
    });
  }

  async run(script: string): Promise<{ code: number; output: string; errors: string }> {
    const path = join(this.#folder, String(++this.#count));
    writeFileSync(path, script);
    this.#process.stdin.write(
      `. ${path} < /dev/null > ${path}.output 2> ${path}.errors; echo $? > ${path}.new; mv ${path}.new ${path}.code\n`,
    );
    while (!existsSync(`${path}.code`)) {
      if (this.#process.exitCode !== null) throw new Error(`The shell has ended: ${readFileSync(`${path}.errors`)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const [code = "", output = "", errors = ""] = ["code", "output", "errors"].map((what) =>
      readFileSync(`${path}.${what}`, "utf8"),
    );
    return { code: Number(code), output, errors };
  }

  async end(): Promise<void> {
    await endProcess(this.#process);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The README's address and npm commands, as they are in the test: npm itself would only cost time. */
function asRunHere(script: string, url: string): string {
  return script
    .replaceAll(README_URL, url)
    .replaceAll(/npm run -s (\w+) --/g, (_, name: string) => scripts[name] ?? "")
    .replaceAll("npx node ", "node ");
}

async function rowsWritten(dataDir: string, statements: string): Promise<(number | null)[]> {
  const postgres = await joinEmbeddedPostgres({ dataDir, log: () => {} });
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  try {
    const results: unknown = await client.query(statements);
    if (!Array.isArray(results)) throw new Error("There is but one statement.");
    return results.map(({ rowCount }: pg.QueryResult) => rowCount);
  } finally {
    await client.end();
    await postgres.stop();
  }
}

interface Answer {
  readonly data?: { readonly contacts: { readonly edges: readonly { readonly node: { readonly id: string } }[] } };
}

async function graphql({ url, token }: Server, query: string): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ query }),
  });
  return JSON.parse(await response.text());
}

function unindented(code: string): string {
  return code.replaceAll(/^ +/gm, "");
}

/** Equals the value, but for strings with "…", which stands for anything. */
function asMatcher(expected: unknown): unknown {
  if (typeof expected === "string")
    return expected.includes("…") ? expect.stringMatching(asPattern(expected)) : expected;
  if (Array.isArray(expected)) return expected.map(asMatcher);
  if (typeof expected !== "object" || expected === null) return expected;
  return Object.fromEntries(Object.entries(expected).map(([key, value]) => [key, asMatcher(value)]));
}

/** The whole text, with anything for each "…" as long as it is on one line. */
function asPattern(text: string): RegExp {
  return new RegExp(`^${text.trim().split("…").map(RegExp.escape).join(".+")}$`);
}

/** Without comments of event streams, which tell nothing, and without the blank lines that they leave. */
function tidy(output: string): string {
  return output
    .replaceAll(/^:.*\n/gm, "")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim();
}

/** The rows of the table with these headings. */
function tableUnder(...headings: readonly string[]): string[][] {
  const tables = readme
    .split(/\n{2,}/)
    .filter((paragraph) => paragraph.startsWith("|"))
    .map((table) => table.trim().split("\n").map(cellsOf));
  const table = tables.find(([first]) => first?.join() === headings.join());
  if (table === undefined) throw new Error(`There is no table with the headings ${headings.join(", ")}.`);
  return table.slice(2);
}

function cellsOf(row: string): string[] {
  return row
    .slice(1, -1)
    .split("|")
    .map((cell) => cell.trim());
}

/** Everything in code style outside fenced blocks. */
function codeInProse(): string[] {
  return [...readme.replaceAll(/```[\s\S]*?```/g, "").matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
}

function source(): string[] {
  return readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.includes("generated"))
    .map((file) => read(`src/${file}`));
}

/** The examples. */
function programs(): string[] {
  return readdirSync(join(root, "examples")).map((file) => read(`examples/${file}`));
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** Without settings of Deskgate's, and without npm: the server would take the one that runs the tests for its own parent. */
function outerEnvironment(): NodeJS.ProcessEnv {
  const isOurs = (name: string): boolean =>
    name.startsWith("npm_") || settings.some((setting) => setting.name === name);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOurs(name)));
}
