import type { ConversationStatus } from "../../src/domain/conversation.ts";
import { type Edges, first, nodesOf } from "./answers.ts";
import { type Desk, rowId, type TestAgent } from "./app.ts";
import { BLOCK, type BlockView, CONVERSATION, type ConversationView } from "./client.ts";

/** Everything that the API shows of one person on one channel, in a form that is easy to compare. */
export interface View {
  readonly contactId: string;
  readonly contactChannelId: string;
  /** The status of the contact; for the status on this channel see `here`. */
  readonly status: string;
  readonly here: "ACTIVE" | "BLOCKED";
  readonly reachable: boolean;
  readonly lastActivityAt: string;
  readonly activeBlock: BlockView | null;
  /** Oldest first. */
  readonly conversations: readonly (ConversationView & {
    readonly lastActivityAt: string;
    readonly endedAt: string | null;
    readonly statusBeforeEnd: string | null;
    readonly endedBy: { readonly __typename: string; readonly id?: string } | null;
  })[];
  /** Their statuses, oldest first. */
  readonly statuses: readonly ConversationStatus[];
  /** Entries such as `1 contact: Hello`, with the conversation's number (`-` for none); `(blocked)` marks those received while blocked. */
  readonly timeline: readonly string[];
  /** The delivery statuses of outbound messages, in order. */
  readonly deliveries: readonly string[];
}

interface ContactNode {
  readonly id: string;
  readonly status: string;
  readonly lastActivityAt: string;
  readonly channels: readonly {
    readonly id: string;
    readonly externalId: string;
    readonly status: "ACTIVE" | "BLOCKED";
    readonly reachable: boolean;
    readonly activeBlock: BlockView | null;
    readonly messages: Edges<{
      readonly kind: string;
      readonly eventType: string | null;
      readonly text: string | null;
      readonly receivedWhileBlocked: boolean;
      readonly deliveryStatus: string | null;
      readonly author: { readonly __typename: string };
      readonly conversation: { readonly id: string } | null;
    }>;
  }[];
  readonly conversations: Edges<View["conversations"][number] & { readonly contactChannel: { readonly id: string } }>;
}

const LOOK = `query ($search: String!) {
  contacts(filter: { search: $search }, first: 1) { edges { node {
    id status lastActivityAt
    channels {
      id externalId status reachable
      activeBlock { ${BLOCK} }
      messages(first: 100) { edges { node {
        kind eventType text receivedWhileBlocked deliveryStatus author { __typename } conversation { id }
      } } }
    }
    conversations(first: 20) { edges { node {
      ${CONVERSATION} lastActivityAt endedAt statusBeforeEnd contactChannel { id }
      endedBy { __typename ... on Node { id } }
    } } }
  } } }
}`;

/** A contact by its address: a channel's global id and the id that the contact has there. */
export interface Sender {
  readonly channel: string;
  readonly externalId: string;
}

/** Reads the view of a person, as Ada by default. */
export async function look(desk: Desk, { externalId }: Sender, by: TestAgent = desk.ada): Promise<View> {
  const answer = await desk.as(by.token).graphql<{ contacts: Edges<ContactNode> }>(LOOK, { search: externalId });
  if (answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors));
  const contact = answer.data.contacts.edges[0]?.node;
  const here = contact?.channels.find((channel) => channel.externalId === externalId);
  if (contact === undefined || here === undefined) throw new Error("This person has no contact yet.");
  const conversations = nodesOf(contact.conversations)
    .filter(({ contactChannel }) => contactChannel.id === here.id)
    .toSorted((a, b) => (rowId(a.id) < rowId(b.id) ? -1 : 1));
  const entries = nodesOf(here.messages);
  return {
    contactId: contact.id,
    contactChannelId: here.id,
    status: contact.status,
    here: here.status,
    reachable: here.reachable,
    lastActivityAt: contact.lastActivityAt,
    activeBlock: here.activeBlock,
    conversations,
    statuses: conversations.map(({ status }) => status),
    timeline: entries.map(({ author, conversation, eventType, kind, text, receivedWhileBlocked }) => {
      const place = conversations.findIndex(({ id }) => id === conversation?.id) + 1 || "-";
      const blocked = receivedWhileBlocked ? " (blocked)" : "";
      return `${place} ${author.__typename.toLowerCase()}: ${text ?? eventType ?? kind}${blocked}`;
    }),
    deliveries: entries.flatMap(({ deliveryStatus }) => deliveryStatus ?? []),
  };
}

/** The contact id of a person. It never changes, so it is cached. */
export async function contactIdOf(desk: Desk, person: Sender, by: TestAgent = desk.ada): Promise<string> {
  const { externalId: search } = person;
  const known = contactIds.get(person);
  if (known !== undefined) return known;
  const query =
    "query ($search: String!) { contacts(filter: { search: $search }, first: 1) { edges { node { id } } } }";
  const { data } = await desk.as(by.token).graphql<{ contacts: Edges<{ id: string }> }>(query, { search });
  const { id } = first(nodesOf(data.contacts));
  contactIds.set(person, id);
  return id;
}

const contactIds = new WeakMap<Sender, string>();

/** All blocks of this person on their channel, newest first. */
export async function history(desk: Desk, person: Sender): Promise<BlockView[]> {
  const { data } = await desk.ada.graphql<{
    contact: { channels: { externalId: string; blockHistory: Edges<BlockView> }[] };
  }>(
    `query ($contactId: ID!) { contact(id: $contactId) { channels {
      externalId blockHistory(first: 10) { edges { node { ${BLOCK} } } }
    } } }`,
    { contactId: await contactIdOf(desk, person) },
  );
  return data.contact.channels
    .filter(({ externalId }) => externalId === person.externalId)
    .flatMap(({ blockHistory }) => nodesOf(blockHistory));
}

/** The latest conversation of this person. */
export async function latest(desk: Desk, person: Sender): Promise<string> {
  const { data } = await desk.ada.graphql<{ conversations: Edges<{ id: string }> }>(
    `query ($contactId: ID!, $channelId: ID!) {
      conversations(filter: { contactId: $contactId, channelId: $channelId }) { edges { node { id } } }
    }`,
    { contactId: await contactIdOf(desk, person), channelId: person.channel },
  );
  const ids = nodesOf(data.conversations).map(({ id }) => id);
  return first(ids.toSorted((a, b) => (rowId(a) > rowId(b) ? -1 : 1)));
}
