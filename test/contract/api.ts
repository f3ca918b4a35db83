import type { ConversationStatus } from "../../src/domain/conversation.ts";
import { type Desk, rowId, type TestAgent } from "../support/app.ts";
import type { Person } from "./people.ts";

/** What a mutation answers, whichever type of its union it is. */
export interface Answer {
  readonly __typename: string;
  readonly code?: string;
  readonly message?: MessageView;
  readonly fields?: readonly { readonly path: string; readonly message: string }[];
  readonly from?: ConversationStatus | null;
  readonly to?: ConversationStatus | null;
  readonly changed?: boolean;
  readonly block?: BlockView;
  readonly blocks?: readonly BlockView[];
  readonly contact?: { readonly id: string; readonly status: string };
  readonly conversation?: ConversationView;
  readonly endedConversations?: readonly ConversationView[];
}

export interface BlockView {
  readonly id: string;
  readonly notes: string | null;
  readonly expiresAt: string | null;
  readonly liftedAt: string | null;
  readonly suppressedMessageCount: number;
}

export interface ConversationView {
  readonly id: string;
  readonly status: ConversationStatus;
  readonly assignee: { readonly id: string } | null;
  readonly offeredTo: { readonly id: string } | null;
}

export interface MessageView {
  readonly id: string;
  readonly text: string | null;
}

const BLOCK = "id notes expiresAt liftedAt suppressedMessageCount";
const CONVERSATION = "id status assignee { id } offeredTo { id }";

const moved = `conversation { ${CONVERSATION} } changed`;

/** What is asked of each mutation's success, and the refusals with more to tell than a code. */
const mutations = {
  blockContact: {
    made: `contact { id status } blocks { ${BLOCK} } endedConversations { ${CONVERSATION} } changed`,
    refusals: [],
  },
  unblockContact: { made: `contact { id status } blocks { ${BLOCK} } changed`, refusals: [] },
  updateBlock: { made: `block { ${BLOCK} } changed`, refusals: [] },
  sendMessage: { made: "message { id text }", refusals: ["ContactBlocked", "InvalidTransition"] },
  startConversation: {
    made: `conversation { ${CONVERSATION} } message { id text }`,
    refusals: ["ContactBlocked", "InvalidTransition"],
  },
  takeConversation: { made: moved, refusals: ["ContactBlocked", "InvalidTransition"] },
  offerConversation: { made: moved, refusals: ["ContactBlocked", "InvalidTransition"] },
  acceptConversation: { made: moved, refusals: ["ContactBlocked", "InvalidTransition"] },
  declineConversation: { made: moved, refusals: ["InvalidTransition"] },
  transferConversation: { made: moved, refusals: ["ContactBlocked", "InvalidTransition"] },
  endConversation: { made: moved, refusals: ["InvalidTransition"] },
  recordInbound: { made: "message { id text } changed", refusals: [] },
} as const satisfies Record<string, { made: string; refusals: readonly ("ContactBlocked" | "InvalidTransition")[] }>;

export type Mutation = keyof typeof mutations;

/** Sends one mutation, as Ada unless another token is given; anything but one of its types is a failure of the test. */
export async function mutate(desk: Desk, name: Mutation, input: object, token?: string): Promise<Answer> {
  const answer = await desk.graphql<Record<string, Answer>>(documentOf(name), { input }, token);
  const result = answer.data?.[name];
  if (answer.status !== 200 || result === undefined) throw new Error(`${name}: ${JSON.stringify(answer)}`);
  return result;
}

export function documentOf(name: Mutation): string {
  const type = name.charAt(0).toUpperCase() + name.slice(1);
  const { made, refusals } = mutations[name];
  const invalid = /^(take|accept|decline|end)/.test(name) ? "" : "... on InvalidInputError { fields { path message } }";
  const more = { ContactBlocked: `block { ${BLOCK} }`, InvalidTransition: "from to" };
  return `mutation ($input: ${type}Input!) {
    ${name}(input: $input) {
      __typename
      ... on ${type}Success { ${made} }
      ... on Error { code }
      ${invalid}
      ${refusals.map((refusal) => `... on ${refusal}Error { ${more[refusal]} }`).join(" ")}
    }
  }`;
}

/** The answer, which must be a success. */
export function done(answer: Answer): Answer {
  if (!answer.__typename.endsWith("Success")) throw new Error(`Refused: ${JSON.stringify(answer)}`);
  return answer;
}

/** Everything that the API tells of one person on one channel, put so that a test can say exactly what it expects. */
export interface View {
  readonly contactId: string;
  readonly contactChannelId: string;
  /** Of the contact as a whole; of the presence see `here`. */
  readonly status: string;
  readonly here: "ACTIVE" | "BLOCKED";
  readonly reachable: boolean;
  readonly lastActivityAt: string;
  readonly activeBlock: BlockView | null;
  /** Oldest first. */
  readonly conversations: readonly (ConversationView & {
    readonly lastActivityAt: string;
    readonly endedAt: string | null;
    readonly endReason: string | null;
    readonly statusBeforeEnd: string | null;
    readonly endedBy: { readonly __typename: string; readonly id?: string } | null;
  })[];
  /** Their statuses, oldest first. */
  readonly statuses: readonly ConversationStatus[];
  /** Entries such as `1 contact: Hello`, with the number of the conversation (`-` for none); `(blocked)` follows what was received while blocked. */
  readonly timeline: readonly string[];
  /** The delivery statuses of what went out, in order. */
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

interface Edges<Node> {
  readonly edges: readonly { readonly node: Node }[];
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
      ${CONVERSATION} lastActivityAt endedAt endReason statusBeforeEnd contactChannel { id }
      endedBy { __typename ... on Node { id } }
    } } }
  } } }
}`;

/** Looks at a person as an agent does. */
export async function look(desk: Desk, { externalId }: Person, by: TestAgent = desk.ada): Promise<View> {
  const answer = await desk.graphql<{ contacts: Edges<ContactNode> }>(LOOK, { search: externalId }, by.token);
  if (answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors));
  const contact = answer.data.contacts.edges[0]?.node;
  const presence = contact?.channels.find((channel) => channel.externalId === externalId);
  if (contact === undefined || presence === undefined) throw new Error("This person is not known yet.");
  const conversations = nodesOf(contact.conversations)
    .filter(({ contactChannel }) => contactChannel.id === presence.id)
    .toSorted((a, b) => (rowId(a.id) < rowId(b.id) ? -1 : 1));
  const entries = nodesOf(presence.messages);
  return {
    contactId: contact.id,
    contactChannelId: presence.id,
    status: contact.status,
    here: presence.status,
    reachable: presence.reachable,
    lastActivityAt: contact.lastActivityAt,
    activeBlock: presence.activeBlock,
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

export function nodesOf<Node>({ edges }: Edges<Node>): Node[] {
  return edges.map(({ node }) => node);
}

/** Who the person is to the API; that never changes. */
export async function contactIdOf(desk: Desk, person: Person, by: TestAgent = desk.ada): Promise<string> {
  const { externalId: search } = person;
  const known = contactIds.get(person);
  if (known !== undefined) return known;
  const query =
    "query ($search: String!) { contacts(filter: { search: $search }, first: 1) { edges { node { id } } } }";
  const { data } = await desk.graphql<{ contacts: Edges<{ id: string }> }>(query, { search }, by.token);
  const { id } = first(nodesOf(data.contacts));
  contactIds.set(person, id);
  return id;
}

const contactIds = new WeakMap<Person, string>();

/** All blocks of this person that there ever were, newest first. */
export async function history(desk: Desk, person: Person): Promise<BlockView[]> {
  const { data } = await desk.graphql<{
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

/** Blocks the person where they are, and answers the block. */
export async function block(desk: Desk, person: Person, input: object = {}): Promise<BlockView> {
  const target = { contactId: await contactIdOf(desk, person), channelId: person.channel };
  const { blocks } = done(await mutate(desk, "blockContact", { ...target, ...input }));
  return first(blocks);
}

export async function unblock(desk: Desk, person: Person): Promise<void> {
  const target = { contactId: await contactIdOf(desk, person), channelId: person.channel };
  done(await mutate(desk, "unblockContact", target));
}

/** The latest conversation of this person. */
export async function latest(desk: Desk, person: Person): Promise<string> {
  const { data } = await desk.graphql<{ conversations: Edges<{ id: string }> }>(
    `query ($contactId: ID!, $channelId: ID!) {
      conversations(filter: { contactId: $contactId, channelId: $channelId }) { edges { node { id } } }
    }`,
    { contactId: await contactIdOf(desk, person), channelId: person.channel },
  );
  const ids = nodesOf(data.conversations).map(({ id }) => id);
  return first(ids.toSorted((a, b) => (rowId(a) > rowId(b) ? -1 : 1)));
}

export function first<Value>(values: readonly Value[] | undefined): Value {
  const [value] = values ?? [];
  if (value === undefined) throw new Error("There is none.");
  return value;
}

/** So many milliseconds from the desk's now, as the API takes it. */
export function inMs(desk: Desk, milliseconds: number): string {
  return new Date(desk.clock.now() + milliseconds).toISOString();
}

/** How much there is of everything that is recorded. */
export async function rowCounts(desk: Desk): Promise<unknown> {
  const tables = ["message", "event", "block", "contact_channel", "contact", "conversation", "idempotency_key"];
  const counts = tables.map((table) => `(SELECT count(*) FROM ${table}) AS ${table}`);
  return (await desk.app.database.pool.query(`SELECT ${counts.join(", ")}`)).rows;
}
