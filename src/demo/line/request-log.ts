import type { Instant } from "../../domain/id.ts";
import type { LineMessage } from "./messages.ts";

export const operations = [
  "push",
  "reply",
  "loading",
  "markAsRead",
  "profile",
  "botInfo",
  "quota",
  "quotaConsumption",
  "content",
  "contentPreview",
  "contentTranscoding",
] as const;

/** A call of the Messaging API. */
export type Operation = (typeof operations)[number];

/** One request as LINE would know it. It is logged when its headers arrive, and completed as it is handled. */
export interface LoggedRequest {
  /** Counts from 1 and orders the requests by their begin. */
  readonly seq: number;
  /** `x-line-request-id` of the response. */
  readonly requestId: string;
  /** When the headers had arrived, by the injected clock. */
  readonly at: Instant;
  /** The same moment by the machine's monotonic clock, in milliseconds: comparable between processes of one machine. */
  readonly monotonicMs: number;
  readonly operation: Operation;
  /** The channel whose token was used; null until it is known, and for an invalid token. */
  channel: string | null;
  /** The user whom the request concerns; null if it concerns none, or if it was refused before that was known. */
  userId: string | null;
  readonly retryKey: string | null;
  replyToken: string | null;
  messages: readonly LineMessage[];
  /** Whether this request took effect: for a push or a reply, that its messages were taken in, now, for the first time. */
  accepted: boolean;
  /** What the client was told; null if it was told nothing: still in progress, or its connection was broken. */
  status: number | null;
}

export interface RequestLog {
  /** The requests that began after the one with this number, oldest first. */
  after(seq: number): readonly LoggedRequest[];
  /** All requests that are kept, oldest first. */
  all(): readonly LoggedRequest[];
  /** Number of requests that are no longer kept. A check of the whole log needs it to be 0. */
  readonly dropped: number;
  begin(request: Omit<LoggedRequest, "seq" | "monotonicMs">): LoggedRequest;
}

/** A log in memory that keeps the last `size` requests. */
export function createRequestLog(size: number): RequestLog {
  const kept: LoggedRequest[] = [];
  let last = 0;
  let dropped = 0;
  return {
    after: (seq) => kept.slice(Math.max(0, seq - dropped)),
    all: () => [...kept],
    get dropped() {
      return dropped;
    },
    begin: (request) => {
      last += 1;
      const logged = { ...request, seq: last, monotonicMs: Number(process.hrtime.bigint()) / 1e6 };
      kept.push(logged);
      // In chunks, because removing the first of a long array moves all others.
      if (kept.length > size * 1.25) dropped += kept.splice(0, kept.length - size).length;
      return logged;
    },
  };
}
