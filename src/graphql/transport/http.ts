import type { FastifyError, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { type DocumentNode, GraphQLError, getOperationAST } from "graphql";
import { createYoga, type Plugin, type YogaInitialContext } from "graphql-yoga";
import type { Session } from "../../auth/session.ts";
import type { Viewer } from "../../auth/viewer.ts";
import type { Position } from "../../store/log-event.ts";
import { type RequestErrorCode, requestError } from "../errors.ts";
import type { Operations } from "../execution/operations.ts";
import { type Context, createContext } from "../resolve/context.ts";
import { type Edge, MAX_REQUEST } from "./edge.ts";
import { graphiql } from "./graphiql.ts";
import { acceptsStream, checkRequest, errorWithStatus, operationRequest } from "./http-request.ts";
import { originError } from "./origin.ts";
import { EventStreams } from "./sse.ts";

/** Yoga's server context: the authenticated caller of a request. */
interface Caller {
  readonly session: Session;
  readonly viewer: Viewer;
}

/** GraphQL over HTTP, with subscriptions over SSE. */
export function httpRoutes(edge: Edge): { readonly routes: FastifyPluginAsync; stop(): Promise<void> } {
  const streams = new EventStreams();
  const yoga = createYoga<Caller, Context>({
    schema: edge.schema,
    context: ({ session, viewer }) => createContext(edge, session, viewer),
    graphqlEndpoint: "/graphql",
    graphiql: false,
    landingPage: false,
    batching: false,
    multipart: false,
    logging: false,
    maxRequestBodySize: MAX_REQUEST,
    parserAndValidationCache: false,
    cors: false,
    maskedErrors: { maskError: edge.mask },
    extraParamNames: ["documentId"],
    plugins: [requestParsing, operationHandling(edge.operations)],
  });

  return { routes, stop: () => streams.stop() };

  async function routes(http: Parameters<FastifyPluginAsync>[0]): Promise<void> {
    // Yoga gets the raw body.
    http.removeAllContentTypeParsers();
    http.addContentTypeParser(
      "*",
      { parseAs: "buffer", bodyLimit: MAX_REQUEST },
      async (_: unknown, body: unknown) => body,
    );
    http.addHook("onRequest", checkOrigin);
    http.setErrorHandler<FastifyError>((error, _request, reply) => {
      const status = error.statusCode ?? 500;
      const reported =
        status === 413
          ? requestError("PAYLOAD_TOO_LARGE", `The request body must not exceed ${MAX_REQUEST / 1_024} KB.`)
          : status < 500
            ? requestError("INVALID_INPUT", error.message)
            : error;
      return reply.code(status).send({ errors: [edge.mask(reported)] });
    });
    http.route({ method: ["GET", "POST", "OPTIONS"], url: "/graphql", bodyLimit: MAX_REQUEST, handler: handle });
  }

  /** Rejects disallowed origins before any other check, and sets the CORS headers. */
  function checkOrigin({ headers }: FastifyRequest, reply: FastifyReply, next: () => void): void {
    const { origin, host } = headers;
    reply.header("vary", "Origin");
    if (!edge.origins.allow(origin, host)) {
      reply.code(403).send({ errors: [originError()] });
      return;
    }
    if (origin !== undefined) {
      reply.headers({ "access-control-allow-origin": origin, "access-control-expose-headers": "x-request-id" });
    }
    next();
  }

  async function handle(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { method, headers } = request;
    if (method === "OPTIONS") return answerPreflight(request, reply);
    if (edge.graphiql && method === "GET" && headers.accept?.includes("text/html")) {
      return reply.type("text/html; charset=utf-8").send(graphiql);
    }
    const viewer = await edge.authenticate(headers.authorization);
    if (viewer === null) {
      reply.header("www-authenticate", "Bearer");
      return refuse(reply, 401, "UNAUTHENTICATED", "Send a valid token: `Authorization: Bearer …`.");
    }
    const invalid = checkRequest(method, headers, request.body);
    if (invalid !== null) return reply.code(invalid.status).send({ errors: [invalid.error] });
    if (acceptsStream(headers.accept) && !countConnection(viewer, reply)) {
      return refuse(reply, 429, "TOO_MANY_CONNECTIONS", "Too many connections are open.");
    }
    const url = new URL(request.url, "http://localhost");
    const init = { method, headers: headersOf(request), ...bodyOf(request) };
    const session = edge.sessions.start(headers.authorization, viewer);
    const response = await yoga.fetch(url, init, { viewer, session });
    return respond(reply, response, () => edge.hub.head(viewer.workspaceId));
  }

  /**
   * Counts a response that may become a stream as a connection until it closes; false if the actor has reached its
   * limit.
   */
  function countConnection(viewer: Viewer, { raw }: FastifyReply): boolean {
    const closed = edge.connections.open(viewer);
    if (closed === null) return false;
    if (raw.closed) closed();
    else raw.once("close", closed);
    return true;
  }

  async function respond(reply: FastifyReply, response: Response, head: () => Position): Promise<unknown> {
    const { body, status, headers } = response;
    if (body !== null && headers.get("content-type")?.startsWith("text/event-stream")) {
      reply.hijack();
      const stream = reply.raw;
      stream.statusCode = status;
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) stream.setHeader(name, value);
      }
      for (const [name, value] of headers) stream.setHeader(name, value);
      await streams.send(body, stream, head);
      return reply;
    }
    for (const [name, value] of headers) reply.header(name, value);
    return reply.code(status).send(await response.text());
  }
}

function refuse(reply: FastifyReply, status: number, code: RequestErrorCode, message: string): FastifyReply {
  return reply.code(status).send({ errors: [requestError(code, message)] });
}

/** Responds to a CORS preflight request. It needs no authentication, because the response discloses no data. */
function answerPreflight({ headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  const requestedHeaders = headers["access-control-request-headers"];
  return reply
    .code(204)
    .headers({
      "access-control-allow-methods": "GET, POST",
      "access-control-max-age": "86400",
      ...(requestedHeaders === undefined ? {} : { "access-control-allow-headers": requestedHeaders }),
    })
    .send();
}

/** Replaces Yoga's request parsers by one that reads every request in the same way. */
const requestParsing: Plugin<Caller> = {
  onRequestParse: ({ setRequestParser }) => setRequestParser(operationRequest),
};

/** Makes Yoga parse, validate, execute and subscribe in the same way as the WebSocket transport. */
function operationHandling(operations: Operations): Plugin<Caller> {
  return {
    onParse: ({ context, setParseFn }) => setParseFn(() => operations.documentOf(context.params)),
    onValidate: ({ context, params, setResult }) => {
      const errors = operations.check(params.documentAST, context.params, context.viewer);
      setResult(errors.length > 0 ? errors.map(copyOf) : checkStreaming(params.documentAST, context));
    },
    onExecute: ({ setExecuteFn }) => setExecuteFn(operations.execute),
    onSubscribe: ({ setSubscribeFn }) => setSubscribeFn(operations.subscribe),
  };
}

/** Rejects a subscription whose client does not accept an event stream. */
function checkStreaming(document: DocumentNode, { params, request }: YogaInitialContext): GraphQLError[] {
  const operation = getOperationAST(document, params.operationName);
  if (operation?.operation !== "subscription" || acceptsStream(request.headers.get("accept"))) return [];
  return [errorWithStatus("NOT_ACCEPTABLE", "A subscription requires the header `Accept: text/event-stream`.", 406)];
}

/** Copies a validation error, because Yoga writes the HTTP status into it and validation errors are cached. */
function copyOf(error: GraphQLError): GraphQLError {
  const { message, nodes = null, source = null, positions = null, extensions } = error;
  return new GraphQLError(message, { nodes, source, positions, extensions: { ...extensions } });
}

function headersOf(request: FastifyRequest): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return headers;
}

function bodyOf({ body }: FastifyRequest): { body?: string } {
  return Buffer.isBuffer(body) ? { body: body.toString() } : {};
}
