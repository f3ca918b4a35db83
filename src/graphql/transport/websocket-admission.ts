import { WebSocket } from "ws";
import type { Authenticate } from "../../auth/authenticate.ts";
import type { Viewer } from "../../auth/viewer.ts";
import type { Mask } from "../errors.ts";
import type { Connections } from "./connections.ts";

/** Close code: the actor has as many connections as one may. It is none of graphql-ws's own, so clients come again later. */
const TOO_MANY_CONNECTIONS = 4290;
/** Close code: we cannot say who it is just now. Clients come again later (Try Again Later, in the registry of RFC 6455). */
const TRY_AGAIN_LATER = 1013;

export interface Admission {
  readonly authenticate: Authenticate;
  readonly connections: Connections;
  readonly mask: Mask;
}

/** Who opens a socket, with the token that says so; null for nobody, or with the socket closed, for nobody who may now. */
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
  // Who has left meanwhile takes no place that would never be given back.
  if (viewer === null || socket.readyState !== WebSocket.OPEN) return null;
  const leave = connections.take(viewer);
  if (leave === null) {
    socket.close(TOO_MANY_CONNECTIONS, "Too many connections");
    return null;
  }
  socket.once("close", leave);
  return { authorization, viewer };
}

function authorizationIn(params: Record<string, unknown> | undefined): string | undefined {
  const authorization = params?.authorization ?? params?.Authorization;
  return typeof authorization === "string" ? authorization : undefined;
}
