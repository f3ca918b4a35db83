import type { FastifyReply, FastifyRequest } from "fastify";
import { isOwnOrigin } from "../../platform/own-origin.ts";
import type { ChannelRecord } from "../../store/directory.ts";

/**
 * Sets the CORS headers for pages of the channel's allowed origins and for our own pages; returns false for all other
 * pages. Requests without an origin do not come from a page and are allowed: the token protects the visitor.
 */
export function allowOrigin(request: FastifyRequest, reply: FastifyReply, channel: ChannelRecord): boolean {
  const { origin } = request.headers;
  reply.header("vary", "Origin");
  if (origin === undefined) return true;
  const { allowedOrigins } = channel;
  if (!isOwnOrigin(origin, request.host) && !allowedOrigins.includes(origin) && !allowedOrigins.includes("*"))
    return false;
  reply.headers({ "access-control-allow-origin": origin, "access-control-expose-headers": "retry-after" });
  return true;
}

/** Answers a CORS preflight request from an allowed page. */
export function answerPreflight(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply
    .code(204)
    .headers({
      "access-control-allow-methods": "GET, POST",
      "access-control-allow-headers": "authorization, content-type, last-event-id",
      "access-control-max-age": "600",
    })
    .send();
}
