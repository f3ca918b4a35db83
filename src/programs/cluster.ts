import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { authSecret } from "../auth/secret.ts";
import { signAgentToken } from "../auth/token.ts";
import { type Config, loadConfig } from "../config.ts";
import { demoAgents, demoSpammer } from "../demo/workspace.ts";
import { startEmbeddedPostgres } from "../embedded-postgres/server.ts";
import { systemClock } from "../platform/clock.ts";
import { ProgramError, runProgram } from "../platform/command-line.ts";
import { stopSignal } from "../platform/stop-signal.ts";
import { openDatabase } from "../store/database.ts";

const INSTANCES = 3;

await runProgram(main);

/** `npm run cluster`: runs three instances on one PostgreSQL, to try out how they work together. */
async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const stopRequested = stopSignal();
  const postgres =
    config.databaseUrl === undefined
      ? await startEmbeddedPostgres({ dataDir: config.dataDir, log: () => {} })
      : { url: config.databaseUrl, stop: async () => {} };
  const cluster = createCluster(postgres.url);
  try {
    const portOf = (n: number): number => (config.port === 0 ? 0 : config.port + n);
    // The first instance migrates and seeds the database; the others would only wait for that.
    const first = await cluster.start(portOf(0));
    const others = await Promise.all(Array.from({ length: INSTANCES - 1 }, (_, n) => cluster.start(portOf(n + 1))));
    console.log(await welcome([first, ...others], config, postgres.url));
    await Promise.race([stopRequested, cluster.failed]);
  } finally {
    await cluster.stop();
    await postgres.stop();
  }
}

interface Instance {
  readonly url: string;
  readonly process: ChildProcess;
}

interface Cluster {
  /** Rejects when an instance cannot be restarted. */
  readonly failed: Promise<never>;
  /** Starts an instance; resolves when it is ready. Port 0 chooses a free port. */
  start(port: number): Promise<Instance>;
  stop(): Promise<void>;
}

/** Runs instances as child processes. One that exits is restarted on the same port; if that fails, `failed` rejects. */
function createCluster(databaseUrl: string): Cluster {
  const failure = Promise.withResolvers<never>();
  // It may reject before anything awaits it, which Node would report as unhandled.
  failure.promise.catch(() => {});
  const running = new Map<ChildProcess, Promise<unknown>>();
  let stopping = false;
  return { failed: failure.promise, start, stop };

  async function stop(): Promise<void> {
    stopping = true;
    for (const child of running.keys()) child.kill("SIGTERM");
    await Promise.all(running.values());
  }

  async function start(port: number): Promise<Instance> {
    const child = fork(new URL("../main.ts", import.meta.url), {
      env: { ...process.env, DATABASE_URL: databaseUrl, PORT: String(port) },
      // A separate session: Ctrl-C in the terminal reaches only this process, which stops the instances in order.
      detached: true,
    });
    const exited = once(child, "exit").then(() => running.delete(child));
    running.set(child, exited);
    const url = await Promise.race([
      once(child, "message").then(([address]) => String(address)),
      exited.then(() => {
        throw new ProgramError(`The instance on port ${port} exited before it was ready. See its output above.`);
      }),
    ]);
    void exited.then(() => (stopping ? undefined : restart(url)));
    return { url, process: child };
  }

  async function restart(url: string): Promise<void> {
    console.log(`${url} has exited. Restarting it.`);
    try {
      const { process } = await start(Number(new URL(url).port));
      console.log(`${url} is running again as process ${process.pid}.`);
    } catch (error) {
      failure.reject(error);
    }
  }
}

async function welcome(instances: readonly Instance[], config: Config, databaseUrl: string): Promise<string> {
  const via = config.redisUrl === undefined ? "PostgreSQL" : "Redis";
  const lines = [
    "",
    `${instances.length} Deskgate instances share one database. Change notifications between them go through ${via}.`,
    "",
    ...instances.map(({ url, process: { pid } }) => `  API and GraphiQL   ${url}/graphql   (process ${pid})`),
  ];
  const database = openDatabase(databaseUrl, { poolSize: 1, onError: () => {} });
  const contact = await demoSpammer(database).finally(database.close);
  const [first, second] = instances;
  const [ada] = demoAgents;
  if (first !== undefined && second !== undefined && contact !== null && config.jwks === undefined) {
    const token = await signAgentToken(await authSecret(config), ada.email, systemClock.now());
    const curl = (options: string, { url }: Instance, query: string): string =>
      `curl -s ${options}${url}/graphql -H 'content-type: application/json' -H 'authorization: Bearer ${token}' -d '${JSON.stringify({ query })}'`;
    const subscribe = "subscription { contactStatusChanged { cause contactChannel { displayName } } }";
    // Unblocks first, so that the command prints an event each time it is run.
    const input = `input: { contactId: "${contact.id}" }`;
    const block = `mutation { unblockContact(${input}) { __typename } blockContact(${input}) { __typename } }`;
    lines.push(
      "",
      `  Token of ${ada.email} (others: npm run -s token -- ben@demo.test):`,
      "",
      token,
      "",
      `  Subscribe on the first instance and block ${contact.name} on the second:`,
      "",
      `(${curl("-N --max-time 3 -H 'accept: text/event-stream' ", first, subscribe)} & sleep 1; ${curl("", second, block)}; wait)`,
    );
  }
  return [...lines, ""].join("\n");
}
