/** Which lists of inbox-relay.ts a row belongs to, and where: applied after each event. */
import { ConnectionHandler, type RecordProxy, type RecordSourceProxy } from "relay-runtime";

/** A list of the root, by the key of its connection, and the rows that belong to it. */
interface List {
  readonly key: string;
  readonly includes: (row: RecordProxy, agentId: string) => boolean;
}

const withStatus = (status: string) => (row: RecordProxy) => row.getValue("status") === status;

const lists: Readonly<Record<string, readonly List[]>> = {
  Conversation: [
    {
      key: "inboxRelayLists_mine",
      includes: (row, agentId) =>
        row.getValue("status") === "ACTIVE" && row.getLinkedRecord("assignee")?.getDataID() === agentId,
    },
    { key: "inboxRelayLists_waiting", includes: withStatus("WAITING") },
    { key: "inboxRelayLists_offered", includes: withStatus("ASSIGNING") },
    { key: "inboxRelayLists_bot", includes: withStatus("BOT") },
    { key: "inboxRelayLists_ended", includes: withStatus("ENDED") },
    { key: "inboxRelayLists_blocked", includes: withStatus("BLOCKED") },
  ],
  Contact: [
    { key: "inboxRelayLists_contacts", includes: () => true },
    { key: "inboxRelayLists_blockedContacts", includes: withStatus("BLOCKED") },
  ],
  Block: [{ key: "inboxRelayLists_blocks", includes: (row) => row.getValue("active") === true }],
};

/** Puts a conversation, contact or block into the lists that it belongs to, and removes it from the others. */
export function sortIn(store: RecordSourceProxy, id: string, agentId: string): void {
  const row = store.get(id);
  for (const { key, includes } of lists[row?.getType() ?? ""] ?? []) {
    const connection = ConnectionHandler.getConnection(store.getRoot(), key);
    if (!row || !connection) continue;
    if (includes(row, agentId)) place(store, connection, row, (a, b) => textOf(a, "sortKey") > textOf(b, "sortKey"));
    else ConnectionHandler.deleteNode(connection, id);
  }
}

/** Puts a message into its conversation's timeline, if that has been loaded. */
export function sortInMessage(store: RecordSourceProxy, conversationId: string, id: string): void {
  const timeline = timelineOf(store, conversationId);
  const message = store.get(id);
  if (timeline && message) place(store, timeline, message, (a, b) => numberOf(a, "seq") < numberOf(b, "seq"));
}

/** Whether the timeline has the message that was sent with this key. */
export function hasMessage(store: RecordSourceProxy, conversationId: string, clientMessageId: string): boolean {
  const edges = timelineOf(store, conversationId)?.getLinkedRecords("edges") ?? [];
  return edges.some((edge) => edge.getLinkedRecord("node")?.getValue("clientMessageId") === clientMessageId);
}

function timelineOf(store: RecordSourceProxy, conversationId: string): RecordProxy | null {
  const conversation = store.get(conversationId);
  return conversation ? (ConnectionHandler.getConnection(conversation, "inboxRelayLists_messages") ?? null) : null;
}

/** Moves a row to its place in a connection. A row after the last one is left to the next page, if there is one. */
function place(
  store: RecordSourceProxy,
  connection: RecordProxy,
  row: RecordProxy,
  precedes: (row: RecordProxy, other: RecordProxy) => boolean,
): void {
  ConnectionHandler.deleteNode(connection, row.getDataID());
  const edges = connection.getLinkedRecords("edges") ?? [];
  const next = edges.findIndex((edge) => {
    const node = edge.getLinkedRecord("node");
    return node !== null && precedes(row, node);
  });
  if (next === -1 && connection.getLinkedRecord("pageInfo")?.getValue("hasNextPage") === true) return;
  const edge = ConnectionHandler.createEdge(store, connection, row, `${connection.getType()}Edge`);
  connection.setLinkedRecords(edges.toSpliced(next === -1 ? edges.length : next, 0, edge), "edges");
}

function textOf(row: RecordProxy, field: string): string {
  return String(row.getValue(field));
}

function numberOf(row: RecordProxy, field: string): number {
  return Number(row.getValue(field));
}
