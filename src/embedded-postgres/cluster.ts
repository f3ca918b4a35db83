import { randomBytes } from "node:crypto";
import { access, chown, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import pg from "pg";
import { type ClusterHome, run } from "./home.ts";

/** Marks the one session by which a cluster's owner shows that it lives. */
const OWNER = "deskgate-owner";

/** Makes the cluster beside its final place: a start that is killed half way leaves nothing that looks like one. */
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
        // Plain C would leave non-ASCII letters out of lower() and ILIKE.
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
      ],
      account,
    );
    // The password lives and dies with the cluster it opens.
    await rename(password, passwordFile(data));
    await rename(data, cluster);
  } catch (error) {
    // Another process may have been first; its cluster is as good.
    if (!(await exists(join(cluster, "PG_VERSION")))) throw error;
  }
  const prefix = `${basename(cluster)}.init-`;
  for (const name of await readdir(dirname(cluster))) {
    if (name.startsWith(prefix))
      await rm(join(dirname(cluster), name), { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Makes the database, and keeps one session open: it is what tells other processes that the cluster has an owner. */
export async function claim(cluster: string, port: number): Promise<pg.Client> {
  const session = await connect(cluster, port, `${OWNER} ${process.pid}`);
  const { rowCount } = await session.query("SELECT FROM pg_database WHERE datname = 'deskgate'");
  if (rowCount === 0) await session.query("CREATE DATABASE deskgate");
  return session;
}

/** The PostgreSQL that runs on this cluster, by the cluster's own pid file. */
export async function runningPostgres(cluster: string): Promise<{ pid: number; port: number } | undefined> {
  const file = join(cluster, "postmaster.pid");
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const [pid = 0, , , port = 0] = text.split("\n").map(Number);
  const command = await commandOf(pid);
  // Our watchdog has the same arguments, behind its own.
  if (command.includes(`/postgres -D ${cluster} `) && !command.startsWith("/bin/sh")) return { pid, port };
  // PostgreSQL would not start over a file of these kinds, though nothing runs: its number is now another process's (or that
  // of a dead one nobody has reaped), or it is empty because the machine went down. A fresh one may still be being written.
  const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Date.now() }));
  if ((pid === 0 || isThere(pid)) && Date.now() - mtimeMs > 1_000) await rm(file, { force: true });
  return undefined;
}

/** The process that owns a running cluster, as "process 123"; nobody, while it starts or ends. */
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
  // A session that PostgreSQL cuts is reported where it matters: by the end of its process.
  session.on("error", () => {});
  await session.connect();
  return session;
}

function passwordFile(cluster: string): string {
  return join(cluster, "deskgate-password");
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    // Somebody else's process (EPERM) is none that PostgreSQL minds.
    return false;
  }
}

/** The command line of a live process, else nothing. */
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
