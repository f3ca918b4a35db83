import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { CoalescingSocket } from "./coalescing-socket.ts";
import { PrismaClient } from "./generated/client.ts";

/** A connection inside an open transaction. A `Tx` parameter marks a function that must run in a transaction. */
export interface Tx {
  /** Runs a statement and waits for its rows. */
  query<Row extends pg.QueryResultRow>(statement: Statement, values: readonly unknown[]): Promise<Row[]>;
  /**
   * Sends a statement; callers need not wait for it. Statements run in the order in which they were sent, and a failure
   * fails the commit. Await the rows only after the commit.
   */
  write<Row extends pg.QueryResultRow>(statement: Statement, values: readonly unknown[]): Promise<Row[]>;
}

/** Named SQL: each connection prepares it once, under its name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Reads with Prisma, inside or outside a transaction. The type is a full client because Pothos requires one. */
export type Reads = PrismaClient;

/** Access to one PostgreSQL database: `prisma` for reads, `pool` for hot paths. They share connections. */
export interface Database {
  readonly pool: pg.Pool;
  readonly prisma: PrismaClient;
  /** Reads with Prisma in one snapshot: all queries of `run` see the same commits. */
  snapshot<Result>(run: (reads: Reads) => Promise<Result>): Promise<Result>;
  /** Runs in one READ COMMITTED transaction; an exception rolls it back. */
  transaction<Result>(run: (tx: Tx) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** The connection broke during COMMIT: the transaction may or may not have been committed. */
export class CommitOutcomeUnknown extends Error {
  constructor(cause: unknown) {
    super("The database connection was lost during COMMIT; it is unknown whether the change was saved.", { cause });
  }
}

/** No transaction could be started. The cause is unrelated to the work itself. */
export class TransactionNotStarted extends Error {
  constructor(cause: unknown) {
    super("Could not start a transaction.", { cause });
  }
}

export function openDatabase(url: string, options: { poolSize: number; onError: (error: Error) => void }): Database {
  const settings: pg.PoolConfig = {
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 15_000,
    lock_timeout: 10_000,
    idle_in_transaction_session_timeout: 20_000,
    // A client-side limit above the server's: an unresponsive connection is dropped together with its queries.
    query_timeout: 20_000,
    application_name: "deskgate",
  };
  const pool = new pg.Pool({ ...settings, max: options.poolSize });
  // Pipelining sends a transaction's statements together: a commit takes a few round trips instead of a dozen.
  const transactions = new pg.Pool({
    ...settings,
    max: MAX_TRANSACTIONS,
    pipeline: true,
    options: INDEX_PLANS,
    stream: () => new CoalescingSocket(),
  });
  for (const each of [pool, transactions]) each.on("error", options.onError);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool, { disposeExternalPool: false }) });
  return {
    pool,
    prisma,
    snapshot: (run) =>
      prisma.$transaction((tx) => run(asReads(tx)), {
        isolationLevel: "RepeatableRead",
        maxWait: settings.connectionTimeoutMillis ?? 0,
        timeout: SNAPSHOT_TIMEOUT,
      }),
    transaction: (run) => transaction(transactions, run),
    close: async () => {
      await prisma.$disconnect();
      await Promise.all([pool.end(), transactions.end()]);
    },
  };
}

const MAX_TRANSACTIONS = 4;
/** In milliseconds. */
const SNAPSHOT_TIMEOUT = 15_000;

/**
 * The write path finds every row by key, using lists whose length the planner cannot know. A generic plan that always
 * uses indexes costs the same on an empty table as on a large one.
 */
const INDEX_PLANS = [
  "plan_cache_mode=force_generic_plan",
  "enable_seqscan=off",
  "enable_hashjoin=off",
  "enable_mergejoin=off",
  "jit=off",
]
  .map((setting) => `-c ${setting}`)
  .join(" ");

async function transaction<Result>(pool: pg.Pool, run: (tx: Tx) => Promise<Result>): Promise<Result> {
  const connection = await pool.connect().catch((error: unknown) => {
    throw new TransactionNotStarted(error);
  });
  const sent: Promise<unknown>[] = [];
  let broken: Error | undefined;
  const onError = (error: Error): void => {
    broken = error;
  };
  connection.on("error", onError);
  const send = <Row extends pg.QueryResultRow>(query: string | pg.QueryConfig): Promise<Row[]> => {
    const response = connection.query<Row>(query).then(({ rows }) => rows);
    // A failure is handled when the transaction ends; until then it must not count as an unhandled rejection.
    response.catch(() => {});
    sent.push(response);
    return response;
  };
  const tx: Tx = {
    query: async <Row extends pg.QueryResultRow>(statement: Statement, values: readonly unknown[]) => {
      const { rows } = await connection.query<Row>({ ...statement, values: [...values] });
      return rows;
    },
    write: (statement, values) => send({ ...statement, values: [...values] }),
  };
  try {
    void send("BEGIN");
    const result = await run(tx);
    void send("COMMIT");
    await settle(sent);
    return result;
  } catch (error) {
    const rollback = connection.query("ROLLBACK").catch(onError);
    const [cause] = await failures(sent);
    await rollback;
    // The first failure is the cause: statements after it only report that the transaction is aborted.
    throw error instanceof CommitOutcomeUnknown ? error : (cause ?? error);
  } finally {
    // A broken connection is discarded, and keeps its listener because it may emit another error.
    if (broken === undefined) connection.off("error", onError);
    connection.release(broken);
  }
}

/** Waits for all sent statements, COMMIT last. Throws PostgreSQL's error, or `CommitOutcomeUnknown` without one. */
async function settle(sent: readonly Promise<unknown>[]): Promise<void> {
  const reasons = await failures(sent);
  const refused = reasons.find((reason) => sqlState(reason) !== null);
  if (refused !== undefined) throw refused;
  if (reasons.length > 0) throw new CommitOutcomeUnknown(reasons[0]);
}

async function failures(sent: readonly Promise<unknown>[]): Promise<unknown[]> {
  const outcomes = await Promise.allSettled(sent);
  return outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
}

/** A transaction client lacks only the methods that manage connections and transactions, which reads do not use. */
function asReads(tx: Omit<PrismaClient, "$transaction" | "$connect" | "$disconnect" | "$on" | "$extends">): Reads {
  return tx as Reads;
}

/** The SQLSTATE of a PostgreSQL error; null for any other error. */
export function sqlState(error: unknown): string | null {
  return error instanceof pg.DatabaseError ? (error.code ?? null) : null;
}

/** Identifies this database uniquely, by its cluster's system identifier and its oid. */
export async function databaseIdentity(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query<{ identity: string }>(
    `SELECT concat_ws(':', system_identifier, oid) AS identity FROM pg_control_system(), pg_database
     WHERE datname = current_database()`,
  );
  return rows[0]?.identity ?? "";
}
