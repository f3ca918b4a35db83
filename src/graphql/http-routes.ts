import type { FastifyError, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { createYoga, type Plugin } from "graphql-yoga";
import type { Authenticate } from "../auth/authenticate.ts";
import type { Session, Sessions } from "../auth/session.ts";
import type { Viewer } from "../auth/viewer.ts";
import type { Position } from "../store/event-log.ts";
import { type Context, createContext, type Services } from "./context.ts";
import { type Mask, requestError } from "./errors.ts";
import { EventStreams } from "./event-stream.ts";
import { graphiql } from "./graphiql.ts";
import type { Operations } from "./operation.ts";
import { schema } from "./schema.ts";

/** Largest request, in bytes, on HTTP as on WebSocket. */
export const MAX_REQUEST = 256 * 1_024;

/** What both transports work with. */
export interface Edge extends Services {
  readonly authenticate: Authenticate;
  readonly sessions: Sessions;
  readonly operations: Operations;
  readonly mask: Mask;
}

/** What goes to Yoga with a request. */
interface Caller {
  readonly session: Session;
  readonly viewer: Viewer;
}

/** GraphQL over HTTP, and its subscriptions over SSE. */
export function httpRoutes(edge: Edge): { readonly routes: FastifyPluginAsync; stop(): Promise<void> } {
  const streams = new EventStreams();
  const yoga = createYoga<Caller, Context>({
    schema,
    context: ({ session, viewer }) => createContext(edge, session, viewer),
    graphqlEndpoint: "/graphql",
    graphiql: false,
    landingPage: false,
    batching: false,
    multipart: false,
    logging: false,
    maxRequestBodySize: MAX_REQUEST,
    parserAndValidationCache: false,
    cors: { origin: "*", credentials: false, methods: ["POST", "GET", "OPTIONS"], maxAge: 86_400 },
    maskedErrors: { maskError: edge.mask },
    plugins: [ourOperations(edge.operations)],
  });

  return { routes, stop: () => streams.stop() };

  async function routes(http: Parameters<FastifyPluginAsync>[0]): Promise<void> {
    // The body goes to Yoga as it came.
    http.removeAllContentTypeParsers();
    http.addContentTypeParser(
      "*",
      { parseAs: "buffer", bodyLimit: MAX_REQUEST },
      async (_: unknown, body: unknown) => body,
    );
    http.setErrorHandler<FastifyError>((error, _request, reply) => {
      const status = error.statusCode ?? 500;
      const fault =
        status === 413
          ? requestError("PAYLOAD_TOO_LARGE", `A request may be ${MAX_REQUEST / 1_024} KB large.`)
          : status < 500
            ? requestError("INVALID_INPUT", error.message)
            : error;
      return reply.code(status).send({ errors: [edge.mask(fault)] });
    });
    http.route({ method: ["GET", "POST", "OPTIONS"], url: "/graphql", bodyLimit: MAX_REQUEST, handler: answer });
  }

  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    if (request.method === "GET" && request.headers.accept?.includes("text/html")) {
      return reply.type("text/html; charset=utf-8").send(graphiql);
    }
    const { authorization } = request.headers;
    const viewer = request.method === "OPTIONS" ? null : await edge.authenticate(authorization);
    if (viewer === null && request.method !== "OPTIONS") {
      const error = requestError("UNAUTHENTICATED", "Send a valid token: `Authorization: Bearer …`.");
      reply.header("access-control-allow-origin", "*").header("www-authenticate", "Bearer");
      return reply.code(401).send({ errors: [error] });
    }

    const url = new URL(request.url, "http://localhost");
    const init = { method: request.method, headers: headersOf(request), ...bodyOf(request) };
    // A preflight asks for nothing that belongs to anybody.
    const response =
      viewer === null
        ? await yoga.fetch(url, init)
        : await yoga.fetch(url, init, { viewer, session: edge.sessions.start(authorization, viewer) });
    return respond(reply, response, () => (viewer === null ? 0 : edge.hub.head(viewer.workspaceId)));
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

/** Makes Yoga parse, check, execute and subscribe as it is done over WebSocket. */
function ourOperations(operations: Operations): Plugin<Caller> {
  return {
    onParse: ({ setParseFn }) => {
      setParseFn((source) => operations.parse(typeof source === "string" ? source : source.body));
    },
    onValidate: ({ context, params, setResult }) => {
      setResult([...operations.check(params.documentAST, context.params, context.viewer)]);
    },
    onExecute: ({ setExecuteFn }) => setExecuteFn(operations.execute),
    onSubscribe: ({ setSubscribeFn }) => setSubscribeFn(operations.subscribe),
  };
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
