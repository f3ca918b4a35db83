import { type Instant, idOf, type WorkspaceId } from "../domain/id.ts";
import { type ActorColumns, toActor, toActorColumns } from "./actor-columns.ts";
import type { Database, Statement, Tx } from "./database.ts";
import type { EventData, LogEvent, NewLogEvent, Position } from "./log-event.ts";

/** The last position of a log, and the last position that has been pruned. */
export interface LogBounds {
  readonly position: Position;
  readonly prunedTo: Position;
}

export interface EventLog {
  /**
   * Appends the events at the next positions. Must be the last write before COMMIT: its row lock makes positions follow
   * commit order. The result resolves with the commit, so do not await it before.
   */
  append(tx: Tx, workspaceId: WorkspaceId, events: readonly NewLogEvent[]): Promise<LogEvent[]>;
  /** At most `limit` events after `position`, in order. */
  read(workspaceId: WorkspaceId, after: Position, limit: number): Promise<LogEvent[]>;
  bounds(workspaceId: WorkspaceId): Promise<LogBounds>;
  /** The last position of each of these logs, read in one statement. */
  heads(workspaceIds: readonly WorkspaceId[]): Promise<ReadonlyMap<WorkspaceId, Position>>;
  /** Deletes the oldest events of every log, up to the first event that occurred at `before` or later. */
  prune(before: Instant): Promise<void>;
}

export function eventLog(database: Database): EventLog {
  return { append, read, bounds, heads, prune };

  async function read(workspaceId: WorkspaceId, after: Position, limit: number): Promise<LogEvent[]> {
    const { rows } = await database.pool.query<EventRow>({ ...readStatement, values: [workspaceId, after, limit] });
    return rows.map((row) => toLogEvent(workspaceId, row));
  }

  async function bounds(workspaceId: WorkspaceId): Promise<LogBounds> {
    const { rows } = await database.pool.query<{ position: string; pruned_to: string }>({
      ...boundsStatement,
      values: [workspaceId],
    });
    return { position: Number(rows[0]?.position ?? 0), prunedTo: Number(rows[0]?.pruned_to ?? 0) };
  }

  async function heads(workspaceIds: readonly WorkspaceId[]): Promise<ReadonlyMap<WorkspaceId, Position>> {
    const { rows } = await database.pool.query<{ workspace_id: string; position: string }>({
      ...headsStatement,
      values: [workspaceIds],
    });
    return new Map(rows.map((row) => [idOf<"Workspace">(row.workspace_id), Number(row.position)]));
  }

  async function prune(before: Instant): Promise<void> {
    const { rows } = await database.pool.query<{ workspace_id: string }>("SELECT workspace_id FROM log_head");
    for (const { workspace_id: workspaceId } of rows) {
      for (let more = true; more; ) {
        // `pruned_to` is committed first: a reader between the two statements gets an error, never a silent gap.
        await database.pool.query(pruneTo, [workspaceId, new Date(before), PRUNE_BATCH]);
        const { rowCount } = await database.pool.query(deletePruned, [workspaceId, PRUNE_BATCH]);
        more = rowCount === PRUNE_BATCH;
      }
    }
  }
}

/** Small enough that no commit of the workspace waits long for the lock. */
const PRUNE_BATCH = 2_000;

const pruneTo = `
  WITH oldest AS (
    SELECT position, occurred_at FROM event WHERE workspace_id = $1 ORDER BY position LIMIT $3
  ), cut AS (
    SELECT coalesce(min(position) FILTER (WHERE occurred_at >= $2) - 1, max(position)) AS position FROM oldest
  )
  UPDATE log_head SET pruned_to = cut.position FROM cut WHERE workspace_id = $1 AND cut.position > pruned_to`;

const deletePruned = `
  DELETE FROM event WHERE workspace_id = $1 AND position IN (
    SELECT position FROM event WHERE workspace_id = $1
      AND position <= (SELECT pruned_to FROM log_head WHERE workspace_id = $1) ORDER BY position LIMIT $2)`;

function append(tx: Tx, workspaceId: WorkspaceId, events: readonly NewLogEvent[]): Promise<LogEvent[]> {
  const rows = events.map((event, index) => {
    const { data, actor, occurredAt, ...scope } = event;
    const { type, ...scalars } = data;
    return {
      ...scope,
      n: index + 1,
      type,
      data: scalars,
      occurredAt: new Date(occurredAt),
      actor: toActorColumns(actor),
    };
  });
  const appended = tx.write<{ base: string }>(appendStatement, [workspaceId, rows.length, JSON.stringify(rows)]);
  const logged = appended.then(([head]) => {
    if (head === undefined) throw new Error("This workspace has no row in log_head.");
    const base = Number(head.base);
    return events.map((event, index) => ({ ...event, workspaceId, position: base + index + 1 }));
  });
  // A failure also fails the commit, which throws it.
  logged.catch(() => {});
  return logged;
}

const appendStatement: Statement = {
  name: "event_log_append",
  text: `
    WITH head AS (
      UPDATE log_head SET position = position + $2 WHERE workspace_id = $1 RETURNING position - $2 AS base
    ), appended AS (
    INSERT INTO event (workspace_id, position, id, type, occurred_at, actor_type, actor_id,
                       contact_id, channel_id, contact_channel_id, conversation_id, agent_ids, data)
    SELECT $1, head.base + e.n, e.id, e.type, "occurredAt", actor.type, actor.id,
           "contactId", "channelId", "contactChannelId", "conversationId", "agentIds", data
    FROM json_to_recordset($3::json) AS e (
      n int, id uuid, type text, "occurredAt" timestamptz, actor json, "contactId" uuid, "channelId" uuid,
      "contactChannelId" uuid, "conversationId" uuid, "agentIds" uuid[], data jsonb)
    -- Without a log_head row the position is null, which fails the commit: no change without its event.
    LEFT JOIN head ON true,
      json_to_record(e.actor) AS actor (type "ActorType", id uuid)
    )
    SELECT base FROM head`,
};

const readStatement: Statement = {
  name: "event_log_read",
  text: `
    SELECT position, id, type, occurred_at, actor_type, actor_id, contact_id, channel_id, contact_channel_id,
           conversation_id, agent_ids, data
    FROM event WHERE workspace_id = $1 AND position > $2 ORDER BY position LIMIT $3`,
};

const boundsStatement: Statement = {
  name: "event_log_bounds",
  text: "SELECT position, pruned_to FROM log_head WHERE workspace_id = $1",
};

const headsStatement: Statement = {
  name: "event_log_heads",
  text: "SELECT workspace_id, position FROM log_head WHERE workspace_id = ANY ($1)",
};

interface EventRow {
  position: string;
  id: string;
  type: EventData["type"];
  occurred_at: Date;
  actor_type: ActorColumns["type"];
  actor_id: string | null;
  contact_id: string;
  channel_id: string;
  contact_channel_id: string;
  conversation_id: string | null;
  agent_ids: string[];
  data: object;
}

function toLogEvent(workspaceId: WorkspaceId, row: EventRow): LogEvent {
  return {
    workspaceId,
    position: Number(row.position),
    id: idOf(row.id),
    occurredAt: row.occurred_at.getTime(),
    actor: toActor({ type: row.actor_type, id: row.actor_id }),
    contactId: idOf(row.contact_id),
    channelId: idOf(row.channel_id),
    contactChannelId: idOf(row.contact_channel_id),
    conversationId: row.conversation_id === null ? null : idOf(row.conversation_id),
    agentIds: row.agent_ids.map((id) => idOf<"Agent">(id)),
    data: toEventData({ type: row.type, ...row.data }),
  };
}

/** `append` wrote this data, so `type` determines its shape. */
function toEventData(data: { type: EventData["type"] }): EventData {
  return data as EventData;
}
