/**
 * Watches conversations with Apollo Client: prints the existing ones, then each change.
 *
 *     TOKEN=$(npm run -s token -- ada@demo.test) npx node examples/apollo.ts
 *
 * A number as argument ends it after that many changes.
 */

import type { TypedDocumentNode } from "@apollo/client";
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { connect } from "./connection.ts";

const { DESK = "http://localhost:4000", TOKEN = "" } = process.env;
let left = Number(process.argv[2] ?? Number.POSITIVE_INFINITY);

const socket = connect({ desk: DESK, token: () => TOKEN });

const client = new ApolloClient({
  link: ApolloLink.split(
    ({ operationType }) => operationType === "subscription",
    new GraphQLWsLink(socket),
    new HttpLink({ uri: `${DESK}/graphql`, headers: { authorization: `Bearer ${TOKEN}` } }),
  ),
  cache: new InMemoryCache(),
});

interface Conversation {
  id: string;
  status: string;
  contactChannel: { displayName: string | null; externalId: string };
}

interface Change {
  cursor: string;
  from: string | null;
  to: string;
  conversation: Conversation;
}

const CONVERSATION = "{ id status contactChannel { displayName externalId } }";

const CONVERSATIONS: TypedDocumentNode<{ conversations: { edges: { node: Conversation }[] } }> = gql(
  `{ conversations { edges { node ${CONVERSATION} } } }`,
);

const CHANGED: TypedDocumentNode<{ conversationChanged: Change }, { after: string }> = gql(
  `subscription ($after: Cursor!) { conversationChanged(after: $after) { cursor from to conversation ${CONVERSATION} } }`,
);

const LOG_CURSOR: TypedDocumentNode<{ logCursor: string }> = gql("{ logCursor }");

await begin().catch(fail);

/** Prints the existing conversations, then subscribes to changes. */
async function begin(): Promise<void> {
  // First the cursor, then the lists: what happens in between is in the lists and is replayed as well, so nothing is missed.
  const { logCursor } = await ask(LOG_CURSOR);
  const { conversations } = await ask(CONVERSATIONS);
  for (const { node } of conversations.edges) print(node, node.status);

  // Bypasses the cache, which would keep every event. With the cache, events would update the conversations of your queries.
  const changes = client.subscribe({ query: CHANGED, variables: { after: logCursor }, fetchPolicy: "no-cache" });
  const subscription = changes.subscribe(({ data, error }) => {
    if (isExpired(error)) void begin().catch(fail);
    else if (error) fail(error);
    else if (data) {
      const { conversation, from, to } = data.conversationChanged;
      print(conversation, `${from ?? "new"} → ${to}`);
      left -= 1;
      if (left === 0) subscription.unsubscribe();
    }
  });
}

async function ask<Data>(query: TypedDocumentNode<Data>): Promise<Data> {
  const { data, error } = await client.query({ query, fetchPolicy: "network-only" });
  if (data === undefined) throw error ?? new Error("The answer has no data.");
  return data;
}

function isExpired(error: unknown): boolean {
  return (
    CombinedGraphQLErrors.is(error) && error.errors.some(({ extensions }) => extensions?.code === "CURSOR_EXPIRED")
  );
}

function fail(error: Error): void {
  console.error(error.message);
  process.exitCode = 1;
}

function print({ contactChannel }: Conversation, what: string): void {
  console.log(`${contactChannel.displayName ?? contactChannel.externalId}: ${what}`);
}
