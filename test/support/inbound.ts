import type { InboundEntry } from "../../src/domain/command.ts";

/** A text message as an adapter passes it on. */
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
