/**
 * Watches messages with urql: prints the latest one of each conversation, then each new one.
 *
 *     TOKEN=$(npm run -s token -- ada@demo.test) npx node examples/urql.ts
 *
 * A number as argument ends it after that many messages.
 */
import {
  Client,
  type CombinedError,
  fetchExchange,
  gql,
  subscriptionExchange,
  type TypedDocumentNode,
} from "@urql/core";
import { connect } from "./connection.ts";

const { DESK = "http://localhost:4000", TOKEN = "" } = process.env;
let left = Number(process.argv[2] ?? Number.POSITIVE_INFINITY);

const socket = connect({ desk: DESK, token: () => TOKEN });

const client = new Client({
  url: `${DESK}/graphql`,
  fetchOptions: { headers: { authorization: `Bearer ${TOKEN}` } },
  preferGetMethod: false,
  exchanges: [
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: ({ query = "", variables }) => ({
        subscribe: ({ next, ...sink }) => ({
          unsubscribe: socket.subscribe(
            { query, variables },
            { ...sink, next: ({ data = null, errors }) => next(errors ? { data, errors } : { data }) },
          ),
        }),
      }),
    }),
  ],
});

interface Message {
  text: string | null;
  eventType: string | null;
  contactChannel: { displayName: string | null; externalId: string };
}

const MESSAGE = "{ text eventType contactChannel { displayName externalId } }";

const RECENT: TypedDocumentNode<{
  conversations: { edges: { node: { messages: { edges: { node: Message }[] } } }[] };
}> = gql(`{ conversations { edges { node { messages(last: 1) { edges { node ${MESSAGE} } } } } } }`);

const RECORDED: TypedDocumentNode<{ messageRecorded: { cursor: string; message: Message } }, { after: string }> = gql(
  `subscription ($after: Cursor!) { messageRecorded(after: $after) { cursor message ${MESSAGE} } }`,
);

const LOG_CURSOR: TypedDocumentNode<{ logCursor: string }> = gql("{ logCursor }");

await begin().catch(fail);

/** Prints the latest messages, then subscribes to new ones. */
async function begin(): Promise<void> {
  // First the cursor, then the lists: what happens in between is in the lists and is replayed as well, so nothing is missed.
  const { logCursor } = await ask(LOG_CURSOR);
  const { conversations } = await ask(RECENT);
  for (const { node } of conversations.edges) for (const message of node.messages.edges) print(message.node);

  const subscription = client.subscription(RECORDED, { after: logCursor }).subscribe(({ data, error }) => {
    // Check the error first: urql repeats the latest data with it.
    if (error) {
      // Otherwise urql repeats the error when the subscription completes.
      subscription.unsubscribe();
      if (isExpired(error)) void begin().catch(fail);
      else fail(error);
    } else if (data) {
      print(data.messageRecorded.message);
      left -= 1;
      if (left === 0) subscription.unsubscribe();
    }
  });
}

async function ask<Data>(query: TypedDocumentNode<Data>): Promise<Data> {
  const { data, error } = await client.query(query, {}).toPromise();
  if (data === undefined) throw error ?? new Error("The answer has no data.");
  return data;
}

function isExpired(error: CombinedError): boolean {
  return error.graphQLErrors.some(({ extensions }) => extensions.code === "CURSOR_EXPIRED");
}

function fail(error: Error): void {
  console.error(error.message);
  process.exitCode = 1;
}

function print({ text, eventType, contactChannel }: Message): void {
  console.log(`${contactChannel.displayName ?? contactChannel.externalId}: ${text ?? eventType}`);
}
