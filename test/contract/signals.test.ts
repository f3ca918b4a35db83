import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Fault } from "../../src/demo/line/faults.ts";
import { bootDesk, GREETING, globalId, rowId, type TestFlow } from "../support/app.ts";
import { bootLineDesk, type LineDesk, textsOn } from "../support/fake-line.ts";
import { onLine, type Person, person } from "../support/people.ts";
import { rawServer } from "../support/raw-server.ts";
import { latest } from "../support/view.ts";

let it: LineDesk;
beforeAll(async () => {
  it = await bootLineDesk();
  await it.desk.ada.updateChannel({ channelId: it.desk.line, line: { showLoading: true, markAsRead: true } });
});
afterAll(() => it.stop());

/** A LINE user who has written these texts, with their conversation and the ids of their messages. */
async function written(...texts: readonly string[]) {
  const { desk, account } = it;
  const someone = onLine(desk);
  const phone = account.addUser(someone.externalId, "Mika");
  for (const text of texts) await account.writeAs(someone.externalId, text).delivered;
  await expect.poll(() => textsOn(account, someone.externalId)).toEqual([GREETING]);
  const conversationId = await latest(desk, someone);
  const messages = await desk.app.database.prisma.message.findMany({
    where: { direction: "INBOUND", contactChannel: { externalId: someone.externalId } },
    orderBy: { seq: "asc" },
  });
  return { someone, phone, conversationId, messageIds: messages.map(({ id }) => globalId("Message", id)) };
}

/** What LINE was asked for about this user, in order: `loading 202`. */
async function callsFor({ externalId }: Person): Promise<readonly string[]> {
  await it.desk.app.runDue();
  const calls = it.line.log.all().filter(({ userId }) => userId === externalId);
  return calls.map(({ operation, status }) => `${operation} ${status}`);
}

async function signalsFor(someone: Person): Promise<readonly string[]> {
  return (await callsFor(someone)).filter((call) => /^(loading|markAsRead)/.test(call));
}

/** Lets something go wrong with the calls of one operation about this user. */
function failing({ externalId: userId }: Person, operation: Fault["operation"], effect: Fault["effect"]): void {
  const id = it.line.faults.add({ userId, operation, effect });
  onTestFinished(() => it.line.faults.remove(id));
}

test("the requests are those of LINE's reference", async () => {
  await using line = await rawServer((socket) => socket.write("HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"));
  const desk = await bootDesk({ env: { LINE_API_URL: line.origin } });
  const channel = await desk.channel("LINE", []);
  const settings = { accessToken: "token", showLoading: true, markAsRead: true };
  await desk.ada.updateChannel({ channelId: channel, line: settings });
  const message = { type: "text", id: "1", text: "Hello", markAsReadToken: "read-1" };
  const event = { type: "message", mode: "active", timestamp: desk.clock.now(), webhookEventId: "1", message };
  await desk.lineWebhook([{ ...event, source: { type: "user", userId: "U1" } }], { channel });
  const { id, conversationId } = await desk.app.database.prisma.message.findFirstOrThrow({
    where: { providerMessageId: "1" },
  });
  const conversation = globalId("Conversation", conversationId ?? "");

  await desk.ada.setTyping({ conversationId: conversation, typing: true });
  await desk.app.runDue();
  await desk.ada.markConversationRead({ conversationId: conversation, upToMessageId: globalId("Message", id) });
  await desk.app.runDue();

  const request = (path: string, body: string) =>
    [
      `POST ${path} HTTP/1.1`,
      `host: ${line.origin.replace("http://", "")}`,
      "connection: keep-alive",
      "authorization: Bearer token",
      "content-type: application/json",
      `content-length: ${body.length}`,
      "",
      body,
    ].join("\r\n");
  expect(line.requests).toEqual([
    request("/v2/bot/chat/loading/start", '{"chatId":"U1","loadingSeconds":20}'),
    request("/v2/bot/chat/markAsRead", '{"markAsReadToken":"read-1"}'),
  ]);
});

describe("setTyping", () => {
  test("shows the contact a sign, renewed every 10 seconds at most, until the next message", async () => {
    const { someone, phone, conversationId } = await written("Hello");
    const answer = await it.desk.ada.setTyping({ conversationId, typing: true });
    expect(answer.conversation).toMatchObject({ id: conversationId, status: "WAITING" });
    await it.desk.ben.setTyping({ conversationId, typing: true });
    expect([await signalsFor(someone), phone.loadingUntil !== null]).toEqual([["loading 202"], true]);
    it.desk.clock.advance(10_000);
    await it.desk.ada.setTyping({ conversationId, typing: true });
    expect(await signalsFor(someone)).toEqual(["loading 202", "loading 202"]);
    await it.desk.ada.sendMessage({ conversationId, text: "Hi" });
    await expect.poll(() => textsOn(it.account, someone.externalId)).toEqual([GREETING, "Hi"]);
    expect(phone.loadingUntil).toBeNull();
  });

  test("does nothing when typing ends, and takes no conversation", async () => {
    const { someone, conversationId } = await written("Hello");
    const { conversation } = await it.desk.ada.setTyping({ conversationId, typing: false });
    expect([conversation.assignee, await signalsFor(someone)]).toEqual([null, []]);
  });

  test("C5: is an invalid transition in a conversation that has ended", async () => {
    const { someone, conversationId } = await written("Hello");
    await it.desk.ada.endConversation({ conversationId });
    const answer = await it.desk.ada.attempt("setTyping", { conversationId, typing: true });
    expect([answer.code, answer.from, await signalsFor(someone)]).toEqual(["INVALID_TRANSITION", "ENDED", []]);
  });

  test.each(["WEB_CHAT", "CUSTOM"] as const)("is accepted on %s, and shows nothing", async (kind) => {
    const { desk } = it;
    const someone = await person(desk, kind);
    await someone.says("Hello");
    const conversationId = await latest(desk, someone);
    const before = it.line.log.all().length;
    await desk.ada.setTyping({ conversationId, typing: true });
    await desk.app.runDue();
    expect(it.line.log.all()).toHaveLength(before);
  });
});

describe("markConversationRead", () => {
  const readOn = ({ phone }: Awaited<ReturnType<typeof written>>) =>
    phone.entries.flatMap((entry) => (entry.from === "user" ? [entry.read] : []));

  test("shows the contact that their messages were read, once the newest was", async () => {
    const chat = await written("One", "Two");
    const { someone, conversationId, messageIds } = chat;
    const [one = "", two = ""] = messageIds;
    expect(await it.desk.ada.markConversationRead({ conversationId, upToMessageId: one })).toMatchObject({
      conversation: { id: conversationId },
    });
    expect([await signalsFor(someone), readOn(chat)]).toEqual([[], [false, false]]);
    await it.desk.ada.markConversationRead({ conversationId, upToMessageId: two });
    await it.desk.ben.markConversationRead({ conversationId, upToMessageId: two });
    expect([await signalsFor(someone), readOn(chat)]).toEqual([["markAsRead 200"], [true, true]]);
  });

  test("takes only a message of the conversation", async () => {
    const [{ conversationId }, other] = [await written("Hello"), await written("Hello")];
    const [upToMessageId] = other.messageIds;
    expect((await it.desk.ada.attempt("markConversationRead", { conversationId, upToMessageId })).code).toBe(
      "NOT_FOUND",
    );
  });

  test("the token is in no answer of the API", async () => {
    const { conversationId } = await written("Hello");
    const stored = await it.desk.app.database.prisma.contactChannel.findFirstOrThrow({
      where: { conversations: { some: { id: rowId(conversationId) } } },
    });
    const { token } = Object(Object(stored.signals).readToken);
    expect(token).toMatch(/./);
    const { data } = await it.desk.ada.graphql(
      "query ($id: ID!) { conversation(id: $id) { messages(first: 10) { edges { node { text payload } } } } }",
      { id: conversationId },
    );
    expect(JSON.stringify(data)).not.toContain(token);
  });
});

test("without the settings nothing is shown, and no token is kept", async () => {
  const { desk } = it;
  await desk.ada.updateChannel({ channelId: desk.line, line: { showLoading: false, markAsRead: null } });
  onTestFinished(async () => {
    await desk.ada.updateChannel({ channelId: desk.line, line: { showLoading: true, markAsRead: true } });
  });
  const { someone, conversationId, messageIds } = await written("Hello");
  await desk.ada.setTyping({ conversationId, typing: true });
  await desk.ada.markConversationRead({ conversationId, upToMessageId: messageIds[0] ?? "" });
  expect(await signalsFor(someone)).toEqual([]);
  const stored = await desk.app.database.prisma.contactChannel.findFirstOrThrow({
    where: { externalId: someone.externalId },
  });
  expect(stored.signals).toBeNull();
});

describe("a chatbot with a delayed step", () => {
  const steps = [
    { id: "first", text: "One moment.", next: "second" },
    { id: "second", text: "Here it is.", delay: 30_000 },
  ];

  /** A contact who has written to this chatbot. */
  async function chatting(settings: object): Promise<Person> {
    const { desk, account } = it;
    const flow: TestFlow = { kind: "CHATBOT", definition: { steps } };
    const channel = await desk.channel("LINE", [flow]);
    await desk.ada.updateChannel({ channelId: channel, line: { accessToken: "token", ...settings } });
    const someone = onLine(desk, { channel });
    account.addUser(someone.externalId, "Mika");
    failing(someone, "push", { type: "slow", ms: 100 });
    await someone.says("Hello");
    return someone;
  }

  test("shows that it composes after what it has already said, until the step is due", async () => {
    const someone = await chatting({ showLoading: true });
    const phone = it.account.account.phone(someone.externalId);
    await expect.poll(() => callsFor(someone)).toContain("loading 202");
    expect((await callsFor(someone)).slice(-2)).toEqual(["push 200", "loading 202"]);
    const shown = (phone.loadingUntil ?? 0) - it.desk.clock.now();
    expect(Math.ceil(shown / 1_000)).toBeGreaterThan(20);
    it.desk.clock.advance(30_000);
    await it.desk.app.runDue();
    await expect.poll(() => textsOn(it.account, someone.externalId)).toEqual(["One moment.", "Here it is."]);
    expect([await signalsFor(someone), phone.loadingUntil]).toEqual([["loading 202"], null]);
  });

  test("shows nothing without the setting", async () => {
    const someone = await chatting({});
    await expect.poll(() => textsOn(it.account, someone.externalId)).toEqual(["One moment."]);
    expect(await signalsFor(someone)).toEqual([]);
  });
});

describe("a call that fails", () => {
  const faultOf = async () => {
    const { sendFault } = await it.desk.app.database.prisma.channel.findUniqueOrThrow({
      where: { id: rowId(it.desk.line) },
    });
    return sendFault;
  };

  test.each([400, 403, 429, 500])("with %i is not repeated, and messages go on", async (status) => {
    const { someone, conversationId, messageIds } = await written("Hello");
    failing(someone, "loading", { type: "status", status });
    failing(someone, "markAsRead", { type: "status", status });
    await it.desk.ada.setTyping({ conversationId, typing: true });
    await it.desk.ada.markConversationRead({ conversationId, upToMessageId: messageIds[0] ?? "" });
    await it.desk.ada.sendMessage({ conversationId, text: "Hi" });
    await expect.poll(() => textsOn(it.account, someone.externalId)).toEqual([GREETING, "Hi"]);
    await it.desk.app.runDue();
    expect((await signalsFor(someone)).toSorted()).toEqual([`loading ${status}`, `markAsRead ${status}`]);
    expect(await faultOf()).toBeNull();
  });

  test.each<Fault["effect"]>([{ type: "hang" }, { type: "reset" }])(
    "because of a $type holds up no message",
    async (effect) => {
      const { someone, conversationId } = await written("Hello");
      failing(someone, "loading", effect);
      await it.desk.ada.setTyping({ conversationId, typing: true });
      await it.desk.ada.sendMessage({ conversationId, text: "Hi" });
      await expect.poll(() => textsOn(it.account, someone.externalId)).toEqual([GREETING, "Hi"]);
      expect(
        it.line.log.all().filter(({ userId, operation }) => userId === someone.externalId && operation === "loading"),
      ).toHaveLength(1);
    },
  );

  test("S4: because the access token is refused is a fault of the channel", async () => {
    const { someone, conversationId } = await written("Hello");
    failing(someone, "loading", { type: "status", status: 401 });
    await it.desk.ada.setTyping({ conversationId, typing: true });
    await expect.poll(faultOf).toMatch(/^LINE refuses the access token \(401: /);
    await it.desk.ada.updateChannel({ channelId: it.desk.line, line: { accessToken: "token" } });
    expect(await faultOf()).toBeNull();
  });
});
