import type pg from "pg";
import { type ConversationId, type Instant, idOf, type MessageId, type WorkspaceId } from "../domain/id.ts";
import type { Statement, Tx } from "./database.ts";

/** A mutation called with an idempotency key, which is scoped to actor and mutation. */
export interface IdempotencyClaim {
  readonly actorId: string;
  readonly mutation: string;
  readonly key: string;
  /** A digest of the input without the key; the same key with different input is refused. */
  readonly inputHash: string;
}

/** The result of the first call with a key. */
export interface RememberedCall {
  readonly inputHash: string;
  readonly messageId: MessageId | null;
  readonly conversationId: ConversationId | null;
}

/** How long a successful call is remembered, in milliseconds. */
const RETENTION = 24 * 60 * 60 * 1_000;

/** The remembered calls among these claims, by `callKey`. */
export async function findCalls(
  tx: Tx,
  workspaceId: WorkspaceId,
  claims: readonly IdempotencyClaim[],
  now: Instant,
): Promise<ReadonlyMap<string, RememberedCall>> {
  if (claims.length === 0) return new Map();
  const rows = await tx.query<CallRow>(find, [workspaceId, JSON.stringify(claims), new Date(now - RETENTION)]);
  return new Map(
    rows.map((row) => [
      callKey({ actorId: row.actor_id, mutation: row.mutation, key: row.key }),
      {
        inputHash: row.input_hash,
        messageId: row.message_id === null ? null : idOf(row.message_id),
        conversationId: row.conversation_id === null ? null : idOf(row.conversation_id),
      },
    ]),
  );
}

/** Identifies a call: repeats of a call have the same key. */
export function callKey({ actorId, mutation, key }: Pick<IdempotencyClaim, "actorId" | "mutation" | "key">): string {
  return JSON.stringify([actorId, mutation, key]);
}

interface CallRow {
  actor_id: string;
  mutation: string;
  key: string;
  input_hash: string;
  message_id: string | null;
  conversation_id: string | null;
}

/** Remembers a successful call. A unique violation means that a concurrent call with the same key was first. */
export function rememberCall(
  tx: Tx,
  workspaceId: WorkspaceId,
  claim: IdempotencyClaim,
  result: { readonly messageId: MessageId | null; readonly conversationId: ConversationId | null },
  now: Instant,
): void {
  const key = [workspaceId, claim.actorId, claim.mutation, claim.key];
  tx.write(deleteExpired, [...key, new Date(now - RETENTION)]);
  tx.write(insert, [...key, claim.inputHash, result.messageId, result.conversationId, new Date(now)]);
}

/** Deletes expired calls of every workspace. */
export async function forgetCalls(pool: pg.Pool, now: Instant): Promise<void> {
  await pool.query("DELETE FROM idempotency_key WHERE created_at <= $1", [new Date(now - RETENTION)]);
}

const find: Statement = {
  name: "idempotency_find",
  text: `
    SELECT i.actor_id, i.mutation, i.key, i.input_hash, i.message_id, i.conversation_id
    FROM json_to_recordset($2::json) AS c ("actorId" uuid, mutation text, key text)
    JOIN idempotency_key i ON i.actor_id = c."actorId" AND i.mutation = c.mutation AND i.key = c.key
    WHERE i.workspace_id = $1 AND i.created_at > $3`,
};

const deleteExpired: Statement = {
  name: "idempotency_forget",
  text: `
    DELETE FROM idempotency_key
    WHERE workspace_id = $1 AND actor_id = $2 AND mutation = $3 AND key = $4 AND created_at <= $5`,
};

const insert: Statement = {
  name: "idempotency_insert",
  text: `
    INSERT INTO idempotency_key (workspace_id, actor_id, mutation, key, input_hash, message_id, conversation_id, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
};
