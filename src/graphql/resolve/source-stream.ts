import { fromGlobalId } from "../../domain/global-id.ts";
import type { AgentId, ChannelId, ContactId, ConversationId } from "../../domain/id.ts";
import type { LogEvent, Position } from "../../store/log-event.ts";
import { requestError } from "../errors.ts";
import { type Context, requirePermission } from "./context.ts";
import { fromCursor } from "./cursor.ts";
import { isGiven } from "./lookup.ts";

/** The filter of a subscription; conditions are combined with AND. */
export interface EventFilter {
  readonly contactId?: string | null | undefined;
  readonly channelId?: string | null | undefined;
  readonly conversationId?: string | null | undefined;
  readonly assigneeId?: string | null | undefined;
}

/**
 * Subscribes to the events of one type in the viewer's workspace that match the filter.
 *
 * @throws GraphQLError `FORBIDDEN`, or `INVALID_INPUT` if `after` is not a cursor of this log
 * @throws CursorExpired if the log was pruned past `after`
 */
export async function sourceStream<Event extends LogEvent>(
  ctx: Context,
  args: { readonly filter?: EventFilter | null | undefined; readonly after?: string | null | undefined },
  hasEventType: (event: LogEvent) => event is Event,
): Promise<AsyncIterable<Event>> {
  requirePermission(ctx, "READ");
  const after = isGiven(args.after) ? await positionOf(ctx, args.after) : null;
  const filter = decode(args.filter ?? {});
  const wants = (event: LogEvent): event is Event => matches(filter, event) && hasEventType(event);
  // The narrowest id given, so that the reader is woken only for events about it.
  const subject = filter.conversationId ?? filter.contactId ?? filter.agentId ?? filter.channelId ?? "everything";
  return ctx.services.hub.openReader(ctx.viewer.workspaceId, { after, subject, wants });
}

/** Refuses a cursor of another log and one that is ahead of this log: resuming from it would silently skip events. */
async function positionOf(ctx: Context, cursor: string): Promise<Position> {
  const position = fromCursor(ctx.viewer.workspaceId, cursor);
  if (position === null) throw requestError("INVALID_INPUT", "after must be a cursor of this workspace's event log.");
  const { position: head } = await ctx.services.log.bounds(ctx.viewer.workspaceId);
  if (position > head)
    throw requestError(
      "INVALID_INPUT",
      "after is ahead of the event log, so it comes from another database. Read logCursor again.",
    );
  return position;
}

/** The decoded ids of a filter: undefined if not given, null if malformed or of another type. */
interface DecodedFilter {
  readonly contactId: ContactId | null | undefined;
  readonly channelId: ChannelId | null | undefined;
  readonly conversationId: ConversationId | null | undefined;
  readonly agentId: AgentId | null | undefined;
}

function decode({ contactId, channelId, conversationId, assigneeId }: EventFilter): DecodedFilter {
  return {
    contactId: isGiven(contactId) ? fromGlobalId("Contact", contactId) : undefined,
    channelId: isGiven(channelId) ? fromGlobalId("Channel", channelId) : undefined,
    conversationId: isGiven(conversationId) ? fromGlobalId("Conversation", conversationId) : undefined,
    agentId: isGiven(assigneeId) ? fromGlobalId("Agent", assigneeId) : undefined,
  };
}

/** A null id matches no event. */
function matches({ contactId, channelId, conversationId, agentId }: DecodedFilter, event: LogEvent): boolean {
  return (
    (contactId === undefined || event.contactId === contactId) &&
    (channelId === undefined || event.channelId === channelId) &&
    (conversationId === undefined || (conversationId !== null && event.conversationId === conversationId)) &&
    (agentId === undefined || (agentId !== null && event.agentIds.includes(agentId)))
  );
}
