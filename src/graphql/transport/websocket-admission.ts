import { WebSocket } from "ws";
import type { Authenticate } from "../../auth/authenticate.ts";
import type { Viewer } from "../../auth/viewer.ts";
import type { Mask } from "../errors.ts";
import type { Connections } from "./connections.ts";

/**
 * Close code: the actor has reached its limit of connections. graphql-ws does not treat it as fatal, so clients
 * reconnect later.
 */
const TOO_MANY_CONNECTIONS = 4290;
/**
 * Close code: authentication is unavailable. Clients reconnect later (Try Again Later, in the registry of RFC 6455).
 */
const TRY_AGAIN_LATER = 1013;

export interface Admission {
  readonly authenticate: Authenticate;
  readonly connections: Connections;
  readonly mask: Mask;
}

/**
 * Authenticates the client of a new socket. Null when it is unauthenticated, over its limit of connections, or when
 * authentication is unavailable; the last two close the socket.
 */
export async function admit(
  socket: WebSocket,
  params: Record<string, unknown> | undefined,
  { authenticate, connections, mask }: Admission,
): Promise<{ readonly authorization: string | undefined; readonly viewer: Viewer } | null> {
  const authorization = authorizationIn(params);
  let viewer: Viewer | null;
  try {
    viewer = await authenticate(authorization);
  } catch (error) {
    mask(error);
    socket.close(TRY_AGAIN_LATER, "Try again later");
    return null;
  }
  // Do not count a socket that has closed meanwhile: its close event would never release it.
  if (viewer === null || socket.readyState !== WebSocket.OPEN) return null;
  const closed = connections.open(viewer);
  if (closed === null) {
    socket.close(TOO_MANY_CONNECTIONS, "Too many connections");
    return null;
  }
  socket.once("close", closed);
  return { authorization, viewer };
}

function authorizationIn(params: Record<string, unknown> | undefined): string | undefined {
  const authorization = params?.authorization ?? params?.Authorization;
  return typeof authorization === "string" ? authorization : undefined;
}
