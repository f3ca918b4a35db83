import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { FastifyPluginAsync } from "fastify";
import type { Logger } from "pino";
import type { Authenticate } from "../auth/authenticate.ts";
import type { Sessions } from "../auth/session.ts";
import { createMask } from "./errors.ts";
import type { Limits } from "./execution/cost.ts";
import { validator } from "./execution/document.ts";
import { operations } from "./execution/operations.ts";
import { readTrustedDocuments } from "./execution/trusted-documents.ts";
import type { Services } from "./resolve/context.ts";
import { schema } from "./schema/index.ts";
import { Connections } from "./transport/connections.ts";
import { httpRoutes } from "./transport/http.ts";
import { origins } from "./transport/origin.ts";
import { webSockets } from "./transport/websocket.ts";

export interface GraphqlDeps extends Services {
  readonly authenticate: Authenticate;
  readonly sessions: Sessions;
  readonly logger: Logger;
  readonly limits: Limits;
  readonly introspection: boolean;
  /** Path of the file with the only documents that may be executed; null allows every document. */
  readonly trustedDocuments: string | null;
  /** The origins whose pages may use the API; null allows every origin. */
  readonly allowedOrigins: readonly string[] | null;
  /** Maximum number of open WebSockets and event streams per actor. */
  readonly connectionsPerActor: number;
}

/** The GraphQL API over HTTP, SSE and WebSocket. */
export interface GraphqlServer {
  /** Serves `/graphql`. */
  readonly routes: FastifyPluginAsync;
  /** Upgrades an HTTP connection to a WebSocket. */
  readonly handleUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Ends every subscription and closes the sockets with code 1001. */
  readonly stop: () => Promise<void>;
}

/** @throws ConfigError if the trusted documents cannot be read or are invalid */
export async function graphqlServer(deps: GraphqlDeps): Promise<GraphqlServer> {
  const mask = createMask(deps.logger);
  const { limits, clock } = deps;
  const validate = validator(schema, deps);
  const trustedDocuments =
    deps.trustedDocuments === null ? null : await readTrustedDocuments(deps.trustedDocuments, validate);
  const edge = {
    ...deps,
    schema,
    mask,
    operations: operations({ schema, limits, validate, trustedDocuments, clock, mask }),
    origins: origins(deps.allowedOrigins),
    connections: new Connections(deps.connectionsPerActor),
    graphiql: trustedDocuments === null,
  };
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
