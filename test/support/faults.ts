import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import pg from "pg";
import type { Desk } from "./app.ts";

/** A separate session on the desk's database, for causing faults. */
export interface FaultSession {
  query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]>;
  /** Terminates every connection of the app. */
  cutConnections(): Promise<void>;
  /** Resolves once this many statements of the app wait for a lock. */
  untilWaiting(count: number): Promise<void>;
  end(): Promise<void>;
}

export async function openFaultSession(databaseUrl: string): Promise<FaultSession> {
  const session = new pg.Client({ connectionString: databaseUrl, application_name: "fault session" });
  await session.connect();
  const ofTheApp = "datname = current_database() AND application_name = 'deskgate'";
  const query = async <Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> =>
    (await session.query<Row>(sql)).rows;
  return {
    query,
    cutConnections: async () => {
      await query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${ofTheApp}`);
    },
    untilWaiting: async (count) => {
      const waiting = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE ${ofTheApp} AND wait_event_type = 'Lock'`;
      // Otherwise the view never changes within an open transaction.
      const now = () => query("SELECT pg_stat_clear_snapshot()");
      while (((await query<{ n: number }>(waiting))[0]?.n ?? 0) < count) await now();
    },
    end: () => session.end(),
  };
}

export function databaseOf(desk: Desk): string {
  const { connectionString } = desk.app.database.pool.options;
  if (connectionString === undefined) throw new Error("The desk has no database.");
  return connectionString;
}

/** A proxy to PostgreSQL that can lose the answer to a successful COMMIT. */
export interface DatabaseProxy {
  readonly url: string;
  /** When true, a connection breaks on the answer to a COMMIT. */
  loseCommits(lose: boolean): void;
  /** The number of lost answers. */
  readonly lost: () => number;
  /** When true, all connections break and new ones are refused. */
  cut(isCut: boolean): void;
  close(): Promise<void>;
}

export async function startDatabaseProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const { hostname, port } = new URL(databaseUrl);
  const open = new Set<Socket>();
  let losing = false;
  let lost = 0;
  let isCut = false;
  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const database = connect(Number(port), hostname);
    for (const [from, to] of [
      [client, database],
      [database, client],
    ] as const) {
      open.add(from);
      from.on("error", () => {});
      from.on("close", () => {
        open.delete(from);
        to.destroy();
      });
    }
    client.on("data", (data) => database.write(data));
    database.on("data", (data) => {
      if (losing && data.includes("COMMIT\0")) {
        lost += 1;
        client.destroy();
      } else client.write(data);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    loseCommits: (lose) => {
      losing = lose;
    },
    lost: () => lost,
    cut: (wanted) => {
      isCut = wanted;
      if (isCut) for (const socket of open) socket.destroy();
    },
    close: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
