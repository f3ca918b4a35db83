import { v7 as uuidv7 } from "uuid";
import { describe, expect, test } from "vitest";
import { signAgentToken } from "../../src/auth/token.ts";
import { at, textAt } from "../support/answers.ts";
import { bootDesk, type Desk, rowId, SECRET, type TestWorkspace } from "../support/app.ts";
import { type SubscriptionResults, subscribeOverSse, subscribeOverWebSocket } from "../support/graphql-subscription.ts";
import { watchStatements } from "../support/statements.ts";
import { cursorNow } from "../support/subscriber.ts";

const desk = await bootDesk();
const elsewhere = await desk.workspace();
const { prisma } = desk.app.database;

const transports: Record<
  string,
  (desk: Desk, query: string, variables?: Record<string, unknown>) => Promise<SubscriptionResults>
> = {
  WebSocket: async (...args) => subscribeOverWebSocket(...args),
  SSE: (...args) => subscribeOverSse(...args),
};

function inLog(position: string, of: TestWorkspace = desk): string {
  return Buffer.from(`log:${rowId(of.id).slice(-12)}:${position}`).toString("base64url");
}

const MESSAGES = `subscription ($after: Cursor, $filter: MessageRecordedFilter) { messageRecorded(after: $after, filter: $filter) {
  id cursor occurredAt actor { __typename } message { id text direction receivedWhileBlocked } } }`;
const CHANGES = `subscription ($after: Cursor, $filter: ConversationChangedFilter) { conversationChanged(after: $after, filter: $filter) {
  from to actor { __typename } conversation { id status } } }`;
const ENDS = `subscription ($after: Cursor, $filter: ConversationEndedFilter) { conversationEnded(after: $after, filter: $filter) {
  reason conversation { id status endedBy { ... on Agent { id } } } actor { ... on Agent { id } } } }`;
const STATUS = `subscription ($after: Cursor, $filter: ContactStatusChangedFilter) { contactStatusChanged(after: $after, filter: $filter) {
  status contactStatus cause occurredAt actor { __typename } block { notes liftedAt } contactChannel { status } } }`;

describe.each(Object.entries(transports))("over %s", (_name, subscribe) => {
  test("after: events after the cursor first, in order, then live, none lost or repeated", async () => {
    const after = await cursorNow(desk);
    const person = `person ${crypto.randomUUID()}`;
    for (let index = 1; index <= 5; index++) await desk.writes(person, `before ${index}`);
    const results = await subscribe(desk, MESSAGES, { after });
    const received: unknown[] = [];
    const writing = (async () => {
      for (let index = 1; index <= 20; index++) await desk.writes(person, `live ${index}`);
    })();
    const cursors: string[] = [];
    while (received.length < 26) {
      const { data, errors } = await results.next();
      expect(errors).toBeUndefined();
      received.push(at(data, "messageRecorded.message.text"));
      cursors.push(textAt(data, "messageRecorded.cursor"));
    }
    await writing;
    const wanted = [
      ...Array.from({ length: 5 }, (_, i) => `before ${i + 1}`),
      ...Array.from({ length: 20 }, (_, i) => `live ${i + 1}`),
    ];
    // The greeting is delivered right after the first message.
    expect(received).toEqual([wanted[0], "Welcome!", ...wanted.slice(1)]);
    await results.end();

    // The cursor of any event resumes right after that event.
    const resumed = await subscribe(desk, MESSAGES, { after: cursors[9] });
    expect(at((await resumed.next()).data, "messageRecorded.message.text")).toBe(received[10]);
    await resumed.end();
  });

  test("without after: events from now on", async () => {
    const person = `person ${crypto.randomUUID()}`;
    await desk.writes(person, "long ago");
    const results = await subscribe(desk, MESSAGES);
    const first = results.next();
    // The start of a subscription is not observable, so repeat until an event is delivered.
    let isDelivered = false;
    void first.then(() => {
      isDelivered = true;
    });
    while (!isDelivered) await desk.writes(person, "from now on");
    expect(at((await first).data, "messageRecorded.message.text")).toBe("from now on");
    await results.end();
  });

  test("D4, B3: a block is delivered as one change of status and one end; later messages are delivered, too", async () => {
    const person = await desk.writes(`person ${crypto.randomUUID()}`);
    await desk.ben.takeConversation({ conversationId: person.conversationId });
    const after = await cursorNow(desk);
    const filter = { contactId: person.contactId };
    const [ends, messages] = await Promise.all([
      subscribe(desk, ENDS, { after, filter }),
      subscribe(desk, MESSAGES, { after, filter }),
    ]);
    const contact = await prisma.contactChannel.findUniqueOrThrow({ where: { id: rowId(person.contactChannelId) } });
    await desk.ada.blockContact({ contactId: person.contactId, notes: "rude" });
    await desk.writes(contact.externalId, "unheard?");
    const { data } = await desk.ada.graphql(
      `{ blocks(filter: { contactId: "${person.contactId}" }) { edges { node { id } } } }`,
    );
    await desk.ada.updateBlock({ blockId: textAt(data, "blocks.edges.0.node.id"), notes: "very rude" });
    await desk.ada.unblockContact({ contactId: person.contactId });

    expect(at((await ends.next()).data, "conversationEnded")).toEqual({
      reason: "BLOCKED",
      actor: { id: desk.ada.id },
      conversation: { id: person.conversationId, status: "BLOCKED", endedBy: { id: desk.ada.id } },
    });
    expect(at((await messages.next()).data, "messageRecorded.message")).toMatchObject({
      text: "unheard?",
      receivedWhileBlocked: true,
    });
    const status = await subscribe(desk, STATUS, { after, filter });
    const changes = [];
    for (let index = 0; index < 3; index++) changes.push(at((await status.next()).data, "contactStatusChanged"));
    // Its own scalars are as of the event; its objects are current.
    const now = { block: { notes: "very rude", liftedAt: expect.any(String) }, contactChannel: { status: "ACTIVE" } };
    expect(changes).toEqual([
      expect.objectContaining({ status: "BLOCKED", contactStatus: "BLOCKED", cause: "BLOCKED", ...now }),
      expect.objectContaining({ status: "BLOCKED", contactStatus: "BLOCKED", cause: "UPDATED", ...now }),
      expect.objectContaining({ status: "ACTIVE", contactStatus: "ACTIVE", cause: "UNBLOCKED", ...now }),
    ]);
    for (const each of [ends, status, messages]) await each.end();
  });

  test("B8: an expiry is delivered with its own time, by System", async () => {
    const person = await desk.writes(`person ${crypto.randomUUID()}`);
    const after = await cursorNow(desk);
    const results = await subscribe(desk, STATUS, { after, filter: { contactId: person.contactId } });
    const expiresAt = new Date(desk.clock.now() + 1_000).toISOString();
    await desk.ada.blockContact({ contactId: person.contactId, expiresAt });
    await results.next();
    desk.clock.advance(3_000);
    await desk.app.runDue();
    expect(at((await results.next()).data, "contactStatusChanged")).toMatchObject({
      cause: "EXPIRED",
      status: "ACTIVE",
      occurredAt: expiresAt,
      actor: { __typename: "System" },
      block: { liftedAt: expiresAt },
    });
    await results.end();
  });

  test("filters are ANDed; assigneeId matches assignee and offer, before and after the event", async () => {
    const mine = await desk.writes(`person ${crypto.randomUUID()}`);
    const other = await desk.writes(`person ${crypto.randomUUID()}`);
    const after = await cursorNow(desk);
    const bens = await subscribe(desk, CHANGES, { after, filter: { assigneeId: desk.ben.id } });
    const exact = await subscribe(desk, CHANGES, {
      after,
      filter: {
        assigneeId: desk.ben.id,
        conversationId: mine.conversationId,
        channelId: desk.line,
        contactId: mine.contactId,
      },
    });
    const contradictory = await subscribe(desk, CHANGES, {
      after,
      filter: { conversationId: mine.conversationId, contactId: other.contactId },
    });
    const malformed = await subscribe(desk, CHANGES, { after, filter: { conversationId: "nonsense" } });

    await desk.ada.takeConversation({ conversationId: other.conversationId });
    await desk.ada.offerConversation({ conversationId: mine.conversationId, agentId: desk.ben.id });
    await desk.ada.takeConversation({ conversationId: mine.conversationId });
    await desk.ada.transferConversation({ conversationId: other.conversationId, agentId: desk.ben.id });

    const next = async (results: SubscriptionResults) => at((await results.next()).data, "conversationChanged");
    const offered = { from: "WAITING", to: "ASSIGNING" };
    const taken = { from: "ASSIGNING", to: "ACTIVE" };
    expect([await next(bens), await next(bens), await next(bens)]).toMatchObject([
      offered,
      taken,
      { from: "ACTIVE", to: "ASSIGNING", conversation: { id: other.conversationId } },
    ]);
    expect([await next(exact), await next(exact)]).toMatchObject([offered, taken]);
    const silent = await Promise.race([
      contradictory.next(),
      malformed.next(),
      new Promise((resolve) => setTimeout(() => resolve("silence"), 300)),
    ]);
    expect(silent).toBe("silence");
    for (const each of [bens, exact, contradictory, malformed]) await each.end();
  });

  test.each([
    ["nonsense", "INVALID_INPUT"],
    ["", "INVALID_INPUT"],
    [inLog("x"), "INVALID_INPUT"],
    [inLog("-1"), "INVALID_INPUT"],
    [inLog("999999999"), "INVALID_INPUT"],
    [inLog("0", elsewhere), "INVALID_INPUT"],
  ])("after %j is %s", async (after, code) => {
    const results = await subscribe(desk, MESSAGES, { after });
    const { errors, data } = await results.next();
    expect(at(errors, "0.extensions.code")).toBe(code);
    expect(data ?? null).toBeNull();
    await expect(results.next()).rejects.toThrow("over");
    await results.end();
  });

  test("a cursor older than the retained log is an error, never a gap", async () => {
    const start = await cursorNow(desk);
    await desk.writes(`person ${crypto.randomUUID()}`);
    const workspaceId = rowId(desk.id);
    const { position } = await prisma.logHead.findUniqueOrThrow({ where: { workspaceId } });
    await prisma.logHead.update({ where: { workspaceId }, data: { prunedTo: position } });
    const results = await subscribe(desk, MESSAGES, { after: start });
    expect(at((await results.next()).errors, "0.extensions.code")).toBe("CURSOR_EXPIRED");
    await results.end();
    await prisma.logHead.update({ where: { workspaceId }, data: { prunedTo: 0n } });
  });
});

describe("permissions are rechecked: a subscription ends within a second of a change", () => {
  const removed = { removedAt: new Date() };
  test.each([
    ["a key is revoked", () => desk.key("read"), () => prisma.apiKey.updateMany({ data: { revokedAt: new Date() } })],
    [
      "a key loses a scope",
      () => desk.key("read", "inbound:write"),
      () => prisma.apiKey.updateMany({ data: { scopes: ["read"] } }),
    ],
    ["an agent is removed", newcomer, () => prisma.agent.updateMany({ where: { name: "newcomer" }, data: removed })],
    [
      "a role changes",
      newcomer,
      () => prisma.agent.updateMany({ where: { name: "newcomer" }, data: { role: "VIEWER" } }),
    ],
    ["a token expires", async () => passing(), async () => desk.clock.advance(10_000)],
  ])("%s", async (_, tokenOf, change) => {
    const token = await tokenOf();
    const after = await cursorNow(desk);
    const [stream, socket, other] = [
      await subscribeOverSse(desk, MESSAGES, { after }, token),
      subscribeOverWebSocket(desk, MESSAGES, { after }, token),
      subscribeOverWebSocket(desk, MESSAGES, { after }),
    ];
    await desk.writes(`person ${crypto.randomUUID()}`);
    for (const each of [stream, socket, other]) {
      expect((await each.next()).errors).toBeUndefined();
      expect((await each.next()).errors).toBeUndefined();
    }

    // No further events are recorded.
    await change();
    const changed = performance.now();
    const { errors } = await stream.next();
    expect(at(errors, "0.extensions.code")).toBe("UNAUTHENTICATED");
    await expect(stream.next()).rejects.toThrow("over");
    await expect(socket.next()).rejects.toMatchObject({ code: 4403 });
    expect(performance.now() - changed).toBeLessThan(1_000);

    await desk.writes(`person ${crypto.randomUUID()}`);
    expect((await other.next()).errors).toBeUndefined();
    await socket.end();
    await other.end();
  });

  async function newcomer(): Promise<string> {
    const [id, email] = [uuidv7(), `${uuidv7()}@desk.test`];
    const createdAt = new Date(desk.clock.now());
    await prisma.agent.create({
      data: { id, workspaceId: rowId(desk.id), createdAt, name: "newcomer", email, role: "AGENT" },
    });
    return signAgentToken(SECRET, email, desk.clock.now(), 3_600_000);
  }

  function passing(): Promise<string> {
    return signAgentToken(SECRET, desk.ben.email, desk.clock.now(), 10_000);
  }
});

test("unsubscribing stops reading the log at once", async () => {
  const isRead = async (): Promise<boolean> => {
    const sent = watchStatements();
    await new Promise((resolve) => setTimeout(resolve, 700));
    const reads = sent.all().filter((statement) => at(statement, "name") === "event_log_heads");
    sent.end();
    return reads.length > 0;
  };
  await expect.poll(isRead, { timeout: 5_000 }).toBe(false);
  const stream = await subscribeOverSse(desk, MESSAGES);
  expect(await isRead()).toBe(true);
  await stream.end();
  await expect.poll(isRead, { timeout: 5_000 }).toBe(false);
  const socket = subscribeOverWebSocket(desk, MESSAGES);
  const next = socket.next().catch(() => "over");
  expect(await isRead()).toBe(true);
  await socket.end();
  expect(await next).toBe("over");
  await expect.poll(isRead, { timeout: 5_000 }).toBe(false);
});
