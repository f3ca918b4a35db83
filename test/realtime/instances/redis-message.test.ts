import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { idOf } from "../../../src/domain/id.ts";
import type { Commit } from "../../../src/realtime/instances/change-notifier.ts";
import { redisMessages } from "../../../src/realtime/instances/redis-message.ts";
import type { EventData, LogEvent } from "../../../src/store/log-event.ts";

const SECRET = "a-secret-of-tests-that-is-long-enough";
const workspaceId = idOf<"Workspace">("w");

/** One event of each type. */
const data: { readonly [Type in EventData["type"]]: Extract<EventData, { type: Type }> } = {
  ContactAppeared: { type: "ContactAppeared" },
  DisplayNameChanged: { type: "DisplayNameChanged" },
  ReachabilityChanged: { type: "ReachabilityChanged", reachable: false },
  MessageRecorded: { type: "MessageRecorded", messageId: idOf("m"), seq: 1, direction: "INBOUND" },
  MessageUnsent: { type: "MessageUnsent", messageId: idOf("m") },
  MessageEdited: { type: "MessageEdited", messageId: idOf("m") },
  DeliveryChanged: { type: "DeliveryChanged", messageId: idOf("m"), seq: 1, from: "QUEUED", to: "SENT" },
  ConversationChanged: { type: "ConversationChanged", from: null, to: "ENDED", reason: "RESOLVED" },
  BotSessionChanged: { type: "BotSessionChanged" },
  ContactStatusChanged: {
    type: "ContactStatusChanged",
    status: "BLOCKED",
    contactStatus: "BLOCKED",
    blockId: idOf("b"),
    cause: "BLOCKED",
  },
};

const events = Object.values(data).map(
  (each, index): LogEvent => ({
    workspaceId,
    position: index + 1,
    id: idOf(`e${index}`),
    occurredAt: 1_700_000_000_000,
    actor: index % 2 ? { type: "System" } : { type: "Agent", id: idOf("a") },
    contactId: idOf("c"),
    channelId: idOf("ch"),
    contactChannelId: idOf("cc"),
    conversationId: null,
    agentIds: [idOf("a")],
    data: each,
  }),
);
const commits: readonly Commit[] = [
  { workspaceId, events: events.slice(0, 4) },
  { workspaceId, events: events.slice(4) },
];

const sender = redisMessages(SECRET, "deskgate:1:1", "sender");
const receiver = redisMessages(SECRET, "deskgate:1:1", "receiver");

/** The commits decoded from a message; null if it was rejected. */
function decoded(message: string, by = receiver): unknown[] | null {
  const commits: unknown[] = [];
  const taken = by.decode(message, (...commit) => commits.push(commit));
  if (!taken) expect(commits).toEqual([]);
  return taken ? commits : null;
}

test("a message decodes to the encoded commits, and only its sender recognizes it as its own", () => {
  const message = sender.encode(commits);
  expect(decoded(message)).toEqual(commits.map((commit) => [workspaceId, commit.events]));
  expect([sender.isOwn(message), receiver.isOwn(message)]).toEqual([true, false]);
});

test("a message that was changed or truncated anywhere is rejected", () => {
  const message = sender.encode(commits);
  for (let at = "sender ".length; at < message.length; at++) {
    const other = message[at] === "1" ? "2" : "1";
    expect([at, decoded(message.slice(0, at) + other + message.slice(at + 1))]).toEqual([at, null]);
    expect([at, decoded(message.slice(0, at))]).toEqual([at, null]);
    expect([at, decoded(message.slice(0, at) + message.slice(at + 1))]).toEqual([at, null]);
  }
});

test("a message of another database, with another secret or from an unknown source is rejected", () => {
  expect(decoded(redisMessages(SECRET, "deskgate:1:2", "sender").encode(commits))).toBeNull();
  expect(decoded(redisMessages("another secret", "deskgate:1:1", "sender").encode(commits))).toBeNull();
  for (const text of ["", " ", "hello", "null", "{}", JSON.stringify({ version: 1, commits: [] }), "\0".repeat(99)]) {
    expect(decoded(text)).toBeNull();
  }
});

test("a message of another version only has the workspaces whose log has grown", () => {
  const commit = [workspaceId, [{ surprise: true }]];
  expect(decoded(signed(JSON.stringify({ version: 2, commits: [commit] })))).toEqual([commit]);
  expect(decoded(signed(JSON.stringify({ version: 3, commits: [commit], more: {} })))).toEqual([[workspaceId, null]]);
});

test("changing the format of an event requires a new version", () => {
  expect(sender.encode([{ workspaceId, events }]).split(" ")[2]).toMatchInlineSnapshot(
    `"{"version":2,"commits":[["w",[{"workspaceId":"w","position":1,"id":"e0","occurredAt":1700000000000,"actor":{"type":"Agent","id":"a"},"contactId":"c","channelId":"ch","contactChannelId":"cc","conversationId":null,"agentIds":["a"],"data":{"type":"ContactAppeared"}},{"workspaceId":"w","position":2,"id":"e1","occurredAt":1700000000000,"actor":{"type":"System"},"contactId":"c","channelId":"ch","contactChannelId":"cc","conversationId":null,"agentIds":["a"],"data":{"type":"DisplayNameChanged"}},{"workspaceId":"w","position":3,"id":"e2","occurredAt":1700000000000,"actor":{"type":"Agent","id":"a"},"contactId":"c","channelId":"ch","contactChannelId":"cc","conversationId":null,"agentIds":["a"],"data":{"type":"ReachabilityChanged","reachable":false}},{"workspaceId":"w","position":4,"id":"e3","occurredAt":1700000000000,"actor":{"type":"System"},"contactId":"c","channelId":"ch","contactChannelId":"cc","conversationId":null,"agentIds":["a"],"data":{"type":"MessageRecorded","messageId":"m","seq":1,"direction":"INBOUND"}},{"workspaceId":"w","position":5,"id":"e4","occurredAt":1700000000000,"actor":{"type":"Agent","id":"a"},"contactId":"c","channelId":"ch","contactChannelId":"cc","conversationId":null,"agentIds":["a"],"data":{"type":"MessageUnsent","messageId":"m"}},{"workspaceId":"w","position":6,"id":"e5","occurredAt":1700000000000,"actor":{"type":"System"},"contactId":"c","channelId":"ch","contactChannelId":"cc","conversationId":null,"agentIds":["a"],"data":{"type":"MessageEdited","messageId":"m"}},{"workspaceId":"w","position":7,"id":"e6","occurredAt":1700000000000,"actor":{"type":"Agent","id":"a"},"contactId":"c","channelId":"ch","contactChannelId":"cc","conversationId":null,"agentIds":["a"],"data":{"type":"DeliveryChanged","messageId":"m","seq":1,"from":"QUEUED","to":"SENT"}},{"workspaceId":"w","position":8,"id":"e7","occurredAt":1700000000000,"actor":{"type":"System"},"contactId":"c","channelId":"ch","contactChannelId":"cc","conversationId":null,"agentIds":["a"],"data":{"type":"ConversationChanged","from":null,"to":"ENDED","reason":"RESOLVED"}},{"workspaceId":"w","position":9,"id":"e8","occurredAt":1700000000000,"actor":{"type":"Agent","id":"a"},"contactId":"c","channelId":"ch","contactChannelId":"cc","conversationId":null,"agentIds":["a"],"data":{"type":"BotSessionChanged"}},{"workspaceId":"w","position":10,"id":"e9","occurredAt":1700000000000,"actor":{"type":"System"},"contactId":"c","channelId":"ch","contactChannelId":"cc","conversationId":null,"agentIds":["a"],"data":{"type":"ContactStatusChanged","status":"BLOCKED","contactStatus":"BLOCKED","blockId":"b","cause":"BLOCKED"}}]]]}"`,
  );
});

/** Signed as in every version, so that instances of two versions can notify each other. */
function signed(body: string): string {
  const key = createHmac("sha256", SECRET).update("deskgate:1:1").digest();
  return `somebody ${createHmac("sha256", key).update(body).digest("base64url")} ${body}`;
}
