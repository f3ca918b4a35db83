import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { FastifyError, FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { ChatStream } from "../../channels/web-chat/stream.ts";
import type { Instant } from "../../domain/id.ts";
import { type Clock, systemClock } from "../../platform/clock.ts";
import { errorBody } from "../../platform/error-body.ts";
import type { LineChannel } from "./channel.ts";
import type { Phone } from "./phone.ts";
import { perform, userAction } from "./user-action.ts";

export interface PhonePageOptions {
  readonly channel: LineChannel;
  readonly clock?: Clock;
}

/**
 * `/demo/line`: a phone in the browser, to write to the channel's account as one of its users. Its JSON is beside it:
 *
 * - `GET …/users`: `{ account, users }`, and `POST …/users` with `{ displayName }` for a new one
 * - `GET …/users/:userId`: what the phone shows
 * - `GET …/users/:userId/changes`: a stream of server-sent events, one whenever that has changed
 * - `POST …/users/:userId/actions`: what the user does, as in user-action.ts
 * - `POST …/users/:userId/images`: an image that the user sends, and `GET …/images/:messageId`
 *
 * Errors are `{ error: { code, message } }`.
 */
export async function phonePage({ channel, clock = systemClock }: PhonePageOptions): Promise<FastifyPluginAsync> {
  const assets = await Promise.all(files.map(async (file) => ({ ...file, content: await readFile(file.source) })));
  const { account } = channel;

  return async (http) => {
    http.setErrorHandler<FastifyError>((error, _request, reply) => {
      if (error instanceof z.ZodError) return fail(reply, 400, "INVALID_INPUT", z.prettifyError(error));
      // The server's own handler knows what to log and what to say.
      throw error;
    });
    http.addContentTypeParser([...imageTypes], { parseAs: "buffer" }, (_request, body, done) => done(null, body));

    for (const { path, type, content } of assets) {
      http.get(`/demo/line${path}`, async (_request, reply) => reply.headers(pageHeaders).type(type).send(content));
    }
    await http.register(users, { prefix: "/demo/line/users" });
  };

  async function users(http: FastifyInstance): Promise<void> {
    const changes = changeStreams(http);

    http.get("/", async () => ({
      account: { displayName: account.displayName, basicId: account.basicId },
      users: account.phones.map(({ userId, displayName }) => ({ userId, displayName })),
    }));
    http.post("/", async (request, reply) => {
      const { displayName } = newUser.parse(request.body);
      if (account.phones.length >= MAX_USERS) return fail(reply, 409, "REFUSED", "There are too many people already.");
      const { userId } = channel.addUser(`U${randomBytes(16).toString("hex")}`, displayName);
      return reply.code(201).send({ userId, displayName });
    });
    http.get<Route>("/:userId", async (request, reply) => {
      const phone = account.knownPhone(request.params.userId);
      return phone === undefined ? unknownUser(reply) : screenOf(phone, clock.now());
    });
    http.get<Route>("/:userId/changes", { exposeHeadRoute: false }, async (request, reply) => {
      const phone = account.knownPhone(request.params.userId);
      return phone === undefined ? unknownUser(reply) : changes.open(phone, reply);
    });
    http.post<Route>("/:userId/actions", async (request, reply) => {
      const { userId } = request.params;
      if (account.knownPhone(userId) === undefined) return unknownUser(reply);
      const performed = perform(channel, userId, userAction.parse(request.body));
      if (performed.type === "Refused") return fail(reply, 409, "REFUSED", performed.reason);
      return reply.code(202).send({ messageId: performed.sent.messageId });
    });
    http.post<Route>("/:userId/images", { bodyLimit: MAX_IMAGE }, sendImage);
    http.get<Route>("/:userId/images/:messageId", async (request, reply) => {
      const image = account.contents.get(request.params.messageId);
      if (image === undefined) return fail(reply, 404, "NOT_FOUND", "There is no such image.");
      return reply.headers(imageHeaders).type(image.contentType).send(image.bytes);
    });
  }

  async function sendImage(request: FastifyRequest<Route>, reply: FastifyReply): Promise<unknown> {
    const phone = account.knownPhone(request.params.userId);
    if (phone === undefined) return unknownUser(reply);
    const contentType = imageTypes.find((type) => type === request.headers["content-type"]);
    if (contentType === undefined || !Buffer.isBuffer(request.body)) {
      return fail(reply, 415, "INVALID_INPUT", `Send an image: ${imageTypes.join(", ")}.`);
    }
    if (!phone.isFriend) return fail(reply, 409, "REFUSED", "A user who blocks the account can send it nothing.");
    const { messageId } = channel.sendFileAs(phone.userId, "image", { bytes: request.body, contentType });
    return reply.code(202).send({ messageId });
  }
}

interface Route {
  Params: { userId: string; messageId: string };
}

/** What the phone shows. Times are relative, because the browser's clock may differ from ours. */
function screenOf(phone: Phone, now: Instant) {
  const { userId, displayName, isFriend, loadingUntil, entries } = phone;
  const loadingFor = loadingUntil === null ? 0 : Math.max(0, loadingUntil - now);
  return { userId, displayName, isFriend, loadingFor, entries };
}

/** The streams that tell browsers that a phone has changed. The browser then reads what it shows. */
function changeStreams(http: FastifyInstance) {
  const streams = new Set<ChatStream>();
  const heartbeat = setInterval(() => {
    for (const stream of streams) stream.sendHeartbeat();
  }, HEARTBEAT_INTERVAL);
  heartbeat.unref();
  // Before the server waits for open connections to end.
  http.addHook("preClose", async () => {
    clearInterval(heartbeat);
    for (const stream of streams) stream.finish();
  });
  return { open };

  function open(phone: Phone, reply: FastifyReply): FastifyReply {
    if (streams.size >= MAX_STREAMS) return fail(reply, 503, "OVERLOADED", "Too many phones are open.");
    reply.hijack();
    const stream = new ChatStream(reply.raw, reply.getHeaders());
    let count = 0;
    const tell = (): void => {
      count += 1;
      void stream.send({ id: String(count), data: "{}" });
    };
    const stopListening = phone.onChange(tell);
    streams.add(stream);
    void stream.ended.then(() => {
      stopListening();
      streams.delete(stream);
    });
    return reply;
  }
}

function unknownUser(reply: FastifyReply): FastifyReply {
  return fail(reply, 404, "NOT_FOUND", "There is no such user.");
}

function fail(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.code(status).send(errorBody(code, message));
}

const newUser = z.object({ displayName: z.string().trim().min(1).max(50) });

const at = (name: string): URL => new URL(`./page/${name}`, import.meta.url);
const files = [
  { path: "", source: at("phone.html"), type: "text/html; charset=utf-8" },
  { path: "/phone.css", source: at("phone.css"), type: "text/css; charset=utf-8" },
  { path: "/chat.css", source: at("chat.css"), type: "text/css; charset=utf-8" },
  { path: "/phone.js", source: at("phone.js"), type: "text/javascript; charset=utf-8" },
  { path: "/chat.js", source: at("chat.js"), type: "text/javascript; charset=utf-8" },
];

const pageHeaders = {
  "cache-control": "no-cache",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** What a person uploads must run nothing, if it is opened by itself. */
const imageHeaders = {
  "cache-control": "private, max-age=3600",
  "content-security-policy": "default-src 'none'; sandbox",
  "x-content-type-options": "nosniff",
};

const imageTypes = ["image/jpeg", "image/png", "image/gif", "image/webp"] as const;
const MAX_IMAGE = 10 * 1_024 * 1_024;
const MAX_USERS = 1_000;
const MAX_STREAMS = 100;
/** In milliseconds. */
const HEARTBEAT_INTERVAL = 15_000;
