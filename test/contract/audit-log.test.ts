import { v7 as uuidv7 } from "uuid";
import { beforeAll, describe, expect, test } from "vitest";
import type { JsonValue } from "../../src/domain/message.ts";
import { at, first, nodesAt, textAt } from "../support/answers.ts";
import { bootDesk, type Desk, globalId, rowId } from "../support/app.ts";
import type { Client } from "../support/client.ts";
import { inMs } from "../support/clock.ts";
import { databaseOf, openFaultSession } from "../support/faults.ts";
import { block, onLine, unblock } from "../support/people.ts";
import { countingStatements, rowsLookedAt } from "../support/statements.ts";
import { contactIdOf } from "../support/view.ts";

interface Entry {
  readonly id: string;
  readonly at: string;
  readonly actor: { readonly __typename: string; readonly id?: string };
  readonly action: string;
  readonly subjectId: string;
  readonly before: { readonly [name: string]: JsonValue } | null;
  readonly after: { readonly [name: string]: JsonValue } | null;
}

const QUERY = `query ($filter: AuditLogFilter, $first: Int, $after: String, $last: Int, $before: String) {
  auditLog(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { id at actor { __typename ... on Node { id } } action subjectId before after } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

let desk: Desk;

beforeAll(async () => {
  desk = await bootDesk();
});

async function page(variables: object, client: Client = desk.ada) {
  const { data, errors } = await client.graphql<{ auditLog: { edges: { node: Entry }[] } }>(QUERY, variables);
  expect(errors).toBeUndefined();
  return data;
}

async function entries(filter: object, client: Client = desk.ada): Promise<Entry[]> {
  return (await page({ filter, first: 100 }, client)).auditLog.edges.map(({ node }) => node);
}

const actionsOf = (list: readonly Entry[]) => list.map(({ action }) => action);

describe("what it has", () => {
  test("channels: created, updated, archived, with values before and after and without secrets", async () => {
    const line = { channelSecret: "the-secret", accessToken: "the-token", markAsRead: true };
    const { id: channelId } = (await desk.ada.createChannel({ kind: "LINE", name: "Shop", line })).channel;
    await desk.ada.updateChannel({ channelId, name: "Store", line: { channelSecret: "other", accessToken: null } });
    await desk.ada.updateChannel({ channelId, name: "Store" });
    await desk.ada.archiveChannel({ channelId });
    await desk.ada.archiveChannel({ channelId });

    const [archived, updated, created, ...rest] = await entries({ subjectId: channelId });
    expect(rest).toEqual([]);
    const others = {
      allowedOrigins: [],
      deliveryUrl: null,
      hasDeliverySecret: false,
      showLoading: false,
      archivedAt: null,
    };
    const values = { ...others, kind: "LINE", markAsRead: true };
    const before = { ...values, name: "Shop", hasChannelSecret: true, hasAccessToken: true };
    const after = { ...values, name: "Store", hasChannelSecret: true, hasAccessToken: false };
    const common = { subjectId: channelId, actor: { __typename: "Agent", id: desk.ada.id } };
    expect(created).toMatchObject({ ...common, action: "CHANNEL_CREATED", before: null, after: before });
    expect(updated).toMatchObject({ ...common, action: "CHANNEL_UPDATED", before });
    expect(updated?.after).toEqual({ ...after, replaced: ["channelSecret"] });
    const archivedAt = archived?.at;
    expect(archived).toMatchObject({ ...common, action: "CHANNEL_ARCHIVED", before: after });
    expect(archived?.after).toEqual({ ...after, archivedAt });
    expect(JSON.stringify([created, updated, archived])).not.toMatch(/the-secret|the-token|v1\./);
  });

  test("keys: created and revoked, without the key and its hash", async () => {
    const { apiKey, key } = await desk.ada.createApiKey({ name: "Acme", scopes: ["READ"] });
    await desk.ada.revokeApiKey({ apiKeyId: apiKey.id });
    await desk.ada.revokeApiKey({ apiKeyId: apiKey.id });
    const [revoked, created, ...rest] = await entries({ subjectId: apiKey.id });
    expect(rest).toEqual([]);
    const values = { name: "Acme", prefix: apiKey.prefix, scopes: ["read"], revokedAt: null };
    expect(created).toMatchObject({ action: "API_KEY_CREATED", before: null, after: values });
    expect(revoked).toMatchObject({ action: "API_KEY_REVOKED", before: values, after: { revokedAt: revoked?.at } });
    const { hash } = await desk.app.database.prisma.apiKey.findUniqueOrThrow({ where: { id: rowId(apiKey.id) } });
    expect(JSON.stringify([created, revoked])).not.toMatch(new RegExp(`${key}|${hash}`));
  });

  test("flows: created and updated", async () => {
    const definition = { text: "Hi" };
    const input = { channelId: desk.custom, name: "Hello", kind: "AUTO_REPLY_FIRST_MESSAGE", definition };
    const { id: flowId } = (await desk.ada.createFlow(input)).flow;
    await desk.ada.updateFlow({ flowId, enabled: false, definition: { text: "Hello" } });
    await desk.ada.updateFlow({ flowId, enabled: false });
    const of = (await entries({})).filter(({ action }) => action.startsWith("FLOW"));
    expect(actionsOf(of)).toEqual(["FLOW_UPDATED", "FLOW_CREATED"]);
    const values = { ...input, enabled: true };
    expect(of[1]).toMatchObject({ before: null, after: values });
    expect(of[0]).toMatchObject({
      before: values,
      after: { ...values, enabled: false, definition: { text: "Hello" } },
    });
  });

  test("blocks: blocked, updated, unblocked, and expired by System, as changes of the contact", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    const subjectId = await contactIdOf(desk, someone);
    const made = await block(desk, someone, { notes: "Spam" });
    await block(desk, someone);
    await desk.ben.updateBlock({ blockId: made.id, notes: "Spam, twice" });
    await desk.ben.updateBlock({ blockId: made.id, notes: "Spam, twice" });
    await unblock(desk, someone);
    await unblock(desk, someone);
    const key = desk.as(await desk.key("contacts:block"));
    const expiresAt = inMs(desk, 60_000);
    await key.blockContact({ contactId: subjectId, expiresAt });
    desk.clock.advance(90_000);
    await desk.app.runDue();

    const found = await entries({ subjectId });
    expect(found.map(({ action, actor }) => [action, actor.__typename])).toEqual([
      ["CONTACT_UNBLOCKED", "System"],
      ["CONTACT_BLOCKED", "ApiKey"],
      ["CONTACT_UNBLOCKED", "Agent"],
      ["BLOCK_UPDATED", "Agent"],
      ["CONTACT_BLOCKED", "Agent"],
    ]);
    const [expired, , unblocked, updated, blocked] = found;
    const values = {
      blockId: made.id,
      channelId: desk.line,
      contactChannelId: made.contactChannel.id,
      notes: "Spam",
      expiresAt: null,
    };
    const noted = { ...values, notes: "Spam, twice" };
    expect(blocked).toMatchObject({ subjectId, before: null, after: values, actor: { id: desk.ada.id } });
    expect(updated).toMatchObject({ before: values, after: noted, actor: { id: desk.ben.id } });
    expect(unblocked).toMatchObject({ before: noted, after: { ...noted, cause: "UNBLOCKED", liftNotes: null } });
    expect(expired).toMatchObject({ at: expiresAt, after: { cause: "EXPIRED", liftedAt: expiresAt } });
  });

  test("a change that waited for another has its own time, so that the log is in the order of the changes", async () => {
    const { id: channelId } = (await desk.ada.createChannel({ kind: "CUSTOM", name: "Shop" })).channel;
    const faults = await openFaultSession(databaseOf(desk));
    await faults.query("BEGIN");
    await faults.query(`SELECT FROM channel WHERE id = '${rowId(channelId)}' FOR UPDATE`);
    const updating = desk.ada.updateChannel({ channelId, name: "Store" });
    await faults.untilWaiting(1);
    desk.clock.advance(1_000);
    await faults.query("COMMIT");
    await faults.end();
    await updating;
    expect((await entries({ subjectId: channelId })).map(({ at }) => at)).toEqual([inMs(desk, 0), inMs(desk, -1_000)]);
  });

  test("a refused change leaves none", async () => {
    const count = () => desk.app.database.prisma.auditLogEntry.count();
    const before = await count();
    await desk.vic.attempt("createChannel", { kind: "LINE", name: "x" });
    await desk.ada.attempt("createChannel", { kind: "LINE", name: "" });
    await desk.ada.attempt("updateChannel", { channelId: desk.line, webChat: {} });
    await desk.ada.attempt("createApiKey", { name: "x", scopes: [] });
    expect(await count()).toBe(before);
  });

  test("blocking many at once writes one entry each", async () => {
    const writers = Array.from({ length: 20 }, () => onLine(desk));
    await Promise.all(writers.map((each) => each.says("Hello")));
    const contactIds = await Promise.all(writers.map((each) => contactIdOf(desk, each)));
    await Promise.all([...contactIds, ...contactIds].map((contactId) => desk.ben.blockContact({ contactId })));
    const found = await entries({ actorId: desk.ben.id });
    const blocked = found.filter(({ action }) => action === "CONTACT_BLOCKED");
    expect(blocked.map(({ subjectId }) => subjectId).toSorted()).toEqual(contactIds.toSorted());
  });
});

describe("the list", () => {
  let workspace: Awaited<ReturnType<Desk["workspace"]>>;
  let names: string[];
  let start: string;
  let middle: string;

  beforeAll(async () => {
    workspace = await desk.workspace();
    start = inMs(desk, 0);
    for (const [index, step] of [0, 1, 0, 5, 0, 0].entries()) {
      desk.clock.advance(step);
      await workspace.ada.createChannel({ kind: "CUSTOM", name: `channel ${index}` });
    }
    middle = inMs(desk, -4);
    names = ["channel 5", "channel 4", "channel 3", "channel 2", "channel 1", "channel 0"];
  });

  const namesOf = (data: unknown) => nodesAt(data, "auditLog").map((node) => textAt(node, "after.name"));

  test("is paged forwards and backwards, each entry once, also those of the same instant", async () => {
    const forwards: string[] = [];
    for (let after: string | null = null; ; ) {
      const data: unknown = await page({ first: 2, after }, workspace.ada);
      forwards.push(...namesOf(data));
      if (at(data, "auditLog.pageInfo.hasNextPage") !== true) break;
      after = textAt(data, "auditLog.pageInfo.endCursor");
    }
    expect(forwards).toEqual(names);
    const backwards: string[] = [];
    for (let before: string | null = null; ; ) {
      const data: unknown = await page({ last: 4, before }, workspace.ada);
      backwards.unshift(...namesOf(data));
      if (at(data, "auditLog.pageInfo.hasPreviousPage") !== true) break;
      before = textAt(data, "auditLog.pageInfo.startCursor");
    }
    expect(backwards).toEqual(names);
  });

  test("a cursor of another list is refused", async () => {
    const { data } = await desk.ada.graphql("{ contacts(first: 1) { pageInfo { endCursor } } }");
    const answer = await desk.ada.graphql(QUERY, { after: at(data, "contacts.pageInfo.endCursor") });
    expect([answer.data, answer.errors?.[0]?.extensions.code]).toEqual([{ auditLog: null }, "INVALID_INPUT"]);
  });

  test("is filtered by time: from occurredAfter on, up to but without occurredBefore", async () => {
    const within = async (filter: object) => namesOf(await page({ filter }, workspace.ada));
    expect(await within({ occurredAfter: start })).toEqual(names);
    expect(await within({ occurredBefore: start })).toEqual([]);
    expect(await within({ occurredAfter: middle })).toEqual(names.slice(0, 3));
    expect(await within({ occurredBefore: middle })).toEqual(names.slice(3));
    expect(await within({ occurredAfter: inMs(desk, 0), occurredBefore: inMs(desk, 1) })).toEqual(names.slice(0, 3));
  });

  test("is filtered by actor and subject, together", async () => {
    const [entry] = await entries({}, workspace.ada);
    const { subjectId = "" } = entry ?? {};
    const of = async (filter: object) => (await entries(filter, workspace.ada)).length;
    expect(await of({ actorId: workspace.ada.id })).toBe(6);
    expect(await of({ actorId: workspace.ben.id })).toBe(0);
    expect(await of({ subjectId, actorId: workspace.ada.id })).toBe(1);
    expect(await of({ subjectId, actorId: workspace.ben.id })).toBe(0);
    // Malformed, of another type, or of another workspace: nothing matches.
    for (const id of ["nonsense", workspace.id, desk.ada.id]) expect(await of({ actorId: id })).toBe(0);
    for (const id of ["nonsense", workspace.ada.id, desk.line]) expect(await of({ subjectId: id })).toBe(0);
  });

  test("a page reads its own rows only, however long the log is", async () => {
    const long = await desk.workspace();
    const { prisma, pool } = desk.app.database;
    const [{ id: busy }, { id: quiet }] = [long.ada, long.ben];
    const rows = Array.from({ length: 5_000 }, (_, index) => ({
      id: uuidv7(),
      workspaceId: rowId(long.id),
      at: new Date(desk.clock.now() + index),
      actorType: "Agent" as const,
      actorId: rowId(index % 1_000 === 0 ? quiet : busy),
      action: "FLOW_UPDATED" as const,
      subjectType: "Flow" as const,
      subjectId: uuidv7(),
    }));
    await prisma.auditLogEntry.createMany({ data: rows });
    await pool.query("ANALYZE audit_log_entry");
    const subjectId = globalId("Flow", rows[2_500]?.subjectId ?? "");
    for (const filter of [{}, { actorId: quiet }, { subjectId }, { occurredBefore: inMs(desk, 2_000) }]) {
      const { statements } = await countingStatements(() => page({ filter, first: 3 }, long.ada));
      expect(await rowsLookedAt(desk, "audit_log_entry", statements)).toBeLessThanOrEqual(5);
    }
  });

  test("another workspace sees none of it", async () => {
    const ours = await entries({}, workspace.ada);
    const theirs = new Set((await entries({})).map(({ id }) => id));
    expect(ours.filter(({ id }) => theirs.has(id))).toEqual([]);
  });

  test("an entry is found by node, by administrators only", async () => {
    const { id, action } = first(await entries({}, workspace.ada));
    const query = "query ($id: ID!) { node(id: $id) { id ... on AuditLogEntry { action } } }";
    expect((await workspace.ada.graphql(query, { id })).data).toEqual({ node: { id, action } });
    for (const client of [workspace.ben, workspace.vic, desk.as(await workspace.key("read"))]) {
      expect((await client.graphql(query, { id })).data).toEqual({ node: null });
    }
  });

  test("who may not read it gets the rest of the query", async () => {
    const { data, errors } = await workspace.vic.graphql("{ viewer { role } auditLog { edges { node { id } } } }");
    expect(data).toEqual({ viewer: { role: "VIEWER" }, auditLog: null });
    expect(errors).toMatchObject([{ path: ["auditLog"], extensions: { code: "FORBIDDEN" } }]);
  });
});
