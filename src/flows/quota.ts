import type { InvalidField } from "../domain/refusal.ts";

/** Maximum number of flows of a channel, disabled ones included. Channels that had more earlier keep them. */
export const MAX_CHANNEL_FLOWS = 100;
/** Maximum number of keywords that all flows of a channel have together, disabled ones included. */
export const MAX_CHANNEL_KEYWORDS = 1_000;

/** How much the flows of a channel hold. */
export interface FlowUsage {
  readonly flows: number;
  readonly keywords: number;
}

/**
 * Checks a change of a channel's flows against the quotas. A change that adds nothing is never refused, so that a
 * channel over a quota can be brought back under it. Returns null if the change is within the quotas.
 */
export function checkQuota(used: FlowUsage, added: FlowUsage): InvalidField | null {
  if (added.flows > 0 && used.flows + added.flows > MAX_CHANNEL_FLOWS) {
    const message = `The channel has ${used.flows} flows, and may have at most ${MAX_CHANNEL_FLOWS}: change one of them instead.`;
    return { path: "channelId", message };
  }
  if (added.keywords > 0 && used.keywords + added.keywords > MAX_CHANNEL_KEYWORDS) {
    const total = used.keywords + added.keywords;
    const message = `The flows of the channel would have ${total} keywords, and may have at most ${MAX_CHANNEL_KEYWORDS} together: use fewer here, or remove some from another flow.`;
    return { path: "definition.keywords", message };
  }
  return null;
}
