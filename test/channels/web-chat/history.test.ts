import { beforeAll, describe, expect, test } from "vitest";
import { chatbot, MENU, PRICES } from "../../contract/situations.ts";
import { at, textAt } from "../../support/answers.ts";
import { bootDesk, type Desk, GREETING } from "../../support/app.ts";
import { leaseAsDeadInstance } from "../../support/dead-lease.ts";
import { databaseOf } from "../../support/faults.ts";
import { addContactChannel, block, onLine, type Person, unblock, visitor } from "../../support/people.ts";
import { contactIdOf, latest, look } from "../../support/view.ts";
import { type ChatReader, openSession, openStream, type Received, type Visitor } from "../../support/visitor.ts";

let desk: Desk;
let withChatbot: string;
beforeAll(async () => {
  desk = await bootDesk({ env: { CHAT_SESSIONS_PER_MINUTE: "1000" } });
  withChatbot = await desk.channel("WEB_CHAT", [chatbot]);
});

/** Who wrote what, of the next events. */
async function take(stream: ChatReader, count: number): Promise<string[]> {
  const entries: string[] = [];
  while (entries.length < count) entries.push(entryOf(await stream.next()));
  return entries;
}

function entryOf({ data }: Received): string {
  return `${textAt(data, "author.type")}: ${textAt(data, "text")}`;
}

/** The conversation of a new stream: everything before a message that is then sent from another tab. */
async function historyOf(page: Visitor): Promise<string[]> {
  const stream = await page.history();
  const mark = crypto.randomUUID();
  await page.say(mark);
  const entries: string[] = [];
  for (let event = await stream.next(); !entryOf(event).endsWith(mark); event = await stream.next()) {
    entries.push(entryOf(event));
  }
  stream.close();
  return entries;
}

/** A message is on the stream shortly before it is `SENT`. */
async function settled(someone: Person, expected: readonly string[]): Promise<void> {
  const deliveries = async () => (await look(desk, someone)).deliveries;
  await expect.poll(deliveries, { timeout: 10_000, interval: 5 }).toEqual(expected);
}

async function reply(someone: Person, text: string): Promise<void> {
  await desk.ada.sendMessage({ conversationId: await latest(desk, someone), text });
}

describe("S10: a stream with history=current", () => {
  test("gives the current conversation both ways, with the visitor's keys, then goes on live", async () => {
    const { person, page } = await visitor(desk);
    await page.say("Hello", "key 1");
    await reply(person, "Hi!");
    const stream = await page.history();
    const first = await stream.next();
    const id = textAt(first, "id");
    const sentAt = new Date(desk.clock.now()).toISOString();
    expect(first).toEqual({
      id,
      event: "message",
      data: { id, text: "Hello", sentAt, author: { type: "Visitor" }, clientMessageId: "key 1" },
    });
    expect(await take(stream, 2)).toEqual([`Bot: ${GREETING}`, "Agent: Hi!"]);
    await page.say("From another tab");
    await reply(person, "Seen");
    expect(await take(stream, 2)).toEqual(["Visitor: From another tab", "Agent: Seen"]);
    stream.close();
  });

  test("gives the key of nobody but the visitor", async () => {
    const { person, page } = await visitor(desk);
    await person.says("Hello");
    await desk.ada.sendMessage({ conversationId: await latest(desk, person), text: "Hi", idempotencyKey: "secret" });
    const stream = await page.history();
    await take(stream, 2);
    expect(Object.keys(Object(at(await stream.next(), "data")))).toEqual(["id", "text", "sentAt", "author"]);
    stream.close();
  });

  test("resumes after Last-Event-ID, be it an own entry or a message, and starts over at an unknown one", async () => {
    const { person, page } = await visitor(desk);
    await person.says("Hello");
    await reply(person, "Hi!");
    const stream = await page.history();
    const events = [await stream.next(), await stream.next(), await stream.next()];
    stream.close();
    const ids = events.map(({ id }) => id);
    const rest = [[`Bot: ${GREETING}`, "Agent: Hi!"], ["Agent: Hi!"], []];
    for (const [index, id] of ids.entries()) {
      const again = await page.history(id);
      await page.say(`again ${index}`);
      const expected = [...(rest[index] ?? []), ...Array.from({ length: index + 1 }, (_, n) => `Visitor: again ${n}`)];
      expect(await take(again, expected.length)).toEqual(expected);
      again.close();
    }
    const over = await page.history("unknown");
    expect(await take(over, 3)).toEqual(["Visitor: Hello", `Bot: ${GREETING}`, "Agent: Hi!"]);
    over.close();
  });

  test("an own entry as Last-Event-ID does not skip a message before it that was never written", async () => {
    const { person, page } = await visitor(desk);
    await person.says("Hello");
    const sent: { id: string } = JSON.parse(await (await page.say("Anybody?")).text());
    const stream = await page.history(sent.id);
    expect(await take(stream, 2)).toEqual([`Bot: ${GREETING}`, "Visitor: Anybody?"]);
    stream.close();
  });

  test("leaves earlier conversations out, but not a message of theirs that still waits for a stream", async () => {
    const { person, page } = await visitor(desk);
    await person.says("One");
    const stream = await page.history();
    await take(stream, 2);
    stream.close();
    await settled(person, ["SENT"]);
    await desk.ada.endConversation({ conversationId: await latest(desk, person) });
    await person.says("Two");
    const second = await page.history();
    expect(await take(second, 2)).toEqual(["Visitor: Two", `Bot: ${GREETING}`]);
    second.close();
    await settled(person, ["SENT", "SENT"]);
    await reply(person, "Late");
    await desk.ada.endConversation({ conversationId: await latest(desk, person) });
    await person.says("Three");
    const third = await page.history();
    expect(await take(third, 3)).toEqual(["Agent: Late", "Visitor: Three", `Bot: ${GREETING}`]);
    third.close();
  });

  test("is complete and in order with hundreds of entries, written while it is read", async () => {
    const { person, page } = await visitor(desk);
    await person.says("0");
    const conversationId = await latest(desk, person);
    for (let n = 1; n < 120; n++) {
      if (n % 3 === 0) await person.says(`${n}`);
      else await desk.ada.sendMessage({ conversationId, text: `${n}` });
    }
    const streams = [await page.history(), await page.history()];
    for (let n = 120; n < 150; n++) await person.says(`${n}`);
    for (const stream of streams) {
      const [hello, greeting, ...others] = await take(stream, 151);
      expect([hello, greeting]).toEqual(["Visitor: 0", `Bot: ${GREETING}`]);
      expect(others.map((entry) => Number(entry.split(": ")[1]))).toEqual(Array.from({ length: 149 }, (_, n) => n + 1));
      stream.close();
    }
  });

  test("before the first message it is empty", async () => {
    expect(await historyOf(await openSession(desk))).toEqual([]);
  });

  test("goes on live with what reaches another instance", async () => {
    const two = await bootDesk({ env: { DATABASE_URL: databaseOf(desk) } });
    const { page } = await visitor(desk);
    const authorization = `Bearer ${page.token}`;
    const there = await openStream({ ...desk, url: two.url }, desk.webChat, { authorization }, "?history=current");
    await page.say("Hello");
    await page.say("Hello?");
    expect((await take(there, 3)).toSorted()).toEqual([`Bot: ${GREETING}`, "Visitor: Hello", "Visitor: Hello?"]);
    there.close();
    await two.stop();
  });

  test("another value is refused", async () => {
    const page = await openSession(desk);
    const response = await fetch(`${desk.url}/chat/${desk.webChat}/stream?history=all`, {
      headers: { authorization: `Bearer ${page.token}` },
    });
    expect([response.status, await response.json()]).toEqual([
      400,
      { error: { code: "INVALID_INPUT", message: "history: Must be `current` or absent." } },
    ]);
  });
});

describe("S10, D7: a blocked visitor", () => {
  test("sees what they sent since the block, and nothing of ours; as long as they are blocked, and after that", async () => {
    const { person, page } = await visitor(desk);
    const open = await page.history();
    await person.says("Hello");
    expect(await take(open, 2)).toEqual(["Visitor: Hello", `Bot: ${GREETING}`]);
    await settled(person, ["SENT"]);
    await block(desk, person);
    await person.says("Hello?");
    expect(await take(open, 1)).toEqual(["Visitor: Hello?"]);
    open.close();
    const seen = ["Visitor: Hello", `Bot: ${GREETING}`, "Visitor: Hello?"];
    const again = await page.history();
    expect(await take(again, 3)).toEqual(seen);
    again.close();
    await unblock(desk, person);
    const after = await page.history();
    expect(await take(after, 3)).toEqual(seen);
    after.close();
  });

  test("does not see what the block canceled", async () => {
    const { person, page } = await visitor(desk);
    await person.says("Hello");
    await reply(person, "Never written");
    await block(desk, person);
    expect(await historyOf(page)).toEqual(["Visitor: Hello"]);
  });

  test("does not see a message whose lease was lost when the block came (rule S2)", async () => {
    const { person, page } = await visitor(desk);
    await person.says("Hello");
    await leaseAsDeadInstance(desk, person);
    await block(desk, person);
    desk.clock.advance(60_000);
    await desk.app.runDue();
    expect([await historyOf(page), (await look(desk, person)).deliveries]).toEqual([["Visitor: Hello"], ["FAILED"]]);
  });

  test("without a conversation sees what they sent (rule D2)", async () => {
    const known = onLine(desk);
    await known.says("Hello");
    const { person, page } = await visitor(desk);
    await addContactChannel(desk, known, person);
    await block(desk, known, { channelId: desk.webChat });
    await person.says("Anybody?");
    expect(await historyOf(page)).toEqual(["Visitor: Anybody?"]);
  });
});

describe("a chatbot's menu", () => {
  test("is structured on the stream, and an option's id answers it", async () => {
    const { person, page } = await visitor(desk, { channel: withChatbot });
    const stream = await page.stream();
    await person.says("Hello");
    const options = [
      { id: "prices", label: "Prices" },
      { id: "later", label: "Call me later" },
      { id: "human", label: "A person" },
    ];
    const received = await stream.next();
    expect(received.data).toMatchObject({ text: MENU, menu: { text: "How can we help?", options } });
    await person.says("prices");
    expect((await stream.next()).data).toMatchObject({
      text: PRICES,
      menu: { text: "It is free.", options: [{ id: "back", label: "Back" }] },
    });
    stream.close();
    const { data } = await desk.ada.graphql(
      `query ($id: ID!) { contact(id: $id) { channels { messages(first: 2) { edges { node {
        text menu { text options { value label } }
      } } } } } }`,
      { id: await contactIdOf(desk, person) },
    );
    expect(at(data, "contact.channels.0.messages.edges")).toEqual([
      { node: { text: "Hello", menu: null } },
      {
        node: {
          text: MENU,
          menu: { text: "How can we help?", options: options.map(({ id: value, label }) => ({ value, label })) },
        },
      },
    ]);
  });
});
