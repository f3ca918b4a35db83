import { fromGlobalId } from "../../domain/global-id.ts";
import type { AgentId, ChannelId, ContactId, ConversationId } from "../../domain/id.ts";
import type { EventData, LogEvent, Position } from "../../store/log-event.ts";
import { requestError } from "../errors.ts";
import { type Context, demand } from "./context.ts";
import { fromCursor } from "./cursor.ts";
import { isGiven } from "./lookup.ts";

/** An event of this type, with its own scalars. */
export type EventOf<Type extends EventData["type"]> = LogEvent & { readonly data: Extract<EventData, { type: Type }> };

export function isOf<Type extends EventData["type"]>(type: Type): (event: LogEvent) => event is EventOf<Type> {
  return (event): event is EventOf<Type> => event.data.type === type;
}

/** What a subscription's filter may ask; all that is given must hold. */
export interface EventFilter {
  readonly contactId?: string | null | undefined;
  readonly channelId?: string | null | undefined;
  readonly conversationId?: string | null | undefined;
  readonly assigneeId?: string | null | undefined;
}

/** Follows the viewer's own workspace: the events of one kind that the filter lets through. */
export async function sourceStream<Event extends LogEvent>(
  ctx: Context,
  args: { readonly filter?: EventFilter | null | undefined; readonly after?: string | null | undefined },
  isOfKind: (event: LogEvent) => event is Event,
): Promise<AsyncIterable<Event>> {
  demand(ctx, "READ");
  const after = isGiven(args.after) ? await positionOf(ctx, args.after) : null;
  const filter = decode(args.filter ?? {});
  const wants = (event: LogEvent): event is Event => matches(filter, event) && isOfKind(event);
  // The narrowest that is given: the reader is woken for nothing else.
  const subject = filter.conversationId ?? filter.contactId ?? filter.agentId ?? filter.channelId ?? "everything";
  return ctx.services.hub.openReader(ctx.viewer.workspaceId, { after, subject, wants });
}

/** A cursor of another log is refused, also one that is ahead of this one: following it would be a silent gap. */
async function positionOf(ctx: Context, cursor: string): Promise<Position> {
  const position = fromCursor(ctx.viewer.workspaceId, cursor);
  if (position === null) throw requestError("INVALID_INPUT", "after is not a cursor of this workspace's log.");
  const { position: head } = await ctx.services.log.bounds(ctx.viewer.workspaceId);
  if (position > head)
    throw requestError("INVALID_INPUT", "after is ahead of the log: it is a cursor of another database.");
  return position;
}

/** A filter's ids; null where an id is given that can name nothing. */
interface Wanted {
  readonly contactId: ContactId | null | undefined;
  readonly channelId: ChannelId | null | undefined;
  readonly conversationId: ConversationId | null | undefined;
  readonly agentId: AgentId | null | undefined;
}

function decode({ contactId, channelId, conversationId, assigneeId }: EventFilter): Wanted {
  return {
    contactId: isGiven(contactId) ? fromGlobalId("Contact", contactId) : undefined,
    channelId: isGiven(channelId) ? fromGlobalId("Channel", channelId) : undefined,
    conversationId: isGiven(conversationId) ? fromGlobalId("Conversation", conversationId) : undefined,
    agentId: isGiven(assigneeId) ? fromGlobalId("Agent", assigneeId) : undefined,
  };
}

/** An id that names nothing here matches nothing: of what is not there, there is nothing to hear. */
function matches({ contactId, channelId, conversationId, agentId }: Wanted, event: LogEvent): boolean {
  return (
    (contactId === undefined || event.contactId === contactId) &&
    (channelId === undefined || event.channelId === channelId) &&
    (conversationId === undefined || (conversationId !== null && event.conversationId === conversationId)) &&
    (agentId === undefined || (agentId !== null && event.agentIds.includes(agentId)))
  );
}
