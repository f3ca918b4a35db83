/**
 * Follows conversations with Apollo Client: prints those there are, then each change of one.
 *
 *     TOKEN=$(npm run -s token -- ada@demo.test) npx node examples/apollo.ts
 *
 * Ends after so many changes as a number in the arguments says.
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

/** Reads what is there, then follows what comes. */
async function begin(): Promise<void> {
  // First the place in the log, then the lists: what happens in between is told twice rather than not at all.
  const { logCursor } = await ask(LOG_CURSOR);
  const { conversations } = await ask(CONVERSATIONS);
  for (const { node } of conversations.edges) print(node, node.status);

  // Without the cache, which would keep every event; it shares the conversations of your queries, if you let it.
  const changes = client.subscribe({ query: CHANGED, variables: { after: logCursor }, fetchPolicy: "no-cache" });
  const following = changes.subscribe(({ data, error }) => {
    if (isExpired(error)) void begin().catch(fail);
    else if (error) fail(error);
    else if (data) {
      const { conversation, from, to } = data.conversationChanged;
      print(conversation, `${from ?? "new"} → ${to}`);
      left -= 1;
      if (left === 0) following.unsubscribe();
    }
  });
}

async function ask<Data>(query: TypedDocumentNode<Data>): Promise<Data> {
  const { data, error } = await client.query({ query, fetchPolicy: "network-only" });
  if (data === undefined) throw error ?? new Error("There was no answer.");
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
