import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

/** The processes that `npm run cluster` started, and its output. */
interface Cluster {
  readonly process: ChildProcess;
  readonly output: readonly string[];
  readonly instances: readonly { readonly url: string; readonly pid: number }[];
}

const root = join(import.meta.dirname, "../..");
const running: ChildProcess[] = [];
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "deskgate-cluster-"));
  // PostgreSQL may have to run as another user.
  await chmod(dataDir, 0o755);
});
afterEach(async () => {
  // Its children and PostgreSQL exit with it, which is also tested here.
  for (const child of running.splice(0)) await ended(child, "SIGKILL");
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

// Several servers start on a machine that may be busy.
describe("npm run cluster", { timeout: 90_000 }, () => {
  test("three instances: the printed command receives on one instance the events of another; SIGTERM ends them all", async () => {
    const cluster = await start();
    expect(new Set(cluster.instances.map(({ url }) => url)).size).toBe(3);
    for (const { url } of cluster.instances) expect((await fetch(`${url}/ready`)).status).toBe(200);

    const command = cluster.output.find((line) => line.startsWith("(curl ")) ?? "";
    const { stdout } = await promisify(execFile)("sh", ["-c", command]);
    expect(stdout).toContain('"blockContact":{"__typename":"BlockContactSuccess"}');
    expect(stdout).toContain('"contactStatusChanged":{"cause":"BLOCKED","contactChannel":{"displayName":"Rex"}}');

    expect(await ended(cluster.process, "SIGTERM")).toBe(0);
    expect(await remains(cluster)).toEqual([]);
  });

  test("an instance that exits is restarted on its port; after kill -9 of the parent nothing is left", async () => {
    const cluster = await start();
    const [, second] = cluster.instances;
    if (second === undefined) throw new Error("There is no second instance.");
    process.kill(second.pid, "SIGKILL");
    await expect
      .poll(() => cluster.output.at(-1), { timeout: 20_000 })
      .toContain(`${second.url} is running again as process`);
    expect(cluster.output.at(-2)).toBe(`${second.url} has exited. Restarting it.`);
    expect((await fetch(`${second.url}/ready`)).status).toBe(200);

    await ended(cluster.process, "SIGKILL");
    await expect.poll(() => remains(cluster), { timeout: 20_000 }).toEqual([]);
  });
});

async function start(): Promise<Cluster> {
  const child = spawn(process.execPath, ["src/programs/cluster.ts"], {
    cwd: root,
    env: { ...withoutNpm(), PORT: "0", DATA_DIR: dataDir, LOG_LEVEL: "fatal" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  running.push(child);
  const output: string[] = [];
  const isReady = new Promise<void>((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`The cluster exited with ${code}:\n${output.join("\n")}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line !== "") output.push(line);
      if (line.startsWith("(curl ")) resolve();
    });
  });
  await isReady;
  const instances = output.flatMap((line) => {
    const [, url = "", pid = ""] = /(http:\S+)\/graphql +\(process (\d+)\)/.exec(line) ?? [];
    return url === "" ? [] : [{ url, pid: Number(pid) }];
  });
  return { process: child, output, instances };
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }
  return child.exitCode;
}

/** The instances that still answer, and whether PostgreSQL still runs, by its own pid file. */
async function remains({ instances }: Cluster): Promise<string[]> {
  const answering = await Promise.all(
    instances.map(({ url }) =>
      fetch(`${url}/health`).then(
        () => [url],
        () => [],
      ),
    ),
  );
  const postgres = await readFile(join(dataDir, "postgres", "postmaster.pid"), "utf8").catch(() => null);
  return [...answering.flat(), ...(postgres === null ? [] : ["PostgreSQL"])];
}

/** The environment without npm's variables: otherwise the cluster would take the npm of this test run for its parent. */
function withoutNpm(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_")));
}
