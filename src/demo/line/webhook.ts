import { createHmac } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Instant } from "../../domain/id.ts";

/** An event of a webhook, without what differs from one delivery to the next. */
export interface WebhookEvent {
  readonly type: string;
  readonly webhookEventId: string;
  readonly timestamp: Instant;
  readonly mode: "active";
  readonly source: { readonly type: "user"; readonly userId: string };
  readonly replyToken?: string;
  readonly [detail: string]: unknown;
}

export interface WebhookOptions {
  readonly secret: string;
  /** The user id of the account that the events are for. */
  readonly destination: string;
  /** Milliseconds before each redelivery; the last one repeats. */
  readonly redeliverAfter: readonly number[];
  /** Aborted when nothing is to be delivered any more. */
  readonly signal: AbortSignal;
}

export interface Webhook {
  /** Null to deliver nothing. */
  setUrl(url: string | null): void;
  /**
   * Signs and posts an event, again and again until the receiver answers 2xx. Resolves to false if there is no URL, or
   * if deliveries were stopped before. `firstTried` resolves when the first delivery has ended either way.
   */
  deliver(event: WebhookEvent): { readonly firstTried: Promise<void>; readonly delivered: Promise<boolean> };
}

/** Delivers webhooks as LINE does: `deliveryContext.isRedelivery` tells a repeat, which is equal otherwise. */
export function createWebhook({ secret, destination, redeliverAfter, signal }: WebhookOptions): Webhook {
  let url: string | null = null;
  return {
    setUrl: (wanted) => {
      url = wanted;
    },
    deliver: (event) => {
      const first = post(event, false);
      return { firstTried: first.then(() => undefined), delivered: first.then((ok) => ok || redeliver(event)) };
    },
  };

  async function redeliver(event: WebhookEvent): Promise<boolean> {
    for (let attempt = 0; ; attempt += 1) {
      const pause = redeliverAfter[Math.min(attempt, redeliverAfter.length - 1)];
      if (url === null || pause === undefined) return false;
      try {
        await delay(pause, undefined, { signal, ref: false });
      } catch {
        return false;
      }
      if (await post(event, true)) return true;
    }
  }

  async function post(event: WebhookEvent, isRedelivery: boolean): Promise<boolean> {
    if (url === null) return false;
    const body = JSON.stringify({ destination, events: [{ ...event, deliveryContext: { isRedelivery } }] });
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/json; charset=utf-8",
          "user-agent": "LineBotWebhook/2.0",
          "x-line-signature": createHmac("sha256", secret).update(body).digest("base64"),
        },
        body,
        redirect: "error",
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]),
      });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }
}

/** Milliseconds that LINE waits for the answer. */
const TIMEOUT = 2_000;
