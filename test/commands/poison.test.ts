import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addressBook } from "../../src/commands/address-book.ts";
import { type AggregateStore, commitBatch } from "../../src/commands/commit-batch.ts";
import { createExecutor } from "../../src/commands/executor.ts";
import { isTemporary, type WorkItem } from "../../src/commands/work.ts";
import { idOf } from "../../src/domain/id.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { loadContactChannels, lockContactChannels } from "../../src/store/contact-channels.ts";
import { CommitOutcomeUnknown, type Database, openDatabase, TransactionNotStarted } from "../../src/store/database.ts";
import { directory } from "../../src/store/directory.ts";
import { eventLog } from "../../src/store/event-log.ts";
import type { DecidedEvent } from "../../src/store/row-changes.ts";
import { saveDecisions } from "../../src/store/save-decisions.ts";
import { freshDatabase, type TestDatabase } from "../support/database.ts";
import { inboundText } from "../support/inbound.ts";
import { plainSecrets } from "../support/plain-secrets.ts";
import { quietFlowReader } from "../support/quiet-flow-reader.ts";

const healthy: AggregateStore = { lock: lockContactChannels, load: loadContactChannels, save: saveDecisions };
const place = { workspaceId: idOf<"Workspace">(uuidv7()), channelId: idOf<"Channel">(uuidv7()) };

let fresh: TestDatabase;
let database: Database;
beforeAll(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { poolSize: 4, onError: () => {} });
  const common = { workspaceId: place.workspaceId, createdAt: new Date() };
  await database.prisma.workspace.create({
    data: { id: common.workspaceId, name: "W", createdAt: common.createdAt, logHead: { create: {} } },
  });
  await database.prisma.channel.create({ data: { id: place.channelId, ...common, name: "C", kind: "CUSTOM" } });
});
afterAll(async () => {
  await database.close();
  await fresh.drop();
});

/** The write path on a store that may be faulty; records the size of each batch. */
function writePath(store: AggregateStore) {
  const batches: number[] = [];
  const commit = commitBatch({
    database,
    store,
    log: eventLog(database),
    directory: directory(database.prisma, plainSecrets, quietFlowReader),
    addresses: addressBook(),
    clock: systemClock,
    newId: uuidv7,
    onCommitted: () => {},
  });
  const executor = createExecutor({
    commitBatch: (workspaceId, items) => {
      batches.push(items.length);
      return commit(workspaceId, items);
    },
  });
  const receive = async (text: string): Promise<string> => {
    const work: WorkItem = {
      workspaceId: place.workspaceId,
      steps: [
        {
          contactChannel: { channelId: place.channelId, externalId: `${text} ${uuidv7()}` },
          command: { type: "ReceiveInbound", entry: inboundText(uuidv7(), text) },
        },
      ],
    };
    return executor.execute(work).then(
      ([result]) => result?.type ?? "nothing",
      (error: Error) => (isTemporary(error) ? "temporary" : error.message),
    );
  };
  return { receive, batches };
}

const records = (text: string, events: readonly DecidedEvent[]) =>
  events.some(({ event }) => event.type === "MessageRecorded" && event.message.text === text);

describe("one failing command does not fail the others in its batch", () => {
  const faults: [string, AggregateStore, RegExp][] = [
    [
      "saving throws",
      {
        ...healthy,
        save: (tx, workspaceId, after, events) => {
          if (records("poison", events)) throw new Error("This cannot be saved.");
          saveDecisions(tx, workspaceId, after, events);
        },
      },
      /cannot be saved/,
    ],
    [
      "a statement is refused",
      {
        ...healthy,
        save: (tx, workspaceId, after, events) => {
          saveDecisions(tx, workspaceId, after, events);
          if (records("poison", events)) tx.write({ name: "poison", text: "SELECT 1 / $1::int" }, [0]);
        },
      },
      /division by zero/,
    ],
  ];

  test.each(faults)("%s", async (_, store, fault) => {
    const { receive, batches } = writePath(store);
    const texts = ["one", "two", "poison", "three", "four"];
    const before = await database.prisma.message.count();
    const results = await Promise.all(texts.map(receive));
    expect(results[2]).toMatch(fault);
    expect(results.toSpliced(2, 1)).toEqual(Array(4).fill("Accepted"));
    expect(batches).toEqual([5, 1, 1, 1, 1, 1]);
    expect(await database.prisma.message.count()).toBe(before + 4);
    expect(await database.prisma.contactChannel.count({ where: { externalId: { startsWith: "poison" } } })).toBe(0);
  });

  test("transient failures are retried: a lock timeout, a deadlock", async () => {
    let failures = 3;
    const { receive, batches } = writePath({
      ...healthy,
      lock: async (tx, ids) => {
        await lockContactChannels(tx, ids);
        failures -= 1;
        if (failures >= 0) {
          const code = failures % 2 ? "55P03" : "40P01";
          await tx.query({ name: `raise_${code}`, text: raiseSql(code) }, []);
        }
      },
    });
    expect(await receive("patient")).toBe("Accepted");
    expect(batches).toEqual([1, 1, 1, 1]);
  });

  test.each(["40P01", "40001", "55P03"])(
    "%s in every attempt is temporary, and the next command is executed",
    async (code) => {
      let failing = true;
      const { receive } = writePath({
        ...healthy,
        lock: async (tx, ids) => {
          await lockContactChannels(tx, ids);
          if (failing) await tx.query({ name: `keeps_raising_${code}`, text: raiseSql(code) }, []);
        },
      });
      expect(await receive("unlucky")).toBe("temporary");
      failing = false;
      expect(await receive("lucky")).toBe("Accepted");
    },
  );

  /** SQL that fails with this SQLSTATE. */
  function raiseSql(code: string): string {
    return `DO $$ BEGIN RAISE EXCEPTION 'raised' USING ERRCODE = '${code}'; END $$`;
  }
});

describe("failures that no command causes are not retried one by one", () => {
  /** Executes five units of work on a commit that fails with these errors, one after another, and then succeeds. */
  async function run(...failures: Error[]): Promise<{ outcomes: string[]; commits: number[] }> {
    const commits: number[] = [];
    const executor = createExecutor({
      commitBatch: async (_, items) => {
        commits.push(items.length);
        const failure = failures.shift();
        if (failure !== undefined) throw failure;
        return items.map(() => [accepted]);
      },
    });
    const items = Array.from({ length: 5 }, (): WorkItem => ({ workspaceId: place.workspaceId, steps: [] }));
    const settled = await Promise.allSettled(items.map(executor.execute));
    await executor.drain();
    return { outcomes: settled.map((each) => (each.status === "fulfilled" ? "done" : each.reason.message)), commits };
  }

  const accepted = { type: "Accepted", changed: true, messageId: null, conversationId: null, blockId: null } as const;
  const [poison, unknown, unreachable] = [
    new Error("poison"),
    new CommitOutcomeUnknown(new Error("gone")),
    new TransactionNotStarted(new Error("refused")),
  ];

  test("the commit outcome is unknown", async () => {
    expect(await run(unknown)).toEqual({ outcomes: Array(5).fill(unknown.message), commits: [5] });
  });

  test("no transaction can be started", async () => {
    expect(await run(unreachable)).toEqual({ outcomes: Array(5).fill(unreachable.message), commits: [5] });
  });

  test("no transaction can be started any more during the retries", async () => {
    expect(await run(poison, poison, unknown, unreachable)).toEqual({
      outcomes: ["poison", unknown.message, ...Array(3).fill(unreachable.message)],
      commits: [5, 1, 1, 1],
    });
  });
});
