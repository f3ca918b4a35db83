import type { messagingApi } from "@line/bot-sdk";
import type { Dispatcher } from "undici";
import { type HttpCallResult, httpCall } from "../../delivery/http-call.ts";
import type { SignalResult, Transport } from "../../delivery/sender.ts";
import type { Signal } from "../../domain/signal.ts";
import { tokenRefused } from "./api-answer.ts";

export interface LineSignalsOptions {
  /** LINE's API host, unless a channel has an address of its own. */
  readonly apiUrl: string;
  readonly dispatcher: Dispatcher;
}

/**
 * Makes the calls of signals by LINE's Messaging API.
 *
 * @see https://developers.line.biz/en/docs/messaging-api/use-loading-indicator/
 * @see https://developers.line.biz/en/docs/messaging-api/mark-as-read/
 */
export function lineSignals({ apiUrl, dispatcher }: LineSignalsOptions): NonNullable<Transport["signal"]> {
  return async (channel, externalId, signal, begin) => {
    const { path, body } = requestOf(signal, externalId);
    const result = await httpCall(dispatcher, {
      method: "POST",
      url: new URL(`${channel.apiUrl ?? apiUrl}${path}`),
      headers: { authorization: `Bearer ${channel.accessToken}`, "content-type": "application/json" },
      body: Buffer.from(JSON.stringify(body)),
      timeout: CALL_TIMEOUT,
      begin,
    });
    return resultOf(result);
  };
}

interface LineSignalRequest {
  readonly path: string;
  readonly body: messagingApi.ShowLoadingAnimationRequest | messagingApi.MarkMessagesAsReadByTokenRequest;
}

function requestOf(signal: Signal, externalId: string): LineSignalRequest {
  switch (signal.type) {
    case "LOADING":
      return { path: "/v2/bot/chat/loading/start", body: { chatId: externalId, loadingSeconds: signal.seconds } };
    case "MARK_AS_READ":
      return { path: "/v2/bot/chat/markAsRead", body: { markAsReadToken: signal.token } };
  }
}

/** A 403 says that the account may not use this part of the API; only a 401 is about the token, and so about messages. */
function resultOf(result: HttpCallResult): SignalResult {
  if (result.type !== "Responded") return { type: "FAILED", reason: result.reason };
  const { status } = result;
  if (status < 300) return { type: "DONE" };
  if (status === 401) return { type: "CHANNEL_FAULT", reason: tokenRefused(result) };
  return { type: "FAILED", reason: `LINE answered with the status ${status}.` };
}

/** In milliseconds. */
const CALL_TIMEOUT = 5_000;
