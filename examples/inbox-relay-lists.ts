/** The lists and timelines of inbox-relay.ts: their queries, and the rows that are displayed. */
import type { inboxRelayListsQuery } from "./__generated__/inboxRelayListsQuery.graphql.ts";
import type { inboxRelayListsTimelineQuery } from "./__generated__/inboxRelayListsTimelineQuery.graphql.ts";
import { type BlockRow, type ContactRow, type ConversationRow, type Lists, type MessageRow, PAGE } from "./inbox.ts";
import type { Cache } from "./inbox-relay-environment.ts";
import { graphql } from "./inbox-relay-tag.ts";

graphql`
  fragment inboxRelayLists_conversation on Conversation {
    id sortKey status blocked allowedActions offerExpiresAt endReason
    assignee { id name }
    offeredTo { id name }
    contact { id name }
    messages(last: 1) { edges { node { id text } } }
  }
`;
graphql`
  fragment inboxRelayLists_contact on Contact {
    id sortKey name status
    channels { id reachable allowedActions channel { id } activeBlock { id } }
  }
`;
graphql`
  fragment inboxRelayLists_block on Block {
    id sortKey active notes expiresAt suppressedMessageCount
    contactChannel { id contact { id name } }
  }
`;
graphql`
  fragment inboxRelayLists_message on Message {
    id seq direction kind text unsentAt deliveryStatus clientMessageId
  }
`;

const LISTS = graphql`
  query inboxRelayListsQuery($me: ID!) {
    mine: conversations(first: 100, filter: { status: [ACTIVE], assigneeId: $me })
      @connection(key: "inboxRelayLists_mine", filters: []) {
      edges { node { ...inboxRelayLists_conversation @relay(mask: false) } }
    }
    waiting: conversations(first: 100, filter: { status: [WAITING] })
      @connection(key: "inboxRelayLists_waiting", filters: []) {
      edges { node { ...inboxRelayLists_conversation @relay(mask: false) } }
    }
    offered: conversations(first: 100, filter: { status: [ASSIGNING] })
      @connection(key: "inboxRelayLists_offered", filters: []) {
      edges { node { ...inboxRelayLists_conversation @relay(mask: false) } }
    }
    bot: conversations(first: 100, filter: { status: [BOT] }) @connection(key: "inboxRelayLists_bot", filters: []) {
      edges { node { ...inboxRelayLists_conversation @relay(mask: false) } }
    }
    ended: conversations(first: 100, filter: { status: [ENDED] }) @connection(key: "inboxRelayLists_ended", filters: []) {
      edges { node { ...inboxRelayLists_conversation @relay(mask: false) } }
    }
    blocked: conversations(first: 100, filter: { status: [BLOCKED] })
      @connection(key: "inboxRelayLists_blocked", filters: []) {
      edges { node { ...inboxRelayLists_conversation @relay(mask: false) } }
    }
    contacts(first: 100) @connection(key: "inboxRelayLists_contacts", filters: []) {
      edges { node { ...inboxRelayLists_contact @relay(mask: false) } }
    }
    blockedContacts: contacts(first: 100, filter: { status: BLOCKED })
      @connection(key: "inboxRelayLists_blockedContacts", filters: []) {
      edges { node { ...inboxRelayLists_contact @relay(mask: false) } }
    }
    blocks(first: 100, filter: { active: true }) @connection(key: "inboxRelayLists_blocks", filters: []) {
      edges { node { ...inboxRelayLists_block @relay(mask: false) } }
    }
  }
`;

const TIMELINE = graphql`
  query inboxRelayListsTimelineQuery($id: ID!) {
    conversation(id: $id) {
      id
      messages(last: 100) @connection(key: "inboxRelayLists_messages", filters: []) {
        edges { node { ...inboxRelayLists_message @relay(mask: false) } }
      }
    }
  }
`;

export async function loadLists(cache: Cache, me: string, opened: ReadonlySet<string>): Promise<void> {
  await cache.load<inboxRelayListsQuery>(LISTS, { me });
  for (const id of opened) await loadTimeline(cache, id);
}

export async function loadTimeline(cache: Cache, id: string): Promise<void> {
  await cache.load<inboxRelayListsTimelineQuery>(TIMELINE, { id });
}

export function readLists(cache: Cache, me: string, opened: ReadonlySet<string>): Lists {
  const lists = cache.read<inboxRelayListsQuery>(LISTS, { me });
  return {
    mine: nodesOf(lists.mine).map(conversationRow),
    waiting: nodesOf(lists.waiting).map(conversationRow),
    offered: nodesOf(lists.offered).map(conversationRow),
    bot: nodesOf(lists.bot).map(conversationRow),
    ended: nodesOf(lists.ended).map(conversationRow),
    blocked: nodesOf(lists.blocked).map(conversationRow),
    contacts: nodesOf(lists.contacts).map(contactRow),
    blockedContacts: nodesOf(lists.blockedContacts).map(contactRow),
    blocks: nodesOf(lists.blocks).map(blockRow),
    timelines: Object.fromEntries([...opened].map((id) => [id, readTimeline(cache, id)])),
  };
}

function readTimeline(cache: Cache, id: string): MessageRow[] {
  const { conversation } = cache.read<inboxRelayListsTimelineQuery>(TIMELINE, { id });
  if (conversation === null) throw new Error(`There is no conversation ${id}.`);
  return conversation.messages.edges.slice(-PAGE).map(({ node }) => node);
}

function nodesOf<Node>({ edges }: { readonly edges: readonly { readonly node: Node }[] }): Node[] {
  return edges.slice(0, PAGE).map(({ node }) => node);
}

type Loaded = inboxRelayListsQuery["response"];
type ConversationNode = Loaded["mine"]["edges"][number]["node"];
type ContactNode = Loaded["contacts"]["edges"][number]["node"];
type BlockNode = Loaded["blocks"]["edges"][number]["node"];

function conversationRow({ messages, ...conversation }: ConversationNode): ConversationRow {
  return { ...conversation, lastMessage: messages.edges[0]?.node ?? null };
}

function contactRow({ channels, ...contact }: ContactNode): ContactRow {
  return {
    ...contact,
    channels: channels.map(({ channel, activeBlock, ...contactChannel }) => ({
      ...contactChannel,
      channelId: channel.id,
      activeBlockId: activeBlock?.id ?? null,
    })),
  };
}

function blockRow({ contactChannel, active: _, ...block }: BlockNode): BlockRow {
  return { ...block, contactChannelId: contactChannel.id, contact: contactChannel.contact };
}
