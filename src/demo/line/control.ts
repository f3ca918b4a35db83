import type { FastifyError, FastifyPluginAsync, FastifyReply } from "fastify";
import { z } from "zod";
import { errorBody } from "../../platform/error-body.ts";
import type { ChannelOptions, LineChannel } from "./channel.ts";
import { type Faults, fault } from "./faults.ts";
import type { RequestLog } from "./request-log.ts";
import { perform, userAction } from "./user-action.ts";

export interface ControlOptions {
  readonly faults: Faults;
  readonly log: RequestLog;
  readonly addChannel: (options: ChannelOptions) => LineChannel;
  readonly findChannel: (id: string) => LineChannel | undefined;
}

/**
 * What LINE does not have: the log, the faults, the channels and the users, for other processes of this machine.
 * Everything is JSON; errors are `{ error: { code, message } }`.
 *
 * - `GET /log?after=<seq>`: `{ dropped, requests }`
 * - `GET`, `POST` and `DELETE /faults`, `DELETE /faults/:id`
 * - `POST /channels`, `POST /channels/:channel/tokens`, `DELETE /channels/:channel/tokens/:token`
 * - `PUT /channels/:channel/webhook`, `PUT /channels/:channel/quota`
 * - `GET /channels/:channel/users/:userId`, `POST /channels/:channel/users/:userId/actions`
 */
export function control({ faults, log, addChannel, findChannel }: ControlOptions): FastifyPluginAsync {
  return async (http) => {
    // A page of another site could reach a loopback address under a name of its own (DNS rebinding).
    http.addHook("onRequest", async (request, reply) =>
      LOOPBACK.has(request.hostname)
        ? undefined
        : fail(reply, 403, "FORBIDDEN", "Call the control API by its address."),
    );
    http.setErrorHandler<FastifyError>((error, _request, reply) => {
      if (error instanceof z.ZodError) return fail(reply, 400, "INVALID_INPUT", z.prettifyError(error));
      return fail(reply, error.statusCode ?? 500, error.code ?? "INTERNAL", error.message);
    });

    http.get("/log", async (request) => {
      const { after } = logQuery.parse(request.query);
      return { dropped: log.dropped, requests: log.after(after) };
    });

    http.get("/faults", async () => faults.list());
    http.post("/faults", async (request, reply) => reply.code(201).send({ id: faults.add(fault.parse(request.body)) }));
    http.delete("/faults", async (_request, reply) => {
      faults.clear();
      return reply.code(204).send();
    });
    http.delete<{ Params: { id: string } }>("/faults/:id", async (request, reply) => {
      faults.remove(request.params.id);
      return reply.code(204).send();
    });

    http.post("/channels", async (request, reply) => {
      const wanted = channelBody.parse(request.body);
      if (findChannel(wanted.id) !== undefined) return fail(reply, 409, "REFUSED", "There is already such a channel.");
      const added = addChannel(wanted);
      return reply.code(201).send({ id: added.id, token: added.issueToken() });
    });
    await http.register(ofChannel, { prefix: "/channels/:channel" });
  };

  async function ofChannel(http: Parameters<FastifyPluginAsync>[0]): Promise<void> {
    http.decorateRequest(CHANNEL, null);
    http.addHook<Route>("onRequest", async (request, reply) => {
      const found = findChannel(request.params.channel);
      if (found === undefined) return fail(reply, 404, "NOT_FOUND", "There is no such channel.");
      request.setDecorator(CHANNEL, found);
      return undefined;
    });

    http.post("/tokens", async (request, reply) => {
      const { lifetime } = tokenBody.parse(request.body);
      return reply.code(201).send({ token: request.getDecorator<LineChannel>(CHANNEL).issueToken(lifetime) });
    });
    http.delete<Route>("/tokens/:token", async (request, reply) => {
      request.getDecorator<LineChannel>(CHANNEL).revokeToken(request.params.token);
      return reply.code(204).send();
    });
    http.put("/webhook", async (request, reply) => {
      request.getDecorator<LineChannel>(CHANNEL).setWebhookUrl(webhookBody.parse(request.body).url);
      return reply.code(204).send();
    });
    http.put("/quota", async (request, reply) => {
      request.getDecorator<LineChannel>(CHANNEL).account.monthlyLimit = quotaBody.parse(request.body).monthlyLimit;
      return reply.code(204).send();
    });
    http.get<Route>("/users/:userId", async (request, reply) => {
      const phone = request.getDecorator<LineChannel>(CHANNEL).account.knownPhone(request.params.userId);
      if (phone === undefined) return fail(reply, 404, "NOT_FOUND", "There is no such user.");
      const { userId, displayName, isFriend, loadingUntil, entries } = phone;
      return { userId, displayName, isFriend, loadingUntil, entries };
    });
    http.post<Route>("/users/:userId/actions", async (request, reply) => {
      const channel = request.getDecorator<LineChannel>(CHANNEL);
      const performed = perform(channel, request.params.userId, userAction.parse(request.body));
      if (performed.type === "Refused") return fail(reply, 409, "REFUSED", performed.reason);
      const { messageId, event } = performed.sent;
      return reply.code(202).send({ messageId, event });
    });
  }
}

function fail(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.code(status).send(errorBody(code, message));
}

interface Route {
  Params: { channel: string; userId: string; token: string };
}

const logQuery = z.object({ after: z.coerce.number().int().min(0).default(0) });
const channelBody = z.object({
  id: z.string().min(1),
  secret: z.string().min(1),
  displayName: z.string().min(1).exactOptional(),
  webhookUrl: z.url().nullable().exactOptional(),
  monthlyLimit: z.int().min(0).nullable().exactOptional(),
  rateLimit: z.int().min(1).exactOptional(),
  accessToken: z.string().min(1).exactOptional(),
});
const tokenBody = z.object({ lifetime: z.int().min(0).optional() }).default({});
const webhookBody = z.object({ url: z.url().nullable() });
const quotaBody = z.object({ monthlyLimit: z.int().min(0).nullable() });

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "localhost"]);
/** Another name than that of the API, which decorates the same server. */
const CHANNEL = "controlled channel";
