import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
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
  await administer((session) => session.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
  return {
    url: urlOf(name),
    drop: () => administer((session) => drop(session, name)),
  };
}

/**
 * Waits for closed sessions to be gone: a pool's `end` resolves before the server has processed it, and a session that is
 * then terminated raises an error that nobody handles. Forced after two seconds, so that a test that failed before it
 * closed its pool does not hide why.
 */
async function drop(session: pg.Client, name: string): Promise<void> {
  const deadline = Date.now() + 2_000;
  const connected = "SELECT 1 FROM pg_stat_activity WHERE datname = $1";
  while ((await session.query(connected, [name])).rowCount !== 0 && Date.now() < deadline) await setTimeout(5);
  await session.query(`DROP DATABASE ${name} WITH (FORCE)`);
}

async function administer(run: (session: pg.Client) => Promise<unknown>): Promise<void> {
  const session = new pg.Client({ connectionString: urlOf("postgres") });
  await session.connect();
  try {
    await run(session);
  } finally {
    await session.end();
  }
}

function urlOf(database: string): string {
  const url = new URL(inject("postgresUrl"));
  url.pathname = database;
  return url.href;
}
