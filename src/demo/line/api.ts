import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Outcome } from "./account.ts";
import type { Answer } from "./answer.ts";
import { type HostOptions, host, serve } from "./endpoint.ts";
import { loadingRequest, markAsReadRequest, pushRequest, replyRequest } from "./requests.ts";

/** The Messaging API, without its files. */
export function apiHost(options: HostOptions): FastifyInstance {
  const http = host();
  serve(http, options, {
    operation: "push",
    method: "POST",
    url: "/v2/bot/message/push",
    body: pushRequest,
    about: ({ body }) => ({ userId: body.to, messages: body.messages }),
    run: ({ channel, body, retryKey, requestId }) => channel.account.push(body, retryKey, requestId),
  });
  serve(http, options, {
    operation: "reply",
    method: "POST",
    url: "/v2/bot/message/reply",
    body: replyRequest,
    about: ({ channel, body: { replyToken, messages } }) => ({
      userId: channel.account.userOfReply(replyToken),
      replyToken,
      messages,
    }),
    run: ({ channel, body }) => channel.account.reply(body),
  });
  serve(http, options, {
    operation: "loading",
    method: "POST",
    url: "/v2/bot/chat/loading/start",
    body: loadingRequest,
    about: ({ body }) => ({ userId: body.chatId }),
    run: ({ channel, body }) => channel.account.showLoading(body),
  });
  serve(http, options, {
    operation: "markAsRead",
    method: "POST",
    url: "/v2/bot/chat/markAsRead",
    body: markAsReadRequest,
    about: ({ channel, body }) => ({ userId: channel.account.userOfReadMark(body.markAsReadToken) }),
    run: ({ channel, body }) => channel.account.markAsRead(body),
  });
  serve(http, options, {
    operation: "profile",
    method: "GET",
    url: "/v2/bot/profile/:id",
    body: noBody,
    about: ({ id }) => ({ userId: id }),
    run: ({ channel, id }) => reading(channel.account.profile(id)),
  });
  serve(http, options, {
    operation: "botInfo",
    method: "GET",
    url: "/v2/bot/info",
    body: noBody,
    run: ({ channel }) => reading(channel.account.botInfo()),
  });
  serve(http, options, {
    operation: "quota",
    method: "GET",
    url: "/v2/bot/message/quota",
    body: noBody,
    run: ({ channel }) => reading(channel.account.quota()),
  });
  serve(http, options, {
    operation: "quotaConsumption",
    method: "GET",
    url: "/v2/bot/message/quota/consumption",
    body: noBody,
    run: ({ channel }) => reading(channel.account.quotaConsumption()),
  });
  return http;
}

/** The files that users have sent. LINE keeps them on a host of their own. */
export function dataHost(options: HostOptions): FastifyInstance {
  const http = host();
  serve(http, options, {
    operation: "content",
    method: "GET",
    url: "/v2/bot/message/:id/content",
    body: noBody,
    run: ({ channel, id }) => reading(channel.account.contents.readContent(id)),
  });
  serve(http, options, {
    operation: "contentPreview",
    method: "GET",
    url: "/v2/bot/message/:id/content/preview",
    body: noBody,
    run: ({ channel, id }) => reading(channel.account.contents.readPreview(id)),
  });
  serve(http, options, {
    operation: "contentTranscoding",
    method: "GET",
    url: "/v2/bot/message/:id/content/transcoding",
    body: noBody,
    run: ({ channel, id }) => reading(channel.account.contents.readTranscoding(id)),
  });
  return http;
}

/** Reading takes effect on nothing. */
function reading(answer: Answer): Outcome {
  return { answer, accepted: false };
}

const noBody = z.unknown();
