import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import Fastify, { type FastifyBaseLogger, type FastifyError, type FastifyInstance, LogController } from "fastify";
import type { Logger } from "pino";
import { isTemporary, Overloaded } from "../commands/work.ts";
import { errorBody } from "../platform/error-body.ts";
import type { Metrics } from "../platform/metrics.ts";
import { answerClientError } from "./client-error.ts";

export interface HttpOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly trustProxy: boolean;
  /** Whether a request with an `Upgrade` header is handed to the server's `upgrade` listener; others are answered. */
  readonly isUpgrade: (request: IncomingMessage) => boolean;
  /** How long a request may take to arrive. */
  readonly receiveWithin?: ReceiveWithin;
  /** Throws with the reason while the service is not ready. */
  readonly ready: () => Promise<void>;
}

/** Time limits in milliseconds for what a client sends; the time that the answer or a stream takes does not count. */
export interface ReceiveWithin {
  /** From the connection, or from the first byte on a connection that was used before, to the end of the headers. */
  readonly headers: number;
  /** To the end of the body. */
  readonly request: number;
  /** How often connections are checked. */
  readonly checkEvery: number;
}

/** Enough for the largest body over a slow mobile network. */
const RECEIVE_WITHIN: ReceiveWithin = { headers: 10_000, request: 30_000, checkEvery: 1_000 };

/** Creates the HTTP server with what all routes share: request ids and logs, one error format, health and metrics. */
export function httpServer(options: HttpOptions): FastifyInstance {
  const { logger, metrics, trustProxy, isUpgrade, receiveWithin = RECEIVE_WITHIN, ready } = options;
  const http: FastifyInstance = Fastify({
    loggerInstance: asFastifyLogger(logger),
    trustProxy,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    // Requests in progress may finish; idle connections are closed.
    forceCloseConnections: "idle",
    // Answered below, in the format of all other errors.
    return503OnClosing: false,
    clientErrorHandler: answerClientError,
    // Not through Fastify's reply, whose type depends on the route: there is none yet.
    frameworkErrors: ({ statusCode = 400, code, message }, { id }, { raw }) => {
      const body = JSON.stringify(errorBody(code, message));
      raw.writeHead(statusCode, {
        "content-type": "application/json; charset=utf-8",
        "content-length": Buffer.byteLength(body),
        "x-request-id": id,
      });
      raw.end(body);
    },
    bodyLimit: 64 * 1_024,
    requestTimeout: receiveWithin.request,
    http: {
      headersTimeout: receiveWithin.headers,
      connectionsCheckingInterval: receiveWithin.checkEvery,
      shouldUpgradeCallback: isUpgrade,
    },
  });

  closeIdleConnectionsOnStop(http);
  let stopping = false;
  http.addHook("preClose", async () => {
    stopping = true;
  });

  http.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
    if (stopping) {
      return reply
        .code(503)
        .header("retry-after", "1")
        .send(errorBody("UNAVAILABLE", "The server is stopping. Try again."));
    }
    return undefined;
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
    if (isTemporary(error)) {
      request.log.warn({ err: error }, "a command could not be carried out for now");
      return reply
        .code(503)
        .header("retry-after", "1")
        .send(errorBody("UNAVAILABLE", "Nothing was changed. Retry after a second."));
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
 * Lets only requests in progress delay the close of the server, and those not for long. Without this, a keep-alive
 * connection that becomes idle meanwhile, one that has not sent a request yet, or one that never ends its request would
 * delay it too: Node checks its own time limits only until the close begins.
 */
function closeIdleConnectionsOnStop(http: FastifyInstance): void {
  const unused = new Set<Socket>();
  const inProgress = new Set<IncomingMessage>();
  http.server.on("request", (request, response) => {
    inProgress.add(request);
    response.once("close", () => inProgress.delete(request));
  });
  http.server.on("connection", (socket: Socket) => {
    unused.add(socket);
    socket.once("close", () => unused.delete(socket));
  });
  for (const event of ["request", "upgrade"]) {
    http.server.on(event, ({ socket }: { socket: Socket }) => unused.delete(socket));
  }
  http.addHook("preClose", async () => {
    const receiving = setTimeout(() => {
      for (const request of inProgress) if (!request.complete) request.socket.destroy();
    }, RECEIVE_WHILE_STOPPING);
    const answering = setTimeout(() => http.server.closeAllConnections(), ANSWER_WHILE_STOPPING);
    const sweep = setInterval(() => {
      http.server.closeIdleConnections();
      for (const socket of unused) socket.destroy();
    }, SWEEP_INTERVAL);
    http.server.once("close", () => {
      clearInterval(sweep);
      clearTimeout(receiving);
      clearTimeout(answering);
    });
  });
}

/** In milliseconds. */
const SWEEP_INTERVAL = 50;
/** Milliseconds for which requests may still arrive once the server stops. */
const RECEIVE_WHILE_STOPPING = 1_000;
/** Milliseconds for which requests may be answered once the server stops. */
const ANSWER_WHILE_STOPPING = 8_000;

/** Narrows the logger's type to Fastify's own, so that the server keeps Fastify's default type parameters. */
function asFastifyLogger(logger: FastifyBaseLogger): FastifyBaseLogger {
  return logger;
}
