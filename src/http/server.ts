import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import Fastify, { type FastifyBaseLogger, type FastifyError, type FastifyInstance, LogController } from "fastify";
import type { Logger } from "pino";
import { Overloaded } from "../commands/work.ts";
import { errorBody } from "../platform/error-body.ts";
import type { Metrics } from "../platform/metrics.ts";

export interface HttpOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly trustProxy: boolean;
  /** Whether a request with an `Upgrade` header is handed to the server's `upgrade` listener; others are answered. */
  readonly isUpgrade: (request: IncomingMessage) => boolean;
  /** Throws with the reason while the service is not ready. */
  readonly ready: () => Promise<void>;
}

/** Creates the HTTP server with what all routes share: request ids and logs, one error format, health and metrics. */
export function httpServer({ logger, metrics, trustProxy, isUpgrade, ready }: HttpOptions): FastifyInstance {
  const http: FastifyInstance = Fastify({
    loggerInstance: asFastifyLogger(logger),
    trustProxy,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    // Requests in progress may finish; idle connections are closed.
    forceCloseConnections: "idle",
    return503OnClosing: true,
    bodyLimit: 64 * 1_024,
    http: { shouldUpgradeCallback: isUpgrade },
  });

  closeIdleConnectionsOnStop(http);

  http.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
  });

  http.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "unknown";
    const { method } = request;
    const status = reply.statusCode;
    metrics.requestAnswered({ method, route, status, seconds: reply.elapsedTime / 1_000 });
    // Log the route, not the URL: a query string may contain message text.
    request.log.info({ method, route, status, ms: Math.round(reply.elapsedTime) }, "request");
  });

  http.setErrorHandler<FastifyError>((error, request, reply) => {
    if (error instanceof Overloaded) {
      return reply
        .code(503)
        .header("retry-after", "1")
        .send(errorBody("OVERLOADED", "The server is overloaded. Retry after a second."));
    }
    const status = error.statusCode ?? 500;
    if (status < 500) return reply.code(status).send(errorBody(error.code ?? "BAD_REQUEST", error.message));
    request.log.error({ err: error }, "unexpected error");
    return reply
      .code(status)
      .send(errorBody("INTERNAL", `Unexpected error. The log has the details under request id ${request.id}.`));
  });

  http.setNotFoundHandler((_request, reply) => reply.code(404).send(errorBody("NOT_FOUND", "There is no such route.")));

  http.get("/health", async () => ({ status: "ok" }));
  http.get("/ready", async (request, reply) => {
    try {
      await ready();
      return { status: "ready" };
    } catch (error) {
      request.log.warn({ err: error }, "not ready");
      return reply.code(503).send(errorBody("NOT_READY", "The database is unreachable or has pending migrations."));
    }
  });
  http.get("/metrics", async (_request, reply) => {
    const { contentType, text } = await metrics.scrape();
    return reply.type(contentType).send(text);
  });
  return http;
}

/**
 * Lets only requests in progress delay the close of the server. Without this, a keep-alive connection that becomes idle
 * meanwhile, or one that has not sent a request yet, would delay it too.
 */
function closeIdleConnectionsOnStop(http: FastifyInstance): void {
  const unused = new Set<Socket>();
  http.server.on("connection", (socket: Socket) => {
    unused.add(socket);
    socket.once("close", () => unused.delete(socket));
  });
  for (const event of ["request", "upgrade"]) {
    http.server.on(event, ({ socket }: { socket: Socket }) => unused.delete(socket));
  }
  http.addHook("preClose", async () => {
    const sweep = setInterval(() => {
      http.server.closeIdleConnections();
      for (const socket of unused) socket.destroy();
    }, SWEEP_INTERVAL);
    http.server.once("close", () => clearInterval(sweep));
  });
}

/** In milliseconds. */
const SWEEP_INTERVAL = 50;

/** Narrows the logger's type to Fastify's own, so that the server keeps Fastify's default type parameters. */
function asFastifyLogger(logger: FastifyBaseLogger): FastifyBaseLogger {
  return logger;
}
