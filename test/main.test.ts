import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { lineSignature, lineText } from "./support/app.ts";

/** A server started like `npm start`, in its own process. */
interface Server {
  readonly process: ChildProcess;
  readonly url: string;
  readonly output: string[];
  /** The token that it printed, on a line of its own. */
  readonly token: string;
  exit(signal: NodeJS.Signals): Promise<number | null>;
}

const root = join(import.meta.dirname, "..");
const running: ChildProcess[] = [];
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "deskgate-start-"));
  await chmod(dataDir, 0o755);
});
afterEach(async () => {
  for (const child of running.splice(0)) await end(child, "SIGKILL");
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

describe("npm start", () => {
  test("the first start seeds the demo and prints a command that blocks a contact; the second start finds the contact blocked", async () => {
    const first = await start();
    const command = first.output.find((line) => line.startsWith("curl "));
    const blocked = await shell(command ?? "");
    expect(JSON.parse(blocked)).toMatchObject({
      data: {
        blockContact: {
          __typename: "BlockContactSuccess",
          changed: true,
          contact: { name: "Rex", status: "BLOCKED" },
          endedConversations: [{ status: "BLOCKED" }],
        },
      },
    });
    const before = await contacts(first);
    expect(await first.exit("SIGTERM")).toBe(0);

    const second = await start();
    expect(await contacts(second)).toEqual(before);
    // A token survives a restart.
    expect(await contacts({ ...second, token: first.token })).toEqual(before);
  });

  test("after kill -9 the next start succeeds and has all acknowledged data", async () => {
    const killed = await start();
    expect(await lineMessage(killed, "Do not lose this")).toBe(200);
    await killed.exit("SIGKILL");

    const again = await start();
    expect(JSON.stringify(await contacts(again))).toContain("Do not lose this");
  });

  test("SIGTERM ends everything within 15 s, PostgreSQL included, and requests in progress are answered", async () => {
    const server = await start();
    const answers = Promise.all(Array.from({ length: 20 }, () => contacts(server)));
    // The first answer means that requests are in progress.
    await contacts(server);
    const began = performance.now();
    const code = server.exit("SIGTERM");
    expect(await answers).toHaveLength(20);
    expect(await code).toBe(0);
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(await postgresOf(dataDir)).toBe(false);
  });

  test("SIGTERM during a request that never ends: everything is stopped, and the exit code is 0", async () => {
    const server = await start();
    const endless = connect(Number(new URL(server.url).port), "localhost");
    endless.on("error", () => {});
    await once(endless, "connect");
    endless.write("POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{");
    // The server has read these headers once it answers a later request.
    await contacts(server);
    expect(await server.exit("SIGTERM")).toBe(0);
    endless.destroy();
    expect(await postgresOf(dataDir)).toBe(false);
  });

  test("npm passes Ctrl-C on, so it arrives twice: the server still stops in order", async () => {
    const server = await start();
    const code = server.exit("SIGINT");
    server.process.kill("SIGINT");
    expect(await code).toBe(0);
    expect(await postgresOf(dataDir)).toBe(false);
  });

  test("a token is printed alone on the last line, whether or not the server runs", async () => {
    const printed = await run("src/programs/print-token.ts", "ben@demo.test");
    const server = await start();
    const lines = (await run("src/programs/print-token.ts", "ben@demo.test")).trim().split("\n");
    for (const token of [printed.trim(), lines.at(-1) ?? ""]) {
      const answer = await graphql({ ...server, token }, "{ viewer { role actor { ... on Agent { email } } } }");
      expect(answer).toEqual({ data: { viewer: { role: "AGENT", actor: { email: "ben@demo.test" } } } });
    }
  });

  test("the log has neither tokens nor user data", async () => {
    const server = await start({ LOG_LEVEL: "trace" });
    const secretText = "my-card-number-is-4111";
    await graphql(server, `query { contacts(filter: { search: "${secretText}" }) { edges { node { id } } } }`);
    await fetch(
      `${server.url}/graphql?query=${encodeURIComponent(`{ contacts(filter: { search: "${secretText}" }) { edges { cursor } } }`)}`,
      {
        headers: { authorization: `Bearer ${server.token}` },
      },
    );
    await server.exit("SIGTERM");
    const log = server.output.filter((line) => line.startsWith("{"));
    expect(log.length).toBeGreaterThan(2);
    expect(log.filter((line) => line.includes(secretText) || line.includes(server.token))).toEqual([]);
  });

  test("invalid settings are reported all at once, each with its fix, and nothing is started", async () => {
    const child = spawnServer({ PORT: "eighty", LOG_LEVEL: "loud" });
    const errors: string[] = [];
    child.stderr?.on("data", (chunk: Buffer) => errors.push(String(chunk)));
    expect(await exitCode(child)).toBe(1);
    expect(errors.join("")).toContain('PORT is "eighty"');
    expect(errors.join("")).toContain('LOG_LEVEL is "loud"');
  });
});

function spawnServer(env: NodeJS.ProcessEnv): ChildProcess {
  const child = spawn(process.execPath, ["src/main.ts"], {
    cwd: root,
    env: { ...withoutNpm(), PORT: "0", DATA_DIR: dataDir, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.push(child);
  return child;
}

async function start(env: NodeJS.ProcessEnv = {}): Promise<Server> {
  const child = spawnServer(env);
  const output: string[] = [];
  const errors: string[] = [];
  child.stderr?.on("data", (chunk: Buffer) => errors.push(String(chunk)));
  if (child.stdout === null) throw new Error("The process has no output.");
  const lines = createInterface({ input: child.stdout });
  const ready = new Promise<void>((resolve, reject) => {
    lines.on("line", (line) => {
      output.push(line);
      if (line.startsWith("curl ")) resolve();
    });
    child.once("exit", (code) => reject(new Error(`The server ended with ${code}: ${errors.join("")}`)));
  });
  await ready;
  const url = output.map((line) => /API and GraphiQL +(http:\S+)\/graphql/.exec(line)?.[1]).find(Boolean);
  const token = output.find((line) => /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(line));
  if (url === undefined || token === undefined) throw new Error(output.join("\n"));
  return { process: child, url, output, token, exit: (signal) => end(child, signal) };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  child.kill(signal);
  return exitCode(child);
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

async function graphql(
  server: Pick<Server, "url" | "token">,
  query: string,
  variables: object = {},
): Promise<{ data: Record<string, unknown> }> {
  const response = await fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${server.token}` },
    body: JSON.stringify({ query, variables }),
  });
  const answer: { data: Record<string, unknown>; errors?: unknown } = JSON.parse(await response.text());
  expect(answer.errors).toBeUndefined();
  return answer;
}

function contacts(server: Pick<Server, "url" | "token">): Promise<unknown> {
  return graphql(
    server,
    "{ contacts { edges { node { id name status conversations { edges { node { id status messages { edges { node { text } } } } } } } } } }",
  );
}

/** Delivers a message to the demo channel as LINE does; returns the status. */
async function lineMessage(server: Server, text: string): Promise<number> {
  const webhook = server.output.map((line) => /LINE webhook +(http:\S+)/.exec(line)?.[1]).find(Boolean);
  const body = JSON.stringify({ destination: "U0", events: [lineText("U-kill", text)] });
  const response = await fetch(webhook ?? "", {
    method: "POST",
    headers: { "x-line-signature": lineSignature(body, "demo-line-secret") },
    body,
  });
  return response.status;
}

async function run(script: string, ...parameters: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...parameters], {
    cwd: root,
    env: { ...withoutNpm(), DATA_DIR: dataDir },
  });
  return stdout;
}

async function shell(command: string): Promise<string> {
  const { stdout } = await promisify(execFile)("sh", ["-c", command]);
  return stdout;
}

/** Whether PostgreSQL still runs on this data directory, by its own pid file. */
async function postgresOf(folder: string): Promise<boolean> {
  const pidFile = await readFile(join(folder, "postgres", "postmaster.pid"), "utf8").catch(() => null);
  return pidFile !== null;
}

/** The environment without npm's variables: otherwise the server would take the npm of this test run for its parent. */
function withoutNpm(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_")));
}
