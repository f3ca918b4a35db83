/**
 * Writes the next migration: `npm run migration -- <name>`.
 *
 * Runs the WebAssembly build of Prisma's schema engine against a temporary PostgreSQL with all migrations applied, so
 * it needs neither a database nor the engine binary that the Prisma CLI downloads. Add what Prisma's schema cannot
 * express (checks, expression indexes, triggers) to the file by hand.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import {
  bindMigrationAwareSqlAdapterFactory,
  type ColumnType,
  ColumnTypeEnum,
  type SqlDriverAdapter,
} from "@prisma/driver-adapter-utils";
import { SchemaEngine } from "@prisma/schema-engine-wasm";
import pg from "pg";
import { startTemporaryPostgres } from "../src/embedded-postgres/server.ts";
import { writeOnce } from "../src/platform/write-once.ts";
import { migrate } from "../src/store/migrate.ts";

const here = import.meta.dirname;

/**
 * Compares a database with a Prisma schema, except for what the schema cannot express: checks, expression indexes,
 * triggers, storage parameters.
 *
 * @returns the SQL that migrates the database to the schema; `undefined` if they match
 */
export async function schemaDrift(pool: pg.Pool, schemaFile = `${here}/schema.prisma`): Promise<string | undefined> {
  const content = await readFile(schemaFile, "utf8");
  const files = [{ path: schemaFile, content }];
  const engine = await SchemaEngine.new({ datamodels: [[schemaFile, content]] }, () => {}, catalogReader(pool));
  try {
    const { exitCode, stdout } = await engine.diff({
      from: { tag: "schemaDatasource", files, configDir: here },
      to: { tag: "schemaDatamodel", files },
      script: true,
      exitCode: true,
      filters: { externalTables: [], externalEnums: [] },
    });
    return exitCode === 0 ? undefined : (stdout ?? "");
  } finally {
    engine.free();
  }
}

/** The column types of PostgreSQL's catalog, by type oid. */
const catalogTypes: Record<number, ColumnType> = {
  16: ColumnTypeEnum.Boolean,
  18: ColumnTypeEnum.Character,
  19: ColumnTypeEnum.Text,
  20: ColumnTypeEnum.Int64,
  21: ColumnTypeEnum.Int32,
  23: ColumnTypeEnum.Int32,
  25: ColumnTypeEnum.Text,
  26: ColumnTypeEnum.Int64,
  1009: ColumnTypeEnum.TextArray,
  1043: ColumnTypeEnum.Text,
};

/** A read-only adapter for the catalog. Prisma's own adapter fails on the catalog's "char" columns. */
function catalogReader(pool: pg.Pool) {
  const kind = { provider: "postgres", adapterName: "catalog-reader" } as const;
  const refuse = async () => {
    throw new Error("The schema engine has read-only access.");
  };
  const adapter: SqlDriverAdapter = {
    ...kind,
    async queryRaw({ sql, args }) {
      const { fields, rows } = await pool.query<unknown[]>({ text: sql, values: args, rowMode: "array" });
      const columnTypes = fields.map(({ name, dataTypeID }) => {
        const type = catalogTypes[dataTypeID];
        if (type === undefined) throw new Error(`Column ${name}: type ${dataTypeID} is missing from catalogTypes.`);
        return type;
      });
      return { columnNames: fields.map(({ name }) => name), columnTypes, rows };
    },
    executeRaw: refuse,
    executeScript: refuse,
    startTransaction: refuse,
    getConnectionInfo: () => ({ schemaName: "public", supportsRelationJoins: true }),
    dispose: async () => {},
  };
  return bindMigrationAwareSqlAdapterFactory({ ...kind, connect: async () => adapter, connectToShadowDb: refuse });
}

async function writeMigration(name: string): Promise<string> {
  const migrations = `${here}/migrations`;
  await mkdir(migrations, { recursive: true });
  await writeOnce(`${migrations}/migration_lock.toml`, 'provider = "postgresql"\n', 0o644);

  const postgres = await startTemporaryPostgres();
  const pool = new pg.Pool({ connectionString: postgres.url });
  try {
    await migrate(pool, migrations);
    const sql = await schemaDrift(pool);
    if (sql === undefined) return "The migrations already match prisma/schema.prisma. Nothing to write.";
    const timestamp = new Date().toISOString().replace(/\D/g, "").slice(0, 14);
    const folder = `${migrations}/${timestamp}_${name}`;
    await mkdir(folder);
    await writeFile(`${folder}/migration.sql`, `${sql.trimEnd()}\n`);
    return `Wrote ${folder}/migration.sql. Review it, and add by hand what the schema cannot express.`;
  } finally {
    await pool.end();
    await postgres.stop();
  }
}

if (import.meta.main) {
  const [name = ""] = parseArgs({ allowPositionals: true }).positionals;
  if (!/^[a-z0-9_]+$/.test(name)) {
    console.error(
      "Usage: npm run migration -- <name>, where <name> describes the change and contains only a-z, 0-9 and _",
    );
    process.exit(2);
  }
  console.log(await writeMigration(name));
}
