import type { GraphQLSchema } from "graphql";
import type { Authenticate } from "../../auth/authenticate.ts";
import type { Sessions } from "../../auth/session.ts";
import type { Mask } from "../errors.ts";
import type { Operations } from "../execution/operations.ts";
import type { Services } from "../resolve/context.ts";
import type { Connections } from "./connections.ts";
import type { Origins } from "./origin.ts";

/** Maximum size of an HTTP request body or a WebSocket message, in bytes. */
export const MAX_REQUEST = 256 * 1_024;

/** What the HTTP and WebSocket transports share. */
export interface Edge extends Services {
  readonly schema: GraphQLSchema;
  readonly authenticate: Authenticate;
  readonly sessions: Sessions;
  readonly operations: Operations;
  readonly origins: Origins;
  readonly connections: Connections;
  /** Whether GraphiQL is served to browsers. */
  readonly graphiql: boolean;
  readonly mask: Mask;
}
