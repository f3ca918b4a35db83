import type { Client } from "graphql-ws";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { at, textAt } from "../support/answers.ts";
import { bootDesk, rowId, type TestWorkspace } from "../support/app.ts";
import { done } from "../support/client.ts";
import { connect } from "../support/graphql-subscription.ts";
import { countingStatements, watchStatements } from "../support/statements.ts";
import { cursorNow } from "../support/subscriber.ts";

const desk = await bootDesk();
const neighbour = await desk.workspace();
const { prisma } = desk.app.database;

type Row = Awaited<ReturnType<typeof prisma.event.findMany>>[number];

/** The ids of the subscriber's workspace, for filters. */
interface Ids {
  readonly contactId: string;
  readonly channelId: string;
  readonly conversationId: string;
  readonly agentId: string;
}

/** A document, and the events that it gets. */
interface Asked {
  readonly document: string;
  readonly filter?: (ids: Ids) => object;
  readonly hears: (event: Row, ids: Ids) => boolean;
}

const isMessage = ({ type }: Row): boolean => type === "MessageRecorded";
const isChange = ({ type }: Row): boolean => type === "ConversationChanged";
const isEnd = (event: Row): boolean => isChange(event) && ["ENDED", "BLOCKED"].includes(textAt(event.data, "to"));
const isStatus = ({ type }: Row): boolean => type === "ContactStatusChanged";

const messages = (selection: string, name = "", variable = ""): string =>
  `subscription ${name}($filter: MessageRecordedFilter ${variable}) { messageRecorded(filter: $filter) { ${selection} } }`;
const changes = (selection: string): string =>
  `subscription ($filter: ConversationChangedFilter) { conversationChanged(filter: $filter) { ${selection} } }`;
const ends = (selection: string): string =>
  `subscription ($filter: ConversationEndedFilter) { conversationEnded(filter: $filter) { ${selection} } }`;
const statuses = (selection: string): string =>
  `subscription ($filter: ContactStatusChangedFilter) { contactStatusChanged(filter: $filter) { ${selection} } }`;

const twenty: readonly Asked[] = [
  { document: messages("cursor"), hears: isMessage },
  { document: messages("cursor", "Named"), hears: isMessage },
  { document: messages("id cursor message { id text }"), hears: isMessage },
  { document: messages("c: cursor m: message { t: text d: direction }"), hears: isMessage },
  {
    document: messages("cursor actor { __typename ... on Agent { id name } ... on Contact { id } }"),
    hears: isMessage,
  },
  { document: messages("cursor message { conversation { id status assignee { name } } }"), hears: isMessage },
  {
    document: messages("cursor message { contactChannel { status blocked contact { status channels { status } } } }"),
    hears: isMessage,
  },
  { document: `${messages("...M")} fragment M on MessageRecordedEvent { cursor message { text } }`, hears: isMessage },
  {
    document: messages("cursor message { text @include(if: $texts) id }", "", ", $texts: Boolean = false"),
    hears: isMessage,
  },
  {
    document: messages("cursor message { text }"),
    filter: ({ contactId }) => ({ contactId }),
    hears: (event, { contactId }) => isMessage(event) && event.contactId === rowId(contactId),
  },
  {
    document: messages("cursor message { text }"),
    filter: ({ conversationId }) => ({ conversationId }),
    hears: (event, { conversationId }) => isMessage(event) && event.conversationId === rowId(conversationId),
  },
  {
    document: messages("cursor message { text }"),
    filter: ({ agentId }) => ({ assigneeId: agentId }),
    hears: (event, { agentId }) => isMessage(event) && event.agentIds.includes(rowId(agentId)),
  },
  { document: changes("cursor from to"), hears: isChange },
  { document: changes("cursor occurredAt conversation { id status blocked assignee { id } }"), hears: isChange },
  {
    document: changes("cursor to conversation { contactChannel { contact { channels { externalId displayName } } } }"),
    filter: ({ channelId }) => ({ channelId }),
    hears: (event, { channelId }) => isChange(event) && event.channelId === rowId(channelId),
  },
  { document: ends("cursor reason"), hears: isEnd },
  {
    document: ends("cursor reason conversation { id messages(first: 5) { edges { node { text } } } }"),
    filter: ({ contactId, channelId }) => ({ contactId, channelId }),
    hears: (event, { contactId, channelId }) =>
      isEnd(event) && event.contactId === rowId(contactId) && event.channelId === rowId(channelId),
  },
  { document: statuses("cursor status contactStatus cause"), hears: isStatus },
  {
    document: statuses("cursor block { notes blockedBy { ... on Agent { name } } suppressedMessageCount }"),
    hears: isStatus,
  },
  {
    document: statuses(
      "cursor contactChannel { status activeBlock { notes } blockHistory { edges { node { active } } } }",
    ),
    filter: ({ contactId }) => ({ contactId }),
    hears: (event, { contactId }) => isStatus(event) && event.contactId === rowId(contactId),
  },
];

/** The results of one subscriber. */
function listen(client: Client, query: string, variables: Record<string, unknown>): unknown[] {
  const given: unknown[] = [];
  client.subscribe(
    { query, variables },
    {
      next: (result) => given.push(result),
      error: (error) => given.push(error),
      complete: () => given.push("complete"),
    },
  );
  return given;
}

/** The same actions in each workspace, by contacts of the same names. */
function acts(place: TestWorkspace, ids: Ids): readonly (() => Promise<unknown>)[] {
  const { contactId, channelId, conversationId } = ids;
  return [
    () => place.ben.takeConversation({ conversationId }),
    () => place.ben.sendMessage({ conversationId, text: `Hello from ${place.ben.id}` }),
    () => writes(place, "same", "I am at it again"),
    () => writes(place, "other", "And me"),
    () => place.ada.blockContact({ contactId, channelId, notes: `Noted in ${place.id}` }),
    () => writes(place, "same", "Do you hear me?"),
    () => place.ada.unblockContact({ contactId, channelId, notes: "Enough" }),
    () => writes(place, "same", "Here again"),
    () => place.ada.blockContact({ contactId }),
  ];
}

async function writes(place: TestWorkspace, externalId: string, text: string): Promise<void> {
  const input = {
    channelId: place.custom,
    externalId,
    eventId: crypto.randomUUID(),
    kind: "TEXT",
    text,
    sentAt: new Date(desk.clock.now()).toISOString(),
  };
  // Without fields that are read from the database: the statements of subscriptions are counted.
  done(await desk.as(await place.key("inbound:write")).attempt("recordInbound", input, "changed"));
}

/** A contact with an ongoing conversation, with the same name in each workspace. */
async function somebody(place: TestWorkspace): Promise<Ids> {
  await writes(place, "same", "Hello");
  const conversation = await prisma.conversation.findFirstOrThrow({
    where: { workspaceId: rowId(place.id) },
    include: { contactChannel: true },
  });
  const global = (type: string, id: string): string => Buffer.from(`${type}:${id}`).toString("base64url");
  return {
    contactId: global("Contact", conversation.contactChannel.contactId),
    conversationId: global("Conversation", conversation.id),
    channelId: place.custom,
    agentId: place.ben.id,
  };
}

describe("shared executions: two workspaces, three roles, twenty documents", () => {
  interface Subscriber {
    readonly name: string;
    readonly asked: Asked;
    readonly place: TestWorkspace;
    readonly ids: Ids;
    readonly shared: readonly unknown[][];
    /** The document with its own comment is another document, so its execution is not shared. */
    readonly unshared: readonly unknown[];
  }
  const subscribers: Subscriber[] = [];
  const open: Client[] = [];
  const start = new Map<TestWorkspace, bigint>();

  beforeAll(async () => {
    const sent = watchStatements();
    for (const place of [desk, neighbour]) {
      const ids = await somebody(place);
      const { position } = await prisma.logHead.findUniqueOrThrow({ where: { workspaceId: rowId(place.id) } });
      start.set(place, position);
      for (const [role, agent] of Object.entries({ ADMIN: place.ada, AGENT: place.ben, VIEWER: place.vic })) {
        const clients = [connect(desk, agent.token), connect(desk, agent.token)];
        open.push(...clients);
        const [first] = clients;
        if (first === undefined) throw new Error("There is no client.");
        for (const [n, asked] of twenty.entries()) {
          const variables = { filter: asked.filter?.(ids) ?? null };
          subscribers.push({
            name: `${place === desk ? "desk" : "neighbour"}, ${role}, document ${n + 1}`,
            asked,
            place,
            ids,
            shared: clients.map((client) => listen(client, asked.document, variables)),
            unshared: listen(first, `${asked.document} # alone: ${place.id} ${role}`, variables),
          });
        }
      }
    }
    const [here, there] = [desk, neighbour].map((place) => {
      const ids = subscribers.find((each) => each.place === place)?.ids;
      if (ids === undefined) throw new Error("Nobody subscribed.");
      return acts(place, ids);
    });
    // All subscriptions have started once their log positions have been read.
    await vi.waitFor(
      () => {
        const read = sent.all().filter((statement) => at(statement, "name") === "event_log_bounds");
        expect(read).toHaveLength(3 * subscribers.length);
      },
      { timeout: 20_000 },
    );
    sent.end();
    // Each action is delivered to all before the next, so that all read the same objects of an event.
    for (const [n, act] of here?.entries() ?? []) {
      await act();
      await there?.[n]?.();
      await vi.waitFor(async () => expect(await missing()).toEqual([]), { timeout: 20_000, interval: 20 });
    }
  }, 120_000);

  afterAll(async () => {
    for (const client of open) await client.dispose();
  });

  async function missing(): Promise<string[]> {
    const names: string[] = [];
    const logs = new Map<TestWorkspace, Row[]>();
    for (const place of [desk, neighbour]) logs.set(place, await eventsOf(place));
    for (const { name, asked, place, ids, shared, unshared } of subscribers) {
      const expected = (logs.get(place) ?? []).filter((event) => asked.hears(event, ids)).length;
      if ([...shared, unshared].some(({ length }) => length < expected)) names.push(name);
    }
    return names;
  }

  function eventsOf(place: TestWorkspace): Promise<Row[]> {
    return prisma.event.findMany({
      where: { workspaceId: rowId(place.id), position: { gt: start.get(place) ?? 0n } },
      orderBy: { position: "asc" },
    });
  }

  test("every payload equals that of an unshared execution", () => {
    expect(subscribers).toHaveLength(120);
    for (const { name, shared, unshared } of subscribers) {
      for (const given of shared) expect(given, name).toEqual(unshared);
    }
  });

  test("every subscriber gets exactly the events of its document, in the order of its workspace", async () => {
    for (const place of [desk, neighbour]) {
      const log = await eventsOf(place);
      for (const { name, asked, ids, unshared } of subscribers.filter((each) => each.place === place)) {
        const positions = unshared.map((result) => {
          expect(at(result, "errors"), name).toBeUndefined();
          const [event] = Object.values(Object(at(result, "data")));
          const cursor = Buffer.from(textAt(event, asked.document.includes("c: cursor") ? "c" : "cursor"), "base64url");
          return BigInt(String(cursor).split(":")[2] ?? "");
        });
        expect(positions, name).toEqual(log.filter((event) => asked.hears(event, ids)).map(({ position }) => position));
        expect(positions.length, name).toBeGreaterThan(0);
      }
    }
  });

  test("no event of one workspace is delivered to the other", () => {
    for (const { name, place, shared } of subscribers) {
      const foreign = subscribers.find((each) => each.place !== place)?.ids;
      const told = JSON.stringify(shared);
      for (const id of Object.values(foreign ?? {})) expect(told, name).not.toContain(id);
    }
  });
});

describe("the statements for an event", () => {
  const query =
    "subscription ($after: Cursor) { messageRecorded(after: $after) { cursor message { text conversation { status } } } }";
  const open: Client[] = [];
  beforeAll(() => writes(desk, "cheap", "The first, which is greeted"));
  afterAll(async () => {
    for (const client of open) await client.dispose();
  });

  function another(after: string): unknown[] {
    const client = connect(desk);
    open.push(client);
    return listen(client, query, { after });
  }

  /** The number of statements on messages until all subscribers have got a new one. */
  async function told(listeners: readonly unknown[][], text: string): Promise<number> {
    const { statements } = await countingStatements(async () => {
      await writes(neighbour, "nobody listens", text);
      await writes(desk, "cheap", text);
      await expect
        .poll(() => listeners.filter((each) => JSON.stringify(each).includes(text)).length, { interval: 20 })
        .toBe(listeners.length);
    });
    return statements.filter(({ text: sql }) => sql.includes('FROM "public"."message"')).length;
  }

  test("fifty subscribers with the same document cost as many statements as one", async () => {
    const after = await cursorNow(desk);
    const alone = another(after);
    expect(await told([alone], "By one")).toBe(1);
    const all = [alone, ...Array.from({ length: 49 }, () => another(after))];
    await told(all, "By all, who come to where the first is");
    expect(await told(all, "By fifty")).toBe(1);
    expect(new Set(all.map((each) => JSON.stringify(each))).size).toBe(1);
  });

  test("so do subscribers that resume from different cursors", async () => {
    const back: unknown[][] = [];
    for (let n = 0; n < 10; n++) {
      back.push(another(await cursorNow(desk)));
      await told(back, `Message ${n}`);
    }
    expect(await told(back, "By all ten")).toBe(1);
  });
});
