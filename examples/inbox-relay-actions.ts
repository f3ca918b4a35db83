/**
 * The mutations of inbox-relay.ts. They select no object that events change: an answer may be older than the latest event,
 * and would overwrite it in the cache.
 */
import { commitMutation, type Environment, type GraphQLTaggedNode, type MutationParameters } from "relay-runtime";
import type { inboxRelayActionsSendMutation } from "./__generated__/inboxRelayActionsSendMutation.graphql.ts";
import type { Action } from "./inbox.ts";
import { hasMessage, sortInMessage } from "./inbox-relay-order.ts";
import { graphql } from "./inbox-relay-tag.ts";

const mutations = {
  TAKE: graphql`mutation inboxRelayActionsTakeMutation($input: TakeConversationInput!) {
    takeConversation(input: $input) { __typename }
  }`,
  ACCEPT: graphql`mutation inboxRelayActionsAcceptMutation($input: AcceptConversationInput!) {
    acceptConversation(input: $input) { __typename }
  }`,
  DECLINE: graphql`mutation inboxRelayActionsDeclineMutation($input: DeclineConversationInput!) {
    declineConversation(input: $input) { __typename }
  }`,
  END: graphql`mutation inboxRelayActionsEndMutation($input: EndConversationInput!) {
    endConversation(input: $input) { __typename }
  }`,
  OFFER: graphql`mutation inboxRelayActionsOfferMutation($input: OfferConversationInput!) {
    offerConversation(input: $input) { __typename }
  }`,
  TRANSFER: graphql`mutation inboxRelayActionsTransferMutation($input: TransferConversationInput!) {
    transferConversation(input: $input) { __typename }
  }`,
  START: graphql`mutation inboxRelayActionsStartMutation($input: StartConversationInput!) {
    startConversation(input: $input) { __typename }
  }`,
  BLOCK: graphql`mutation inboxRelayActionsBlockMutation($input: BlockContactInput!) {
    blockContact(input: $input) { __typename }
  }`,
  UNBLOCK: graphql`mutation inboxRelayActionsUnblockMutation($input: UnblockContactInput!) {
    unblockContact(input: $input) { __typename }
  }`,
  UPDATE_BLOCK: graphql`mutation inboxRelayActionsUpdateBlockMutation($input: UpdateBlockInput!) {
    updateBlock(input: $input) { __typename }
  }`,
};

const SEND = graphql`
  mutation inboxRelayActionsSendMutation($input: SendMessageInput!) {
    sendMessage(input: $input) {
      __typename
      ... on SendMessageSuccess {
        message { id seq direction kind text unsentAt clientMessageId }
      }
    }
  }
`;

/** Sends an action; resolves with the `__typename` of its result. */
export function send(environment: Environment, action: Action): Promise<string> {
  if (action.type === "SEND") return sendMessage(environment, action);
  if (action.type === "START") {
    const { type, key, ...input } = action;
    return commit(environment, mutations[type], { ...input, idempotencyKey: key });
  }
  const { type, ...input } = action;
  return commit(environment, mutations[type], input);
}

interface Mutation extends MutationParameters {
  readonly response: Record<string, { readonly __typename: string }>;
  readonly variables: { input: object };
}

function commit(environment: Environment, mutation: GraphQLTaggedNode, input: object): Promise<string> {
  return new Promise((resolve, reject) => {
    commitMutation<Mutation>(environment, {
      mutation,
      variables: { input },
      onCompleted: (response) => resolve(Object.values(response)[0]?.__typename ?? ""),
      onError: reject,
    });
  });
}

/** Shows the message at once. The event and the answer bring the real one, in any order. */
function sendMessage(
  environment: Environment,
  { conversationId, text, key }: Extract<Action, { type: "SEND" }>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    commitMutation<inboxRelayActionsSendMutation>(environment, {
      mutation: SEND,
      variables: { input: { conversationId, text, idempotencyKey: key } },
      // Relay repeats this after each event until the answer is there.
      optimisticUpdater: (store) => {
        if (hasMessage(store, conversationId, key)) return;
        const message = store.create(`client:message:${key}`, "Message");
        // Every field that the timeline reads, or the read would be incomplete.
        const fields = {
          id: message.getDataID(),
          seq: Number.MAX_SAFE_INTEGER,
          direction: "OUTBOUND",
          kind: "TEXT",
          text,
          unsentAt: null,
          deliveryStatus: "QUEUED",
          clientMessageId: key,
        };
        for (const [field, value] of Object.entries(fields)) message.setValue(value, field);
        sortInMessage(store, conversationId, message.getDataID());
      },
      updater: (store) => {
        const message = store.getRootField("sendMessage").getLinkedRecord("message");
        if (!message) return;
        if (message.getValue("deliveryStatus") === undefined) message.setValue("QUEUED", "deliveryStatus");
        sortInMessage(store, conversationId, message.getDataID());
      },
      onCompleted: ({ sendMessage: { __typename } }) => resolve(__typename),
      onError: reject,
    });
  });
}
