import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { FastifyPluginAsync } from "fastify";
import type { Logger } from "pino";
import type { Authenticate } from "../auth/authenticate.ts";
import type { Sessions } from "../auth/session.ts";
import type { Services } from "./context.ts";
import { createMask } from "./errors.ts";
import { httpRoutes } from "./http-routes.ts";
import type { Limits } from "./limits.ts";
import { operations } from "./operation.ts";
import { schema } from "./schema.ts";
import { webSockets } from "./web-socket.ts";

export interface GraphqlDeps extends Services {
  readonly authenticate: Authenticate;
  readonly sessions: Sessions;
  readonly logger: Logger;
  readonly limits: Limits;
  readonly introspection: boolean;
}

/** The GraphQL API, on HTTP, SSE and WebSocket. */
export interface GraphqlServer {
  /** Serves `/graphql`. */
  readonly routes: FastifyPluginAsync;
  /** Takes a connection that wants to become a WebSocket. */
  readonly handleUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Ends every subscription; sockets close with 1001. */
  readonly stop: () => Promise<void>;
}

export function graphqlServer(deps: GraphqlDeps): GraphqlServer {
  const mask = createMask(deps.logger);
  const { limits, introspection } = deps;
  const edge = { ...deps, mask, operations: operations({ schema, limits, introspection, mask }) };
  const http = httpRoutes(edge);
  const sockets = webSockets(edge);
  return {
    routes: http.routes,
    handleUpgrade: sockets.handleUpgrade,
    stop: async () => {
      await Promise.all([http.stop(), sockets.stop()]);
    },
  };
}
