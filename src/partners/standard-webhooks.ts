import { createHmac, randomBytes } from "node:crypto";
import type { Instant } from "../domain/id.ts";

/** The secret of an endpoint: `whsec_` and the base64 of 24 to 64 bytes. */
export type WebhookSecret = `whsec_${string}`;

/** A message as the specification of Standard Webhooks means it. */
export interface WebhookMessage {
  /** The same at each try, so that the receiver can tell a repetition; contains no dot. */
  readonly id: string;
  /** When this try is made. */
  readonly sentAt: Instant;
  readonly body: Uint8Array;
}

export interface WebhookHeaders {
  readonly "webhook-id": string;
  /** Seconds since 1970. */
  readonly "webhook-timestamp": string;
  readonly "webhook-signature": string;
}

/** Generates a secret with 256 random bits. */
export function newWebhookSecret(): WebhookSecret {
  return `${PREFIX}${randomBytes(32).toString("base64")}`;
}

/** Whether the text is a secret of Standard Webhooks, as one that another system generated. */
export function isWebhookSecret(text: string): text is WebhookSecret {
  if (!text.startsWith(PREFIX)) return false;
  const key = keyOf(text);
  // Node skips what is not base64, which other libraries refuse.
  return key.length >= 24 && key.length <= 64 && key.toString("base64") === text.slice(PREFIX.length);
}

/** Signs a message by Standard Webhooks, once with each secret: while secrets rotate, the receiver may have either. */
export function webhookHeaders(
  { id, sentAt, body }: WebhookMessage,
  secrets: readonly [WebhookSecret, ...WebhookSecret[]],
): WebhookHeaders {
  const timestamp = String(Math.floor(sentAt / 1_000));
  const signatures = secrets.map((secret) => {
    const signature = createHmac("sha256", keyOf(secret)).update(`${id}.${timestamp}.`).update(body).digest("base64");
    return `v1,${signature}`;
  });
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}

const PREFIX = "whsec_";

function keyOf(secret: string): Buffer {
  return Buffer.from(secret.slice(PREFIX.length), "base64");
}
