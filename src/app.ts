import type { AddressInfo } from "node:net";
import type { Logger } from "pino";
import { Agent, type Dispatcher } from "undici";
import { v7 as uuidv7 } from "uuid";
import { authenticator } from "./auth/authenticate.ts";
import { authSecret } from "./auth/secret.ts";
import { secretBox } from "./auth/secret-box.ts";
import { createSessions } from "./auth/session.ts";
import { tokens as createTokens } from "./auth/token.ts";
import { customTransport } from "./channels/custom/send.ts";
import { fetchBotInfo } from "./channels/line/bot-info.ts";
import { lineTransport } from "./channels/line/send.ts";
import { lineWebhook } from "./channels/line/webhook.ts";
import { webChat } from "./channels/web-chat/routes.ts";
import { addressBook } from "./commands/address-book.ts";
import { createCloseArchived } from "./commands/close-archived.ts";
import { type AggregateStore, commitBatch } from "./commands/commit-batch.ts";
import { createExecutor } from "./commands/executor.ts";
import type { Config } from "./config.ts";
import { claimDeliveries } from "./delivery/claim.ts";
import { openLeases } from "./delivery/open-leases.ts";
import { createSender, type Sender } from "./delivery/sender.ts";
import { createSignaler, type Signaler } from "./delivery/signaler.ts";
import { connectDemoLine } from "./demo/line/connection.ts";
import { seedDemo } from "./demo/workspace.ts";
import { startEmbeddedPostgres } from "./embedded-postgres/server.ts";
import { flowReader } from "./flows/read-flows.ts";
import { graphqlServer } from "./graphql/server.ts";
import { isUpgrade } from "./graphql/transport/websocket.ts";
import { pages } from "./http/pages.ts";
import { httpServer } from "./http/server.ts";
import { archivedChannelsJob } from "./jobs/archived-channels.ts";
import { dueJob } from "./jobs/due.ts";
import { expireOutboundJob } from "./jobs/expire-outbound.ts";
import { forgetCallsJob } from "./jobs/forget-calls.ts";
import { retentionJob } from "./jobs/retention.ts";
import { sealSecretsJob } from "./jobs/seal-secrets.ts";
import { guardedAgent } from "./partners/guarded-agent.ts";
import { newWebhookSecret } from "./partners/standard-webhooks.ts";
import { type Clock, systemClock } from "./platform/clock.ts";
import { describeError } from "./platform/describe-error.ts";
import { createMetrics } from "./platform/metrics.ts";
import { type StopLimits, type StopStep, stopInTurn } from "./platform/stop-in-turn.ts";
import { createHub } from "./realtime/hub.ts";
import type { OnChange } from "./realtime/instances/change-notifier.ts";
import { postgresNotifier } from "./realtime/instances/postgres-notifier.ts";
import { redisNotifier } from "./realtime/instances/redis-notifier.ts";
import { clearFault } from "./store/channel-fault.ts";
import { channelSecrets } from "./store/channel-secrets.ts";
import { channelWriter } from "./store/channels.ts";
import { loadContactChannels, lockContactChannels } from "./store/contact-channels.ts";
import { type Database, openDatabase } from "./store/database.ts";
import { directory as createDirectory } from "./store/directory.ts";
import { eventLog } from "./store/event-log.ts";
import { migrate, pendingMigrations } from "./store/migrate.ts";
import { isLeaseOpen } from "./store/outbound-due.ts";
import { saveDecisions } from "./store/save-decisions.ts";

/** A running Deskgate. */
export interface App {
  /** Base URL that the server listens on, without a path. */
  readonly url: string;
  readonly database: Database;
  /** Runs the jobs for everything that is due by the app's clock, without waiting for their next run. */
  runDue(): Promise<void>;
  /** Prunes events older than the retention, without waiting for the job's next run. */
  pruneLog(): Promise<void>;
  /**
   * Finishes work in progress, closes connections and stops everything that `startApp` started. Takes at most about 13 s:
   * what does not stop in time is logged and left behind.
   */
  stop(): Promise<void>;
}

export interface AppOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Makes the calls to providers; the app closes it. It must use HTTP/1.1 only. */
  readonly dispatcher?: Dispatcher;
  /** How long a call to LINE may take, in milliseconds; 10 s by default (rule S2). */
  readonly callTimeout?: number;
  /** How long stopping may take; 13 s by default. */
  readonly stopLimits?: StopLimits;
}

const aggregateStore: AggregateStore = {
  lock: lockContactChannels,
  load: loadContactChannels,
  save: saveDecisions,
};

/** Starts all components in dependency order; `stop` reverses it. If one fails to start, those started are stopped. */
export async function startApp(options: AppOptions): Promise<App> {
  const {
    config,
    logger: baseLogger,
    clock = systemClock,
    dispatcher = new Agent({ allowH2: false }),
    callTimeout,
    stopLimits = STOP_LIMITS,
  } = options;
  const logger = baseLogger.child({}, { serializers: { err: describeError } });
  const started: StopStep[] = [];
  const onStop = (name: string, stop: StopStep["stop"]): void => {
    started.push({ name, stop });
  };
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= stopInTurn(started.toReversed(), stopLimits, logger);
    return stopping;
  };

  try {
    const databaseUrl = config.databaseUrl ?? (await embedded());
    const database = openDatabase(databaseUrl, {
      poolSize: config.databasePoolSize,
      onError: (error) => logger.warn({ err: error }, "a database connection was lost"),
    });
    onStop("database", database.close);
    for (const name of await migrate(database.pool)) logger.info({ migration: name }, "migration applied");

    const log = eventLog(database);
    const secrets = channelSecrets(database, await secretBox(config), (channelId, column, error) =>
      logger.error({ channelId, column, reason: error.message }, "a stored secret cannot be decrypted"),
    );
    const metrics = createMetrics();
    const readFlows = flowReader({
      onFault: (flow, fault) => logger.error({ ...flow, reason: fault }, "a stored flow cannot be read and is skipped"),
      onCount: metrics.flowsUnreadable,
    });
    const directory = createDirectory(database.prisma, secrets, readFlows);
    const hub = createHub({ log, onError: (error) => logger.warn({ err: error }, "reading the event log failed") });
    const secret = await authSecret(config);
    const onChange: OnChange = (workspaceId, events) =>
      events ? hub.offer(workspaceId, events) : hub.hint(workspaceId);
    const notifier =
      config.redisUrl === undefined
        ? await postgresNotifier({ url: databaseUrl, onChange, logger })
        : await redisNotifier({ url: config.redisUrl, database, secret, onChange, logger });
    onStop("change notifications", notifier.stop);
    const executor = createExecutor({
      commitBatch: commitBatch({
        database,
        store: aggregateStore,
        log,
        directory,
        addresses: addressBook(),
        clock,
        newId: uuidv7,
        onCommitted: (workspaceId, events) => {
          sender.offer(workspaceId, events);
          signaler.offer(workspaceId, events);
          hub.offer(workspaceId, events);
          notifier.notify(workspaceId, events);
        },
      }),
    });
    onStop("executor", executor.drain);
    const leases = openLeases({ clock, isOpen: (lease) => isLeaseOpen(database.pool, lease) });
    // Nobody waits for a call any more, but one that was given up still waits for its connection.
    onStop("calls to LINE", () => dispatcher.destroy());
    const partners = guardedAgent({ allowedNetworks: config.webhookAllowedNetworks });
    onStop("calls to partners", () => partners.destroy());
    const transports = {
      LINE: lineTransport({ apiUrl: config.lineApiUrl, dispatcher, clock, timeout: callTimeout, random: Math.random }),
      CUSTOM: customTransport({ agent: partners, clock, random: Math.random }),
    };
    const delivery = { database, directory, executor, clock, openLeases: leases, transports, logger };
    const sender: Sender = createSender(delivery);
    onStop("sender", sender.stop);
    const signaler: Signaler = createSignaler({ ...delivery, sender });
    onStop("signaler", signaler.stop);
    const closeArchived = createCloseArchived({ database, executor, clock });
    if (config.demo) await seedDemo(database, executor, secrets);
    const demoLine = config.demo ? await connectDemoLine(database, secrets) : null;
    if (demoLine !== null) onStop("demo LINE", demoLine.stop);

    const dueJobs = [
      dueJob({ database, executor, clock, logger }),
      expireOutboundJob({ database, executor, clock, logger }),
      sender.poll,
      forgetCallsJob({ database, clock, logger }),
      archivedChannelsJob({ closeArchived, logger }),
      sealSecretsJob({ secrets, logger }),
    ];
    const retention = retentionJob({ log, clock, logger, keepFor: config.eventRetention });
    for (const job of [...dueJobs, retention]) {
      job.start();
      onStop("job", job.stop);
    }

    const tokens = createTokens({ secret, jwks: config.jwks ?? null }, clock);
    const authenticate = authenticator(directory, tokens);
    const sessions = createSessions({
      authenticate: config.jwks === undefined ? null : authenticate,
      principals: directory,
      onChange: directory.forget,
      clock,
      onError: (error) => logger.warn({ err: error }, "rechecking sessions failed"),
    });
    onStop("sessions", sessions.stop);
    const http = httpServer({
      logger,
      metrics,
      trustProxy: config.trustProxy,
      isUpgrade,
      ready: () => ready(database),
    });
    const graphql = await graphqlServer({
      database,
      directory,
      executor,
      hub,
      log,
      authenticate,
      sessions,
      clock,
      secrets,
      channels: channelWriter(database, secrets, newWebhookSecret),
      closeArchived,
      leaseClosed: leases.closed,
      claimDeliveries: (channel, max) =>
        claimDeliveries({ database, executor, clock, openLeases: leases }, channel, max),
      sendSignal: signaler.send,
      fetchBotInfo: (accessToken, apiUrl) => fetchBotInfo(apiUrl ?? config.lineApiUrl, accessToken),
      clearFault: async (channelId) => {
        await clearFault(database.pool, channelId);
        directory.forget();
      },
      publicUrl: config.publicUrl ?? null,
      logger,
      limits: { maxDepth: config.graphqlMaxDepth, maxCost: config.graphqlMaxCost },
      introspection: config.introspection,
      trustedDocuments: config.trustedDocuments ?? null,
      allowedOrigins: config.allowedOrigins,
      connectionsPerActor: config.connectionsPerActor,
    });
    const edge = { database, directory, executor, hub, tokens, clock, openLeases: leases, newId: uuidv7, logger };
    await http.register(await pages({ graphiql: config.trustedDocuments === undefined }));
    await http.register(graphql.routes);
    await http.register(lineWebhook({ ...edge, metrics }));
    await http.register(webChat({ ...edge, sessionsPerMinute: config.chatSessionsPerMinute }));
    if (demoLine !== null) await http.register(demoLine.page);
    http.server.on("upgrade", graphql.handleUpgrade);

    onStop("HTTP server", () => http.close());
    // The server waits for open requests when it closes, and streams never end on their own, so they are stopped first.
    onStop("hub", hub.stop);
    onStop("GraphQL streams and sockets", graphql.stop);
    // No further call begins while the others stop; what is under way, up to 10 s long, is awaited after them.
    onStop("further calls", async () => {
      void sender.stop();
      void signaler.stop();
    });
    await http.listen({ port: config.port, host: "::" }).catch((error: unknown) => listenOnIpv4(error));

    const { port } = http.server.address() as AddressInfo;
    demoLine?.listen(`http://localhost:${port}`);
    return { url: `http://localhost:${port}`, database, runDue, pruneLog: retention.runOnce, stop };

    async function runDue(): Promise<void> {
      for (const job of dueJobs) await job.runOnce();
      await sender.idle();
      await signaler.idle();
    }

    async function listenOnIpv4(error: unknown): Promise<void> {
      if (!(error instanceof Error && "code" in error && error.code === "EAFNOSUPPORT")) throw error;
      await http.listen({ port: config.port, host: "0.0.0.0" });
    }
  } catch (error) {
    await stop();
    throw error;
  }

  async function embedded(): Promise<string> {
    const postgres = await startEmbeddedPostgres({
      dataDir: config.dataDir,
      log: (line) => logger.debug({ postgres: line }, "postgres"),
    });
    onStop("embedded PostgreSQL", postgres.stop);
    return postgres.url;
  }
}

/** Readiness: the database responds and has every migration. */
async function ready(database: Database): Promise<void> {
  const pending = await pendingMigrations(database.pool);
  if (pending.length > 0) throw new Error(`Migrations not applied: ${pending.join(", ")}`);
}

/** In milliseconds. One step may take as long as a call to a provider; orchestrators usually kill after 15 or 30 s. */
const STOP_LIMITS: StopLimits = { total: 13_000, step: 10_000, reserve: 100 };
