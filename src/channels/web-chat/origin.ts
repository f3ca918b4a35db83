import type { FastifyReply, FastifyRequest } from "fastify";
import type { ChannelRecord } from "../../store/directory.ts";

/**
 * Lets the pages of the channel's allowed origins, and our own, use it from a browser (CORS); says false for any other
 * page. Requests without an origin are not a page's: the token is what protects the visitor.
 */
export function allowOrigin(request: FastifyRequest, reply: FastifyReply, channel: ChannelRecord): boolean {
  const { origin } = request.headers;
  reply.header("vary", "Origin");
  if (origin === undefined) return true;
  const { allowedOrigins } = channel;
  // The scheme may differ: a proxy ends TLS before us.
  const isOurs = URL.parse(origin)?.host === request.host;
  if (!isOurs && !allowedOrigins.includes(origin) && !allowedOrigins.includes("*")) return false;
  reply.headers({ "access-control-allow-origin": origin, "access-control-expose-headers": "retry-after" });
  return true;
}

/** Answers what a browser asks before it sends a request of an allowed page. */
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
