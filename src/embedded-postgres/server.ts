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
  /** Stops PostgreSQL: disconnects open sessions; committed data is on disk. Repeated calls are safe. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Directory that holds the cluster; created if missing. */
  dataDir: string;
  /** Receives PostgreSQL's log, a line at a time. */
  log: (line: string) => void;
  /** If absent, a free port is chosen at each start. */
  port?: number;
}

/** How long to wait for a previous PostgreSQL to exit, for a start, and for a stop before it is forced. */
const TIMEOUT_MS = { vacate: 5_000, ready: 60_000, stop: 10_000 };

const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "300",
  shared_buffers: "256MB",
  timezone: "UTC",
  log_timezone: "UTC",
  log_line_prefix: "",
  log_checkpoints: "off",
  // The details of an error contain the whole row, including message text.
  log_error_verbosity: "terse",
};

/**
 * Runs PostgreSQL and stops it when standard input closes. `stop()` closes standard input, and so does the death of this process,
 * even by SIGKILL, so PostgreSQL is never orphaned. The shell ignores signals: one that killed it would leave
 * PostgreSQL running.
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
 * Starts PostgreSQL on the cluster in `dataDir` with the database `deskgate`, and creates both if missing.
 *
 * If a killed process left PostgreSQL running, it gets time to exit and is then stopped. If it belongs to a live
 * process, it keeps running and this function throws.
 *
 * @throws Error that says what to do: the cluster is in use, programs are missing, or PostgreSQL did not start
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const home = await findHome(options.dataDir, options.log);
  for (let attempt = 1; ; attempt++) {
    await vacate(home, options.log);
    await initialise(home);
    try {
      return await launch(home, options);
    } catch (error) {
      // The port was taken meanwhile, another process was faster, or children of a killed PostgreSQL are still exiting.
      if (attempt === 3) throw error;
      await sleep(1_000);
    }
  }
}

/**
 * Like {@link startEmbeddedPostgres}, but connects to the PostgreSQL of a server that already runs on this `dataDir`;
 * `stop()` then leaves it running. For short-lived programs.
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
 * Starts a PostgreSQL with an empty database; `stop()` removes its data. For tests, benchmarks and development tools.
 */
export async function startTemporaryPostgres(log: (line: string) => void = () => {}): Promise<EmbeddedPostgres> {
  const dataDir = await mkdtemp(join(tmpdir(), "deskgate-"));
  // PostgreSQL may run as another user than this process.
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
    // A separate session: Ctrl-C in the terminal must not stop PostgreSQL before work in progress is done.
    { cwd: "/", env: environment, detached: true, stdio: ["pipe", "ignore", "pipe"], ...account },
  );
  await once(child, "spawn");
  const exited = once(child, "exit");
  // Closing the pipe fails if the child has already exited, which is fine.
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
    if (await Promise.race([exited, sleep(TIMEOUT_MS.stop, false, { ref: false })])) return;
    await run(programs.pg_ctl, ["stop", "-D", cluster, "-m", "immediate", "-t", "3"], account);
    await exited;
  };

  if (!(await Promise.race([ready, exited.then(() => false), sleep(TIMEOUT_MS.ready, false, { ref: false })]))) {
    await end();
    // Its last log lines may still be in the pipe.
    await Promise.race([once(child, "close"), sleep(1_000)]);
    throw new Error(`PostgreSQL did not start on port ${port} with the data in ${cluster}:\n${lastLines.join("\n")}`);
  }

  try {
    const owner = await claim(cluster, port);
    let stopping: Promise<void> | undefined;
    void exited.then(() => stopping ?? options.log("PostgreSQL exited unexpectedly"));
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

/** Waits until no PostgreSQL runs on this cluster, and stops one without an owner. Throws if a live process owns it. */
async function vacate({ cluster, programs, account }: ClusterHome, log: (line: string) => void): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS.vacate;
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
      `The database in ${cluster} is in use by another Deskgate (${owner}). Stop it first, or choose another ` +
        `directory with DATA_DIR.`,
    );
  }
  log(`stopping the PostgreSQL (process ${running.pid}) that a killed Deskgate left behind`);
  const stop = (mode: string) =>
    run(programs.pg_ctl, ["stop", "-D", cluster, "-m", mode, "-t", String(TIMEOUT_MS.stop / 1_000)], account);
  await stop("fast").catch(() => stop("immediate"));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("There is no free TCP port on 127.0.0.1.");
  return address.port;
}
