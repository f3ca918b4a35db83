import { idOf } from "../../src/domain/id.ts";
import type { LogEvent, Position } from "../../src/store/log-event.ts";

/** An event of the workspace `w`, at this log position. */
export function logEvent(position: Position, contactId = idOf<"Contact">("ann")): LogEvent {
  return {
    workspaceId: idOf<"Workspace">("w"),
    position,
    id: idOf<"Event">(`event ${position}`),
    occurredAt: position,
    actor: { type: "System" },
    contactId,
    channelId: idOf<"Channel">("c"),
    contactChannelId: idOf<"ContactChannel">("cc"),
    conversationId: null,
    agentIds: [],
    data: { type: "ContactAppeared" },
  };
}
