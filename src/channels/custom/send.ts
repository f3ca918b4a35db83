import type { Dispatcher } from "undici";
import { z } from "zod";
import type { Begin } from "../../delivery/http-call.ts";
import { retryAfter } from "../../delivery/retry-after.ts";
import type { CallResult, Transport } from "../../delivery/sender.ts";
import { toDeliveryId, toGlobalId } from "../../domain/global-id.ts";
import type { Menu } from "../../domain/message.ts";
import { type GrantedLease, retryDelay } from "../../domain/outbox.ts";
import { toStorable } from "../../domain/text.ts";
import { type PostResponded, type PostResult, postSigned } from "../../partners/post-signed.ts";
import { isWebhookSecret, type WebhookSecret } from "../../partners/standard-webhooks.ts";
import type { Clock } from "../../platform/clock.ts";
import type { ChannelRecord } from "../../store/directory.ts";
import type { OutboundContents } from "../../store/outbound-contents.ts";

export interface CustomTransportOptions {
  /** Reaches public addresses and allowed networks only (rule P4). */
  readonly agent: Dispatcher;
  readonly clock: Clock;
  /** Returns a number in [0, 1), for the jitter of retries. */
  readonly random: () => number;
}

/**
 * Posts messages to a partner's `deliveryUrl`, signed by Standard Webhooks (rule S7). The `webhook-id` and the body are the
 * same at each attempt, so that the partner can recognize a repetition.
 */
export function customTransport({ agent, clock, random }: CustomTransportOptions): Transport {
  return {
    // With an unreadable secret the channel has a fault already, and its messages wait.
    canSend: ({ deliveryUrl, fault, sendFault }) => deliveryUrl !== null && fault === null && sendFault === null,
    send,
  };

  async function send(
    channel: ChannelRecord,
    lease: GrantedLease,
    messages: readonly OutboundContents[],
    begin: Begin,
  ): Promise<CallResult> {
    const [message] = messages;
    const secrets = secretsOf(channel);
    if (message === undefined) return { type: "NOT_BEGUN" };
    if (secrets === null) {
      return fault("There is no secret to sign deliveries with. Get one by updateChannel with rotateDeliverySecret.");
    }
    const result = await postSigned(agent, {
      url: channel.deliveryUrl ?? "",
      id: toDeliveryId({ messageId: message.id, attempt: null }),
      sentAt: clock.now(),
      body: Buffer.from(JSON.stringify(bodyOf(channel, message))),
      secrets,
      begin,
    });
    return resultOf(result, retryDelay(lease.failures, random()), clock.now());
  }
}

/** The current secret first; null if there is none. */
function secretsOf({ deliverySecret }: ChannelRecord): readonly [WebhookSecret, ...WebhookSecret[]] | null {
  const [current, ...earlier] = (deliverySecret ?? "").split(" ").filter(isWebhookSecret);
  return current === undefined ? null : [current, ...earlier];
}

/** The same for each attempt of a delivery (rule S3). */
export function bodyOf({ id: channelId }: ChannelRecord, message: OutboundContents) {
  const { id, text, menu, recordedAt, conversationId, contactChannelId, externalId } = message;
  return {
    type: "message.delivery_requested",
    deliveryId: toDeliveryId({ messageId: id, attempt: null }),
    channelId: toGlobalId("Channel", channelId),
    contactChannel: { id: toGlobalId("ContactChannel", contactChannelId), externalId },
    message: {
      id: toGlobalId("Message", id),
      conversationId: conversationId === null ? null : toGlobalId("Conversation", conversationId),
      text,
      ...(menu === null ? {} : { menu: menuOf(menu) }),
      recordedAt: new Date(recordedAt).toISOString(),
    },
  };
}

/** A choice of an option is reported as a postback with its value as `data`. */
function menuOf({ text, options }: Menu) {
  return { text, options: options.map(({ id, label }) => ({ value: id, label })) };
}

/** What the partner's answer means for the message. `delay` is in milliseconds. */
export function resultOf(result: PostResult, delay: number, now: number): CallResult {
  switch (result.type) {
    case "Responded":
      return resultOfAnswer(result, delay, now);
    case "Ambiguous":
      return { type: "AGAIN", isAmbiguous: true, delay };
    case "NotBegun":
      switch (result.reason) {
        // A connection that does not open is tried again with growing delay, like one that is refused.
        case "BEGIN_DEADLINE_PASSED":
        case "CONNECT_FAILED":
          return { type: "AGAIN", isAmbiguous: false, delay };
        // It lies with the channel, not with the message: what waits is sent once an administrator has changed the URL.
        case "ADDRESS_REFUSED":
          return fault(
            `The deliveryUrl leads to a ${result.addressClass} address. Set a public one with updateChannel, or allow its network in WEBHOOK_ALLOWED_CIDRS and set it again.`,
          );
        case "URL_REFUSED":
          return fault("The deliveryUrl is not a web address. Set another one with updateChannel.");
      }
  }
}

function resultOfAnswer(response: PostResponded, delay: number, now: number): CallResult {
  const { status, bodyExcerpt } = response;
  if (status === 202) return { type: "TAKEN" };
  if (status >= 200 && status < 300) return { type: "SENT", providerMessageIds: providerIds(bodyExcerpt) };
  const wait = Math.max(delay, retryAfter(response.retryAfter, now));
  if (status === 429) return { type: "RATE_LIMITED", delay: wait };
  if (status >= 500) return { type: "AGAIN", isAmbiguous: true, delay: wait };
  if (status === 401 || status === 403) {
    return fault(
      `The deliveryUrl answers ${status}: it refuses the signature. Check its secret, then set deliveryUrl again with updateChannel.`,
    );
  }
  if (status < 400) return rejected(`The deliveryUrl answers with a redirect (${status}), which is not followed.`);
  const reason = bodyExcerpt.trim().slice(0, MAX_REASON);
  return rejected(`The partner refused the message (${status})${reason === "" ? "." : `: ${reason}`}`);
}

function fault(reason: string): CallResult {
  return { type: "CHANNEL_FAULT", reason };
}

function rejected(message: string): CallResult {
  return { type: "FAILED", error: { code: "REJECTED", message } };
}

const acceptance = z.object({ providerMessageId: z.string().min(1).max(255) });

/** The partner's id of the message, if its answer has one. */
function providerIds(body: string): string[] {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return [];
  }
  const { data } = acceptance.safeParse(answer);
  return data === undefined ? [] : [toStorable(data.providerMessageId)];
}

const MAX_REASON = 500;
