import pg from "pg";
import type { TestProject } from "vitest/node";
import { startTemporaryPostgres } from "../../src/embedded-postgres/server.ts";
import { migrate } from "../../src/store/migrate.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The key of the migrated template database that `freshDatabase()` copies. */
    postgresUrl: string;
  }
}

/** Runs before the first test: one PostgreSQL for the whole run, with the database `deskgate` migrated once as the template. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await startTemporaryPostgres();
  const pool = new pg.Pool({ connectionString: postgres.url });
  try {
    await migrate(pool);
    project.provide("postgresUrl", postgres.url);
    return postgres.stop;
  } catch (error) {
    await postgres.stop();
    throw error;
  } finally {
    // PostgreSQL cannot copy a template that has open connections.
    await pool.end();
  }
}
