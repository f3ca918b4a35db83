import { randomBytes } from "node:crypto";
import type { Clock } from "../../platform/clock.ts";
import { Account, newQuoteToken } from "./account.ts";
import type { Content, TranscodingStatus } from "./contents.ts";
import type { ChatEntry, Phone, UserMessage } from "./phone.ts";
import { createWebhook, type WebhookEvent } from "./webhook.ts";

export interface ChannelOptions {
  /** How the log, faults and the control API name the channel. */
  readonly id: string;
  readonly secret: string;
  readonly displayName?: string;
  /** Where to post webhooks; nowhere by default. */
  readonly webhookUrl?: string | null;
  /** Messages that may be pushed in a month; no limit by default. */
  readonly monthlyLimit?: number | null;
  /** Requests a second for each operation; LINE's 2,000 by default. */
  readonly rateLimit?: number;
  /** An access token that never expires, besides those that are issued. */
  readonly accessToken?: string;
}

/** What a user did, on its way to the webhook. */
export interface Sent {
  readonly event: WebhookEvent;
  /** LINE's id of the message; null if it was none. */
  readonly messageId: string | null;
  /** Resolves to true when the receiver has acknowledged the event; to false if it never will. Never rejects. */
  readonly delivered: Promise<boolean>;
}

/** A channel of the Messaging API, with the users who chat with its account. */
export interface LineChannel {
  readonly id: string;
  readonly secret: string;
  readonly account: Account;
  /** Returns an access token that expires after this many milliseconds; by default 30 days. */
  issueToken(lifetime?: number): string;
  revokeToken(token: string): void;
  acceptsToken(token: string): boolean;
  setWebhookUrl(url: string | null): void;
  /** Registers a user with a name, without an event. */
  addUser(userId: string, displayName: string): Phone;
  // What users do. Only a friend of the account can send; else these throw an Error.
  writeAs(userId: string, text: string): Sent;
  sendStickerAs(userId: string, packageId?: string, stickerId?: string): Sent;
  /** Videos and audio are transcoded first; `status` is "succeeded" by default. */
  sendFileAs(userId: string, type: "image" | "video" | "audio", content: Content, status?: TranscodingStatus): Sent;
  /** A tap on a button that sends data. `displayText` appears in the chat, but is sent to nobody. */
  tapAs(userId: string, data: string, displayText?: string, params?: Readonly<Record<string, string>>): Sent;
  /** Takes a message of the user back. Throws for one that is not the user's, or that is unsent already. */
  unsendAs(userId: string, messageId: string): Sent;
  /** The user adds the account, or no longer blocks it. */
  followAs(userId: string): Sent;
  /** The user blocks the account. */
  unfollowAs(userId: string): Sent;
}

export interface ChannelContext {
  readonly clock: Clock;
  readonly redeliverAfter: readonly number[];
  readonly nextMessageId: () => string;
  readonly signal: AbortSignal;
}

export function createChannel(options: ChannelOptions, context: ChannelContext): LineChannel {
  const { id, secret, displayName = id, monthlyLimit = null, rateLimit = LINES_RATE_LIMIT } = options;
  const { clock, redeliverAfter, nextMessageId, signal } = context;
  const account = new Account({ displayName, monthlyLimit, rateLimit }, clock, nextMessageId);
  const webhook = createWebhook({ secret, destination: account.userId, redeliverAfter, signal });
  webhook.setUrl(options.webhookUrl ?? null);
  const expiries = new Map<string, number>();
  if (options.accessToken !== undefined) expiries.set(options.accessToken, Number.POSITIVE_INFINITY);
  /** For each user, the first delivery of the latest event: LINE delivers the events of a user in order at first. */
  const latestDeliveries = new Map<string, Promise<void>>();

  return {
    id,
    secret,
    account,
    issueToken: (lifetime = THIRTY_DAYS) => {
      const token = randomBytes(48).toString("base64url");
      expiries.set(token, clock.now() + lifetime);
      return token;
    },
    revokeToken: (token) => {
      expiries.delete(token);
    },
    acceptsToken: (token) => clock.now() < (expiries.get(token) ?? 0),
    setWebhookUrl: webhook.setUrl,
    addUser,
    writeAs: (userId, text) => say(userId, { type: "text", text }, { type: "text", text, quoteToken: newQuoteToken() }),
    sendStickerAs: (userId, packageId = "446", stickerId = "1988") => {
      const sticker = { type: "sticker", packageId, stickerId } as const;
      return say(userId, sticker, { ...sticker, stickerResourceType: "STATIC", quoteToken: newQuoteToken() });
    },
    sendFileAs: (userId, type, content, status = "succeeded") => {
      const details = {
        contentProvider: { type: "line" },
        ...(type === "image" ? {} : { duration: 1_000 }),
        ...(type === "audio" ? {} : { quoteToken: newQuoteToken() }),
      };
      return say(userId, { type }, { type, ...details }, (messageId) =>
        account.contents.put(messageId, content, status),
      );
    },
    tapAs: (userId, data, displayText, params) => {
      const phone = friend(userId);
      const id = nextMessageId();
      if (displayText !== undefined) show(phone, id, { type: "postback", text: displayText });
      return deliver(phone, null, {
        type: "postback",
        replyToken: account.issueReplyToken(phone),
        postback: { data, ...(params === undefined ? {} : { params }) },
      });
    },
    unsendAs: (userId, messageId) => {
      const phone = friend(userId);
      if (!phone.hasSent(messageId)) {
        throw new Error(`The user ${userId} has not sent a message ${messageId}.`);
      }
      phone.unsend(messageId);
      account.contents.remove(messageId);
      return deliver(phone, null, { type: "unsend", unsend: { messageId } });
    },
    followAs: (userId) => {
      const phone = seen(userId);
      const isUnblocked = !phone.isFriend;
      phone.setFriend(true);
      const replyToken = account.issueReplyToken(phone);
      return deliver(phone, null, { type: "follow", replyToken, follow: { isUnblocked } });
    },
    unfollowAs: (userId) => {
      const phone = seen(userId);
      phone.setFriend(false);
      return deliver(phone, null, { type: "unfollow" });
    },
  };

  function addUser(userId: string, name: string): Phone {
    const phone = seen(userId);
    phone.displayName = name;
    return phone;
  }

  function seen(userId: string): Phone {
    const phone = account.phone(userId);
    phone.hasProfile = true;
    return phone;
  }

  function friend(userId: string): Phone {
    const phone = seen(userId);
    if (!phone.isFriend) throw new Error(`The user ${userId} blocks the account ${id}, so can send it nothing.`);
    return phone;
  }

  function show(phone: Phone, messageId: string, message: UserMessage): void {
    const entry: ChatEntry = {
      id: messageId,
      at: clock.now(),
      from: "user",
      message,
      read: false,
      unsent: false,
    };
    phone.add(entry);
  }

  function say(
    userId: string,
    message: UserMessage,
    details: object,
    beforeDelivery: (messageId: string) => void = () => {},
  ): Sent {
    const phone = friend(userId);
    const messageId = nextMessageId();
    beforeDelivery(messageId);
    show(phone, messageId, message);
    return deliver(phone, messageId, {
      type: "message",
      replyToken: account.issueReplyToken(phone),
      message: { id: messageId, ...details, markAsReadToken: account.issueMarkAsReadToken(phone, messageId) },
    });
  }

  function deliver(phone: Phone, messageId: string | null, details: EventDetails): Sent {
    const { userId } = phone;
    const event: WebhookEvent = {
      ...details,
      mode: "active",
      timestamp: clock.now(),
      source: { type: "user", userId },
      webhookEventId: randomBytes(13).toString("hex").toUpperCase(),
    };
    const started = (latestDeliveries.get(userId) ?? Promise.resolve()).then(() => webhook.deliver(event));
    const tried = started.then(({ firstTried }) => firstTried);
    latestDeliveries.set(userId, tried);
    void tried.then(() => {
      if (latestDeliveries.get(userId) === tried) latestDeliveries.delete(userId);
    });
    return { event, messageId, delivered: started.then(({ delivered }) => delivered) };
  }
}

/** What differs between the types of events. */
type EventDetails = Pick<WebhookEvent, "type" | "replyToken"> & Readonly<Record<string, unknown>>;

const LINES_RATE_LIMIT = 2_000;
/** In milliseconds: the lifetime of LINE's short-lived access tokens. */
const THIRTY_DAYS = 30 * 24 * 60 * 60_000;
