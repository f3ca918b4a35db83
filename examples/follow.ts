/**
 * Follows who is blocked and unblocked, and misses nothing when the connection breaks.
 *
 *     TOKEN=$(npm run -s token -- ada@demo.test) npx node examples/follow.ts
 *
 * TOKEN is an agent's token, or an API key with the scope READ. DESK says where Deskgate is; http://localhost:4000 unless
 * set. AFTER is a cursor to go on from; without it, it prints the blocks in force and goes on from there. A number as
 * argument ends it after so many events.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, createClient, type FormattedExecutionResult } from "graphql-ws";
import { WebSocket } from "ws";

interface Block {
  blockedAt: string;
  blockedBy: { name: string };
  notes: string | null;
  liftNotes: string | null;
  contactChannel: { displayName: string | null; externalId: string; channel: { name: string } };
}

interface Change {
  cursor: string;
  occurredAt: string;
  cause: "BLOCKED" | "UNBLOCKED" | "EXPIRED" | "UPDATED";
  actor: { name: string };
  block: Block;
}

const BLOCK = `{
  blockedAt
  blockedBy { ... on Agent { name } ... on ApiKey { name } }
  notes
  liftNotes
  contactChannel { displayName externalId channel { name } }
}`;

const CHANGES = `subscription ($after: Cursor) {
  contactStatusChanged(after: $after) {
    cursor
    occurredAt
    cause
    actor { ... on Agent { name } ... on ApiKey { name } ... on System { name } }
    block ${BLOCK}
  }
}`;

const BLOCKS = `{ blocks(filter: { active: true }, first: 100) { edges { node ${BLOCK} } } }`;

const { DESK = "http://localhost:4000", TOKEN, AFTER } = process.env;
const limit = Number(process.argv[2] ?? Number.POSITIVE_INFINITY);

try {
  let seen = 0;
  for await (const change of changesAfter(AFTER ?? (await printBlocks()))) {
    const notes = change.cause === "UNBLOCKED" ? change.block.liftNotes : change.block.notes;
    print(change.occurredAt, change.cause, change.block, change.actor, notes);
    seen += 1;
    if (seen >= limit) break;
  }
} catch (error) {
  console.error(faultIn(error) ?? `Deskgate cannot be reached at ${DESK}.`);
  process.exitCode = 1;
}

/** Prints the blocks in force; returns the place in the log from which nothing that changes them is missed. */
async function printBlocks(): Promise<string> {
  const client = connect();
  try {
    // First the position, then the list, in two requests: what happens in between is told twice rather than not at all.
    const { logCursor } = await first<{ logCursor: string }>(ask(client, "{ logCursor }"));
    const { blocks } = await first<{ blocks: { edges: { node: Block }[] } }>(ask(client, BLOCKS));
    for (const { node } of blocks.edges) print(node.blockedAt, "BLOCKED", node, node.blockedBy, node.notes);
    return logCursor;
  } finally {
    await client.dispose();
  }
}

/** All changes after a cursor, in order, over as many connections as it takes. */
async function* changesAfter(start: string): AsyncGenerator<Change> {
  let after = start;
  for (;;) {
    const client = connect();
    try {
      for await (const result of ask<{ contactStatusChanged: Change }>(client, CHANGES, { after })) {
        const change = result.contactStatusChanged;
        yield change;
        // Only now, after it was dealt with. A program that may be restarted keeps the cursor with what it did.
        after = change.cursor;
      }
    } catch (error) {
      if (faultIn(error) !== null) throw error;
      console.error("The connection is lost. Connecting again.");
    } finally {
      await client.dispose();
    }
    await sleep(1_000);
  }
}

function connect(): Client {
  return createClient({
    url: `${DESK.replace(/^http/, "ws")}/graphql`,
    webSocketImpl: WebSocket,
    // Asked at each connection: the place to fetch a new token when they are short-lived.
    connectionParams: () => ({ authorization: `Bearer ${TOKEN}` }),
    // The client would repeat the subscription from its old cursor, so connecting again is done here.
    retryAttempts: 0,
  });
}

async function* ask<Data>(
  client: Client,
  query: string,
  variables: Record<string, unknown> = {},
): AsyncGenerator<Data> {
  const results: AsyncIterable<FormattedExecutionResult<Data>> = client.iterate({ query, variables });
  for await (const { data, errors } of results) {
    if (errors !== undefined) throw new Error(errors.map(({ message }) => message).join(" "));
    if (data) yield data;
  }
}

async function first<Value>(values: AsyncIterable<Value>): Promise<Value> {
  for await (const value of values) return value;
  throw new Error("There was no answer.");
}

/** What connecting again would not mend; null where only the connection is lost. */
function faultIn(error: unknown): string | null {
  if (error instanceof Error) return error.message;
  if (Array.isArray(error)) return error.map(({ message }) => message).join(" ");
  if (typeof error !== "object" || error === null || !("code" in error)) return null;
  if (error.code === 4403) return "The token is not valid, or not any more.";
  return Number(error.code) >= 4400 ? `The socket was closed with ${error.code}.` : null;
}

function print(at: string, what: string, { contactChannel }: Block, by: { name: string }, notes: string | null): void {
  const { displayName, externalId, channel } = contactChannel;
  console.log(
    `${at} ${what} ${displayName ?? externalId} on ${channel.name} by ${by.name}${notes ? `: ${notes}` : ""}`,
  );
}
