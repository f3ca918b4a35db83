import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createParser } from "eventsource-parser";
import { WebSocket } from "ws";
import type { Desk } from "./app.ts";

/** The request parameters that all transports share. */
export interface Asked {
  readonly query?: string;
  readonly documentId?: string;
  readonly operationName?: string;
  readonly variables?: object;
  readonly extensions?: object;
}

/** The first result, or the errors of a refusal. */
export interface Answered {
  readonly data?: unknown;
  readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[];
}

/** One transport. All give the same answer to the same request. */
export type Way = (desk: Desk, asked: Asked) => Promise<Answered>;

const JSON_ANSWER = "application/graphql-response+json";
const STREAM = "text/event-stream";

/** The transports over HTTP requests. */
export const requests = {
  POST: (desk, asked) => answerOf(post(desk, JSON.stringify(asked), { accept: JSON_ANSWER })),
  GET: (desk, asked) => answerOf(get(desk, asked, { accept: JSON_ANSWER })),
  "SSE by POST": (desk, asked) => answerOf(post(desk, JSON.stringify(asked), { accept: STREAM })),
  "SSE by GET": (desk, asked) => answerOf(get(desk, asked, { accept: STREAM })),
} as const satisfies Record<string, Way>;

/** Sends this body, as JSON and as Ada unless the headers say otherwise; an empty header is left out. */
export function post(desk: Desk, body: string | Buffer, headers: Record<string, string> = {}): Promise<Response> {
  // As bytes, so that fetch does not add a content type.
  const bytes = new Uint8Array(Buffer.from(body));
  return fetch(`${desk.url}/graphql`, { method: "POST", headers: given(desk, headers), body: bytes });
}

export function get(desk: Desk, asked: Asked, headers: Record<string, string> = {}): Promise<Response> {
  const query = new URLSearchParams(
    Object.entries(asked).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
  );
  return fetch(`${desk.url}/graphql?${query}`, { headers: given(desk, { "content-type": "", ...headers }) });
}

function given({ ada }: Desk, headers: Record<string, string>): [string, string][] {
  const all = { authorization: `Bearer ${ada.token}`, "content-type": "application/json", ...headers };
  return Object.entries(all).filter(([, value]) => value !== "");
}

/** Reads the result of a response, or the first one of a stream. */
export async function answerOf(asked: Promise<Response>): Promise<Answered> {
  const response = await asked;
  if (!response.headers.get("content-type")?.startsWith(STREAM)) return JSON.parse(await response.text());
  let first: Answered | null = null;
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (event === "next") first ??= JSON.parse(data);
    },
  });
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    parser.feed(chunk);
    if (first !== null) return first;
  }
  throw new Error("The stream ended without a result.");
}

/** A socket with a subscription that other operations on the socket must not affect. */
export interface SharedSocket {
  ask(asked: Asked): Promise<Answered>;
  /** Resolves once the other subscription has received a new event. */
  expectNeighbourReceives(): Promise<void>;
  close(): void;
}

export async function sharedSocket(
  desk: Desk,
  neighbour = "subscription { messageRecorded { message { text } } }",
): Promise<SharedSocket> {
  const socket = new WebSocket(`${desk.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
  const answers = new Map<string, (answered: Answered) => void>();
  const received = new Set<string>();
  let asks = 0;
  await once(socket, "open");
  socket.send(JSON.stringify({ type: "connection_init", payload: { authorization: `Bearer ${desk.ada.token}` } }));
  await once(socket, "message");
  socket.on("message", (data) => {
    const { id, type, payload } = JSON.parse(String(data));
    if (id === "neighbour" && type !== "next") throw new Error(`The other subscription was ended: ${data}`);
    if (id === "neighbour") received.add(payload.data.messageRecorded.message.text);
    else if (type !== "complete") answers.get(id)?.(type === "error" ? { errors: payload } : payload);
  });
  socket.send(JSON.stringify({ id: "neighbour", type: "subscribe", payload: { query: neighbour } }));
  return {
    ask: async (asked) => {
      if (socket.readyState !== WebSocket.OPEN) throw new Error("The socket is closed.");
      const id = `ask ${++asks}`;
      const { promise, resolve, reject } = Promise.withResolvers<Answered>();
      const fail = (code: number): void => reject(new Error(`The socket was closed with ${code}.`));
      answers.set(id, resolve);
      socket.once("close", fail);
      // The protocol requires a query, even with a document id.
      socket.send(JSON.stringify({ id, type: "subscribe", payload: { query: "", ...asked } }));
      const answered = await promise;
      socket.off("close", fail);
      socket.send(JSON.stringify({ id, type: "complete" }));
      return answered;
    },
    expectNeighbourReceives: async () => {
      const text = randomUUID();
      // Repeat until it is delivered: the subscription may not have started yet.
      while (!received.has(text)) {
        if (socket.readyState !== WebSocket.OPEN) throw new Error("The socket is closed.");
        await desk.writes("neighbour", text);
      }
    },
    close: () => socket.close(),
  };
}
