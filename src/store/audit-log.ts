import { v7 as uuidv7 } from "uuid";
import type { Actor } from "../domain/actor.ts";
import type { BlockInForce } from "../domain/episode.ts";
import { toGlobalId } from "../domain/global-id.ts";
import type { WorkspaceId } from "../domain/id.ts";
import type { JsonValue } from "../domain/message.ts";
import type { Clock } from "../platform/clock.ts";
import { toActorColumns } from "./actor-columns.ts";
import type { Database, Statement, Tx } from "./database.ts";
import { AuditAction, type AuditSubjectType, Prisma } from "./generated/client.ts";
import type { DecidedEvent } from "./row-changes.ts";

export const auditActions = Object.values(AuditAction);

/** Values of a subject as the audit log keeps them: never a secret, and ids in their global form. */
export type AuditedValues = { readonly [name: string]: JsonValue };

/** What an administrator changed. */
export interface AuditEntry {
  readonly action: AuditAction;
  readonly subjectType: AuditSubjectType;
  readonly subjectId: string;
  /** Null if the change created the subject. */
  readonly before: AuditedValues | null;
  readonly after: AuditedValues | null;
}

/** Who changes something. */
export interface Change {
  readonly workspaceId: WorkspaceId;
  readonly actor: Actor;
  readonly clock: Clock;
}

/** A row that a change locks, so that what it reads next is what it replaces. */
export interface ChangedRow {
  readonly table: "api_key" | "channel";
  readonly id: string;
}

/** A connection inside an open Prisma transaction. */
export type ChangeTx = Prisma.TransactionClient;

/**
 * Runs a change of an administrator in one transaction with its entry in the audit log. `row` is what the change
 * locks; null if it creates its subject and nothing limits how many there are. `at` is read once the row is locked, so that the entries of a subject are in the order of its
 * changes. `run` returns a null `entry` if nothing changed.
 */
export function audited<Result>(
  { prisma }: Pick<Database, "prisma">,
  { workspaceId, actor, clock }: Change,
  row: ChangedRow | null,
  run: (tx: ChangeTx, at: Date) => Promise<{ readonly result: Result; readonly entry: AuditEntry | null }>,
): Promise<Result> {
  return prisma.$transaction(async (tx) => {
    if (row !== null) await lockRow(tx, row);
    const at = new Date(clock.now());
    const { result, entry } = await run(tx, at);
    if (entry !== null) {
      const { type: actorType, id: actorId } = toActorColumns(actor);
      const { before, after, ...what } = entry;
      await tx.auditLogEntry.create({
        data: {
          id: uuidv7(),
          workspaceId,
          at,
          actorType,
          actorId,
          ...what,
          before: before ?? Prisma.DbNull,
          after: after ?? Prisma.DbNull,
        },
      });
    }
    return result;
  });
}

async function lockRow(tx: ChangeTx, { table, id }: ChangedRow): Promise<void> {
  await tx.$queryRaw`SELECT id FROM ${Prisma.raw(table)} WHERE id = ${id}::uuid FOR NO KEY UPDATE`;
}

/** Writes the entries of the blocks that a batch of decisions made, changed and lifted, with one statement. */
export function saveAuditEntries(tx: Tx, workspaceId: WorkspaceId, events: readonly DecidedEvent[]): void {
  const rows = events.flatMap((decided) => {
    const change = blockChange(decided);
    if (change === null) return [];
    const { id, occurredAt, actor } = decided.event;
    const { type: actorType, id: actorId } = toActorColumns(actor);
    return [{ id, at: new Date(occurredAt), actorType, actorId, subjectId: decided.of.contactId, ...change }];
  });
  if (rows.length > 0) tx.write(insertEntries, [JSON.stringify(rows), workspaceId]);
}

function blockChange({ of, event }: DecidedEvent): Pick<AuditEntry, "action" | "before" | "after"> | null {
  const valuesOf = ({ id, notes, expiresAt }: BlockInForce): AuditedValues => ({
    blockId: toGlobalId("Block", id),
    channelId: toGlobalId("Channel", of.channelId),
    contactChannelId: toGlobalId("ContactChannel", of.id),
    notes,
    expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  });
  switch (event.type) {
    case "ContactBlocked":
      return { action: "CONTACT_BLOCKED", before: null, after: valuesOf(event.block) };
    case "BlockUpdated":
      return { action: "BLOCK_UPDATED", before: valuesOf(event.before), after: valuesOf(event.block) };
    case "BlockLifted": {
      const values = valuesOf(event.block);
      const lift = {
        cause: event.cause,
        liftedAt: new Date(event.liftedAt).toISOString(),
        liftNotes: event.liftNotes,
      };
      return { action: "CONTACT_UNBLOCKED", before: values, after: { ...values, ...lift } };
    }
    default:
      return null;
  }
}

const insertEntries: Statement = {
  name: "audit_log_insert",
  text: `
    INSERT INTO audit_log_entry (id, workspace_id, at, actor_type, actor_id, action, subject_type, subject_id, before, after)
    SELECT id, $2, at, "actorType", "actorId", action, 'Contact', "subjectId", before, after
    FROM json_to_recordset($1::json) AS e (
      id uuid, at timestamptz, "actorType" "ActorType", "actorId" uuid, action "AuditAction", "subjectId" uuid,
      before jsonb, after jsonb)`,
};
