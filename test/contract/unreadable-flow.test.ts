import pino from "pino";
import { expect, test } from "vitest";
import { listAt } from "../support/answers.ts";
import { bootDesk, GREETING, globalId, lineText, rowId } from "../support/app.ts";

const log: string[] = [];
const desk = await bootDesk({ logger: pino({ level: "error" }, { write: (line) => void log.push(line) }) });
const { prisma } = desk.app.database;

const greeting = { kind: "AUTO_REPLY_FIRST_MESSAGE", definition: { text: GREETING } } as const;
const step = { id: "a", text: "Step", options: [{ id: "go", label: "Go", next: "a" }] };

/** What bots and contacts wrote on a channel, in order. */
async function written(channel: string): Promise<readonly (string | null)[]> {
  const messages = await prisma.message.findMany({ where: { channelId: rowId(channel) }, orderBy: { seq: "asc" } });
  return messages.map(({ text }) => text);
}

async function says(channel: string, text: string): Promise<void> {
  const events = [lineText("someone", text, { timestamp: desk.clock.now(), webhookEventId: `${channel} ${text}` })];
  expect((await desk.lineWebhook(events, { channel })).status).toBe(200);
}

/** Stores a definition as no mutation would. Each test removes or repairs its own, so that the metric starts at 0. */
async function poison(channel: string, kind: string, json: string): Promise<string> {
  const { id } = await prisma.flow.findFirstOrThrow({ where: { channelId: rowId(channel) }, orderBy: { id: "asc" } });
  await prisma.$executeRawUnsafe(
    `UPDATE flow SET kind = $1::"FlowKind", definition = $2::jsonb WHERE id = $3::uuid`,
    kind,
    json,
    id,
  );
  return id;
}

/** Makes the instance read all flows again, as it does by itself after a second. */
async function reread(): Promise<void> {
  await desk.ada.createFlow({ channelId: desk.webChat, name: "Another", enabled: false, ...greeting });
}

async function faultOf(id: string): Promise<unknown> {
  const { data } = await desk.ada.graphql("{ flows { id fault definition } }");
  return listAt(data, "flows").find((flow) => isFlow(flow, id));
}

function isFlow(value: unknown, id: string): boolean {
  return typeof value === "object" && value !== null && Reflect.get(value, "id") === globalId("Flow", id);
}

test.each([
  ["AUTO_REPLY_FIRST_MESSAGE", '{"txt": "Hi"}', "definition.text"],
  ["AUTO_REPLY_FIRST_MESSAGE", "null", "definition"],
  ["AUTO_REPLY_KEYWORD", '{"keywords": "some", "text": "Hi"}', "definition.keywords"],
  ["CHATBOT", "[]", "definition"],
  ["CHATBOT", '{"steps": []}', "definition.steps"],
  ["CHATBOT", '{"steps": [{"id": "a", "text": "A", "delay": 9000000000000000}]}', "definition.steps.0.delay"],
])("one bad flow row is skipped, and the others go on: %s %s", async (kind, json, path) => {
  const channel = await desk.channel("LINE", [greeting, greeting]);
  const id = await poison(channel, kind, json);
  await reread();
  await says(channel, "hi");
  expect(await written(channel)).toEqual(["hi", GREETING]);
  await desk.writes(`neighbor of ${json}`);
  expect(await faultOf(id)).toMatchObject({ fault: expect.stringContaining(`is invalid (${path}: `) });
  await prisma.flow.delete({ where: { id } });
});

test("one bad flow row is logged once, counted, and repaired by updateFlow", async () => {
  await reread();
  const channel = await desk.channel("LINE", [greeting]);
  const id = await poison(channel, "AUTO_REPLY_FIRST_MESSAGE", '{"txt": "private"}');
  log.length = 0;
  for (const text of ["first", "second", "third"]) {
    await reread();
    await says(channel, text);
  }
  const reason =
    "The flow is skipped because its stored definition is invalid (definition.text: Invalid input: expected string, received undefined). Replace the definition with updateFlow.";
  const msg = "a stored flow cannot be read and is skipped";
  expect(log.map((line) => JSON.parse(line))).toMatchObject([{ flowId: id, workspaceId: rowId(desk.id), reason, msg }]);
  expect(log.join()).not.toContain("private");
  expect(await faultOf(id)).toEqual({ id: globalId("Flow", id), fault: reason, definition: { txt: "private" } });
  expect(await metric()).toBe("1");

  await desk.ada.updateFlow({ flowId: globalId("Flow", id), definition: { text: "Hello" } });
  await says(channel, "fourth");
  expect(await faultOf(id)).toMatchObject({ fault: null });
  expect(await metric()).toBe("0");
});

test("a chatbot whose row can no longer be read hands over at the next answer", async () => {
  const channel = await desk.channel("LINE", [{ kind: "CHATBOT", definition: { steps: [step] } }]);
  await reread();
  await says(channel, "hi");
  const statuses = async () =>
    (await prisma.conversation.findMany({ where: { channelId: rowId(channel) } })).map(({ status }) => status);
  expect(await statuses()).toEqual(["BOT"]);
  const id = await poison(channel, "CHATBOT", '{"steps": [{"id": "a"}]}');
  await reread();
  await says(channel, "go");
  expect(await statuses()).toEqual(["WAITING"]);
  await prisma.flow.delete({ where: { id } });
});

async function metric(): Promise<string | undefined> {
  const text = await (await fetch(`${desk.url}/metrics`)).text();
  return /^flows_unreadable (\d+)$/m.exec(text)?.[1];
}
