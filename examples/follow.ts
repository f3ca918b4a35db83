/**
 * Watches blocks with graphql-ws, and misses nothing when the connection breaks.
 *
 *     TOKEN=$(npm run -s token -- ada@demo.test) npx node examples/follow.ts
 *
 * TOKEN is an agent's token or an API key with the scope READ. DESK is Deskgate's address, http://localhost:4000 by default.
 * AFTER is the cursor to resume from; without it, the program first prints the blocks in force. A number as argument ends
 * it after that many events.
 */
import { connect } from "./connection.ts";

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

const { DESK = "http://localhost:4000", TOKEN = "", AFTER } = process.env;
const limit = Number(process.argv[2] ?? Number.POSITIVE_INFINITY);

const client = connect({ desk: DESK, token: () => TOKEN });
client.on("connected", (_socket, _payload, again) => {
  if (again) console.error("Reconnected.");
});

try {
  let seen = 0;
  for await (const { occurredAt, cause, block, actor } of changes(AFTER ?? (await printBlocks()))) {
    print(occurredAt, cause, block, actor, cause === "UNBLOCKED" ? block.liftNotes : block.notes);
    seen += 1;
    if (seen >= limit) break;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : `The connection failed: ${JSON.stringify(error)}`);
  process.exitCode = 1;
}

/** All changes after a cursor, in order, across reconnects. */
async function* changes(after: string): AsyncGenerator<Change> {
  const results = client.iterate<{ contactStatusChanged: Change }>({ query: CHANGES, variables: { after } });
  for await (const { data, errors } of results) {
    if (errors?.[0]?.extensions?.code === "CURSOR_EXPIRED") yield* changes(await printBlocks());
    else if (errors) throw new Error(errors.map(({ message }) => message).join(" "));
    else if (data) yield data.contactStatusChanged;
  }
}

/** Prints the blocks in force; returns the cursor to subscribe from without missing a change. */
async function printBlocks(): Promise<string> {
  // First the cursor, then the list, in two requests: what happens in between is listed and replayed, so nothing is missed.
  const { logCursor } = await ask<{ logCursor: string }>("{ logCursor }");
  const { blocks } = await ask<{ blocks: { edges: { node: Block }[] } }>(BLOCKS);
  for (const { node } of blocks.edges) print(node.blockedAt, "BLOCKED", node, node.blockedBy, node.notes);
  return logCursor;
}

async function ask<Data>(query: string): Promise<Data> {
  const request = {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify({ query }),
  };
  const response = await fetch(`${DESK}/graphql`, request).catch(() => {
    throw new Error(`Deskgate cannot be reached at ${DESK}.`);
  });
  if (response.status === 401) throw new Error("The token is invalid or has expired.");
  const { data, errors }: { data?: Data; errors?: { message: string }[] } = JSON.parse(await response.text());
  if (!data) throw new Error(errors?.map(({ message }) => message).join(" ") ?? "The answer has no data.");
  return data;
}

function print(at: string, what: string, { contactChannel }: Block, by: { name: string }, notes: string | null): void {
  const { displayName, externalId, channel } = contactChannel;
  console.log(
    `${at} ${what} ${displayName ?? externalId} on ${channel.name} by ${by.name}${notes ? `: ${notes}` : ""}`,
  );
}
