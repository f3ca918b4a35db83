/**
 * A graphql-ws client that connects again by itself and goes on after the last event that it received: for graphql-ws alone
 * (follow.ts), and below urql (urql.ts) and Apollo Client (apollo.ts). Runs in browsers too.
 */
import { type Client, createClient, type FormattedExecutionResult, TerminatedCloseEvent } from "graphql-ws";

export interface ConnectionOptions {
  /** Where Deskgate is, such as `http://localhost:4000`. */
  desk: string;
  /** Asked at each connection; gives a new token when the last one does not hold any longer. */
  token(): string | Promise<string>;
  /** How often, in milliseconds, to ask whether the other end is still there. */
  pingEvery?: number;
}

export function connect({ desk, token, pingEvery = 10_000 }: ConnectionOptions): Client {
  /** The token whose answer is awaited, and the last one that was refused. */
  let sent: string | null;
  let refused: string | null;
  let noPong: ReturnType<typeof setTimeout>;
  /** The cursor of the last event received, by the id of its subscription. */
  const cursors = new Map<string, string>();

  const client = createClient({
    url: `${desk.replace(/^http/, "ws")}/graphql`,
    connectionParams: async () => {
      sent = await token();
      if (sent === refused) throw new Error("The token is not valid, or not any more.");
      return { authorization: `Bearer ${sent}` };
    },

    // At once, then less and less often; never all clients at the same moment.
    retryAttempts: Number.POSITIVE_INFINITY,
    retryWait: (retries) => sleep(Math.random() * Math.min(30_000, 500 * 2 ** retries)),
    // Connecting again mends everything but a token that is refused.
    shouldRetry: (why) => !(why instanceof Error) || why instanceof TerminatedCloseEvent,

    // A connection can die without a word.
    keepAlive: pingEvery,

    // A subscription is sent again as it was sent first, so its `after` has to be brought up to date.
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
