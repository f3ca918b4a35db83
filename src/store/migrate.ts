import { createHash, randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type pg from "pg";

/** A migration, read from `<directory>/<name>/migration.sql`. */
interface Migration {
  name: string;
  sql: string;
  /** SHA-256 of the file, in hexadecimal, as Prisma computes it. */
  checksum: string;
}

interface AppliedRow {
  migration_name: string;
  checksum: string;
  finished_at: Date | null;
}

/** The migrations of this code, independent of the working directory. */
const BUNDLED = fileURLToPath(new URL("../../prisma/migrations", import.meta.url));

/** The advisory lock that `prisma migrate` takes, so that the two exclude each other. */
const LOCK = 72_707_369;

/** Prisma's own table, column for column, so that `prisma migrate deploy` and `status` see what was applied here. */
const TABLE = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id                  VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum            VARCHAR(64) NOT NULL,
    finished_at         TIMESTAMPTZ,
    migration_name      VARCHAR(255) NOT NULL,
    logs                TEXT,
    rolled_back_at      TIMESTAMPTZ,
    started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`;

/**
 * Applies the pending migrations in name order, each in its own transaction. Instances that start at the same time wait
 * for each other.
 *
 * @returns the names of the applied migrations
 * @throws Error if an applied migration was changed or did not finish, or if a migration failed and was rolled back. The
 * message says what to do
 */
export async function migrate(pool: pg.Pool, directory = BUNDLED): Promise<string[]> {
  const migrations = await migrationsIn(directory);
  const session = await pool.connect();
  try {
    // The pool's timeouts are for requests; waiting for another instance and running a migration may take longer.
    await session.query("SET statement_timeout = 0; SET lock_timeout = 0");
    await session.query("SELECT pg_advisory_lock($1)", [LOCK]);
    await session.query(TABLE);
    const pending = unapplied(migrations, await appliedRows(session));
    for (const migration of pending) await apply(session, migration);
    return pending.map(({ name }) => name);
  } finally {
    // Closing the session releases its lock and settings in every case, so errors while closing can be ignored.
    session.on("error", () => {});
    session.release(true);
  }
}

/** The names of the migrations that have not been applied to the database. */
export async function pendingMigrations(pool: pg.Pool, directory = BUNDLED): Promise<string[]> {
  const { rows } = await pool.query<{ present: boolean }>(
    "SELECT to_regclass('_prisma_migrations') IS NOT NULL AS present",
  );
  const applied = rows[0]?.present ? await appliedRows(pool) : [];
  return unapplied(await migrationsIn(directory), applied).map(({ name }) => name);
}

async function migrationsIn(directory: string): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(`${directory}/${name}/migration.sql`, "utf8");
      return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    }),
  );
}

async function appliedRows(database: pg.Pool | pg.PoolClient): Promise<AppliedRow[]> {
  const { rows } = await database.query<AppliedRow>(
    "SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL",
  );
  return rows;
}

/** The migrations to apply. Names known only to the database are a newer version's, which may run alongside. */
function unapplied(migrations: Migration[], applied: AppliedRow[]): Migration[] {
  const rows = new Map(applied.map((row) => [row.migration_name, row]));
  return migrations.filter(({ name, checksum }) => {
    const row = rows.get(name);
    if (row?.finished_at === null) {
      throw new Error(
        `Migration ${name} was started by \`prisma migrate\` and did not finish. Repair the database, then run ` +
          `\`npx prisma migrate resolve\` with --applied or --rolled-back ${name}.`,
      );
    }
    if (row && row.checksum !== checksum) {
      throw new Error(
        `Migration ${name} has been changed since it was applied to this database. Restore its migration.sql and put ` +
          `the change into a new migration.`,
      );
    }
    return row === undefined;
  });
}

async function apply(session: pg.PoolClient, { name, sql, checksum }: Migration): Promise<void> {
  const id = randomUUID();
  try {
    await session.query("BEGIN");
    await session.query(
      "INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at) VALUES ($1, $2, $3, clock_timestamp())",
      [id, checksum, name],
    );
    await session.query(sql);
    await session.query(
      "UPDATE _prisma_migrations SET finished_at = clock_timestamp(), applied_steps_count = 1 WHERE id = $1",
      [id],
    );
    await session.query("COMMIT");
  } catch (error) {
    throw new Error(`Migration ${name} failed and was rolled back: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}
