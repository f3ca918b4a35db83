import { isDeepStrictEqual } from "node:util";
import { v7 as uuidv7 } from "uuid";
import { addressBook } from "../../src/commands/address-book.ts";
import { type AggregateStore, commitBatch } from "../../src/commands/commit-batch.ts";
import { createExecutor, type Executor } from "../../src/commands/executor.ts";
import type { Command } from "../../src/domain/command.ts";
import { idOf, type WorkspaceId } from "../../src/domain/id.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { directory } from "../../src/store/directory.ts";
import { eventLog } from "../../src/store/event-log.ts";
import type { LogEvent } from "../../src/store/log-event.ts";
import { freshDatabase } from "../support/database.ts";
import { inboundText } from "../support/inbound.ts";
import { plainSecrets } from "../support/plain-secrets.ts";
import { quietFlowReader } from "../support/quiet-flow-reader.ts";
import { randomFrom } from "../support/random.ts";

/** The outcome of a storm, and the violations that were found during it. */
export interface StormReport {
  readonly commands: number;
  readonly snapshots: number;
  /** The violated rules, as messages; empty on success. */
  readonly violations: readonly string[];
}

const PEOPLE = ["ann", "bob", "cem", "dee"];

/**
 * Workers on two instances send random commands to the same few contacts as fast as they can, while a prober queries snapshots;
 * then the log is read from the beginning, as a subscriber reads it.
 */
export async function storm(options: {
  readonly store: AggregateStore;
  readonly milliseconds: number;
  readonly workers: number;
  /** Ends the storm at the first violation in a snapshot. */
  readonly untilViolated?: boolean;
}): Promise<StormReport> {
  const { url, drop } = await freshDatabase();
  const reported: LogEvent[] = [];
  const onCommitted = (_: WorkspaceId, events: readonly LogEvent[]) => void reported.push(...events);
  const instances = [open(url, options.store, onCommitted), open(url, options.store, onCommitted)];
  const [first] = instances;
  if (first === undefined) throw new Error("No instance was started.");
  const violations = new Set<string>();
  try {
    const place = await seed(first.database);
    const until = Date.now() + options.milliseconds;
    const isRunning = (): boolean => Date.now() < until && !(options.untilViolated === true && violations.size > 0);
    const sent = new Set<string>();
    let commands = 0;
    let snapshots = 0;

    const worker = async (executor: Executor, seed: number): Promise<void> => {
      const random = randomFrom(seed);
      for (let n = 0; isRunning(); n++) {
        const externalId = pick(PEOPLE, random);
        const eventId = `${seed}-${random() < 0.9 ? n : Math.floor(n / 2)}`;
        const contactChannel = { channelId: place.channelId, externalId };
        const step = async (command: Command): Promise<void> => {
          const [result] = await executor.execute({
            workspaceId: place.workspaceId,
            steps: [{ contactChannel, command }],
          });
          commands += 1;
          if (result?.type === "Accepted" && command.type === "ReceiveInbound") sent.add(eventId);
        };
        const conversation = await ongoingConversation(first.database, externalId);
        try {
          await step(randomCommand(random, eventId, place.agentId, conversation));
        } catch (error) {
          violations.add(`a command failed: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
    };
    const prober = async (): Promise<void> => {
      for (; isRunning(); snapshots++) {
        for (const violation of await probe(first.database)) violations.add(violation);
      }
    };
    await Promise.all([
      prober(),
      ...Array.from({ length: options.workers }, (_, n) => {
        const instance = instances[n % instances.length] ?? first;
        return worker(instance.executor, n + 1);
      }),
    ]);

    const recorded = await first.database.prisma.message.findMany({
      where: { direction: "INBOUND" },
      select: { eventId: true },
    });
    const ids = recorded.map((message) => message.eventId);
    if (new Set(ids).size !== ids.length) violations.add("a message was doubled");
    for (const eventId of sent) if (!ids.includes(eventId)) violations.add("a message was lost");

    for (const violation of await readLog(first.database, place.workspaceId, reported)) violations.add(violation);
    for (const violation of await probe(first.database)) violations.add(violation);
    return { commands, snapshots, violations: [...violations] };
  } finally {
    for (const { database, executor } of instances) {
      await executor.drain();
      await database.close();
    }
    await drop();
  }
}

function open(
  url: string,
  store: AggregateStore,
  onCommitted: (workspaceId: WorkspaceId, events: readonly LogEvent[]) => void,
): { database: Database; executor: Executor } {
  const database = openDatabase(url, { poolSize: 8, onError: () => {} });
  const executor = createExecutor({
    commitBatch: commitBatch({
      database,
      store,
      log: eventLog(database),
      directory: directory(database.prisma, plainSecrets, quietFlowReader),
      addresses: addressBook(),
      clock: systemClock,
      newId: uuidv7,
      onCommitted,
    }),
    maxBatch: 4,
  });
  return { database, executor };
}

async function seed(database: Database) {
  const { prisma } = database;
  const common = { workspaceId: uuidv7(), createdAt: new Date() };
  const [channelId, agentId] = [uuidv7(), uuidv7()];
  await prisma.workspace.create({
    data: { id: common.workspaceId, name: "Storm", createdAt: common.createdAt, logHead: { create: {} } },
  });
  await prisma.channel.create({ data: { id: channelId, ...common, name: "C", kind: "CUSTOM" } });
  await prisma.agent.create({ data: { id: agentId, ...common, name: "A", email: "a@desk.test", role: "AGENT" } });
  await prisma.flow.create({
    data: {
      id: uuidv7(),
      ...common,
      channelId,
      name: "Greeting",
      kind: "AUTO_REPLY_FIRST_MESSAGE",
      definition: { text: "Welcome!" },
    },
  });
  return {
    workspaceId: idOf<"Workspace">(common.workspaceId),
    channelId: idOf<"Channel">(channelId),
    agentId: idOf<"Agent">(agentId),
  };
}

function randomCommand(
  random: () => number,
  eventId: string,
  agentId: ReturnType<typeof idOf<"Agent">>,
  conversation: string | null,
): Command {
  const actor = { type: "Agent", id: agentId } as const;
  const conversationId = idOf<"Conversation">(conversation ?? agentId);
  const choice = random();
  if (choice < 0.45 || conversation === null) {
    if (choice < 0.1) return { type: "StartConversation", actor, text: "Anything we can do?" };
    if (choice > 0.9) return { type: "Unblock", actor, notes: null };
    return { type: "ReceiveInbound", entry: inboundText(eventId, "hello") };
  }
  if (choice < 0.55) return { type: "Block", actor, notes: null, expiresAt: null };
  if (choice < 0.62) return { type: "Block", actor, notes: null, expiresAt: Date.now() + 20 };
  if (choice < 0.72) return { type: "Unblock", actor, notes: null };
  if (choice < 0.88) return { type: "SendMessage", actor, conversationId, text: "Here I am." };
  if (choice < 0.94) return { type: "TakeConversation", agentId, conversationId };
  return { type: "EndConversation", actor, conversationId };
}

async function ongoingConversation(database: Database, externalId: string): Promise<string | null> {
  const { rows } = await database.pool.query<{ id: string }>(
    `SELECT c.id FROM conversation c JOIN contact_channel cc ON cc.id = c.contact_channel_id
     WHERE cc.external_id = $1 AND c.status IN ('BOT', 'WAITING', 'ASSIGNING', 'ACTIVE')`,
    [externalId],
  );
  return rows[0]?.id ?? null;
}

/** Checks one snapshot for states that must never be visible together. */
async function probe(database: Database): Promise<string[]> {
  const { rows } = await database.pool.query<{ blocked_ongoing: string; two_ongoing: string; two_blocks: string }>(`
    SELECT
      (SELECT count(*) FROM block b JOIN conversation c ON c.contact_channel_id = b.contact_channel_id
       WHERE b.lifted_at IS NULL AND c.status IN ('BOT', 'WAITING', 'ASSIGNING', 'ACTIVE')) AS blocked_ongoing,
      (SELECT count(*) FROM (SELECT FROM conversation WHERE status IN ('BOT', 'WAITING', 'ASSIGNING', 'ACTIVE')
                             GROUP BY contact_channel_id HAVING count(*) > 1) AS t) AS two_ongoing,
      (SELECT count(*) FROM (SELECT FROM block WHERE lifted_at IS NULL
                             GROUP BY contact_channel_id HAVING count(*) > 1) AS t) AS two_blocks`);
  const [row] = rows;
  return [
    ...(row?.blocked_ongoing === "0" ? [] : ["a blocked contact had an ongoing conversation"]),
    ...(row?.two_ongoing === "0" ? [] : ["two conversations were ongoing"]),
    ...(row?.two_blocks === "0" ? [] : ["two blocks were in force"]),
  ];
}

/**
 * Reads the log as a subscriber does, and checks that the events of each contact are consistent and that the events
 * reported at the commits equal those of the log.
 */
async function readLog(database: Database, workspaceId: WorkspaceId, reported: readonly LogEvent[]): Promise<string[]> {
  const violations: string[] = [];
  const reportedAt = new Map(reported.map((event) => [event.position, event]));
  const log = eventLog(database);
  const blocked = new Set<string>();
  const ongoing = new Map<string, string>();
  const lastSeq = new Map<string, number>();
  let position = 0;
  for (let page: LogEvent[] = await log.read(workspaceId, 0, 1_000); page.length > 0; ) {
    for (const event of page) {
      const { contactChannelId: person, data } = event;
      if (event.position !== position + 1) violations.push("the log has a gap");
      position = event.position;
      if (!isDeepStrictEqual(event, reportedAt.get(position)))
        violations.push("a commit reported an event that differs from the log");
      switch (data.type) {
        case "ContactStatusChanged":
          if (data.status === "BLOCKED") blocked.add(person);
          else blocked.delete(person);
          break;
        case "ConversationChanged":
          if (data.to === "ENDED" || data.to === "BLOCKED") ongoing.delete(person);
          else {
            if (blocked.has(person)) violations.push("a conversation went on while blocked");
            const other = ongoing.get(person);
            if (other !== undefined && other !== event.conversationId)
              violations.push("two conversations were ongoing");
            ongoing.set(person, event.conversationId ?? "");
          }
          break;
        case "MessageRecorded":
          if (data.seq !== (lastSeq.get(person) ?? 0) + 1) violations.push("the log is out of order");
          lastSeq.set(person, data.seq);
          if (data.direction === "OUTBOUND" && blocked.has(person)) violations.push("something was sent while blocked");
          break;
        default:
          break;
      }
    }
    page = await log.read(workspaceId, position, 1_000);
  }
  return violations;
}

function pick<Value>(values: readonly Value[], random: () => number): Value {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined) throw new Error("There is no value to pick.");
  return value;
}
