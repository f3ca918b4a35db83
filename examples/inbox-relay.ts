/**
 * An inbox in Relay's cache, which the desk's events alone keep right. As a program it works for two agents at random for
 * 120 seconds, breaks their connections, and then compares each list with a fresh read:
 *
 *     TOKEN=$(npm run -s token -- ada@demo.test) TOKEN2=$(npm run -s token -- ben@demo.test) API_KEY=dg_… \
 *       npx node examples/inbox-relay.ts 120
 *
 * API_KEY is an API key with the scope INBOUND_WRITE: contacts write with it on the workspace's custom channels. With
 * LINE_SECRET, the channel secret, they also write on LINE. DESK is Deskgate's address, http://localhost:4000 by default. A
 * second number is the seed of all random choices.
 */
import { requestSubscription } from "relay-runtime";
import type { inboxRelayEventsSubscription } from "./__generated__/inboxRelayEventsSubscription.graphql.ts";
import type { inboxRelayStartQuery } from "./__generated__/inboxRelayStartQuery.graphql.ts";
import type { Inbox, InboxOptions } from "./inbox.ts";
import { checkInboxes } from "./inbox-check.ts";
import { send } from "./inbox-relay-actions.ts";
import { createCache, OperationError } from "./inbox-relay-environment.ts";
import { loadLists, loadTimeline, readLists } from "./inbox-relay-lists.ts";
import { sortIn, sortInMessage } from "./inbox-relay-order.ts";
import { graphql } from "./inbox-relay-tag.ts";

const START = graphql`
  query inboxRelayStartQuery {
    logCursor
    viewer { actor { __typename ... on Agent { id } } }
  }
`;

const EVENTS = graphql`
  subscription inboxRelayEventsSubscription($after: Cursor!) {
    deskEvents(after: $after) {
      __typename
      cursor
      ... on ConversationChangedEvent {
        conversation {
          ...inboxRelayLists_conversation @relay(mask: false)
          contact { ...inboxRelayLists_contact @relay(mask: false) }
        }
      }
      ... on ConversationEndedEvent {
        conversation {
          ...inboxRelayLists_conversation @relay(mask: false)
          contact { ...inboxRelayLists_contact @relay(mask: false) }
        }
      }
      ... on MessageRecordedEvent {
        message {
          ...inboxRelayLists_message @relay(mask: false)
          conversation { ...inboxRelayLists_conversation @relay(mask: false) }
          contactChannel {
            contact { ...inboxRelayLists_contact @relay(mask: false) }
            activeBlock { ...inboxRelayLists_block @relay(mask: false) }
          }
        }
      }
      ... on MessageChangedEvent {
        # Under its own name, because Relay gives fields of one name one type.
        changedMessage: message { ...inboxRelayLists_message @relay(mask: false) }
      }
      ... on ContactStatusChangedEvent {
        contactChannel { contact { ...inboxRelayLists_contact @relay(mask: false) } }
        conversations { ...inboxRelayLists_conversation @relay(mask: false) }
        block { ...inboxRelayLists_block @relay(mask: false) }
      }
      ... on ContactChangedEvent {
        contact { ...inboxRelayLists_contact @relay(mask: false) }
      }
    }
  }
`;

if (import.meta.main) await checkInboxes(openInbox);

/** Opens an inbox whose lists are connections in Relay's store. */
export async function openInbox({ desk, token, onEvent, onError }: InboxOptions): Promise<Inbox> {
  const cache = createCache(desk, token);
  const opened = new Set<string>();
  let me = "";

  await begin();
  return {
    cached: () => readLists(cache, me, opened),
    fresh: async () => {
      const copy = createCache(desk, token);
      await loadLists(copy, me, opened);
      return readLists(copy, me, opened);
    },
    open: async (id) => {
      await loadTimeline(cache, id);
      opened.add(id);
    },
    act: (action) => send(cache.environment, action),
    close: cache.close,
  };

  /** Loads everything, then follows the events. */
  async function begin(): Promise<void> {
    // First the cursor, then the lists: what happens in between is in the lists and is replayed as well, so nothing is missed.
    const { logCursor, viewer } = await cache.load<inboxRelayStartQuery>(START, {});
    if (viewer.actor.__typename !== "Agent") throw new Error("An inbox needs an agent's token.");
    me = viewer.actor.id;
    await loadLists(cache, me, opened);
    follow(logCursor);
  }

  function follow(after: string): void {
    requestSubscription<inboxRelayEventsSubscription>(cache.environment, {
      subscription: EVENTS,
      variables: { after },
      // Relay has already updated the objects of the event. What is left is to put them where they belong.
      updater: (store, data) => {
        const { block, contact, contactChannel, conversation, conversations = [], message } = data?.deskEvents ?? {};
        for (const row of [
          conversation,
          conversation?.contact,
          message?.conversation,
          message?.contactChannel.contact,
          contactChannel?.contact,
          contact,
          block,
          ...conversations,
        ]) {
          if (row) sortIn(store, row.id, me);
        }
        if (message?.conversation) sortInMessage(store, message.conversation.id, message.id);
      },
      onNext: (data) => {
        if (!data) return;
        const { cursor, message } = data.deskEvents;
        onEvent({ cursor, recordedMessageId: message?.id ?? null });
      },
      // Without it, Relay would drop any error silently, also one that the updater throws.
      onError: (error) => {
        if (error instanceof OperationError && error.codes.includes("CURSOR_EXPIRED")) begin().catch(onError);
        else onError(error);
      },
    });
  }
}
