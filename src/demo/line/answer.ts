import type { LineError } from "./requests.ts";

/** What the Messaging API answers to a request. */
export interface Answer {
  readonly status: number;
  /** Sent as JSON, unless it is the content of a file. */
  readonly body: object;
  /** The type of a file's content. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const ok = (body: object = {}): Answer => ({ status: 200, body });

export const refuse = (status: number, error: LineError): Answer => ({ status, body: error });

/** The answers that do not depend on the operation. */
export const unauthorized = refuse(401, {
  message: "Authentication failed. Confirm that the access token in the authorization header is valid.",
});
export const notFound = refuse(404, { message: "Not found" });
export const rateLimited = refuse(429, { message: "The API rate limit has been exceeded. Try again later." });
export const quotaExceeded = refuse(429, { message: "You have reached your monthly limit." });

/** The answer for a status that a fault asks for. */
export function refuseWith(status: number): Answer {
  switch (status) {
    case 401:
      return unauthorized;
    case 403:
      return refuse(403, { message: "Access to this API is not available for your account" });
    case 404:
      return notFound;
    case 429:
      return rateLimited;
    default:
      return refuse(status, { message: status < 500 ? "Bad request" : "Internal server error" });
  }
}
