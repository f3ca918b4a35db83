import { type IncomingMessage, request } from "node:http";
import { createParser } from "eventsource-parser";
import type { FormattedExecutionResult } from "graphql";
import { WebSocket } from "ws";

/** A subscription on its own connection, without a client library, so that it can be cut at any byte. */
export interface Stream {
  /** The next result; null when the subscription or the connection is over. */
  next(): Promise<FormattedExecutionResult<Record<string, unknown>> | null>;
  /** How it ended: `complete` or the close code of the socket; null while it is open. */
  readonly ending: () => string | null;
  /** Stops reading from the connection, until `resume`. */
  pause(): void;
  resume(): void;
  /** Breaks the connection. */
  cut(): void;
}

export interface Asked {
  readonly url: string;
  readonly token: string;
  readonly query: string;
  readonly variables: Record<string, unknown>;
}

export const transports = { WebSocket: overWebSocket, SSE: overSse } as const;
export type Transport = keyof typeof transports;

function overWebSocket({ url, token, query, variables }: Asked): Stream {
  const inbox = new Inbox();
  const socket = new WebSocket(`${url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
  const send = (message: object): void => socket.send(JSON.stringify(message));
  socket.on("error", () => {});
  socket.once("open", () => send({ type: "connection_init", payload: { authorization: `Bearer ${token}` } }));
  socket.on("message", (data) => {
    const { type, payload } = JSON.parse(String(data));
    if (type === "connection_ack") send({ type: "subscribe", id: "1", payload: { query, variables } });
    else if (type === "next") inbox.put(payload);
    else if (type === "error") inbox.put({ errors: payload });
    else if (type === "complete") inbox.end("complete");
  });
  socket.once("close", (code) => inbox.end(String(code)));
  return {
    next: () => inbox.next(),
    ending: () => inbox.ending,
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    cut: () => socket.terminate(),
  };
}

function overSse({ url, token, query, variables }: Asked): Stream {
  const inbox = new Inbox();
  let response: IncomingMessage | undefined;
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (event === "next") inbox.put(JSON.parse(data));
      if (event === "complete") inbox.end("complete");
    },
  });
  const headers = {
    "content-type": "application/json",
    accept: "text/event-stream",
    authorization: `Bearer ${token}`,
  };
  const sent = request(`${url}/graphql`, { method: "POST", headers, agent: false }, (answer) => {
    response = answer;
    answer.setEncoding("utf8").on("data", (text: string) => parser.feed(text));
    answer.on("error", () => {});
    answer.once("close", () => inbox.end("closed"));
  });
  sent.on("error", () => inbox.end("closed"));
  sent.end(JSON.stringify({ query, variables }));
  return {
    next: () => inbox.next(),
    ending: () => inbox.ending,
    pause: () => response?.pause(),
    resume: () => response?.resume(),
    cut: () => sent.destroy(),
  };
}

type Result = FormattedExecutionResult<Record<string, unknown>>;

/** The results that were received but not read yet. */
class Inbox {
  ending: string | null = null;
  readonly #results: Result[] = [];
  #arrived = (): void => {};

  put(result: Result): void {
    this.#results.push(result);
    this.#arrived();
  }

  end(how: string): void {
    this.ending ??= how;
    this.#arrived();
  }

  async next(): Promise<Result | null> {
    while (this.#results.length === 0 && this.ending === null) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    return this.#results.shift() ?? null;
  }
}
