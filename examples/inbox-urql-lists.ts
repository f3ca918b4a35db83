/** The lists of inbox-urql.ts: loads them into a client's cache, and reads them from it. */
import { type AnyVariables, type Client, createRequest, type TypedDocumentNode } from "@urql/core";
import * as graphql from "./generated/urql/graphql.ts";
import { type Lists, PAGE } from "./inbox.ts";
import type { Filters } from "./inbox-urql-cache.ts";

/** The filters of the lists; only timelines have none. */
export function filtersFor(agentId: string) {
  return {
    conversations: {
      mine: { assigneeId: agentId, status: ["ACTIVE"] },
      waiting: { status: ["WAITING"] },
      offered: { status: ["ASSIGNING"] },
      bot: { status: ["BOT"] },
      ended: { status: ["ENDED"] },
      blocked: { status: ["BLOCKED"] },
    },
    contacts: { all: {}, blocked: { status: "BLOCKED" } },
    blocks: { inForce: { active: true } },
  } satisfies Filters;
}

/** Reads all lists from the server into a client's cache. */
export async function load(
  client: Client,
  { conversations, contacts, blocks }: Filters,
  opened: Iterable<string>,
): Promise<void> {
  const first = PAGE;
  await Promise.all([
    ...Object.values(conversations).map((filter) => ask(client, graphql.ConversationsDocument, { filter, first })),
    ...Object.values(contacts).map((filter) => ask(client, graphql.ContactsDocument, { filter, first })),
    ...Object.values(blocks).map((filter) => ask(client, graphql.BlocksDocument, { filter, first })),
    ...Array.from(opened, (id) => ask(client, graphql.TimelineDocument, { id, last: PAGE })),
  ]);
}

/** The lists that a client's cache holds. */
export function listsIn(client: Client, filters: ReturnType<typeof filtersFor>, opened: Iterable<string>): Lists {
  const first = PAGE;
  const conversations = (filter: graphql.ConversationFilter) =>
    rowsOf(held(client, graphql.ConversationsDocument, { filter, first }).conversations).map(
      ({ contactChannel, lastMessage, ...row }) => ({ ...row, lastMessage: lastMessage.edges.at(-1)?.node ?? null }),
    );
  const contacts = (filter: graphql.ContactFilter) =>
    rowsOf(held(client, graphql.ContactsDocument, { filter, first }).contacts).map(({ channels, ...row }) => ({
      ...row,
      channels: channels.map(({ channel, activeBlock, ...rest }) => ({
        ...rest,
        channelId: channel.id,
        activeBlockId: activeBlock?.id ?? null,
      })),
    }));
  const blocks = (filter: graphql.BlockFilter) =>
    rowsOf(held(client, graphql.BlocksDocument, { filter, first }).blocks).map(({ contactChannel, ...row }) => ({
      ...row,
      contactChannelId: contactChannel.id,
      contact: contactChannel.contact,
    }));
  const timeline = (id: string) => {
    const { conversation } = held(client, graphql.TimelineDocument, { id, last: PAGE });
    return conversation?.messages.edges.slice(-PAGE).map(({ node }) => node) ?? [];
  };
  return {
    mine: conversations(filters.conversations.mine),
    waiting: conversations(filters.conversations.waiting),
    offered: conversations(filters.conversations.offered),
    bot: conversations(filters.conversations.bot),
    ended: conversations(filters.conversations.ended),
    blocked: conversations(filters.conversations.blocked),
    contacts: contacts(filters.contacts.all),
    blockedContacts: contacts(filters.contacts.blocked),
    blocks: blocks(filters.blocks.inForce),
    timelines: Object.fromEntries(Array.from(opened, (id) => [id, timeline(id)])),
  };
}

function rowsOf<Row>({ edges }: { readonly edges: readonly { readonly node: Row }[] }): readonly Row[] {
  return edges.slice(0, PAGE).map(({ node }) => node);
}

/** How many queries have been sent. */
let asked = 0;

/** Sends a query past the cache; the answer goes into the cache. */
export async function ask<Data, Variables extends AnyVariables>(
  client: Client,
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  // Under the usual key, which is the same for the same query, a read from the cache would answer this request and cancel it.
  asked += 1;
  const request = { ...createRequest(query, variables), key: -asked };
  const { data, error } = await client.executeQuery(request, { requestPolicy: "network-only" }).toPromise();
  if (!data) throw error ?? new Error("The answer has no data.");
  return data;
}

/** What the cache holds for a query that has been sent before. */
function held<Data, Variables extends AnyVariables>(
  client: Client,
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): Data {
  const result = client.readQuery(query, variables, { requestPolicy: "cache-only" });
  if (!result?.data) throw new Error("A row in the cache lacks a field.");
  return result.data;
}
