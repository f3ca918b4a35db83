import { createParser } from "eventsource-parser";
import { type Client, createClient, type FormattedExecutionResult } from "graphql-ws";
import WebSocket from "ws";
import type { Desk } from "./app.ts";

/** The results of one subscription. */
export interface SubscriptionResults {
  next(): Promise<FormattedExecutionResult<Record<string, unknown>, unknown>>;
  end(): Promise<void>;
}

export function connect(desk: Desk, token = desk.ada.token): Client {
  return createClient({
    url: `${desk.url.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
    lazyCloseTimeout: 0,
  });
}

/** Subscribes over WebSocket; the socket ends with the subscription. */
export function subscribeOverWebSocket(
  desk: Desk,
  query: string,
  variables: Record<string, unknown> = {},
  token?: string,
): SubscriptionResults {
  const client = connect(desk, token);
  const results = client.iterate({ query, variables });
  return {
    next: async () => {
      const step = await results.next();
      if (step.done) throw new Error("The subscription is over.");
      return step.value;
    },
    end: async () => {
      await results.return?.();
      await client.dispose();
    },
  };
}

/** Subscribes over SSE. */
export async function subscribeOverSse(
  desk: Desk,
  query: string,
  variables: Record<string, unknown> = {},
  token = desk.ada.token,
): Promise<SubscriptionResults & { readonly status: number }> {
  const abort = new AbortController();
  const response = await fetch(`${desk.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream", authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
    signal: abort.signal,
  });
  const waiting: FormattedExecutionResult<Record<string, unknown>, unknown>[] = [];
  let complete = false;
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (event === "next") waiting.push(JSON.parse(data));
      if (event === "complete") complete = true;
    },
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  return {
    status: response.status,
    next: async () => {
      for (;;) {
        const result = waiting.shift();
        if (result !== undefined) return result;
        if (complete) throw new Error("The subscription is over.");
        const step = await reader?.read();
        if (step === undefined || step.done) throw new Error("The stream is over.");
        parser.feed(step.value);
      }
    },
    end: async () => abort.abort(),
  };
}
