import { createParser } from "eventsource-parser";
import type { Desk } from "./app.ts";

export interface Received {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: unknown;
}

/** A web chat visitor, with the requests that the widget sends. */
export interface Visitor {
  readonly id: string;
  readonly token: string;
  say(text: string, clientMessageId?: string): Promise<Response>;
  stream(lastEventId?: string): Promise<ChatReader>;
  /** A stream that starts with the current conversation, both ways. */
  history(lastEventId?: string): Promise<ChatReader>;
}

/** The event stream of a visitor. */
export interface ChatReader {
  readonly response: Response;
  /** Waits for the next event. */
  next(): Promise<Received>;
  /** Waits for the next event; returns its text. */
  text(): Promise<unknown>;
  /** Resolves when the server ends the stream, with the unread events. */
  rest(): Promise<Received[]>;
  close(): void;
}

export async function openSession(desk: Desk, channel = desk.webChat): Promise<Visitor> {
  const response = await post(desk, channel, "sessions", {});
  if (response.status !== 201) throw new Error(`A session was answered with ${response.status}.`);
  const { token, visitorId }: { token: string; visitorId: string } = JSON.parse(await response.text());
  const headers = { authorization: `Bearer ${token}` };
  const stream = (lastEventId: string | undefined, query?: string): Promise<ChatReader> => {
    const resuming = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
    return openStream(desk, channel, { ...headers, ...resuming }, query);
  };
  return {
    id: visitorId,
    token,
    say: (text, clientMessageId = crypto.randomUUID()) =>
      post(desk, channel, "messages", { text, clientMessageId }, headers),
    stream: (lastEventId) => stream(lastEventId),
    history: (lastEventId) => stream(lastEventId, "?history=current"),
  };
}

export function post(
  desk: Desk,
  channel: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${desk.url}/chat/${channel}/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

export async function openStream(
  desk: Desk,
  channel: string,
  headers: Record<string, string>,
  query = "",
): Promise<ChatReader> {
  const abort = new AbortController();
  const response = await fetch(`${desk.url}/chat/${channel}/stream${query}`, { headers, signal: abort.signal });
  if (response.status !== 200) throw new Error(`The stream was answered with ${response.status}.`);
  const arrived: Received[] = [];
  let wake = Promise.withResolvers<void>();
  const ended = read();

  async function read(): Promise<void> {
    const parser = createParser({
      onEvent: ({ id, event, data }) => {
        arrived.push({ id, event, data: JSON.parse(data) });
        wake.resolve();
        wake = Promise.withResolvers();
      },
    });
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk, { stream: true }));
    } catch {
      // Closed by the test or by the server.
    }
  }

  const next = async (): Promise<Received> => {
    for (;;) {
      const event = arrived.shift();
      if (event !== undefined) return event;
      const isOver = await Promise.race([wake.promise, ended.then(() => arrived.length === 0)]);
      if (isOver === true) throw new Error("The stream ended before the event was received.");
    }
  };
  return {
    response,
    next,
    text: async () => {
      const { data } = await next();
      return typeof data === "object" && data !== null && "text" in data ? data.text : data;
    },
    rest: async () => {
      await ended;
      return arrived;
    },
    close: () => abort.abort(),
  };
}
