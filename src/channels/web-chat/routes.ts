import rateLimit, { type errorResponseBuilderContext, type RateLimitOptions } from "@fastify/rate-limit";
import type { FastifyBaseLogger, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Tokens, Visitor } from "../../auth/token.ts";
import type { Executor } from "../../commands/executor.ts";
import { toGlobalId } from "../../domain/global-id.ts";
import { faultOfText, MAX_TEXT, toStorable } from "../../domain/text.ts";
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
  readonly newId: () => string;
  readonly logger: FastifyBaseLogger;
  /** How many sessions one address may open on one channel in a minute. */
  readonly sessionsPerMinute: number;
}

/**
 * The web chat of a page's visitors: `POST /chat/:channelId/sessions` gives a token, `…/messages` takes what they write,
 * `GET …/stream` brings the answers. Nothing here says whether the visitor is blocked (rule D7).
 *
 * Faults are `{ error: { code, message } }`: 404 for no web chat channel, 403 for a page of a foreign origin, 401
 * without a token of this channel, 400 for a body that is none, 413 above 64 KB, 429 for too many sessions.
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
    // Before the server stops: it waits for what is open, and streams do not end by themselves.
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
      const lastEventId = request.headers["last-event-id"];
      const isOpen = await delivery.open({
        channel: channelOf(request),
        visitorId: visitor.visitorId,
        lastEventId: typeof lastEventId === "string" && lastEventId !== "" ? lastEventId : null,
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
    if (channel === null) return fail(reply, 404, "NOT_FOUND", "There is no such web chat.");
    if (!allowOrigin(request, reply, channel)) {
      return fail(reply, 403, "ORIGIN_NOT_ALLOWED", "This web chat is not for pages of this origin.");
    }
    request.setDecorator(CHANNEL, channel);
    return undefined;
  }

  /** A token that is no longer good is no reason to shut a visitor out: they begin anew. */
  async function openSession(request: FastifyRequest<Route>, reply: FastifyReply): Promise<unknown> {
    const body = sessionBody.safeParse(request.body ?? {});
    if (!body.success) return invalid(reply, body.error);
    const presented = bearerOf(request) ?? body.data.token ?? null;
    const known = presented === null ? null : await visitorOf(request, presented);
    const visitor = known ?? { channelId: channelOf(request).id, visitorId: newId() };
    const token = known !== null && presented !== null ? presented : await tokens.signVisitor(visitor);
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
    const [answer] = await executor.execute({
      workspaceId,
      steps: [
        {
          contactChannel: { channelId, externalId: visitorId },
          command: {
            type: "ReceiveInbound",
            entry: {
              // Of this visitor alone, so that nobody can make another's message pass for a repeat.
              eventId: `${visitorId}:${clientMessageId}`,
              kind: "TEXT",
              eventType: null,
              text,
              payload: null,
              // A browser's clock is not signed: arrival counts.
              sentAt: null,
              displayName: null,
              providerMessageId: null,
              unsends: null,
              reachable: null,
              automate: true,
            },
          },
        },
      ],
    });
    if (answer?.type !== "Accepted" || answer.messageId === null) {
      throw new Error(`A visitor's message was answered with ${answer?.type}.`);
    }
    // As recorded, so that a repeat is answered like the first.
    const sentAt = await findSentAt(database.pool, answer.messageId);
    return reply.code(201).send({
      id: toGlobalId("Message", answer.messageId),
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
  return fail(reply, 401, "UNAUTHENTICATED", "A visitor token of this web chat is required: open a session.");
}

function invalid(reply: FastifyReply, { issues }: z.ZodError): FastifyReply {
  const faults = issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`));
  return fail(reply, 400, "INVALID_INPUT", faults.join(" "));
}

/** An empty body, as `fetch` sends it beside a fixed content type, is none. */
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

/** In code points. */
const MAX_CLIENT_MESSAGE_ID = 100;

const sessionBody = z.object({ token: z.string().nullish() }, { error: "Must be an object." });

const messageBody = z.object(
  {
    text: z
      .string({ error: "Must be a text." })
      .transform(toStorable)
      .refine((text) => text.trim() !== "", { error: "Must not be blank.", abort: true })
      .check(textOfAtMost(MAX_TEXT)),
    clientMessageId: z
      .string({ error: "Must be a text." })
      .min(1, { error: "Must not be empty." })
      .check(textOfAtMost(MAX_CLIENT_MESSAGE_ID)),
  },
  { error: "Must be an object with `text` and `clientMessageId`." },
);

function textOfAtMost(codePoints: number): z.core.CheckFn<string> {
  return ({ value, issues }) => {
    const fault = faultOfText(value, codePoints);
    if (fault !== null) issues.push({ code: "custom", message: fault, input: value });
  };
}

interface Route {
  Params: ChannelParams;
}

const CHANNEL = "webChatChannel";
/** In bytes: 5,000 characters fit in however they are escaped. */
const MAX_BODY = 65_536;
