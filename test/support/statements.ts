import pg from "pg";
import { vi } from "vitest";
import { at, listAt } from "./answers.ts";
import type { Desk } from "./app.ts";

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Lists the statements that Prisma sends during `run`, without authentication, whose result is cached for a second. */
export async function countingStatements<Result>(
  run: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly statements: readonly Statement[] }> {
  const sent = watchStatements();
  try {
    const result = await run();
    const statements = sent.all().flatMap((statement) => (isPrismas(statement) ? [statement] : []));
    if (statements.length === 0) throw new Error("Nothing was counted.");
    return { result, statements };
  } finally {
    sent.end();
  }
}

/** All statements sent to PostgreSQL, over all connections. */
export function watchStatements(): { all(): readonly unknown[]; end(): void } {
  const spy = vi.spyOn(pg.Client.prototype, "query");
  return { all: () => spy.mock.calls.map(([statement]) => statement), end: () => spy.mockRestore() };
}

/** Background statements, such as the query for due rows, are hand-written SQL with a name. */
function isPrismas(statement: unknown): statement is Statement {
  const text = at(statement, "text");
  if (typeof text !== "string" || !text.startsWith("SELECT") || at(statement, "name") !== undefined) return false;
  return !/FROM "public"\."(agent" AS "t0" WHERE \("t0"\."email"|api_key" AS "t0" WHERE \("t0"\."hash") = \$\d/.test(
    text,
  );
}

/** The number of rows of a table that PostgreSQL reads for these statements. */
export async function rowsLookedAt(desk: Desk, table: string, statements: readonly Statement[]): Promise<number> {
  let rows = 0;
  for (const { text, values } of statements) {
    const plan = await desk.app.database.pool.query({
      text: `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
      values: [...values],
    });
    const walk = (node: unknown): void => {
      const each = (key: string): number => Number(at(node, key) ?? 0);
      if (at(node, "Relation Name") === table) {
        rows += (each("Actual Rows") + each("Rows Removed by Filter")) * each("Actual Loops");
      }
      for (const inner of at(node, "Plans") === undefined ? [] : listAt(node, "Plans")) walk(inner);
    };
    walk(at(plan.rows, "0.QUERY PLAN.0.Plan"));
  }
  return rows;
}
