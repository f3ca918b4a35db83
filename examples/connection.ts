/**
 * A graphql-ws client that reconnects by itself and resumes after the last event that it received. Use it alone (follow.ts),
 * or under urql (urql.ts) or Apollo Client (apollo.ts). It also runs in browsers.
 */
import { type Client, createClient, type FormattedExecutionResult, TerminatedCloseEvent } from "graphql-ws";

export interface ConnectionOptions {
  /** Deskgate's address, such as `http://localhost:4000`. */
  desk: string;
  /** Called for each connection; returns a new token once the last one is no longer valid. */
  token(): string | Promise<string>;
  /** Interval between pings, in milliseconds. */
  pingEvery?: number;
}

export function connect({ desk, token, pingEvery = 10_000 }: ConnectionOptions): Client {
  /** The token being tried, and the last one that was refused. */
  let sent: string | null;
  let refused: string | null;
  let noPong: ReturnType<typeof setTimeout>;
  /** The cursor of the last event received, by the id of its subscription. */
  const cursors = new Map<string, string>();

  const client = createClient({
    url: `${desk.replace(/^http/, "ws")}/graphql`,
    connectionParams: async () => {
      sent = await token();
      if (sent === refused) throw new Error("The token is invalid or has expired.");
      return { authorization: `Bearer ${sent}` };
    },

    // Exponential back-off with full jitter, so that clients do not all reconnect at the same moment.
    retryAttempts: Number.POSITIVE_INFINITY,
    retryWait: (retries) => sleep(Math.random() * Math.min(30_000, 500 * 2 ** retries)),
    // Reconnecting helps with everything except a refused token.
    shouldRetry: (why) => !(why instanceof Error) || why instanceof TerminatedCloseEvent,

    // A connection can die without a close frame.
    keepAlive: pingEvery,

    // After a reconnect graphql-ws repeats the original subscribe message, so update its `after` to the last cursor.
    jsonMessageReplacer: (_key, value) => {
      if (value?.type === "complete") cursors.delete(value.id);
      const after = value?.type === "subscribe" && cursors.get(value.id);
      if (!after) return value;
      return { ...value, payload: { ...value.payload, variables: { ...value.payload.variables, after } } };
    },
    on: {
      message: (message) => {
        const cursor = message.type === "next" && cursorOf(message.payload);
        if (cursor) cursors.set(message.id, cursor);
        if (message.type === "complete") cursors.delete(message.id);
      },
      connected: () => {
        sent = null;
      },
      ping: (received) => {
        if (!received) noPong = setTimeout(() => client.terminate(), pingEvery / 2);
      },
      pong: (received) => {
        if (received) clearTimeout(noPong);
      },
      closed: (event) => {
        clearTimeout(noPong);
        if (codeOf(event) === 4403) refused = sent;
      },
    },
  });
  return client;
}

function cursorOf({ data }: FormattedExecutionResult): string | null {
  const [event] = Object.values(data ?? {});
  return hasCursor(event) ? event.cursor : null;
}

function hasCursor(event: unknown): event is { cursor: string } {
  return typeof event === "object" && event !== null && "cursor" in event && typeof event.cursor === "string";
}

function codeOf(closeEvent: unknown): unknown {
  return typeof closeEvent === "object" && closeEvent !== null && "code" in closeEvent ? closeEvent.code : null;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
