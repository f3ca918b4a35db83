import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { ExecutionArgs, GraphQLError } from "graphql";
import { CloseCode, handleProtocols, makeServer, type SubscribePayload } from "graphql-ws";
import { WebSocket, WebSocketServer } from "ws";
import { createContext, type Session, startSession } from "./context.ts";
import { type Mask, requestError } from "./errors.ts";
import { type Edge, MAX_REQUEST } from "./http-routes.ts";
import { schema } from "./schema.ts";
import { SubscriptionResults } from "./subscription-results.ts";

/** Operations that one socket may have under way; subscriptions count for as long as they last. */
const MAX_OPERATIONS = 100;
/** How much may wait for a client that sends but does not read, in bytes, before it is cut off. */
const MAX_UNREAD = 4 * 1_024 * 1_024;
/** How much may be on its way to a client before the next event waits, in bytes. */
const MAX_AHEAD = 64 * 1_024;
/** How often a socket is asked whether it is still there, and its token whether it still holds, in milliseconds. */
const PING_EVERY = 12_000;
/** How long sockets have to close by themselves at the end, in milliseconds. */
const CLOSE_WITHIN = 2_000;

/** What is known of a connection. */
interface Connection {
  readonly socket: WebSocket;
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
      extra.session = closingWith(extra.socket, startSession(authorization, viewer, edge));
      return true;
    },
    onSubscribe: ({ extra, subscriptions }, _id, payload) =>
      Object.keys(subscriptions).length > MAX_OPERATIONS
        ? [requestError("TOO_MANY_SUBSCRIPTIONS", `A socket may have ${MAX_OPERATIONS} operations under way.`)]
        : prepare(extra, payload),
    onOperation: ({ extra }, id, _payload, _args, result) =>
      result instanceof SubscriptionResults ? new SharedFrames(extra.socket, id, result) : undefined,
  });
  let stopping = false;

  wss.on("connection", (socket: WebSocket) => serve(socket));
  return { handleUpgrade, stop };

  function handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = request.url?.split("?")[0];
    if (stopping) refuse(socket, 503);
    else if (path !== "/graphql") refuse(socket, 404);
    else wss.handleUpgrade(request, socket, head, (opened) => wss.emit("connection", opened, request));
  }

  function serve(socket: WebSocket): void {
    const connection: Connection = { socket, session: null };
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
    const stopPinging = keepAlive(connection, edge.mask);
    socket.once("close", (code, reason) => {
      stopPinging();
      void closed(code, String(reason));
    });
  }

  /** The same as over HTTP. What speaks against an operation is answered: thrown, it would end its neighbours too. */
  async function prepare(
    { session }: Connection,
    { query, operationName, variables }: SubscribePayload,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    try {
      const viewer = (await session?.viewer()) ?? null;
      if (session === null || viewer === null)
        return [requestError("UNAUTHENTICATED", "The token is no longer valid.")];
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

/** A session whose socket ends with its token: clients get a new token on 4403. */
function closingWith(socket: WebSocket, session: Session): Session {
  return {
    viewer: async () => {
      const viewer = await session.viewer();
      if (viewer === null) socket.close(CloseCode.Forbidden, "Forbidden");
      return viewer;
    },
  };
}

/**
 * Sends the results of a subscription as they are shared: serialised once for all, with only the operation's id of its
 * own. For graphql-ws it is a subscription that gives nothing until it ends.
 */
class SharedFrames implements AsyncIterableIterator<never, undefined> {
  readonly #socket: WebSocket;
  readonly #head: string;
  readonly #results: SubscriptionResults;

  constructor(socket: WebSocket, id: string, results: SubscriptionResults) {
    this.#socket = socket;
    this.#head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
    this.#results = results;
  }

  async next(): Promise<IteratorResult<never, undefined>> {
    for (let shared = await this.#results.nextShared(); shared !== null; shared = await this.#results.nextShared()) {
      // A socket that fails to send closes, and that ends the subscription.
      const sent = send(this.#socket, `${this.#head}${shared.json}}`).catch(() => {});
      // Nothing more is fetched for a client that lags behind; its place in the log is all that is kept.
      if (this.#socket.bufferedAmount > MAX_AHEAD) await sent;
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<never, undefined>> {
    await this.#results.return();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** Resolves when the system has taken the data: so an event is only fetched when there is room for it. */
function send(socket: WebSocket, data: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (socket.readyState !== WebSocket.OPEN) resolve();
    else socket.send(data, (error) => (error ? reject(error) : resolve()));
  });
}

/** Cuts off a client that does not answer, which is also one that has stopped reading. Returns how to stop asking. */
function keepAlive(connection: Connection, mask: Mask): () => void {
  const { socket } = connection;
  let answered = true;
  socket.on("pong", () => {
    answered = true;
  });
  const timer = setInterval(() => {
    if (!answered) {
      socket.terminate();
      return;
    }
    answered = false;
    socket.ping();
    connection.session?.viewer().catch(mask);
  }, PING_EVERY);
  return () => clearInterval(timer);
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
