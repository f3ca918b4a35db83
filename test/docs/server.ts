import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import pg from "pg";
import { settings } from "../../src/config.ts";
import { joinEmbeddedPostgres } from "../../src/embedded-postgres/server.ts";
import { root } from "./pages.ts";

/** A server as `npm start` runs it, with data of its own. */
export interface Server {
  readonly url: string;
  readonly dataDir: string;
  readonly token: string;
  /** The lines that it has printed. */
  readonly output: readonly string[];
  end(): Promise<void>;
}

export async function startServer(): Promise<Server> {
  const dataDir = mkdtempSync(join(tmpdir(), "deskgate-docs-"));
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

/** One shell for all examples: variables and functions stay defined, as in a reader's terminal. */
export class Shell {
  readonly #process;
  readonly #folder = mkdtempSync(join(tmpdir(), "deskgate-docs-shell-"));
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

/** Runs SQL statements on the server's database; returns how many rows each has written. */
export async function rowsWritten({ dataDir }: Server, statements: string): Promise<(number | null)[]> {
  const postgres = await joinEmbeddedPostgres({ dataDir, log: () => {} });
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  try {
    const results: unknown = await client.query(statements);
    if (!Array.isArray(results)) throw new Error("Expected several statements.");
    return results.map(({ rowCount }: pg.QueryResult) => rowCount);
  } finally {
    await client.end();
    await postgres.stop();
  }
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const tooLate = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await exited;
  clearTimeout(tooLate);
}

/** Without Deskgate's settings, and without npm, which the server would take for its own parent. */
function outerEnvironment(): NodeJS.ProcessEnv {
  const isOurs = (name: string): boolean =>
    name.startsWith("npm_") || settings.some((setting) => setting.name === name);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOurs(name)));
}
