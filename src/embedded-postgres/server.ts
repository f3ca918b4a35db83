import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { claim, initialise, ownerOf, runningPostgres, urlOf } from "./cluster.ts";
import { type ClusterHome, environment, findHome, run } from "./home.ts";

/** A running PostgreSQL that belongs to this process. */
export interface EmbeddedPostgres {
  /** Connects to the database `deskgate` as its owner. Contains the password. */
  url: string;
  /** Ends PostgreSQL: open sessions are cut, all that was committed is on disk. May be called again. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Folder that holds the cluster; made when it is missing. */
  dataDir: string;
  /** Receives what PostgreSQL reports, a line at a time. */
  log: (line: string) => void;
  /** A free port is chosen at each start when absent. */
  port?: number;
}

/** How long a new owner waits for the last one to leave, and how long a stop may take before it is forced. */
const PATIENCE_MS = { vacate: 5_000, ready: 60_000, stop: 10_000 };

const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "300",
  shared_buffers: "256MB",
  timezone: "UTC",
  log_timezone: "UTC",
  log_line_prefix: "",
  log_checkpoints: "off",
  // The details of an error tell the row that it is about, with what people wrote.
  log_error_verbosity: "terse",
};

/**
 * Runs PostgreSQL and ends it when standard input closes: that happens in `stop()` and when our process dies, however it
 * dies, so that nothing is orphaned. Only the pipe decides: a signal to this shell would part it from its child.
 */
const WATCHDOG = `
trap '' HUP INT TERM
exec 3<&0
"$@" 3<&- </dev/null &
postgres=$!
{ read -r _ <&3; kill -INT "$postgres"; } 2>/dev/null &
watcher=$!
exec 3<&- </dev/null
wait "$postgres"
code=$?
kill -KILL "$watcher" 2>/dev/null
exit "$code"
`;

/**
 * Starts the PostgreSQL whose data is in `dataDir`, with a database `deskgate`, and makes both when they are missing.
 *
 * A PostgreSQL left over from a process that was killed is waited for, then stopped. One that belongs to a live process is
 * left alone.
 *
 * @throws Error saying what to do: it is in use, its programs are missing, it did not start
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const home = await findHome(options.dataDir, options.log);
  for (let attempt = 1; ; attempt++) {
    await vacate(home, options.log);
    await initialise(home);
    try {
      return await launch(home, options);
    } catch (error) {
      // Its port was taken meanwhile, another process was faster, or children of a killed PostgreSQL are still leaving.
      if (attempt === 3) throw error;
      await sleep(1_000);
    }
  }
}

/**
 * Like {@link startEmbeddedPostgres}, but joins the PostgreSQL of a server that runs on this `dataDir`; `stop()` then
 * leaves it running. For short tools.
 */
export async function joinEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { cluster } = await findHome(options.dataDir, options.log);
  const running = await runningPostgres(cluster);
  if (running && (await ownerOf(cluster, running.port))) {
    return { url: await urlOf(cluster, running.port), stop: async () => {} };
  }
  return startEmbeddedPostgres(options);
}

/**
 * Starts a PostgreSQL with an empty database whose data `stop()` removes: for tests, measurements and development tools.
 */
export async function startTemporaryPostgres(log: (line: string) => void = () => {}): Promise<EmbeddedPostgres> {
  const dataDir = await mkdtemp(join(tmpdir(), "deskgate-"));
  // PostgreSQL may have to run as another user than ours.
  await chmod(dataDir, 0o755);
  const postgres = await startEmbeddedPostgres({ dataDir, log });
  return {
    url: postgres.url,
    stop: async () => {
      await postgres.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function launch(home: ClusterHome, options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { cluster, programs, account } = home;
  const port = options.port ?? (await freePort());
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const child = spawn(
    "/bin/sh",
    ["-c", WATCHDOG, "sh", programs.postgres, "-D", cluster, "-p", String(port), ...settings],
    // A session of its own: Ctrl-C in the terminal must not end PostgreSQL before our work in flight is done.
    { cwd: "/", env: environment, detached: true, stdio: ["pipe", "ignore", "pipe"], ...account },
  );
  await once(child, "spawn");
  const exited = once(child, "exit");
  // Closing the pipe of a child that is gone already is no fault.
  child.stdin.on("error", () => {});

  const lastLines: string[] = [];
  const ready = new Promise<true>((resolveReady) => {
    createInterface({ input: child.stderr }).on("line", (line) => {
      lastLines.push(line);
      if (lastLines.length > 10) lastLines.shift();
      options.log(line);
      if (line.includes("ready to accept connections")) resolveReady(true);
    });
  });
  const end = async () => {
    child.stdin.end();
    if (await Promise.race([exited, sleep(PATIENCE_MS.stop, false, { ref: false })])) return;
    await run(programs.pg_ctl, ["stop", "-D", cluster, "-m", "immediate", "-t", "3"], account);
    await exited;
  };

  if (!(await Promise.race([ready, exited.then(() => false), sleep(PATIENCE_MS.ready, false, { ref: false })]))) {
    await end();
    // What it said last may still be under way.
    await Promise.race([once(child, "close"), sleep(1_000)]);
    throw new Error(`PostgreSQL did not start on port ${port} with the data in ${cluster}:\n${lastLines.join("\n")}`);
  }

  try {
    const owner = await claim(cluster, port);
    let stopping: Promise<void> | undefined;
    void exited.then(() => stopping ?? options.log("PostgreSQL ended unexpectedly"));
    return {
      url: await urlOf(cluster, port),
      stop: () => {
        stopping ??= owner.end().then(end);
        return stopping;
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Returns once no PostgreSQL runs on this cluster. */
async function vacate({ cluster, programs, account }: ClusterHome, log: (line: string) => void): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS.vacate;
  while (Date.now() < deadline) {
    const running = await runningPostgres(cluster);
    if (!running) return;
    await sleep(100);
  }
  const running = await runningPostgres(cluster);
  if (!running) return;
  const owner = await ownerOf(cluster, running.port);
  if (owner) {
    throw new Error(
      `The database in ${cluster} is in use by another Deskgate (${owner}). Stop that one first, or name another folder ` +
        `with DATA_DIR.`,
    );
  }
  log(`stopping the PostgreSQL (process ${running.pid}) that a killed Deskgate left behind`);
  const stop = (mode: string) =>
    run(programs.pg_ctl, ["stop", "-D", cluster, "-m", mode, "-t", String(PATIENCE_MS.stop / 1_000)], account);
  await stop("fast").catch(() => stop("immediate"));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no TCP port to be had on 127.0.0.1");
  return address.port;
}
