import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { ExecutionArgs, GraphQLError } from "graphql";
import { CloseCode, handleProtocols, makeServer, type SubscribePayload } from "graphql-ws";
import { WebSocket, WebSocketServer } from "ws";
import type { Session } from "../../auth/session.ts";
import { requestError } from "../errors.ts";
import { Subscription } from "../execution/subscription.ts";
import { createContext } from "../resolve/context.ts";
import { type Edge, MAX_REQUEST } from "./edge.ts";
import { originError } from "./origin.ts";
import { admit } from "./websocket-admission.ts";
import { SocketDelivery } from "./websocket-delivery.ts";
import { Heartbeat } from "./websocket-heartbeat.ts";
import { SocketLimits } from "./websocket-limits.ts";
import { closeWith, receiveMessages } from "./websocket-messages.ts";

/** Unsent bytes above which a client that sends but does not read is disconnected. */
const MAX_UNSENT = 4 * 1_024 * 1_024;
/** Fragments of one message: browsers and the usual libraries send every message in one. */
const MAX_FRAGMENTS = 64;
/** Milliseconds that clients have to complete the closing handshake when the server stops. */
const CLOSE_HANDSHAKE_TIMEOUT = 2_000;

/** The state of one connection. */
interface Connection {
  readonly socket: WebSocket;
  /** The connection under the WebSocket. */
  readonly wire: Duplex;
  readonly limits: SocketLimits;
  session: Session | null;
}

/**
 * Whether a request opens a WebSocket. Any other one is answered as if it had no `Upgrade` header, which some HTTP clients
 * send by default to offer HTTP/2 (`h2c`).
 */
export function isUpgrade({ method, url, headers }: IncomingMessage): boolean {
  return method === "GET" && url?.split("?")[0] === "/graphql" && headers.upgrade?.toLowerCase() === "websocket";
}

/** GraphQL over WebSocket, by the protocol `graphql-transport-ws`. */
export function webSockets(edge: Edge): {
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  stop(): Promise<void>;
} {
  const wss = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_REQUEST,
    maxFragments: MAX_FRAGMENTS,
    perMessageDeflate: false,
    handleProtocols: (protocols) => handleProtocols(protocols),
  });
  const protocol = makeServer<Record<string, unknown>, Connection>({
    connectionInitWaitTimeout: 3_000,
    execute: (args) => edge.operations.execute(args),
    subscribe: (args) => edge.operations.subscribe(args),
    onConnect: async ({ connectionParams, extra }) => {
      const admitted = await admit(extra.socket, connectionParams, edge);
      if (admitted === null) return false;
      const session = edge.sessions.start(admitted.authorization, admitted.viewer);
      // 4403 makes clients get a new token.
      const cancel = session.onEnd(() => extra.socket.close(CloseCode.Forbidden, "Forbidden"));
      extra.socket.once("close", cancel);
      extra.session = session;
      return true;
    },
    onSubscribe: ({ extra, subscriptions }, id, payload) => {
      const error = extra.limits.check(id, Object.keys(subscriptions).length);
      return error === null ? prepare(extra, payload) : [error];
    },
    onOperation: ({ extra }, id, _payload, _args, result) =>
      result instanceof Subscription ? new SocketDelivery(extra.socket, extra.wire, id, result) : undefined,
  });
  const heartbeat = new Heartbeat();
  let stopping = false;

  wss.on("connection", (socket: WebSocket, request: IncomingMessage) => serve(socket, request.socket));
  return { handleUpgrade, stop };

  function handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (stopping) refuse(socket, 503);
    else if (!edge.origins.allow(request.headers.origin, request.headers.host)) refuse(socket, 403, originError());
    else wss.handleUpgrade(request, socket, head, (opened) => wss.emit("connection", opened, request));
  }

  function serve(socket: WebSocket, wire: Duplex): void {
    const limits = new SocketLimits(socket, edge.clock);
    const connection: Connection = { socket, wire, limits, session: null };
    // Nothing to do: the close code reports the client's protocol error.
    socket.on("error", () => {});
    // Pongs and errors are sent without back-pressure, so a client that does not read them would grow the buffer.
    const terminateIfUnread = (): void => {
      if (socket.bufferedAmount > MAX_UNSENT) socket.terminate();
    };
    socket.on("ping", terminateIfUnread);

    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: (data) => send(socket, data),
        close: (code, reason) => closeWith(socket, code, reason),
        onMessage: (receive) => {
          socket.on("message", terminateIfUnread);
          receiveMessages(socket, receive, edge.mask);
        },
      },
      connection,
    );
    heartbeat.watch(socket);
    socket.once("close", (code, reason) => void closed(code, String(reason)));
  }

  /**
   * Validates an operation as over HTTP. Returns errors, because throwing would close the socket and end its other
   * operations.
   */
  async function prepare(
    { session, socket }: Connection,
    request: SubscribePayload,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    try {
      if (session === null || !session.isOpen()) {
        socket.close(CloseCode.Forbidden, "Forbidden");
        return [requestError("UNAUTHENTICATED", "The token is no longer valid.")];
      }
      const { viewer } = session;
      const document = edge.operations.documentOf(request);
      const errors = edge.operations.check(document, request, viewer);
      if (errors.length > 0) return errors;
      const contextValue = createContext(edge, session, viewer);
      return {
        schema: edge.schema,
        document,
        contextValue,
        operationName: request.operationName ?? null,
        variableValues: request.variables ?? null,
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
    const timer = setTimeout(() => {
      for (const socket of open) socket.terminate();
    }, CLOSE_HANDSHAKE_TIMEOUT);
    await Promise.all(closed);
    clearTimeout(timer);
    wss.close();
  }
}

/** Resolves when the operating system has taken the data. This back-pressure keeps events from being read too early. */
function send(socket: WebSocket, data: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (socket.readyState !== WebSocket.OPEN) resolve();
    else socket.send(data, (error) => (error ? reject(error) : resolve()));
  });
}

/**
 * Answers a refused upgrade request and closes the connection. It is destroyed as soon as the answer is sent, because
 * otherwise it would stay open until the client closes its half.
 */
function refuse(socket: Duplex, status: number, error?: GraphQLError): void {
  const body = error === undefined ? "" : JSON.stringify({ errors: [error] });
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, "Connection: close", "Content-Type: application/json"];
  socket.on("error", () => {});
  socket.once("finish", () => socket.destroy());
  socket.end(`${head.join("\r\n")}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}
