import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { PrismaClient } from "./generated/client.ts";

/** A connection inside an open transaction: whoever takes one says by its type that it needs a transaction. */
export interface Tx {
  /** Asks and waits for the rows. */
  query<Row extends pg.QueryResultRow>(statement: Statement, values: readonly unknown[]): Promise<Row[]>;
  /**
   * Sends without waiting: statements run in the order in which they were sent, and a failure fails the commit. What it
   * answers with is looked at after the commit, if at all.
   */
  write<Row extends pg.QueryResultRow>(statement: Statement, values: readonly unknown[]): Promise<Row[]>;
}

/** SQL with a name, under which a connection prepares it once. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** What can be read with Prisma, in a transaction or outside: a whole client by its type, because Pothos asks for one. */
export type Reads = PrismaClient;

/** The two ways to one PostgreSQL: `prisma` to be read, `pool` for what is hot; they share the connections. */
export interface Database {
  readonly pool: pg.Pool;
  readonly prisma: PrismaClient;
  /** Reads with Prisma in one snapshot: all queries of `run` see the same commits. */
  snapshot<Result>(run: (reads: Reads) => Promise<Result>): Promise<Result>;
  /** Runs in one READ COMMITTED transaction; an exception rolls it back. */
  transaction<Result>(run: (tx: Tx) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** The connection broke while COMMIT was under way: what was written may or may not stand. */
export class CommitOutcomeUnknown extends Error {
  constructor(cause: unknown) {
    super("The database connection was lost during COMMIT; whether the change was kept is unknown.", { cause });
  }
}

/** No transaction could be begun, for a reason that lies in none of what was to be done. */
export class NothingBegun extends Error {
  constructor(cause: unknown) {
    super("No transaction could be begun.", { cause });
  }
}

export function openDatabase(url: string, options: { poolSize: number; onError: (error: Error) => void }): Database {
  const settings: pg.PoolConfig = {
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 15_000,
    lock_timeout: 10_000,
    idle_in_transaction_session_timeout: 20_000,
    // Ours, above the database's own: a connection that went silent is given up with all that waits on it.
    query_timeout: 20_000,
    application_name: "deskgate",
  };
  const pool = new pg.Pool({ ...settings, max: options.poolSize });
  // In a pipeline the statements of a transaction travel together: a commit costs a few round trips instead of a dozen.
  const transactions = new pg.Pool({ ...settings, max: MAX_TRANSACTIONS, pipeline: true, options: BY_KEY });
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
 * The write path reaches every row by a key, through lists whose length the planner cannot know: planned once, always by
 * index, it costs the same on an empty and on a large table.
 */
const BY_KEY = [
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
    throw new NothingBegun(error);
  });
  const sent: Promise<unknown>[] = [];
  let broken: Error | undefined;
  const onError = (error: Error): void => {
    broken = error;
  };
  connection.on("error", onError);
  const send = <Row extends pg.QueryResultRow>(query: string | pg.QueryConfig): Promise<Row[]> => {
    const answer = connection.query<Row>(query).then(({ rows }) => rows);
    // Its failure is looked at when the transaction ends; until then it must not count as unhandled.
    answer.catch(() => {});
    sent.push(answer);
    return answer;
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
    // After one statement has failed, those behind it only say that the transaction is aborted.
    throw error instanceof CommitOutcomeUnknown ? error : (cause ?? error);
  } finally {
    // A broken one is thrown away, and may complain once more on its way.
    if (broken === undefined) connection.off("error", onError);
    connection.release(broken);
  }
}

/** Waits for everything that was sent, COMMIT last; throws what PostgreSQL refused, or that it is not known whether it did. */
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

/** Within a transaction a client lacks only what opens and closes it. */
function asReads(tx: Omit<PrismaClient, "$transaction" | "$connect" | "$disconnect" | "$on" | "$extends">): Reads {
  return tx as Reads;
}

/** The SQLSTATE of an error that PostgreSQL answered with; null for any other error. */
export function sqlState(error: unknown): string | null {
  return error instanceof pg.DatabaseError ? (error.code ?? null) : null;
}

/** What distinguishes this database from every other: the identifier of its cluster and its oid there. */
export async function databaseIdentity(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query<{ identity: string }>(
    `SELECT concat_ws(':', system_identifier, oid) AS identity FROM pg_control_system(), pg_database
     WHERE datname = current_database()`,
  );
  return rows[0]?.identity ?? "";
}
