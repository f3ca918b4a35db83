import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { schemaDrift } from "../../prisma/migration.ts";
import { migrate, pendingMigrations } from "../../src/store/migrate.ts";
import { emptyDatabase, freshDatabase, type TestDatabase } from "../support/database.ts";

let database: TestDatabase;
let pool: pg.Pool;
let directory: string;

beforeEach(async () => {
  database = await emptyDatabase();
  pool = new pg.Pool({ connectionString: database.url });
  directory = await mkdtemp(join(tmpdir(), "deskgate-migrations-"));
  await writeMigration("1_tables", "CREATE TABLE ticket (id int); CREATE TABLE note (id int);");
  await writeMigration("2_rows", "INSERT INTO ticket VALUES (1);");
});

afterEach(async () => {
  await pool.end();
  await database.drop();
  await rm(directory, { recursive: true });
});

test("migrations are applied in the order of their names, once", async () => {
  expect(await pendingMigrations(pool, directory)).toEqual(["1_tables", "2_rows"]);
  expect(await migrate(pool, directory)).toEqual(["1_tables", "2_rows"]);

  expect(await pendingMigrations(pool, directory)).toEqual([]);
  expect(await migrate(pool, directory)).toEqual([]);
  expect(await countOf("ticket")).toBe(1);
});

test("only new migrations are applied later", async () => {
  await migrate(pool, directory);
  await writeMigration("3_more", "INSERT INTO ticket VALUES (2);");

  expect(await pendingMigrations(pool, directory)).toEqual(["3_more"]);
  expect(await migrate(pool, directory)).toEqual(["3_more"]);
});

test("instances that start at the same time apply each migration once in total", async () => {
  const instances = Array.from({ length: 4 }, () => new pg.Pool({ connectionString: database.url }));

  const applied = await Promise.all(instances.map((instance) => migrate(instance, directory)));

  expect(applied.flat().sort()).toEqual(["1_tables", "2_rows"]);
  expect(await countOf("ticket")).toBe(1);
  await Promise.all(instances.map((instance) => instance.end()));
});

test("a migration that was changed after it was applied is refused by name", async () => {
  await migrate(pool, directory);
  await appendFile(join(directory, "1_tables", "migration.sql"), "-- a second thought");

  await expect(migrate(pool, directory)).rejects.toThrow("Migration 1_tables has been changed since it was applied");
  await expect(pendingMigrations(pool, directory)).rejects.toThrow("1_tables");
});

test("a failed migration leaves no changes, and those before it stay applied", async () => {
  await writeMigration("3_broken", "INSERT INTO ticket VALUES (2); SELECT nonsense;");

  await expect(migrate(pool, directory)).rejects.toThrow(
    'Migration 3_broken failed and was rolled back: column "nonsense" does not exist',
  );

  expect(await pendingMigrations(pool, directory)).toEqual(["3_broken"]);
  expect(await countOf("ticket")).toBe(1);
});

test("migrations applied by a newer version are left alone", async () => {
  await migrate(pool, directory);
  await rm(join(directory, "2_rows"), { recursive: true });

  expect(await migrate(pool, directory)).toEqual([]);
});

test("the record is Prisma's own: `prisma migrate` can continue from it", async () => {
  await writeMigration("1_tables", "CREATE TABLE ticket (id int);");
  await migrate(pool, directory);

  const { rows } = await pool.query("SELECT * FROM _prisma_migrations ORDER BY migration_name LIMIT 1");
  expect(rows).toEqual([
    {
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      // sha256sum of the file
      checksum: "28667f9bcee2fd9895c16a2198378c45f789300c130ba16ea9915e7fa93e9c4c",
      finished_at: expect.any(Date),
      migration_name: "1_tables",
      logs: null,
      rolled_back_at: null,
      started_at: expect.any(Date),
      applied_steps_count: 1,
    },
  ]);
});

test("the migrations of this version match schema.prisma exactly", async () => {
  const migrated = await freshDatabase();
  const migratedPool = new pg.Pool({ connectionString: migrated.url });

  expect(await pendingMigrations(migratedPool)).toEqual([]);
  expect(await schemaDrift(migratedPool)).toBeUndefined();

  await migratedPool.end();
  await migrated.drop();
});

async function writeMigration(name: string, sql: string): Promise<void> {
  await mkdir(join(directory, name), { recursive: true });
  await writeFile(join(directory, name, "migration.sql"), sql);
}

async function countOf(table: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(`SELECT count(*)::int FROM ${table}`);
  return rows[0]?.count ?? 0;
}
