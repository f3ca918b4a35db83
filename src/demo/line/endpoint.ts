import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { z } from "zod";
import type { Clock } from "../../platform/clock.ts";
import type { Outcome } from "./account.ts";
import { type Answer, notFound, rateLimited, refuse, refuseWith, unauthorized } from "./answer.ts";
import type { LineChannel } from "./channel.ts";
import type { Faults, Strike } from "./faults.ts";
import type { LoggedRequest, Operation, RequestLog } from "./request-log.ts";
import { invalidBody } from "./requests.ts";

export interface HostOptions {
  readonly channels: () => Iterable<LineChannel>;
  readonly faults: Faults;
  readonly log: RequestLog;
  readonly clock: Clock;
  /** Aborted when the server stops. */
  readonly signal: AbortSignal;
}

/** A request whose token and body are valid. */
export interface Call<Body> {
  readonly channel: LineChannel;
  readonly body: Body;
  /** The id in the path; empty if there is none. */
  readonly id: string;
  readonly retryKey: string | null;
  readonly requestId: string;
}

export interface Endpoint<Body> {
  readonly operation: Operation;
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly body: z.ZodType<Body>;
  /** What the log shows of the request. */
  readonly about?: (call: Call<Body>) => Partial<Pick<LoggedRequest, "userId" | "replyToken" | "messages">>;
  readonly run: (call: Call<Body>) => Outcome;
}

/** A server with what all of LINE's responses share. */
export function host(): FastifyInstance {
  const http = Fastify({
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    forceCloseConnections: true,
    bodyLimit: MAX_BODY,
  });
  http.decorateRequest(LOGGED, null);
  http.decorateRequest(CHANNEL, null);
  http.addHook("onRequest", async (request, reply) => {
    reply.header("x-line-request-id", request.id);
  });
  http.setNotFoundHandler((_request, reply) => reply.code(404).send(notFound.body));
  http.setErrorHandler<FastifyError>((error, request, reply) => {
    const logged = request.getDecorator<LoggedRequest | null>(LOGGED);
    const status = error.statusCode ?? 500;
    const isUnparsable = status === 400 && request.method === "POST";
    const answer = isUnparsable
      ? refuse(400, { message: "The request body could not be parsed as JSON (line: -, column: -)" })
      : refuse(status, { message: error.message });
    return send(request, reply, logged, answer);
  });
  return http;
}

/** Adds one operation: token, rate limit, retry key, body, faults, and what it does. */
export function serve<Body>(http: FastifyInstance, options: HostOptions, endpoint: Endpoint<Body>): void {
  const { channels, faults, log, clock, signal } = options;
  const { operation, method, url, body: schema, about, run } = endpoint;
  http.route<{ Params: { id?: string } }>({
    method,
    url,
    exposeHeadRoute: false,
    onRequest: async (request, reply) => {
      const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "")?.[1];
      const channel = token === undefined ? undefined : [...channels()].find((each) => each.acceptsToken(token));
      const logged = log.begin({
        requestId: request.id,
        at: clock.now(),
        operation,
        channel: channel?.id ?? null,
        userId: null,
        retryKey: retryKeyOf(request),
        replyToken: null,
        messages: [],
        accepted: false,
        status: null,
      });
      request.setDecorator(LOGGED, logged);
      if (channel === undefined) return send(request, reply, logged, unauthorized);
      request.setDecorator(CHANNEL, channel);
      return channel.account.admits(operation) ? undefined : send(request, reply, logged, rateLimited);
    },
    handler: async (request, reply) => {
      const logged = request.getDecorator<LoggedRequest>(LOGGED);
      const channel = request.getDecorator<LineChannel>(CHANNEL);
      const retryKey = retryKeyOf(request);
      if (retryKey !== null && method === "POST") {
        if (operation !== "push") return send(request, reply, logged, retryKeyUnsupported);
        if (!UUID.test(retryKey)) return send(request, reply, logged, retryKeyInvalid);
      }
      const body = schema.safeParse(request.body);
      if (!body.success) return send(request, reply, logged, refuse(400, invalidBody(body.error)));

      const call: Call<Body> = {
        channel,
        body: body.data,
        id: request.params.id ?? "",
        retryKey,
        requestId: request.id,
      };
      Object.assign(logged, about?.(call));
      const strike = faults.strike({ operation, channel: channel.id, userId: logged.userId });
      const outcome = strike.accepts ? run(call) : null;
      logged.accepted = outcome?.accepted ?? false;
      return respond({ request, reply, logged, strike, answer: outcome?.answer ?? refuseWith(500), signal });
    },
  });
}

interface Response {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly logged: LoggedRequest;
  readonly strike: Strike;
  readonly answer: Answer;
  readonly signal: AbortSignal;
}

/** Answers, unless a fault prevents it. */
async function respond({ request, reply, logged, strike, answer, signal }: Response): Promise<unknown> {
  const { socket } = request.raw;
  const { effect } = strike;
  if (strike.delay > 0) await delay(strike.delay, undefined, { signal, ref: false }).catch(() => socket.destroy());
  switch (effect?.type) {
    case undefined:
      return send(request, reply, logged, answer);
    case "status": {
      const { status, retryAfter } = effect;
      const headers = retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
      return send(request, reply, logged, { ...refuseWith(status), headers });
    }
    case "cut":
      logged.status = answer.status;
      reply.hijack();
      return cut(reply, socket, answer, effect.bytes);
    case "hang":
      return reply.hijack();
    case "reset":
      socket.resetAndDestroy();
      return reply.hijack();
    case "swallow":
      socket.destroy();
      return reply.hijack();
  }
}

function send(
  request: FastifyRequest,
  reply: FastifyReply,
  logged: LoggedRequest | null,
  answer: Answer,
): FastifyReply {
  if (logged !== null && !request.raw.socket.destroyed) logged.status = answer.status;
  if (answer.contentType !== undefined) reply.type(answer.contentType);
  return reply
    .code(answer.status)
    .headers(answer.headers ?? {})
    .send(answer.body);
}

/** Sends the headers and the first bytes of a response, and breaks the connection. */
function cut(reply: FastifyReply, socket: Socket, { status, body, contentType }: Answer, bytes: number): FastifyReply {
  const content = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  reply.raw.writeHead(status, {
    "content-type": contentType ?? "application/json",
    "content-length": content.length,
    "x-line-request-id": reply.request.id,
  });
  reply.raw.write(content.subarray(0, bytes), () => socket.destroy());
  return reply;
}

function retryKeyOf(request: FastifyRequest): string | null {
  const value = request.headers["x-line-retry-key"];
  return typeof value === "string" ? value : null;
}

const retryKeyInvalid = refuse(400, { message: "The value for the 'X-Line-Retry-Key' parameter is invalid" });
const retryKeyUnsupported = refuse(400, { message: "The 'X-Line-Retry-Key' header is not supported by this API" });

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** LINE's limit is 2 MB. */
const MAX_BODY = 2 * 1_024 * 1_024;
const LOGGED = "logged";
const CHANNEL = "channel";
