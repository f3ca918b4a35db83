import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { ExecutionArgs, GraphQLError } from "graphql";
import { CloseCode, handleProtocols, makeServer, type SubscribePayload } from "graphql-ws";
import { WebSocket, WebSocketServer } from "ws";
import type { Session } from "../auth/session.ts";
import { createContext } from "./context.ts";
import { requestError } from "./errors.ts";
import { Heartbeat } from "./heartbeat.ts";
import { type Edge, MAX_REQUEST } from "./http-routes.ts";
import { schema } from "./schema.ts";
import { SocketDelivery } from "./socket-delivery.ts";
import { Subscription } from "./subscription.ts";

/** Operations that one socket may have under way; subscriptions count for as long as they last. */
const MAX_OPERATIONS = 100;
/** How much may wait for a client that sends but does not read, in bytes, before it is cut off. */
const MAX_UNREAD = 4 * 1_024 * 1_024;
/** How long sockets have to close by themselves at the end, in milliseconds. */
const CLOSE_WITHIN = 2_000;

/** What is known of a connection. */
interface Connection {
  readonly socket: WebSocket;
  /** What is below the socket. */
  readonly wire: Duplex;
  session: Session | null;
}

/** GraphQL over WebSocket: the protocol `graphql-transport-ws`. */
export function webSockets(edge: Edge): {
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  stop(): Promise<void>;
} {
  const wss = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_REQUEST,
    perMessageDeflate: false,
    handleProtocols: (protocols) => handleProtocols(protocols),
  });
  const protocol = makeServer<Record<string, unknown>, Connection>({
    connectionInitWaitTimeout: 3_000,
    execute: (args) => edge.operations.execute(args),
    subscribe: (args) => edge.operations.subscribe(args),
    onConnect: async ({ connectionParams, extra }) => {
      const authorization = authorizationIn(connectionParams);
      const viewer = await edge.authenticate(authorization);
      if (viewer === null) return false;
      const session = edge.sessions.start(authorization, viewer);
      // Clients get a new token on 4403.
      const stopHearing = session.onEnd(() => extra.socket.close(CloseCode.Forbidden, "Forbidden"));
      extra.socket.once("close", stopHearing);
      extra.session = session;
      return true;
    },
    onSubscribe: ({ extra, subscriptions }, _id, payload) =>
      Object.keys(subscriptions).length > MAX_OPERATIONS
        ? [requestError("TOO_MANY_SUBSCRIPTIONS", `A socket may have ${MAX_OPERATIONS} operations under way.`)]
        : prepare(extra, payload),
    onOperation: ({ extra }, id, _payload, _args, result) =>
      result instanceof Subscription ? new SocketDelivery(extra.socket, extra.wire, id, result) : undefined,
  });
  const heartbeat = new Heartbeat();
  let stopping = false;

  wss.on("connection", (socket: WebSocket, request: IncomingMessage) => serve(socket, request.socket));
  return { handleUpgrade, stop };

  function handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = request.url?.split("?")[0];
    if (stopping) refuse(socket, 503);
    else if (path !== "/graphql") refuse(socket, 404);
    else wss.handleUpgrade(request, socket, head, (opened) => wss.emit("connection", opened, request));
  }

  function serve(socket: WebSocket, wire: Duplex): void {
    const connection: Connection = { socket, wire, session: null };
    // What the client did wrong is in the close code that it gets; there is nothing for us to do.
    socket.on("error", () => {});
    // Answers to pings, and errors, are sent at once, also to a client that does not read them.
    const cutOffIfUnread = (): void => {
      if (socket.bufferedAmount > MAX_UNREAD) socket.terminate();
    };
    socket.on("ping", cutOffIfUnread);

    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: (data) => send(socket, data),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (receive) =>
          socket.on("message", (data) => {
            cutOffIfUnread();
            receive(String(data)).catch((error: unknown) => {
              edge.mask(error);
              socket.close(CloseCode.InternalServerError, "Unexpected error");
            });
          }),
      },
      connection,
    );
    heartbeat.watch(socket);
    socket.once("close", (code, reason) => void closed(code, String(reason)));
  }

  /** The same as over HTTP. What speaks against an operation is answered: thrown, it would end its neighbours too. */
  async function prepare(
    { session, socket }: Connection,
    { query, operationName, variables }: SubscribePayload,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    try {
      if (session === null || !session.isOpen()) {
        socket.close(CloseCode.Forbidden, "Forbidden");
        return [requestError("UNAUTHENTICATED", "The token is no longer valid.")];
      }
      const { viewer } = session;
      const document = edge.operations.parse(query);
      const faults = edge.operations.check(document, { operationName, variables }, viewer);
      if (faults.length > 0) return faults;
      const contextValue = createContext(edge, session, viewer);
      return {
        schema,
        document,
        contextValue,
        operationName: operationName ?? null,
        variableValues: variables ?? null,
      };
    } catch (error) {
      return [edge.mask(error)];
    }
  }

  async function stop(): Promise<void> {
    stopping = true;
    heartbeat.stop();
    const open = [...wss.clients];
    const closed = open.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
    for (const socket of open) socket.close(1001, "Going away");
    const tooLate = setTimeout(() => {
      for (const socket of open) socket.terminate();
    }, CLOSE_WITHIN);
    await Promise.all(closed);
    clearTimeout(tooLate);
    wss.close();
  }
}

/** Resolves when the system has taken the data: so an event is only fetched when there is room for it. */
function send(socket: WebSocket, data: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (socket.readyState !== WebSocket.OPEN) resolve();
    else socket.send(data, (error) => (error ? reject(error) : resolve()));
  });
}

function authorizationIn(params: Record<string, unknown> | undefined): string | undefined {
  const authorization = params?.authorization ?? params?.Authorization;
  return typeof authorization === "string" ? authorization : undefined;
}

/** Answers a connection that does not become a WebSocket. */
function refuse(socket: Duplex, status: number): void {
  socket.on("error", () => {});
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
