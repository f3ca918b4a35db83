import type { InboundEntry } from "../../src/domain/command.ts";

/** A text as an adapter hands it over. */
export function inboundText(eventId: string, text: string, entry: Partial<InboundEntry> = {}): InboundEntry {
  return {
    eventId,
    kind: "TEXT",
    eventType: null,
    text,
    payload: null,
    sentAt: null,
    displayName: null,
    providerMessageId: null,
    unsends: null,
    reachable: null,
    automate: true,
    ...entry,
  };
}
