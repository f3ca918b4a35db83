import { isUnionType } from "graphql";
import type { ConversationStatus } from "../../src/domain/conversation.ts";
import type { JsonValue } from "../../src/domain/message.ts";
import { schema } from "../../src/graphql/schema/index.ts";

/** A response of the API over HTTP. */
export interface GraphqlAnswer<Data> {
  readonly status: number;
  readonly data: Data;
  readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[];
}

/** The result of a mutation: any member of its union. */
export interface Answer {
  readonly __typename: string;
  readonly code?: string;
  readonly fields?: readonly { readonly path: string; readonly message: string }[];
  readonly from?: ConversationStatus | null;
  readonly to?: ConversationStatus | null;
  readonly block?: BlockView;
  readonly changed?: boolean;
  readonly blocks?: readonly BlockView[];
  readonly contact?: { readonly id: string; readonly status: string };
  readonly conversation?: ConversationView;
  readonly endedConversations?: readonly ConversationView[];
  readonly message?: { readonly id: string; readonly text: string | null };
  readonly key?: string;
  readonly apiKey?: { readonly id: string; readonly prefix: string };
  readonly flow?: { readonly id: string };
  readonly channel?: ChannelView;
  readonly deliverySecret?: string | null;
  readonly deliveries?: readonly ClaimedView[];
  readonly results?: readonly Answer[];
  readonly ok?: boolean;
  readonly displayName?: string | null;
  readonly basicId?: string | null;
  readonly problem?: string | null;
  readonly detail?: string;
}

export interface ChannelView {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly webhookUrl: string | null;
  readonly hasChannelSecret: boolean;
  readonly hasAccessToken: boolean;
  readonly fault: string | null;
  readonly archivedAt: string | null;
}

export interface ClaimedView {
  readonly deliveryId: string;
  readonly message: { readonly id: string; readonly text: string | null };
  readonly externalId: string;
  readonly expiresAt: string;
}

export interface BlockView {
  readonly id: string;
  readonly contactChannel: { readonly id: string };
  readonly notes: string | null;
  readonly expiresAt: string | null;
  readonly liftedAt: string | null;
  readonly suppressedMessageCount: number;
}

export interface ConversationView {
  readonly id: string;
  readonly status: ConversationStatus;
  readonly endReason: string | null;
  readonly assignee: { readonly id: string } | null;
  readonly offeredTo: { readonly id: string } | null;
}

export const BLOCK = "id contactChannel { id } notes expiresAt liftedAt suppressedMessageCount";
export const CONVERSATION = "id status endReason assignee { id } offeredTo { id }";
export const CHANNEL = "id name kind webhookUrl hasChannelSecret hasAccessToken fault archivedAt";
const CLAIMED = "deliveryId message { id text } externalId expiresAt";
const MOVED = `conversation { ${CONVERSATION} } changed`;

/** The selection for each mutation's success. */
const successes = {
  blockContact: `contact { id status } blocks { ${BLOCK} } endedConversations { ${CONVERSATION} } changed`,
  unblockContact: `contact { id status } blocks { ${BLOCK} } changed`,
  updateBlock: `block { ${BLOCK} } changed`,
  sendMessage: "message { id text }",
  startConversation: `conversation { ${CONVERSATION} } message { id text }`,
  takeConversation: MOVED,
  offerConversation: MOVED,
  acceptConversation: MOVED,
  declineConversation: MOVED,
  transferConversation: MOVED,
  endConversation: MOVED,
  setTyping: `conversation { ${CONVERSATION} }`,
  markConversationRead: `conversation { ${CONVERSATION} }`,
  retryMessage: "message { id text } changed",
  cancelMessage: "message { id text }",
  recordInbound: "message { id text } changed",
  recordInbounds: `results { __typename ... on RecordInboundSuccess { message { id text } changed } ... on Error { code } }`,
  claimDeliveries: `deliveries { ${CLAIMED} }`,
  acknowledgeDelivery: "message { id text } changed",
  createApiKey: "key apiKey { id prefix }",
  revokeApiKey: "apiKey { id prefix } changed",
  createFlow: "flow { id }",
  updateFlow: "flow { id }",
  createChannel: `channel { ${CHANNEL} } deliverySecret`,
  updateChannel: `channel { ${CHANNEL} } deliverySecret changed`,
  archiveChannel: `channel { ${CHANNEL} } changed`,
  testChannel: "ok displayName basicId problem detail",
};

export type Mutation = keyof typeof successes;

/** The selection for the refusals that have more than a code. */
const refusals: Readonly<Record<string, string>> = {
  InvalidInputError: "fields { path message }",
  InvalidTransitionError: "from to",
  ContactBlockedError: `block { ${BLOCK} }`,
};

/** The document that sends one mutation with this selection for its success. */
export function documentOf(name: Mutation, success = successes[name]): string {
  const type = name.charAt(0).toUpperCase() + name.slice(1);
  const union = schema.getType(`${type}Result`);
  const members = isUnionType(union) ? union.getTypes() : [];
  const more = members.map((member) =>
    member.name in refusals ? `... on ${member} { ${refusals[member.name]} }` : "",
  );
  return `mutation ($input: ${type}Input!) { ${name}(input: $input) {
    __typename ... on ${type}Success { ${success} } ... on Error { code } ${more.join(" ")}
  } }`;
}

/** Returns the result, which must be a success. */
export function done<Result extends Answer>(result: Result): Result {
  if (!result.__typename.endsWith("Success")) throw new Error(`Refused: ${JSON.stringify(result)}`);
  return result;
}

type Success<Fields extends keyof Answer> = Answer & Required<Pick<Answer, Fields>>;
type Handled = Success<"conversation" | "changed">;
type OfMessage = { readonly messageId: string };
type OfConversation = { readonly conversationId: string };
type OfContact = { readonly contactId: string; readonly channelId?: string; readonly contactChannelId?: string };
type WithNotes = { readonly notes?: string | null };
type Expiring = { readonly expiresAt?: string | null };
type Text = { readonly text: string; readonly idempotencyKey?: string };

/** An agent or a key that uses the API over HTTP. */
export type Client = ReturnType<typeof clientOf>;

/** A client with the token of an agent or a key. Each mutation is a function that throws unless it succeeds. */
export function clientOf(url: string, token: string) {
  async function graphql<Data = Record<string, JsonValue>>(
    query: string,
    variables: object = {},
  ): Promise<GraphqlAnswer<Data>> {
    const response = await fetch(`${url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    });
    const body: Omit<GraphqlAnswer<Data>, "status"> = JSON.parse(await response.text());
    return { status: response.status, ...body };
  }

  async function send<Result>(name: Mutation, input: object, success?: string): Promise<Result> {
    const answer = await graphql<Record<string, Result>>(documentOf(name, success), { input });
    const result = answer.data?.[name];
    if (answer.status !== 200 || answer.errors !== undefined || result === undefined) {
      throw new Error(`${name}: ${JSON.stringify(answer)}`);
    }
    return result;
  }

  async function succeed<Result extends Answer>(name: Mutation, input: object): Promise<Result> {
    return done(await send<Result>(name, input));
  }

  return {
    token,
    /** Sends any document. */
    graphql,
    /** Returns the result of a mutation, success or refusal, with this selection for a success. */
    attempt: (name: Mutation, input: object, success?: string) => send<Answer>(name, input, success),
    blockContact: (input: OfContact & WithNotes & Expiring) =>
      succeed<Success<"contact" | "blocks" | "endedConversations" | "changed">>("blockContact", input),
    unblockContact: (input: OfContact & WithNotes) =>
      succeed<Success<"contact" | "blocks" | "changed">>("unblockContact", input),
    updateBlock: (input: { readonly blockId: string } & WithNotes & Expiring) =>
      succeed<Success<"block" | "changed">>("updateBlock", input),
    sendMessage: (input: OfConversation & Text) => succeed<Success<"message">>("sendMessage", input),
    startConversation: (input: OfContact & Text) =>
      succeed<Success<"conversation" | "message">>("startConversation", input),
    takeConversation: (input: OfConversation) => succeed<Handled>("takeConversation", input),
    offerConversation: (input: OfConversation & { readonly agentId: string }) =>
      succeed<Handled>("offerConversation", input),
    acceptConversation: (input: OfConversation) => succeed<Handled>("acceptConversation", input),
    declineConversation: (input: OfConversation) => succeed<Handled>("declineConversation", input),
    transferConversation: (input: OfConversation & { readonly agentId?: string }) =>
      succeed<Handled>("transferConversation", input),
    endConversation: (input: OfConversation) => succeed<Handled>("endConversation", input),
    setTyping: (input: OfConversation & { readonly typing: boolean }) =>
      succeed<Success<"conversation">>("setTyping", input),
    markConversationRead: (input: OfConversation & { readonly upToMessageId: string }) =>
      succeed<Success<"conversation">>("markConversationRead", input),
    retryMessage: (input: OfMessage & { readonly acceptDuplicate?: boolean }) =>
      succeed<Success<"message" | "changed">>("retryMessage", input),
    cancelMessage: (input: OfMessage) => succeed<Success<"message">>("cancelMessage", input),
    recordInbound: (input: object) => succeed<Success<"message" | "changed">>("recordInbound", input),
    recordInbounds: (input: { readonly items: readonly object[] }) =>
      succeed<Success<"results">>("recordInbounds", input),
    claimDeliveries: (input: { readonly channelId: string; readonly max: number }) =>
      succeed<Success<"deliveries">>("claimDeliveries", input),
    acknowledgeDelivery: (input: object) => succeed<Success<"message" | "changed">>("acknowledgeDelivery", input),
    createApiKey: (input: { readonly name: string; readonly scopes: readonly string[] }) =>
      succeed<Success<"key" | "apiKey">>("createApiKey", input),
    revokeApiKey: (input: { readonly apiKeyId: string }) =>
      succeed<Success<"apiKey" | "changed">>("revokeApiKey", input),
    createFlow: (input: object) => succeed<Success<"flow">>("createFlow", input),
    updateFlow: (input: object) => succeed<Success<"flow">>("updateFlow", input),
    createChannel: (input: object) => succeed<Success<"channel" | "deliverySecret">>("createChannel", input),
    updateChannel: (input: object) =>
      succeed<Success<"channel" | "deliverySecret" | "changed">>("updateChannel", input),
    archiveChannel: (input: { readonly channelId: string }) =>
      succeed<Success<"channel" | "changed">>("archiveChannel", input),
    testChannel: (input: { readonly channelId: string }) =>
      succeed<Success<"ok" | "displayName" | "basicId" | "problem" | "detail">>("testChannel", input),
  };
}
