import Fastify, { type FastifyInstance } from "fastify";
import { v7 as uuidv7 } from "uuid";
import { afterEach, expect, test } from "vitest";
import { lineWebhook } from "../../../src/channels/line/webhook.ts";
import type { Executor } from "../../../src/commands/executor.ts";
import { Overloaded, type WorkItem } from "../../../src/commands/work.ts";
import { toGlobalId } from "../../../src/domain/global-id.ts";
import { idOf } from "../../../src/domain/id.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { createMetrics } from "../../../src/platform/metrics.ts";
import { type Database, openDatabase } from "../../../src/store/database.ts";
import type { Directory } from "../../../src/store/directory.ts";
import { LINE_SECRET, lineSignature, lineText } from "../../support/app.ts";
import { channelRecord } from "../../support/channel-record.ts";

const channelId = idOf<"Channel">(uuidv7());

let http: FastifyInstance | undefined;
let database: Database | undefined;
afterEach(async () => {
  await http?.close();
  await database?.close();
});

/** The webhook alone, with a fake write path and an unreachable database. */
async function deliver(events: readonly object[], record: (text: string) => Promise<void>): Promise<number> {
  const executor: Executor = {
    execute: async (work) => {
      await record(textOf(work));
      return [{ type: "Accepted", changed: true, messageId: null, conversationId: null, blockId: null }];
    },
    drain: async () => {},
  };
  const directory: Directory = {
    channel: async (id) => channelRecord("LINE", { id, secret: LINE_SECRET }),
    flows: async () => new Map(),
    agentByEmail: async () => null,
    agent: async () => null,
    apiKeyByHash: async () => null,
    currentPrincipals: async () => ({ agents: new Map(), apiKeys: new Map() }),
    fingerprint: async () => "",
    forget: () => {},
  };
  database = openDatabase("postgresql://127.0.0.1:1/none", { poolSize: 1, onError: () => {} });
  http = Fastify();
  await http.register(
    lineWebhook({ directory, executor, database, clock: systemClock, newId: uuidv7, metrics: createMetrics() }),
  );
  const body = JSON.stringify({ events });
  const response = await http.inject({
    method: "POST",
    url: `/webhooks/line/${toGlobalId("Channel", channelId)}`,
    headers: { "x-line-signature": lineSignature(body) },
    payload: body,
  });
  if (response.statusCode === 503) expect(response.headers["retry-after"]).toBe("1");
  return response.statusCode;
}

function textOf({ steps: [step] }: WorkItem): string {
  return step?.command.type === "ReceiveInbound" ? (step.command.entry.text ?? "") : "";
}

test("O4 if an event cannot be recorded: 503, and the others are recorded, including those of the same person", async () => {
  const recorded: string[] = [];
  const status = await deliver(
    [lineText("U1", "1"), lineText("U1", "2"), lineText("U1", "3"), lineText("U2", "4")],
    async (text) => {
      if (text === "2") throw new Error("The disk is full.");
      recorded.push(text);
    },
  );
  expect(status).toBe(503);
  expect(recorded.toSorted()).toEqual(["1", "3", "4"]);
});

test("O4 if the server is overloaded: 503", async () => {
  expect(await deliver([lineText("U1", "1")], () => Promise.reject(new Overloaded(20_000)))).toBe(503);
});

test("O4 if an event without a person cannot be kept: 503", async () => {
  const recorded: string[] = [];
  const status = await deliver([{ type: "message" }, lineText("U1", "1")], async (text) => {
    recorded.push(text);
  });
  expect([status, recorded]).toEqual([503, ["1"]]);
});

test("events of one person are recorded one after another, those of different persons concurrently", async () => {
  const asked: string[] = [];
  const { promise, resolve: commit } = Promise.withResolvers<void>();
  const answered = deliver([lineText("U1", "1"), lineText("U1", "2"), lineText("U2", "3")], async (text) => {
    asked.push(text);
    if (text === "3") commit();
    if (text === "1") await promise;
  });
  expect(await answered).toBe(200);
  expect(asked).toEqual(["1", "3", "2"]);
});
