import rateLimit, { type errorResponseBuilderContext, type RateLimitOptions } from "@fastify/rate-limit";
import type { FastifyBaseLogger, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Tokens, Visitor } from "../../auth/token.ts";
import type { Executor } from "../../commands/executor.ts";
import type { OpenLeases } from "../../delivery/open-leases.ts";
import { toGlobalId } from "../../domain/global-id.ts";
import { MAX_TEXT, textError, toStorable } from "../../domain/text.ts";
import { networkOf } from "../../http/client-network.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Hub } from "../../realtime/hub.ts";
import type { Database } from "../../store/database.ts";
import type { ChannelRecord, Directory } from "../../store/directory.ts";
import { findSentAt } from "../../store/messages.ts";
import { type ChannelParams, fail, findChannel } from "../channel.ts";
import { allowOrigin, answerPreflight } from "./origin.ts";
import { ChatStream } from "./stream.ts";
import { webChatDelivery } from "./streams.ts";

export interface WebChatOptions {
  readonly directory: Directory;
  readonly executor: Executor;
  readonly database: Database;
  readonly hub: Hub;
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly openLeases: OpenLeases;
  readonly newId: () => string;
  readonly logger: FastifyBaseLogger;
  /** Sessions that one client address may open per channel and minute. */
  readonly sessionsPerMinute: number;
}

/**
 * Web chat for visitors of a page: `POST /chat/:channelId/sessions` issues a token, `POST …/messages` receives
 * messages, and `GET …/stream` delivers replies. No response discloses whether the visitor is blocked (rule D7).
 *
 * Errors are `{ error: { code, message } }`: 404 if there is no such web chat channel, 403 for an origin that is not
 * allowed, 401 without a valid token for this channel, 400 for an invalid body, 413 above 64 KB, 429 for too many
 * sessions.
 */
export function webChat(options: WebChatOptions): FastifyPluginAsync {
  const { directory, executor, database, tokens, newId, sessionsPerMinute } = options;

  const sessionLimit: RateLimitOptions = {
    max: sessionsPerMinute,
    timeWindow: 60_000,
    keyGenerator: (request) => `${networkOf(request.ip)} ${channelOf(request).id}`,
  };

  return async (app) => {
    const delivery = webChatDelivery(options);
    // In `preClose`, because the server waits for open connections when it closes, and streams do not end on their own.
    app.addHook("preClose", delivery.stop);
    app.decorateRequest(CHANNEL, null);
    app.removeAllContentTypeParsers();
    app.addContentTypeParser(
      "application/json",
      { parseAs: "string" },
      async (_request: FastifyRequest, body: string) => parseJson(body),
    );
    app.addHook<Route>("onRequest", admit);
    await app.register(rateLimit, { global: false, errorResponseBuilder: tooManySessions });

    for (const path of ["sessions", "messages", "stream"]) app.options(`/chat/:channelId/${path}`, answerPreflight);
    app.post<Route>(
      "/chat/:channelId/sessions",
      { bodyLimit: MAX_BODY, config: { rateLimit: sessionLimit } },
      openSession,
    );
    app.post<Route>("/chat/:channelId/messages", { bodyLimit: MAX_BODY }, receiveMessage);
    app.get<Route>("/chat/:channelId/stream", { exposeHeadRoute: false }, async (request, reply) => {
      const visitor = await authenticate(request);
      if (visitor === null) return unauthenticated(reply);
      const query = streamQuery.safeParse(request.query);
      if (!query.success) return invalid(reply, query.error);
      const lastEventId = request.headers["last-event-id"];
      const isOpen = await delivery.open({
        channel: channelOf(request),
        visitorId: visitor.visitorId,
        lastEventId: typeof lastEventId === "string" && lastEventId !== "" ? lastEventId : null,
        withHistory: query.data.history === "current",
        connect: () => {
          reply.hijack();
          return new ChatStream(reply.raw, reply.getHeaders());
        },
      });
      return isOpen ? undefined : fail(reply, 503, "UNAVAILABLE", "The server is stopping. Connect again.");
    });
  };

  async function admit(request: FastifyRequest<Route>, reply: FastifyReply): Promise<unknown> {
    const channel = await findChannel(directory, request.params, "WEB_CHAT");
    if (channel === null) return fail(reply, 404, "NOT_FOUND", "There is no web chat channel with this id.");
    if (!allowOrigin(request, reply, channel)) {
      return fail(reply, 403, "ORIGIN_NOT_ALLOWED", "This web chat does not allow pages of this origin.");
    }
    request.setDecorator(CHANNEL, channel);
    return undefined;
  }

  /**
   * Resumes the session of a valid token; otherwise opens a new session, because an expired token must not lock a
   * visitor out.
   */
  async function openSession(request: FastifyRequest<Route>, reply: FastifyReply): Promise<unknown> {
    const body = sessionBody.safeParse(request.body ?? {});
    if (!body.success) return invalid(reply, body.error);
    const presentedToken = bearerOf(request) ?? body.data.token ?? null;
    const known = presentedToken === null ? null : await visitorOf(request, presentedToken);
    const visitor = known ?? { channelId: channelOf(request).id, visitorId: newId() };
    const token = known !== null && presentedToken !== null ? presentedToken : await tokens.signVisitor(visitor);
    return reply
      .code(known === null ? 201 : 200)
      .header("cache-control", "no-store")
      .send({ token, visitorId: visitor.visitorId });
  }

  async function receiveMessage(request: FastifyRequest<Route>, reply: FastifyReply): Promise<unknown> {
    const visitor = await authenticate(request);
    if (visitor === null) return unauthenticated(reply);
    const body = messageBody.safeParse(request.body);
    if (!body.success) return invalid(reply, body.error);
    const { text, clientMessageId } = body.data;
    const { id: channelId, workspaceId } = channelOf(request);
    const { visitorId } = visitor;
    const [result] = await executor.execute({
      workspaceId,
      steps: [
        {
          contactChannel: { channelId, externalId: visitorId },
          command: {
            type: "ReceiveInbound",
            entry: {
              // Scoped to the visitor, so that nobody can make another visitor's message look like a repeat.
              eventId: `${visitorId}:${clientMessageId}`,
              kind: "TEXT",
              eventType: null,
              text,
              payload: null,
              // A browser's clock cannot be trusted, so the time of arrival counts.
              sentAt: null,
              displayName: null,
              clientMessageId,
              providerMessageId: null,
              unsends: null,
              reachable: null,
              automate: true,
            },
          },
        },
      ],
    });
    if (result?.type !== "Accepted" || result.messageId === null) {
      throw new Error(`ReceiveInbound returned ${result?.type}; expected Accepted with a message.`);
    }
    // Read from the database, so that a repeat gets the same response as the first request.
    const sentAt = await findSentAt(database.pool, result.messageId);
    return reply.code(201).send({
      id: toGlobalId("Message", result.messageId),
      clientMessageId,
      sentAt: sentAt === null ? undefined : new Date(sentAt),
    });
  }

  async function authenticate(request: FastifyRequest): Promise<Visitor | null> {
    const token = bearerOf(request);
    return token === null ? null : visitorOf(request, token);
  }

  async function visitorOf(request: FastifyRequest, token: string): Promise<Visitor | null> {
    const visitor = await tokens.verifyVisitor(token);
    return visitor?.channelId === channelOf(request).id ? visitor : null;
  }
}

function channelOf(request: FastifyRequest): ChannelRecord {
  return request.getDecorator<ChannelRecord>(CHANNEL);
}

function bearerOf(request: FastifyRequest): string | null {
  return /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? "")?.[1] ?? null;
}

function unauthenticated(reply: FastifyReply): FastifyReply {
  reply.header("www-authenticate", "Bearer");
  return fail(
    reply,
    401,
    "UNAUTHENTICATED",
    "A visitor token for this web chat is required. Open a session to get one.",
  );
}

function invalid(reply: FastifyReply, { issues }: z.ZodError): FastifyReply {
  const errors = issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`));
  return fail(reply, 400, "INVALID_INPUT", errors.join(" "));
}

/** Undefined for an empty body, which `fetch` sends if only the content type is set. */
function parseJson(body: string): unknown {
  if (body === "") return undefined;
  try {
    return JSON.parse(body);
  } catch {
    throw Object.assign(new Error("The body is not valid JSON."), { statusCode: 400, code: "MALFORMED_JSON" });
  }
}

function tooManySessions(_request: FastifyRequest, { statusCode, after }: errorResponseBuilderContext): Error {
  return Object.assign(new Error(`Too many sessions. Try again in ${after}.`), { statusCode, code: "RATE_LIMITED" });
}

/** Maximum length of a `clientMessageId`, in code points. */
const MAX_CLIENT_MESSAGE_ID = 100;

const sessionBody = z.object({ token: z.string().nullish() }, { error: "Must be an object." });

/** Unknown parameters are ignored. */
const streamQuery = z.object({ history: z.literal("current", { error: "Must be `current` or absent." }).optional() });

const messageBody = z.object(
  {
    text: z
      .string({ error: "Must be a string." })
      .transform(toStorable)
      .refine((text) => text.trim() !== "", { error: "Must not be blank.", abort: true })
      .check(textOfAtMost(MAX_TEXT)),
    clientMessageId: z
      .string({ error: "Must be a string." })
      .min(1, { error: "Must not be empty." })
      .check(textOfAtMost(MAX_CLIENT_MESSAGE_ID)),
  },
  { error: "Must be an object with `text` and `clientMessageId`." },
);

function textOfAtMost(codePoints: number): z.core.CheckFn<string> {
  return ({ value, issues }) => {
    const message = textError(value, codePoints);
    if (message !== null) issues.push({ code: "custom", message, input: value });
  };
}

interface Route {
  Params: ChannelParams;
}

const CHANNEL = "webChatChannel";
/** Maximum body size in bytes: 5,000 characters fit in any JSON escaping. */
const MAX_BODY = 65_536;
