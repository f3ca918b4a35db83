import { randomBytes } from "node:crypto";
import { access, chown, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import pg from "pg";
import { type ClusterHome, run } from "./home.ts";

/** Prefix of the application name of the session that a cluster's owner keeps open for as long as it lives. */
const OWNER = "deskgate-owner";

/**
 * Creates the cluster if it does not exist. It is built in a draft directory and then renamed, so a process that is
 * killed leaves nothing that looks like a cluster.
 */
export async function initialise({ cluster, programs, account }: ClusterHome): Promise<void> {
  if (await exists(join(cluster, "PG_VERSION"))) return;
  const draft = await mkdtemp(`${cluster}.init-`);
  const password = join(draft, "password");
  await writeFile(password, randomBytes(24).toString("base64url"), { mode: 0o600 });
  if (account) for (const path of [draft, password]) await chown(path, account.uid, account.gid);
  try {
    const data = join(draft, "data");
    await run(
      programs.initdb,
      [
        `--pgdata=${data}`,
        "--username=deskgate",
        "--auth=scram-sha-256",
        `--pwfile=${password}`,
        "--encoding=UTF8",
        "--locale=C",
        // With plain C, lower() and ILIKE would not fold the case of non-ASCII letters.
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
      ],
      account,
    );
    // The password file is part of the cluster, so both are moved and deleted together.
    await rename(password, passwordFile(data));
    await rename(data, cluster);
  } catch (error) {
    // Another process may have created the cluster first; that one is used.
    if (!(await exists(join(cluster, "PG_VERSION")))) throw error;
  }
  const prefix = `${basename(cluster)}.init-`;
  for (const name of await readdir(dirname(cluster))) {
    if (name.startsWith(prefix))
      await rm(join(dirname(cluster), name), { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Creates the database if missing. The returned session shows other processes that the cluster has an owner. */
export async function claim(cluster: string, port: number): Promise<pg.Client> {
  const session = await connect(cluster, port, `${OWNER} ${process.pid}`);
  const { rowCount } = await session.query("SELECT FROM pg_database WHERE datname = 'deskgate'");
  if (rowCount === 0) await session.query("CREATE DATABASE deskgate");
  return session;
}

/** The PostgreSQL that runs on this cluster, according to the cluster's pid file; removes a stale one. */
export async function runningPostgres(cluster: string): Promise<{ pid: number; port: number } | undefined> {
  const file = join(cluster, "postmaster.pid");
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const [pid = 0, , , port = 0] = text.split("\n").map(Number);
  const command = await commandOf(pid);
  // The watchdog's command line contains the same arguments, after its own.
  if (command.includes(`/postgres -D ${cluster} `) && !command.startsWith("/bin/sh")) return { pid, port };
  // PostgreSQL refuses to start over a stale file that is empty (after a crash of the machine) or whose pid belongs to
  // another process by now, or to a zombie. A file younger than a second may still be incomplete.
  const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Date.now() }));
  if ((pid === 0 || isAlive(pid)) && Date.now() - mtimeMs > 1_000) await rm(file, { force: true });
  return undefined;
}

/** The process that owns a running cluster, as "process 123"; undefined while it starts or stops. */
export async function ownerOf(cluster: string, port: number): Promise<string | undefined> {
  try {
    const session = await connect(cluster, port, "deskgate");
    const { rows } = await session.query<{ name: string }>(
      "SELECT replace(application_name, $1, 'process') AS name FROM pg_stat_activity WHERE starts_with(application_name, $1)",
      [OWNER],
    );
    await session.end();
    return rows[0]?.name;
  } catch {
    return undefined;
  }
}

/** The connection string of the running cluster; it contains the password. */
export async function urlOf(cluster: string, port: number, database = "deskgate"): Promise<string> {
  return `postgresql://deskgate:${await readFile(passwordFile(cluster), "utf8")}@127.0.0.1:${port}/${database}`;
}

async function connect(cluster: string, port: number, applicationName: string): Promise<pg.Client> {
  const session = new pg.Client({
    connectionString: await urlOf(cluster, port, "postgres"),
    application_name: applicationName,
    connectionTimeoutMillis: 2_000,
  });
  // No need to report a lost session: the exit of the PostgreSQL process is reported.
  session.on("error", () => {});
  await session.connect();
  return session;
}

function passwordFile(cluster: string): string {
  return join(cluster, "deskgate-password");
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    // PostgreSQL also ignores a process of another user (EPERM).
    return false;
  }
}

/** The command line of a live process; empty if there is none. */
async function commandOf(pid: number): Promise<string> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ");
  } catch {
    // No such process, or not Linux.
    return run("ps", ["-ww", "-o", "command=", "-p", String(pid)]).catch(() => "");
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
