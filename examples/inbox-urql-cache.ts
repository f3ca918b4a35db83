/** The cache of inbox-urql.ts: urql's graphcache, and what the events of the desk change in it. */
import { readFileSync } from "node:fs";
import type { Exchange } from "@urql/core";
import { type Cache, cacheExchange, type Data, type DataField, type Variables } from "@urql/exchange-graphcache";
import { buildSchema, introspectionFromSchema } from "graphql";
import {
  type BlockFilter,
  BlockOrderDocument,
  type BlockRowFragment,
  type ContactFilter,
  ContactOrderDocument,
  type ContactRowFragment,
  type ConversationFilter,
  ConversationOrderDocument,
  type ConversationRowFragment,
  type DeskEventsSubscription,
  MessageRowFragmentDoc,
  type SendMutation,
  type SendMutationVariables,
  type SentMessageFragment,
  TimelineOrderDocument,
} from "./generated/urql/graphql.ts";
import { PAGE } from "./inbox.ts";

/** Tells the cache which fragments match an event. In a browser, use what codegen's introspection plugin generates. */
const schema = introspectionFromSchema(buildSchema(readFileSync(`${import.meta.dirname}/../schema.graphql`, "utf8")));

/** The filters of the lists that are displayed, by the name of the list. */
export interface Filters {
  readonly conversations: Readonly<Record<string, ConversationFilter>>;
  readonly contacts: Readonly<Record<string, ContactFilter>>;
  readonly blocks: Readonly<Record<string, BlockFilter>>;
}

/** A normalized cache: it updates each object wherever it is displayed, and `updates` puts it into the right lists. */
export function inboxCache(filters: Filters): Exchange {
  return cacheExchange({
    schema,
    // Ids are unique over all types.
    globalIDs: true,
    // Only the objects of an event are kept, not the event itself.
    keys: {
      ContactChangedEvent: () => null,
      ContactStatusChangedEvent: () => null,
      ConversationChangedEvent: () => null,
      ConversationEndedEvent: () => null,
      MessageChangedEvent: () => null,
      MessageRecordedEvent: () => null,
    },
    updates: {
      Subscription: {
        deskEvents: ({ deskEvents }: DeskEventsSubscription, _, cache) => apply(deskEvents, cache, filters),
      },
      Mutation: {
        sendMessage: ({ sendMessage }: SendMutation, { input }: SendMutationVariables, cache, { optimistic }) => {
          if (sendMessage.__typename !== "SendMessageSuccess") return;
          const { message } = sendMessage;
          // What changes later is not selected, because an event may have overtaken the answer.
          const known = cache.readFragment(MessageRowFragmentDoc, message.id);
          cache.writeFragment(MessageRowFragmentDoc, { ...message, deliveryStatus: known?.deliveryStatus ?? "QUEUED" });
          if (optimistic) addUnsent(cache, input.conversationId, message.id);
          else putMessage(cache, input.conversationId, message);
        },
      },
    },
    optimistic: { sendMessage: ({ input }: SendMutationVariables) => expectedAnswer(input) },
    resolvers: { Conversation: { messages: withUnsent } },
  });
}

/** Puts the objects of an event where they belong. Applying it again changes nothing. */
function apply(event: DeskEventsSubscription["deskEvents"], cache: Cache, filters: Filters): void {
  switch (event.__typename) {
    case "ConversationChangedEvent":
    case "ConversationEndedEvent":
      putConversation(cache, filters, event.conversation);
      return;
    case "MessageRecordedEvent": {
      const { conversation, contactChannel, ...message } = event.message;
      putContact(cache, filters, contactChannel.contact);
      if (conversation === null) return;
      putConversation(cache, filters, conversation);
      putMessage(cache, conversation.id, message);
      return;
    }
    case "ContactStatusChangedEvent":
      putBlock(cache, filters, event.block);
      putContact(cache, filters, event.contactChannel.contact);
      for (const conversation of event.conversations) putConversation(cache, filters, conversation);
      return;
    case "MessageChangedEvent":
    case "ContactChangedEvent":
      // Only the object itself has changed.
      return;
  }
}

function putConversation(cache: Cache, { conversations }: Filters, node: ConversationRowFragment): void {
  for (const filter of Object.values(conversations)) {
    const belongs =
      (filter.status?.includes(node.status) ?? true) && (filter.assigneeId ?? node.assignee?.id) === node.assignee?.id;
    const edge = { __typename: "QueryConversationsConnectionEdge", node } as const;
    cache.updateQuery({ query: ConversationOrderDocument, variables: { filter, first: PAGE } }, (data) => {
      const edges = data && placed(data.conversations, edge, belongs);
      return data && edges && { ...data, conversations: { ...data.conversations, edges } };
    });
  }
}

function putContact(cache: Cache, { contacts }: Filters, node: ContactRowFragment): void {
  for (const filter of Object.values(contacts)) {
    const belongs = (filter.status ?? node.status) === node.status;
    const edge = { __typename: "QueryContactsConnectionEdge", node } as const;
    cache.updateQuery({ query: ContactOrderDocument, variables: { filter, first: PAGE } }, (data) => {
      const edges = data && placed(data.contacts, edge, belongs);
      return data && edges && { ...data, contacts: { ...data.contacts, edges } };
    });
  }
}

function putBlock(cache: Cache, { blocks }: Filters, node: BlockRowFragment): void {
  for (const filter of Object.values(blocks)) {
    const belongs = (filter.active ?? node.active) === node.active;
    const edge = { __typename: "QueryBlocksConnectionEdge", node } as const;
    cache.updateQuery({ query: BlockOrderDocument, variables: { filter, first: PAGE } }, (data) => {
      const edges = data && placed(data.blocks, edge, belongs);
      return data && edges && { ...data, blocks: { ...data.blocks, edges } };
    });
  }
}

/** Adds a message to the timeline of its conversation if that is open. */
function putMessage(cache: Cache, conversationId: string, node: SentMessageFragment): void {
  const edge = { __typename: "ConversationMessagesConnectionEdge", node } as const;
  cache.updateQuery({ query: TimelineOrderDocument, variables: { id: conversationId, last: PAGE } }, (data) => {
    if (!data?.conversation) return null;
    const { messages } = data.conversation;
    if (messages.edges.some((other) => other.node.id === node.id)) return null;
    const edges = [...messages.edges, edge];
    edges.sort((a, b) => a.node.seq - b.node.seq);
    return { ...data, conversation: { ...data.conversation, messages: { ...messages, edges } } };
  });
}

/** A list's edges with a row where its `sortKey` says, or without it if it does not belong there; null if nothing changes. */
function placed<Edge extends { node: { id: string; sortKey: string } }>(
  { edges, pageInfo }: { edges: Edge[]; pageInfo: { hasNextPage: boolean } },
  edge: NoInfer<Edge>,
  belongs: boolean,
): Edge[] | null {
  const last = edges.at(-1);
  // What comes after the last row has not been read yet.
  const isUnread = pageInfo.hasNextPage && (last === undefined || edge.node.sortKey < last.node.sortKey);
  const others = edges.filter(({ node }) => node.id !== edge.node.id);
  const next = belongs && !isUnread ? [...others, edge] : others;
  next.sort((a, b) => (a.node.sortKey < b.node.sortKey ? 1 : -1));
  const isSame = next.length === edges.length && next.every(({ node }, n) => node.id === edges[n]?.node.id);
  return isSame ? null : next;
}

/** A field that only the cache has: the messages of a conversation that are on their way. */
const UNSENT = "unsentMessages";

/** What `sendMessage` will probably answer. Its id must differ from all others. */
function expectedAnswer({ idempotencyKey = null, text }: SendMutationVariables["input"]): SendMutation["sendMessage"] {
  return {
    __typename: "SendMessageSuccess",
    message: {
      __typename: "Message",
      id: `unsent:${idempotencyKey}`,
      seq: Number.MAX_SAFE_INTEGER,
      direction: "OUTBOUND",
      kind: "TEXT",
      text,
      unsentAt: null,
      clientMessageId: idempotencyKey,
    },
  };
}

function addUnsent(cache: Cache, conversationId: string, messageId: string): void {
  cache.link(conversationId, UNSENT, [...keysIn(cache.resolve(conversationId, UNSENT)), messageId]);
}

/** A timeline: the recorded messages, then those on their way that no answer and no event has brought yet. */
function withUnsent(conversation: Data, args: Variables, cache: Cache) {
  const recorded = cache.resolve(conversation, "messages", args);
  if (args.last !== PAGE || typeof recorded !== "string") return recorded;
  const edges = keysIn(cache.resolve(recorded, "edges"));
  const clientMessageIdOf = (key: DataField | undefined) =>
    typeof key === "string" ? cache.resolve(key, "clientMessageId") : null;
  const known = new Set(edges.map((edge) => clientMessageIdOf(cache.resolve(edge, "node"))));
  const unsent = keysIn(cache.resolve(conversation, UNSENT)).filter((key) => {
    const clientMessageId = clientMessageIdOf(key);
    // Undefined if the message has been answered, but another is still on its way.
    return clientMessageId !== undefined && !known.has(clientMessageId);
  });
  return {
    __typename: "ConversationMessagesConnection",
    edges: [...edges, ...unsent.map((node) => ({ __typename: "ConversationMessagesConnectionEdge", node }))],
  };
}

function keysIn(links: DataField | undefined): readonly string[] {
  return Array.isArray(links) ? links.filter((key) => typeof key === "string") : [];
}
