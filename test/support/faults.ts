import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import pg from "pg";
import type { Desk } from "./app.ts";

/** A session of our own on the desk's database, to make things go wrong in it. */
export interface Saboteur {
  query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]>;
  /** Ends every connection that the app has. */
  cutConnections(): Promise<void>;
  /** Resolves once so many of the app's statements wait for a lock. */
  untilWaiting(count: number): Promise<void>;
  end(): Promise<void>;
}

export async function saboteur(databaseUrl: string): Promise<Saboteur> {
  const session = new pg.Client({ connectionString: databaseUrl, application_name: "saboteur" });
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
      // In an open transaction the view would never change.
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

/** A way to PostgreSQL that can lose the answer to a COMMIT which PostgreSQL has carried out. */
export interface Wire {
  readonly url: string;
  /** From now on the connection breaks when the answer to a COMMIT comes. */
  loseCommits(lose: boolean): void;
  /** How many were lost. */
  readonly lost: () => number;
  /** Whether there is a way at all: without, every connection breaks and none can be made. */
  cut(isCut: boolean): void;
  close(): Promise<void>;
}

export async function wireTo(databaseUrl: string): Promise<Wire> {
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
