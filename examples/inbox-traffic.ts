/** What agents do at random in inbox-check.ts. */
import { randomUUID } from "node:crypto";
import type { Action, BlockRow, ContactRow, ConversationRow, Lists } from "./inbox.ts";

/** Numbers in [0, 1) that depend on the seed only (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Chooses an agent's next action among those that are allowed; null if there is nothing to do. */
export function nextAction(
  { mine, waiting, offered, bot, contacts, blocks }: Lists,
  agentIds: readonly string[],
  now: number,
  random: () => number,
): Action | null {
  const conversations = [mine, waiting, offered, bot].flat();
  if (random() < 0.7 && conversations.length > 0) {
    return actionOn(pick(conversations, random), pick(agentIds, random), random);
  }
  if (contacts.length === 0) return null;
  return actionTowards(pick(contacts, random), blocks, now, random);
}

function actionOn(
  { id: conversationId, allowedActions }: ConversationRow,
  agentId: string,
  random: () => number,
): Action | null {
  if (allowedActions.length === 0) return null;
  const chosen = pick([...allowedActions, "REPLY"], random);
  switch (chosen) {
    case "REPLY":
      return { type: "SEND", conversationId, text: `Answer ${Math.floor(random() * 1_000)}`, key: randomUUID() };
    case "TAKE":
    case "ACCEPT":
    case "DECLINE":
    case "END":
      return { type: chosen, conversationId };
    case "OFFER":
      return { type: "OFFER", conversationId, agentId };
    case "TRANSFER":
      return { type: "TRANSFER", conversationId, agentId: random() < 0.5 ? null : agentId };
    default:
      return null;
  }
}

function actionTowards(
  { id: contactId, channels }: ContactRow,
  blocks: readonly BlockRow[],
  now: number,
  random: () => number,
): Action | null {
  const { id: contactChannelId, channelId, activeBlockId, allowedActions } = pick(channels, random);
  const notes = random() < 0.5 ? null : `Note ${Math.floor(random() * 1_000)}`;
  const expiresAt = random() < 0.5 ? null : new Date(now + 5_000 + 25_000 * random()).toISOString();
  // Most of what can be done with a blocked contact is to unblock them, or all would be blocked soon.
  const chosen = pick(activeBlockId === null ? allowedActions : [...allowedActions, "UNBLOCK"], random);
  switch (chosen) {
    case "START":
      return { type: "START", contactId, contactChannelId, channelId, text: "Hello", key: randomUUID() };
    case "BLOCK":
      return { type: "BLOCK", contactId, contactChannelId, notes, expiresAt };
    case "UNBLOCK":
      return { type: "UNBLOCK", contactId, contactChannelId };
    case "UPDATE_BLOCK": {
      const block = blocks.find(({ id }) => id === activeBlockId);
      return block === undefined ? null : { type: "UPDATE_BLOCK", blockId: block.id, notes, expiresAt };
    }
    default:
      return null;
  }
}

export function pick<Item>(items: readonly Item[], random: () => number): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error("There is nothing to choose from.");
  return item;
}
