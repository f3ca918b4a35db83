import { fork } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type EmbeddedPostgres,
  joinEmbeddedPostgres,
  startEmbeddedPostgres,
} from "../../src/embedded-postgres/server.ts";

const asRoot = process.getuid?.() === 0;

/** The first test creates its cluster; each test leaves it stopped. */
let dataDir: string;

beforeAll(async () => {
  dataDir = await temporaryFolder();
});

afterAll(() => rm(dataDir, { recursive: true }));

test("committed data is still there after stop and start", async () => {
  await using(await start(), (url) => query(url, "CREATE TABLE note (text text); INSERT INTO note VALUES ('kept')"));

  await using(await start(), async (url) => {
    expect(await query(url, "SELECT text FROM note")).toEqual([{ text: "kept" }]);
  });
});

test("stopping twice has no further effect", async () => {
  const postgres = await start();
  await Promise.all([postgres.stop(), postgres.stop()]);
  await postgres.stop();

  await expect(query(postgres.url, "SELECT 1")).rejects.toThrow("ECONNREFUSED");
});

test("non-ASCII letters are compared case-insensitively", async () => {
  await using(await start(), async (url) => {
    expect(await query(url, "SELECT lower('ÄÉЖ') AS lower, 'Ünal' ILIKE 'ünal' AS alike")).toEqual([
      { lower: "äéж", alike: true },
    ]);
  });
});

test("it listens on this machine only, and requires the password", async () => {
  await using(await start(), async (url) => {
    expect(await query(url, "SHOW listen_addresses")).toEqual([{ listen_addresses: "127.0.0.1" }]);
    const stranger = new URL(url);
    stranger.password = "guess";
    await expect(query(stranger.href, "SELECT 1")).rejects.toThrow("password authentication failed");
  });
});

test("kill -9 of the server ends PostgreSQL, too, and the next start has all committed data", async () => {
  const server = await startServer();
  await query(server.url, "CREATE TABLE survivor (text text); INSERT INTO survivor VALUES ('kept')");
  const orphan = await postmaster();

  server.process.kill("SIGKILL");

  await using(await start(), async (url) => {
    expect(await query(url, "SELECT text FROM survivor")).toEqual([{ text: "kept" }]);
    expect(await postmaster()).not.toBe(orphan);
  });
  expect(isRunning(orphan)).toBe(false);
});

test("after kill -9 of the server PostgreSQL exits even if no server starts again", async () => {
  const server = await startServer();
  const orphan = await postmaster();

  server.process.kill("SIGKILL");

  for (let waited = 0; isRunning(orphan) && waited < 5_000; waited += 50) await sleep(50);
  expect(isRunning(orphan)).toBe(false);
});

test("Ctrl-C in the terminal does not reach PostgreSQL: the server stops it after finishing its own work", async () => {
  const server = await startServer();

  // As a terminal sends it: to the whole process group.
  process.kill(-server.pid, "SIGINT");
  await once(server.process, "message");

  expect(await query(server.url, "SELECT 1 AS alive")).toEqual([{ alive: 1 }]);
  server.process.kill("SIGKILL");
  await using(await start(), async () => {});
});

test("a PostgreSQL used by a live server is left alone: a tool connects to it, a second server is refused", async () => {
  const server = await startServer();

  const joined = await joinEmbeddedPostgres({ dataDir, log: () => {} });
  expect(joined.url).toBe(server.url);
  await joined.stop();

  await expect(start()).rejects.toThrow(`in use by another Deskgate (process ${server.pid})`);
  expect(await query(server.url, "SELECT 1 AS alive")).toEqual([{ alive: 1 }]);

  server.process.kill("SIGKILL");
  await using(await start(), async () => {});
});

test("a tool starts PostgreSQL itself if no server runs", async () => {
  const tool = await joinEmbeddedPostgres({ dataDir, log: () => {} });

  expect(await query(tool.url, "SELECT 1 AS alive")).toEqual([{ alive: 1 }]);

  await tool.stop();
  await expect(query(tool.url, "SELECT 1")).rejects.toThrow("ECONNREFUSED");
});

test.each([
  ["names a process that is not PostgreSQL", `${process.pid}\n`],
  ["names no process", "4194303\n"],
  ["is empty, as after a power failure", ""],
])("a stale pid file that %s does not prevent a start", async (_, text) => {
  await using(await start(), async () => {});
  const pidFile = join(dataDir, "postgres", "postmaster.pid");
  await writeFile(pidFile, text);
  const longAgo = new Date("2020-01-01");
  await utimes(pidFile, longAgo, longAgo);

  await using(await start(), async (url) => {
    expect(await query(url, "SELECT 1 AS alive")).toEqual([{ alive: 1 }]);
  });
});

test("a first start that was killed halfway is cleaned up and repeated", async () => {
  const folder = await temporaryFolder();
  const halfMade = join(folder, "postgres.init-k1Lled", "data");
  await mkdir(halfMade, { recursive: true });
  await writeFile(join(halfMade, "PG_VERSION"), "18\n");

  await using(await start(folder), async () => {
    expect(await readdir(folder)).toEqual(["postgres"]);
  });
  await rm(folder, { recursive: true });
});

test.runIf(asRoot)(
  "as root, in a folder that PostgreSQL's user cannot enter, the data is stored elsewhere",
  async () => {
    const folder = await temporaryFolder();
    await chmod(folder, 0o700);
    await using(await start(folder), (url) =>
      query(url, "CREATE TABLE note (text text); INSERT INTO note VALUES ('kept')"),
    );

    const [place = ""] = (await readFile(join(folder, "postgres-location"), "utf8")).split("\n");
    expect(await readdir(folder)).toEqual(["postgres-location"]);
    expect(await readdir(place)).toContain("PG_VERSION");
    await using(await start(folder), async (url) => {
      expect(await query(url, "SELECT text FROM note")).toEqual([{ text: "kept" }]);
    });
    await rm(dirname(place), { recursive: true });
    await rm(folder, { recursive: true });
  },
);

/** A folder that PostgreSQL can enter even when it runs as another user. */
async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "deskgate-embedded-"));
  await chmod(folder, 0o755);
  return folder;
}

function start(folder = dataDir): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ dataDir: folder, log: () => {} });
}

async function using(postgres: EmbeddedPostgres, work: (url: string) => Promise<unknown>): Promise<void> {
  try {
    await work(postgres.url);
  } finally {
    await postgres.stop();
  }
}

/** PostgreSQL in its own process, which can be killed. */
async function startServer() {
  const server = fork(join(import.meta.dirname, "../support/embedded-server.ts"), [dataDir], { detached: true });
  const [url] = await once(server, "message");
  return { process: server, pid: server.pid ?? 0, url: String(url) };
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const session = new pg.Client({ connectionString: url });
  // Some of these tests terminate connections by a stop.
  session.on("error", () => {});
  await session.connect();
  const { rows } = await session.query(sql);
  await session.end();
  return rows;
}

async function postmaster(): Promise<number> {
  return Number.parseInt(await readFile(join(dataDir, "postgres", "postmaster.pid"), "utf8"), 10);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
