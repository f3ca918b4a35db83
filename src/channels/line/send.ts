import type { messagingApi } from "@line/bot-sdk";
import type { Dispatcher } from "undici";
import { z } from "zod";
import { type Begin, type HttpCallResult, httpCall, type Responded } from "../../delivery/http-call.ts";
import { retryAfter } from "../../delivery/retry-after.ts";
import type { CallResult, Transport } from "../../delivery/sender.ts";
import { assertNever } from "../../domain/assert-never.ts";
import type { Instant } from "../../domain/id.ts";
import type { Menu } from "../../domain/message.ts";
import { type GrantedLease, retryDelay } from "../../domain/outbox.ts";
import type { Clock } from "../../platform/clock.ts";
import type { ChannelRecord } from "../../store/directory.ts";
import type { OutboundContents } from "../../store/outbound-contents.ts";
import { errorOf, parsed, tokenRefused } from "./api-answer.ts";
import { lineSignals } from "./signals.ts";

export interface LineTransportOptions {
  /** LINE's API host, unless a channel has an address of its own. */
  readonly apiUrl: string;
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  /** How long a call may take, in milliseconds; 10 s by default (rule S2). */
  readonly timeout?: number | undefined;
  /** Returns a number in [0, 1), for the jitter of retries. */
  readonly random: () => number;
}

/**
 * Sends messages by LINE's Messaging API: a reply while the reply token lives, else a push (rules S3 to S5). A push
 * carries the first message's id as its retry key, which is the same at each attempt.
 *
 * @see https://developers.line.biz/en/reference/messaging-api/#send-reply-message
 * @see https://developers.line.biz/en/docs/messaging-api/retrying-api-request/
 */
export function lineTransport(options: LineTransportOptions): Transport {
  const { apiUrl, dispatcher, clock, timeout = CALL_TIMEOUT, random } = options;
  const canSend = ({ accessToken, sendFault }: ChannelRecord) => accessToken !== null && sendFault === null;
  return { canSend, send, signal: lineSignals({ apiUrl, dispatcher }) };

  async function send(
    channel: ChannelRecord,
    lease: GrantedLease,
    messages: readonly OutboundContents[],
    begin: Begin,
  ): Promise<CallResult> {
    const { path, headers, body } = requestOf(lease, messages);
    const result = await httpCall(dispatcher, {
      method: "POST",
      url: new URL(`${channel.apiUrl ?? apiUrl}${path}`),
      headers: {
        authorization: `Bearer ${channel.accessToken}`,
        "content-type": "application/json",
        ...headers,
      },
      body: Buffer.from(JSON.stringify(body)),
      timeout,
      begin,
    });
    return resultOf(result, lease, retryDelay(lease.failures, random()), clock.now());
  }
}

interface LineRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: messagingApi.ReplyMessageRequest | messagingApi.PushMessageRequest;
}

/** The same for each attempt of a delivery (rule S3). */
export function requestOf({ call, messageIds }: GrantedLease, contents: readonly OutboundContents[]): LineRequest {
  const messages = contents.map(messageOf);
  if (call.type === "REPLY") {
    return { path: "/v2/bot/message/reply", headers: {}, body: { replyToken: call.token, messages } };
  }
  return {
    path: "/v2/bot/message/push",
    headers: { "x-line-retry-key": messageIds[0] ?? "" },
    body: { to: contents[0]?.externalId ?? "", messages },
  };
}

function messageOf({ text, menu }: OutboundContents): messagingApi.TextMessage {
  const quickReply = menu === null ? null : quickReplyOf(menu);
  if (menu === null || quickReply === null) return { type: "text", text };
  return { type: "text", text: menu.text, quickReply };
}

/** Null if LINE cannot show the menu as buttons, so that its numbered text is sent. */
function quickReplyOf({ text, options }: Menu): messagingApi.QuickReply | null {
  if (text === "" || options.length > MAX_QUICK_REPLIES || options.some(({ id }) => id.length > MAX_POSTBACK))
    return null;
  const items = options.map(
    ({ id, label }): messagingApi.QuickReplyItem => ({
      type: "action",
      action: {
        type: "postback",
        label: shortened(label, MAX_LABEL),
        data: id,
        displayText: shortened(label, MAX_DISPLAY_TEXT),
      },
    }),
  );
  return { items };
}

/**
 * What a call's response means for its messages (rules S4, S5).
 *
 * @param delay the milliseconds before the next attempt, unless LINE asks for more
 */
export function resultOf(result: HttpCallResult, { call }: GrantedLease, delay: number, now: Instant): CallResult {
  switch (result.type) {
    case "NotBegun":
      // A connection that does not open is tried again with growing delay, like an answer that does not come.
      return { type: "AGAIN", isAmbiguous: false, delay };
    case "Ambiguous":
      return { type: "AGAIN", isAmbiguous: true, delay: call.type === "REPLY" ? REPLY_RETRY_DELAY : delay };
    case "Responded":
      return resultOfStatus(result, call.type, Math.max(delay, askedDelay(result, now)));
    default:
      return assertNever(result);
  }
}

function askedDelay({ headers }: Responded, now: Instant): number {
  return retryAfter(headers.get("retry-after") ?? null, now);
}

function resultOfStatus(response: Responded, call: "REPLY" | "PUSH", delay: number): CallResult {
  const { status, body } = response;
  if (status < 300 || (status === 409 && call === "PUSH")) return { type: "SENT", providerMessageIds: sentIds(body) };
  if (status >= 500) return { type: "AGAIN", isAmbiguous: true, delay: call === "REPLY" ? REPLY_RETRY_DELAY : delay };
  const { message, details } = errorOf(body);
  if (status === 401 || status === 403) {
    return { type: "CHANNEL_FAULT", reason: tokenRefused(response) };
  }
  if (status === 429) {
    if (message.includes("monthly limit")) return { type: "FAILED", error: { code: "QUOTA_EXCEEDED", message } };
    return { type: "RATE_LIMITED", delay };
  }
  if (call === "REPLY" && status === 400 && /invalid reply token/i.test(message))
    return { type: "INVALID_REPLY_TOKEN" };
  const reason = [message, ...details].join(" ").slice(0, MAX_REASON);
  return { type: "FAILED", error: { code: "REJECTED", message: `LINE refused the message (${status}): ${reason}` } };
}

const sentMessages = z.object({ sentMessages: z.array(z.object({ id: z.string() })) });

function sentIds(body: Buffer): string[] {
  return (sentMessages.safeParse(parsed(body)).data?.sentMessages ?? []).map(({ id }) => id);
}

/** LINE counts what is shown of an action in grapheme clusters. */
function shortened(label: string, max: number): string {
  const graphemes = [...new Intl.Segmenter().segment(label)].map(({ segment }) => segment);
  return graphemes.length <= max ? label : `${graphemes.slice(0, max - 1).join("")}…`;
}

const MAX_QUICK_REPLIES = 13;
const MAX_LABEL = 20;
const MAX_DISPLAY_TEXT = 300;
const MAX_POSTBACK = 300;
const MAX_REASON = 500;
/** In milliseconds (rule S2). */
const CALL_TIMEOUT = 10_000;
/** Milliseconds before a reply is repeated: its token lives for about a minute only (rule S5). */
const REPLY_RETRY_DELAY = 1_000;
