import type { Dispatcher } from "undici";
import { type Ambiguous, type Begin, httpCall, type NotBegun } from "../delivery/http-call.ts";
import { assertNever } from "../domain/assert-never.ts";
import { toStorable } from "../domain/text.ts";
import { RefusedAddressError } from "./guarded-agent.ts";
import type { AddressClass } from "./private-address.ts";
import { type WebhookMessage, type WebhookSecret, webhookHeaders } from "./standard-webhooks.ts";

/** A message to a URL that was given through the API. */
export interface SignedPost extends WebhookMessage {
  readonly url: string;
  /** JSON. */
  readonly body: Uint8Array;
  readonly secrets: readonly [WebhookSecret, ...WebhookSecret[]];
  /** Milliseconds from now until the end of the response; 10 seconds if absent (rule S2). */
  readonly timeout?: number;
  readonly begin?: Begin;
}

export type PostResult = PostResponded | PostNotBegun | Ambiguous;

/** The partner answered; a redirect, too, is an answer. */
export interface PostResponded {
  readonly type: "Responded";
  readonly status: number;
  /** The header as the partner sent it: seconds or a date. */
  readonly retryAfter: string | null;
  /** At most the first 4 KB as text that can be stored. */
  readonly bodyExcerpt: string;
}

/** No byte of the post was sent. What is told reveals no address beyond the URL. */
export type PostNotBegun =
  | { readonly type: "NotBegun"; readonly reason: "URL_REFUSED" | "BEGIN_DEADLINE_PASSED" }
  | { readonly type: "NotBegun"; readonly reason: "ADDRESS_REFUSED"; readonly addressClass: AddressClass }
  /** `code` is that of Node or undici, such as `ENOTFOUND` or `CERT_HAS_EXPIRED`. */
  | { readonly type: "NotBegun"; readonly reason: "CONNECT_FAILED"; readonly code: string };

/**
 * Posts bytes with the headers of Standard Webhooks (rules S7, P1), once, through an agent from `guardedAgent`. URLs
 * other than `http:` and `https:` are refused.
 */
export async function postSigned(agent: Dispatcher, post: SignedPost): Promise<PostResult> {
  const url = URL.parse(post.url);
  if (url === null || !["http:", "https:"].includes(url.protocol)) return { type: "NotBegun", reason: "URL_REFUSED" };
  const result = await httpCall(agent, {
    method: "POST",
    url,
    headers: {
      "content-type": "application/json",
      "user-agent": "Deskgate",
      ...webhookHeaders(post, post.secrets),
    },
    body: post.body,
    timeout: post.timeout ?? 10_000,
    ...(post.begin === undefined ? {} : { begin: post.begin }),
  });
  switch (result.type) {
    case "Responded": {
      const { status, headers, body, isBodyCut } = result;
      const retryAfter = headers.get("retry-after") ?? null;
      return { type: "Responded", status, retryAfter, bodyExcerpt: textOf(body, isBodyCut) };
    }
    case "NotBegun":
      return notBegun(result);
    case "Ambiguous":
      return result;
    default:
      return assertNever(result);
  }
}

function notBegun(result: NotBegun): PostNotBegun {
  if (result.reason === "BEGIN_DEADLINE_PASSED") return result;
  const { error } = result;
  if (error instanceof RefusedAddressError) {
    return { type: "NotBegun", reason: "ADDRESS_REFUSED", addressClass: error.addressClass };
  }
  // The message stays behind: it names the addresses that were tried.
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return { type: "NotBegun", reason: "CONNECT_FAILED", code };
}

function textOf(body: Buffer, isCut: boolean): string {
  // In a stream, a character that was cut in two at the end is left out.
  return toStorable(new TextDecoder().decode(body, { stream: isCut }));
}
