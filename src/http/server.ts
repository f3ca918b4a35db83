import { randomUUID } from "node:crypto";
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
  /** Throws, saying why, while the service cannot serve. */
  readonly ready: () => Promise<void>;
}

/** The HTTP server with what every path shares: request ids, logs, errors in one shape, and the paths for operators. */
export function httpServer({ logger, metrics, trustProxy, ready }: HttpOptions): FastifyInstance {
  const http: FastifyInstance = Fastify({
    loggerInstance: asFastifyLogger(logger),
    trustProxy,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    // What is under way may finish; connections that only wait are closed.
    forceCloseConnections: "idle",
    return503OnClosing: true,
    bodyLimit: 64 * 1_024,
  });

  closeWithoutLingering(http);

  http.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
  });

  http.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "unknown";
    const { method } = request;
    const status = reply.statusCode;
    metrics.requestAnswered({ method, route, status, seconds: reply.elapsedTime / 1_000 });
    // The route, not the URL: a query string may carry what people wrote.
    request.log.info({ method, route, status, ms: Math.round(reply.elapsedTime) }, "request");
  });

  http.setErrorHandler<FastifyError>((error, request, reply) => {
    if (error instanceof Overloaded) {
      return reply
        .code(503)
        .header("retry-after", "1")
        .send(errorBody("OVERLOADED", "Too busy just now; please repeat."));
    }
    const status = error.statusCode ?? 500;
    if (status < 500) return reply.code(status).send(errorBody(error.code ?? "BAD_REQUEST", error.message));
    request.log.error({ err: error }, "unexpected error");
    return reply.code(status).send(errorBody("INTERNAL", `Unexpected error. Its id in the log is ${request.id}.`));
  });

  http.setNotFoundHandler((_request, reply) => reply.code(404).send(errorBody("NOT_FOUND", "There is nothing here.")));

  http.get("/health", async () => ({ status: "ok" }));
  http.get("/ready", async (request, reply) => {
    try {
      await ready();
      return { status: "ready" };
    } catch (error) {
      request.log.warn({ err: error }, "not ready");
      return reply.code(503).send(errorBody("NOT_READY", "The database cannot be reached or lacks migrations."));
    }
  });
  http.get("/metrics", async (_request, reply) => {
    const { contentType, text } = await metrics.scrape();
    return reply.type(contentType).send(text);
  });
  return http;
}

/**
 * What is under way is answered; nothing else keeps the server from closing: neither a connection whose last answer goes
 * out meanwhile, which would be kept open for another request, nor one that has not asked for anything yet.
 */
function closeWithoutLingering(http: FastifyInstance): void {
  const silent = new Set<Socket>();
  http.server.on("connection", (socket: Socket) => {
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
  });
  for (const asking of ["request", "upgrade"]) {
    http.server.on(asking, ({ socket }: { socket: Socket }) => silent.delete(socket));
  }
  http.addHook("preClose", async () => {
    const sweep = setInterval(() => {
      http.server.closeIdleConnections();
      for (const socket of silent) socket.destroy();
    }, SWEEP_EVERY);
    http.server.once("close", () => clearInterval(sweep));
  });
}

/** In milliseconds. */
const SWEEP_EVERY = 50;

/** Seen as no more than Fastify asks of it, so that the server keeps Fastify's plain type. */
function asFastifyLogger(logger: FastifyBaseLogger): FastifyBaseLogger {
  return logger;
}
