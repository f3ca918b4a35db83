import type { Actor } from "./actor.ts";
import type { ContactChannel } from "./contact-channel.ts";
import { dryRun } from "./dry-run.ts";
import type { ContactChannelId, ConversationId, Instant } from "./id.ts";

/** What blocking would do. */
export interface BlockPreview {
  /** The ContactChannels that are not blocked yet (rule B2). */
  readonly contactChannelIds: readonly ContactChannelId[];
  readonly endingConversationIds: readonly ConversationId[];
  readonly cancelingMessages: number;
  readonly droppingOffers: number;
  readonly droppingBotSessions: number;
}

/**
 * Decides a block of these ContactChannels without carrying it out, and counts what it would end and cancel (rules B3,
 * B4). Their pending outbound messages must be loaded.
 */
export function previewBlock(states: readonly ContactChannel[], actor: Actor, now: Instant): BlockPreview {
  const contactChannelIds: ContactChannelId[] = [];
  const endingConversationIds: ConversationId[] = [];
  let cancelingMessages = 0;
  let droppingOffers = 0;
  let droppingBotSessions = 0;
  for (const state of states) {
    const { events } = dryRun(state, { type: "Block", actor, notes: null, expiresAt: null }, now);
    for (const event of events) {
      if (event.type === "ContactBlocked") contactChannelIds.push(state.id);
      else if (event.type === "ConversationChanged" && event.conversation.status === "BLOCKED") {
        endingConversationIds.push(event.conversation.id);
        // An offer that has lapsed is no longer dropped: it ends before the block begins.
        if (event.from === "ASSIGNING") droppingOffers += 1;
      } else if (event.type === "DeliveryChanged" && event.to === "CANCELED") cancelingMessages += 1;
      else if (event.type === "BotSessionChanged" && event.session === null) droppingBotSessions += 1;
    }
  }
  return { contactChannelIds, endingConversationIds, cancelingMessages, droppingOffers, droppingBotSessions };
}
