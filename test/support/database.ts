import { randomUUID } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";

/** A database of a test's own. */
export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

/** A database with all migrations applied and no rows. */
export function freshDatabase(): Promise<TestDatabase> {
  return copyOf("deskgate");
}

/** A database without anything in it. */
export function emptyDatabase(): Promise<TestDatabase> {
  return copyOf("template0");
}

async function copyOf(template: string): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await administer(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  return {
    url: urlOf(name),
    // Forced, so that a test that failed before closing its pool does not hide why.
    drop: () => administer(`DROP DATABASE ${name} WITH (FORCE)`),
  };
}

async function administer(sql: string): Promise<void> {
  const session = new pg.Client({ connectionString: urlOf("postgres") });
  await session.connect();
  try {
    await session.query(sql);
  } finally {
    await session.end();
  }
}

function urlOf(database: string): string {
  const url = new URL(inject("postgresUrl"));
  url.pathname = database;
  return url.href;
}
