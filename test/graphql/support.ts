import { createParser } from "eventsource-parser";
import { type Client, createClient, type FormattedExecutionResult } from "graphql-ws";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { vi } from "vitest";
import WebSocket from "ws";
import type { Desk, TestWorkspace } from "../support/app.ts";
import { globalId, rowId } from "../support/app.ts";

/** What lies at a path of an answer, such as `contacts.edges.0.node.id`. */
export function at(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((inner, key) => {
    return typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined;
  }, value);
}

export function textAt(value: unknown, path: string): string {
  const text = at(value, path);
  if (typeof text !== "string") throw new Error(`There is no text at ${path} of ${JSON.stringify(value)}.`);
  return text;
}

export function listAt(value: unknown, path: string): readonly unknown[] {
  const list = at(value, path);
  if (!Array.isArray(list)) throw new Error(`There is no list at ${path} of ${JSON.stringify(value)}.`);
  return list;
}

/** The rows of a connection. */
export function nodesAt(value: unknown, path: string): readonly unknown[] {
  return listAt(value, `${path}.edges`).map((edge) => at(edge, "node"));
}

/** Follows one subscription over WebSocket. */
export interface Followed {
  next(): Promise<FormattedExecutionResult<Record<string, unknown>, unknown>>;
  end(): Promise<void>;
}

export function connect(desk: Desk, token = desk.ada.token): Client {
  return createClient({
    url: `${desk.url.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
    lazyCloseTimeout: 0,
  });
}

/** Subscribes over WebSocket; the socket ends with the subscription. */
export function follow(desk: Desk, query: string, variables: Record<string, unknown> = {}, token?: string): Followed {
  const client = connect(desk, token);
  const results = client.iterate({ query, variables });
  return {
    next: async () => {
      const step = await results.next();
      if (step.done) throw new Error("The subscription is over.");
      return step.value;
    },
    end: async () => {
      await results.return?.();
      await client.dispose();
    },
  };
}

/** Subscribes over SSE. */
export async function followEvents(
  desk: Desk,
  query: string,
  variables: Record<string, unknown> = {},
  token = desk.ada.token,
): Promise<Followed & { readonly status: number }> {
  const abort = new AbortController();
  const response = await fetch(`${desk.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream", authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
    signal: abort.signal,
  });
  const waiting: FormattedExecutionResult<Record<string, unknown>, unknown>[] = [];
  let complete = false;
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (event === "next") waiting.push(JSON.parse(data));
      if (event === "complete") complete = true;
    },
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  return {
    status: response.status,
    next: async () => {
      for (;;) {
        const result = waiting.shift();
        if (result !== undefined) return result;
        if (complete) throw new Error("The subscription is over.");
        const step = await reader?.read();
        if (step === undefined || step.done) throw new Error("The stream is over.");
        parser.feed(step.value);
      }
    },
    end: async () => abort.abort(),
  };
}

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Lists what Prisma sends to PostgreSQL while something runs; who asks has been looked up before. */
export async function countingStatements<Result>(
  desk: Desk,
  run: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly statements: readonly Statement[] }> {
  await desk.graphql("{ viewer { role } }");
  const sent = watchStatements();
  try {
    const result = await run();
    const statements = sent.all().flatMap((statement) => (isPrismas(statement) ? [statement] : []));
    if (statements.length === 0) throw new Error("Nothing was counted.");
    return { result, statements };
  } finally {
    sent.end();
  }
}

/** Everything that is sent to PostgreSQL, over whichever connection. */
export function watchStatements(): { all(): readonly unknown[]; end(): void } {
  const spy = vi.spyOn(pg.Client.prototype, "query");
  return { all: () => spy.mock.calls.map(([statement]) => statement), end: () => spy.mockRestore() };
}

/** What runs besides, such as the look for what is due, is SQL of our own, under a name. */
function isPrismas(statement: unknown): statement is Statement {
  const text = at(statement, "text");
  return typeof text === "string" && text.startsWith("SELECT") && at(statement, "name") === undefined;
}

/** How many rows of a table PostgreSQL looks at for these statements. */
export async function rowsLookedAt(desk: Desk, table: string, statements: readonly Statement[]): Promise<number> {
  let rows = 0;
  for (const { text, values } of statements) {
    const plan = await desk.app.database.pool.query({
      text: `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
      values: [...values],
    });
    const walk = (node: unknown): void => {
      const each = (key: string): number => Number(at(node, key) ?? 0);
      if (at(node, "Relation Name") === table) {
        rows += (each("Actual Rows") + each("Rows Removed by Filter")) * each("Actual Loops");
      }
      for (const inner of at(node, "Plans") === undefined ? [] : listAt(node, "Plans")) walk(inner);
    };
    walk(at(plan.rows, "0.QUERY PLAN.0.Plan"));
  }
  return rows;
}

/** One contact on a channel, put there directly. */
export async function seedContact(
  desk: Desk,
  contact: {
    readonly name?: string;
    readonly displayName?: string;
    readonly externalId?: string;
    readonly at?: number;
    readonly workspace?: TestWorkspace;
    readonly channel?: string;
  } = {},
): Promise<{ contactId: string; contactChannelId: string; rows: { contactId: string; contactChannelId: string } }> {
  const workspace = contact.workspace ?? desk;
  const { prisma } = desk.app.database;
  const createdAt = new Date(contact.at ?? desk.clock.now());
  const workspaceId = rowId(workspace.id);
  const rows = { contactId: uuidv7(), contactChannelId: uuidv7() };
  await prisma.contact.create({
    data: { id: rows.contactId, workspaceId, name: contact.name ?? null, lastActivityAt: createdAt, createdAt },
  });
  await seedPresence(desk, rows.contactId, { ...contact, id: rows.contactChannelId });
  return {
    contactId: globalId("Contact", rows.contactId),
    contactChannelId: globalId("ContactChannel", rows.contactChannelId),
    rows,
  };
}

/** Another presence of a contact, as after a merge. */
export async function seedPresence(
  desk: Desk,
  contactId: string,
  presence: {
    readonly id?: string;
    readonly displayName?: string;
    readonly externalId?: string;
    readonly workspace?: TestWorkspace;
    readonly channel?: string;
  } = {},
): Promise<string> {
  const workspace = presence.workspace ?? desk;
  const id = presence.id ?? uuidv7();
  await desk.app.database.prisma.contactChannel.create({
    data: {
      id,
      workspaceId: rowId(workspace.id),
      contactId,
      channelId: rowId(presence.channel ?? workspace.line),
      externalId: presence.externalId ?? `person-${id}`,
      displayName: presence.displayName ?? null,
      createdAt: new Date(desk.clock.now()),
    },
  });
  return globalId("ContactChannel", id);
}

/** A conversation with texts in it, put there directly. */
export async function seedConversation(
  desk: Desk,
  of: { readonly contactId: string; readonly contactChannelId: string },
  messages: number,
  at = desk.clock.now(),
): Promise<string> {
  const { prisma } = desk.app.database;
  const contactChannel = await prisma.contactChannel.findUniqueOrThrow({ where: { id: of.contactChannelId } });
  const { workspaceId, channelId } = contactChannel;
  const id = uuidv7();
  const startedAt = new Date(at);
  const common = { workspaceId, channelId, contactChannelId: of.contactChannelId };
  await prisma.conversation.create({
    data: { id, ...common, contactId: of.contactId, status: "ENDED", startedAt, lastActivityAt: startedAt },
  });
  await prisma.message.createMany({
    data: Array.from({ length: messages }, (_, index) => ({
      id: uuidv7(),
      ...common,
      conversationId: id,
      seq: contactChannel.lastSeq + index + 1,
      direction: "INBOUND" as const,
      kind: "TEXT" as const,
      text: `text ${index + 1}`,
      authorType: "Contact" as const,
      authorId: of.contactId,
      sentAt: startedAt,
      recordedAt: startedAt,
      receivedWhileBlocked: false,
    })),
  });
  await prisma.contactChannel.update({
    where: { id: of.contactChannelId },
    data: { lastSeq: contactChannel.lastSeq + messages, recentConversationId: id },
  });
  return globalId("Conversation", id);
}
