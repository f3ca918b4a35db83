/**
 * An inbox in urql's normalized cache, which the desk's events alone keep right. As a program it works for two agents at random for
 * 120 seconds, breaks their connections, and then compares each list with a fresh read:
 *
 *     TOKEN=$(npm run -s token -- ada@demo.test) TOKEN2=$(npm run -s token -- ben@demo.test) API_KEY=dg_… \
 *       npx node examples/inbox-urql.ts 120
 *
 * API_KEY is an API key with the scope INBOUND_WRITE: contacts write with it on the workspace's custom channels. With
 * LINE_SECRET, the channel secret, they also write on LINE. DESK is Deskgate's address, http://localhost:4000 by default. A
 * second number is the seed of all random choices.
 */
import {
  Client,
  type CombinedError,
  type Exchange,
  fetchExchange,
  subscriptionExchange,
  type TypedDocumentNode,
} from "@urql/core";
import { connect } from "./connection.ts";
import * as graphql from "./generated/urql/graphql.ts";
import { type Action, type Inbox, type InboxOptions, PAGE } from "./inbox.ts";
import { checkInboxes } from "./inbox-check.ts";
import { inboxCache } from "./inbox-urql-cache.ts";
import { ask, filtersFor, listsIn, load } from "./inbox-urql-lists.ts";

if (import.meta.main) await checkInboxes(openInbox);

/** Opens an inbox whose lists are in urql's normalized cache. */
export async function openInbox({ desk, token, onEvent, onError }: InboxOptions): Promise<Inbox> {
  const socket = connect({ desk, token: () => token });

  /** The reads under way. An event that comes meanwhile waits for them, because their answers may be older than it. */
  let reads: Promise<unknown> = Promise.resolve();
  let delivered: Promise<unknown> = Promise.resolve();
  const afterReads = (deliver: () => void): void => {
    delivered = Promise.all([delivered, reads]).then(deliver).catch(onError);
  };

  const clientWith = (...exchanges: Exchange[]): Client =>
    new Client({
      url: `${desk}/graphql`,
      fetchOptions: { headers: { authorization: `Bearer ${token}` } },
      preferGetMethod: false,
      exchanges: [...exchanges, fetchExchange],
    });

  const { viewer } = await ask(clientWith(), graphql.ViewerDocument, {});
  if (viewer.actor.__typename !== "Agent") throw new Error("An inbox needs the token of an agent.");
  const filters = filtersFor(viewer.actor.id);
  const opened = new Set<string>();
  const client = clientWith(
    inboxCache(filters),
    subscriptionExchange({
      forwardSubscription: ({ query = "", variables }) => ({
        subscribe: ({ next, error, complete }) => ({
          unsubscribe: socket.subscribe(
            { query, variables },
            {
              next: ({ data = null, errors }) => afterReads(() => next(errors ? { data, errors } : { data })),
              error: (cause) => afterReads(() => error(cause)),
              complete: () => afterReads(complete),
            },
          ),
        }),
      }),
    }),
  );
  let subscription = { unsubscribe: (): void => {} };
  await begin();

  return {
    cached: () => listsIn(client, filters, opened),
    fresh: async () => {
      const other = clientWith(inboxCache(filters));
      await load(other, filters, opened);
      return listsIn(other, filters, opened);
    },
    open: async (conversationId) => {
      const answer = ask(client, graphql.TimelineDocument, { id: conversationId, last: PAGE });
      reads = Promise.allSettled([reads, answer]);
      await answer;
      opened.add(conversationId);
    },
    act: (action) => act(client, action),
    close: async () => {
      subscription.unsubscribe();
      await socket.dispose();
    },
  };

  /** Reads the lists, then subscribes to the events after them. */
  async function begin(): Promise<void> {
    // First the cursor, then the lists: what happens in between is in the lists and is replayed as well, so nothing is missed.
    const { logCursor } = await ask(client, graphql.LogCursorDocument, {});
    await load(client, filters, opened);
    const events = client.subscription(graphql.DeskEventsDocument, { after: logCursor });
    subscription = events.subscribe(({ data, error }) => {
      if (error) {
        // Otherwise urql repeats the error when the subscription completes.
        subscription.unsubscribe();
        if (isExpired(error)) begin().catch(onError);
        else onError(error);
      } else if (data) {
        const { deskEvents: event } = data;
        const recordedMessageId = event.__typename === "MessageRecordedEvent" ? event.message.id : null;
        onEvent({ cursor: event.cursor, recordedMessageId });
      }
    });
  }
}

/** Sends the mutation of an action; resolves with the type of its result. */
async function act(client: Client, action: Action): Promise<string> {
  switch (action.type) {
    case "SEND":
      return (await mutate(client, graphql.SendDocument, keyedInputOf(action))).sendMessage.__typename;
    case "START":
      return (await mutate(client, graphql.StartDocument, keyedInputOf(action))).startConversation.__typename;
    case "TAKE":
      return (await mutate(client, graphql.TakeDocument, inputOf(action))).takeConversation.__typename;
    case "ACCEPT":
      return (await mutate(client, graphql.AcceptDocument, inputOf(action))).acceptConversation.__typename;
    case "DECLINE":
      return (await mutate(client, graphql.DeclineDocument, inputOf(action))).declineConversation.__typename;
    case "END":
      return (await mutate(client, graphql.EndDocument, inputOf(action))).endConversation.__typename;
    case "OFFER":
      return (await mutate(client, graphql.OfferDocument, inputOf(action))).offerConversation.__typename;
    case "TRANSFER":
      return (await mutate(client, graphql.TransferDocument, inputOf(action))).transferConversation.__typename;
    case "BLOCK":
      return (await mutate(client, graphql.BlockDocument, inputOf(action))).blockContact.__typename;
    case "UNBLOCK":
      return (await mutate(client, graphql.UnblockDocument, inputOf(action))).unblockContact.__typename;
    case "UPDATE_BLOCK":
      return (await mutate(client, graphql.UpdateBlockDocument, inputOf(action))).updateBlock.__typename;
  }
}

function inputOf<Each extends Action>({ type, ...input }: Each): Omit<Each, "type"> {
  return input;
}

function keyedInputOf<Each extends Action & { key: string }>(action: Each) {
  const { key: idempotencyKey, ...input } = inputOf(action);
  return { ...input, idempotencyKey };
}

async function mutate<Data, Input>(
  client: Client,
  mutation: TypedDocumentNode<Data, { input: Input }>,
  input: Input,
): Promise<Data> {
  const { data, error } = await client.mutation(mutation, { input }).toPromise();
  if (!data) throw error ?? new Error("The answer has no data.");
  return data;
}

function isExpired(error: CombinedError): boolean {
  return error.graphQLErrors.some(({ extensions }) => extensions.code === "CURSOR_EXPIRED");
}
