import { randomBytes } from "node:crypto";
import type { z } from "zod";
import type { Instant } from "../../domain/id.ts";
import type { Clock } from "../../platform/clock.ts";
import { type Answer, notFound, ok, quotaExceeded, refuse } from "./answer.ts";
import { type Contents, createContents } from "./contents.ts";
import type { LineMessage } from "./messages.ts";
import { Phone } from "./phone.ts";
import type { Operation } from "./request-log.ts";
import type { loadingRequest, markAsReadRequest, pushRequest, replyRequest } from "./requests.ts";
import { createTokens } from "./tokens.ts";

export interface AccountOptions {
  readonly displayName: string;
  /** Messages that may be pushed in a month; null for no limit. */
  readonly monthlyLimit: number | null;
  /** Requests a second for each operation. */
  readonly rateLimit: number;
}

/** What the Messaging API of one channel knows and answers. */
export class Account {
  readonly userId = `U${randomBytes(16).toString("hex")}`;
  readonly basicId = `@${randomBytes(4).toString("hex")}`;
  readonly displayName: string;
  readonly contents: Contents = createContents();
  monthlyLimit: number | null;
  readonly #rateLimit: number;
  readonly #clock: Clock;
  readonly #nextMessageId: () => string;
  readonly #phones = new Map<string, Phone>();
  readonly #replyTokens;
  readonly #markAsReadTokens;
  readonly #acceptedPushes = new Map<string, AcceptedPush>();
  #usage = { month: "", count: 0 };
  #rate = { second: 0, counts: new Map<Operation, number>() };

  constructor(options: AccountOptions, clock: Clock, nextMessageId: () => string) {
    this.displayName = options.displayName;
    this.monthlyLimit = options.monthlyLimit;
    this.#rateLimit = options.rateLimit;
    this.#clock = clock;
    this.#nextMessageId = nextMessageId;
    this.#replyTokens = createTokens<{ phone: Phone; used: boolean }>(clock, REPLY_TOKEN_LIFETIME);
    this.#markAsReadTokens = createTokens<{ phone: Phone; messageId: string }>(clock, DAY);
  }

  /** All phones in the order in which they were first seen. */
  get phones(): readonly Phone[] {
    return [...this.#phones.values()];
  }

  /** Undefined for a user who was never seen. */
  knownPhone(userId: string): Phone | undefined {
    return this.#phones.get(userId);
  }

  /** The phone of a user; a user who was never seen is a friend of the account. */
  phone(userId: string): Phone {
    const known = this.#phones.get(userId);
    if (known !== undefined) return known;
    const phone = new Phone(userId, "LINE user");
    this.#phones.set(userId, phone);
    return phone;
  }

  issueReplyToken(phone: Phone): string {
    return this.#replyTokens.issue({ phone, used: false });
  }

  issueMarkAsReadToken(phone: Phone, messageId: string): string {
    return this.#markAsReadTokens.issue({ phone, messageId });
  }

  /** The user to whom a reply token leads, also one that is used; null if it is unknown or too old. */
  userOfReply(replyToken: string): string | null {
    return this.#replyTokens.find(replyToken)?.phone.userId ?? null;
  }

  /** The user whose messages a token marks as read; null if it is invalid. */
  userOfReadMark(markAsReadToken: string): string | null {
    return this.#markAsReadTokens.find(markAsReadToken)?.phone.userId ?? null;
  }

  /** Counts a request; false if there were too many within this second. */
  admits(operation: Operation): boolean {
    const second = Math.floor(this.#clock.now() / 1_000);
    if (this.#rate.second !== second) this.#rate = { second, counts: new Map() };
    const count = (this.#rate.counts.get(operation) ?? 0) + 1;
    this.#rate.counts.set(operation, count);
    return count <= this.#rateLimit;
  }

  push({ to, messages }: z.infer<typeof pushRequest>, retryKey: string | null, requestId: string): Outcome {
    const now = this.#clock.now();
    const earlier = retryKey === null ? undefined : this.#acceptedPushes.get(retryKey);
    if (earlier !== undefined && now < earlier.at + DAY) {
      const answer = refuse(409, { message: "The retry key is already accepted" });
      return {
        accepted: false,
        answer: {
          ...answer,
          body: { ...answer.body, sentMessages: earlier.sentMessages },
          headers: { "x-line-accepted-request-id": earlier.requestId },
        },
      };
    }
    const phone = this.phone(to);
    if (!this.#countPush(phone)) return { accepted: false, answer: quotaExceeded };
    const sentMessages = this.#show(phone, messages);
    if (retryKey !== null) this.#remember(retryKey, { requestId, sentMessages, at: now });
    return { accepted: true, answer: ok({ sentMessages }) };
  }

  reply({ replyToken, messages }: z.infer<typeof replyRequest>): Outcome {
    const token = this.#replyTokens.find(replyToken);
    if (token === undefined || token.used) {
      return { accepted: false, answer: refuse(400, { message: "Invalid reply token" }) };
    }
    token.used = true;
    return { accepted: true, answer: ok({ sentMessages: this.#show(token.phone, messages) }) };
  }

  showLoading({ chatId, loadingSeconds = 20 }: z.infer<typeof loadingRequest>): Outcome {
    const phone = this.phone(chatId);
    if (phone.isFriend) phone.showLoading(this.#clock.now() + loadingSeconds * 1_000);
    return { accepted: true, answer: { status: 202, body: {} } };
  }

  markAsRead({ markAsReadToken }: z.infer<typeof markAsReadRequest>): Outcome {
    const found = this.#markAsReadTokens.find(markAsReadToken);
    if (found === undefined) {
      return { accepted: false, answer: refuse(400, { message: "An invalid markAsReadToken is specified." }) };
    }
    found.phone.markAsRead(found.messageId);
    return { accepted: true, answer: ok() };
  }

  profile(userId: string): Answer {
    const phone = this.#phones.get(userId);
    if (phone === undefined || !phone.isFriend || !phone.hasProfile) return notFound;
    return ok({ userId, displayName: phone.displayName, language: "en" });
  }

  botInfo(): Answer {
    const { userId, basicId, displayName } = this;
    return ok({ userId, basicId, displayName, chatMode: "chat", markAsReadMode: "manual" });
  }

  quota(): Answer {
    return ok(this.monthlyLimit === null ? { type: "none" } : { type: "limited", value: this.monthlyLimit });
  }

  quotaConsumption(): Answer {
    return ok({ totalUsage: this.#usageThisMonth() });
  }

  /** LINE counts a push once, however many messages it has, and not at all if it does not reach its user. */
  #countPush(phone: Phone): boolean {
    const used = this.#usageThisMonth();
    if (this.monthlyLimit !== null && used >= this.monthlyLimit) return false;
    if (phone.isFriend) this.#usage.count = used + 1;
    return true;
  }

  /** LINE's months are those of Japan. */
  #usageThisMonth(): number {
    const month = new Date(this.#clock.now() + JAPAN_OFFSET).toISOString().slice(0, "2026-01".length);
    if (this.#usage.month !== month) this.#usage = { month, count: 0 };
    return this.#usage.count;
  }

  /** A user who blocks the account is shown nothing, which the answer does not tell. */
  #show(phone: Phone, messages: readonly LineMessage[]): SentMessage[] {
    const entries = messages.map((message) => ({ id: this.#nextMessageId(), message }));
    const at = this.#clock.now();
    if (phone.isFriend) phone.add(...entries.map((entry) => ({ ...entry, at, from: "account" as const })));
    return entries.map(({ id, message: { type } }) =>
      quotable.has(type) ? { id, quoteToken: newQuoteToken() } : { id },
    );
  }

  #remember(retryKey: string, push: AcceptedPush): void {
    for (const [key, { at }] of this.#acceptedPushes) {
      if (push.at < at + DAY) break;
      this.#acceptedPushes.delete(key);
    }
    this.#acceptedPushes.set(retryKey, push);
  }
}

/** An answer, and whether the request took effect. */
export interface Outcome {
  readonly answer: Answer;
  readonly accepted: boolean;
}

interface SentMessage {
  readonly id: string;
  readonly quoteToken?: string;
}

interface AcceptedPush {
  readonly requestId: string;
  readonly sentMessages: readonly SentMessage[];
  readonly at: Instant;
}

export function newQuoteToken(): string {
  return randomBytes(24).toString("base64url");
}

/** The types of messages that can be quoted, and that have a quote token therefore. */
const quotable: ReadonlySet<LineMessage["type"]> = new Set(["text", "textV2", "sticker", "image", "video", "template"]);

/** In milliseconds; LINE says "about a minute". */
const REPLY_TOKEN_LIFETIME = 60_000;
const DAY = 24 * 60 * 60_000;
const JAPAN_OFFSET = 9 * 60 * 60_000;
