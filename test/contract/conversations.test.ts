import { beforeAll, describe, expect, test } from "vitest";
import { GREETING, lineText, type TestAgent } from "../support/app.ts";
import { kinds, onLine, person } from "../support/people.ts";
import { cursorNow, eventsSince } from "../support/subscriber.ts";
import { contactIdOf, latest, look } from "../support/view.ts";
import { type AutomatedDesk, bootAutomatedDesk, MENU, PRICES } from "./situations.ts";

let desk: AutomatedDesk;
beforeAll(async () => {
  desk = await bootAutomatedDesk();
});

describe("C1: an inbound message starts a conversation", () => {
  test.each(kinds)("%s: WAITING with auto-replies only; greeted once per conversation", async (kind) => {
    const someone = await person(desk, kind);
    await someone.says("Hello");
    await someone.says("Anybody?");
    await desk.ada.endConversation({ conversationId: await latest(desk, someone) });
    await someone.says("Hello again");
    const { statuses, timeline } = await look(desk, someone);
    expect([statuses, timeline]).toEqual([
      ["ENDED", "WAITING"],
      ["1 contact: Hello", `1 bot: ${GREETING}`, "1 contact: Anybody?", "2 contact: Hello again", `2 bot: ${GREETING}`],
    ]);
  });

  test.each(kinds)("%s: a chatbot accepts numbers and labels, and hands over (BOT → WAITING)", async (kind) => {
    const someone = await person(desk, kind, { channel: desk.withChatbot[kind] });
    const since = await cursorNow(desk);
    for (const answer of ["Hello", "prices", "anything else", "1", " A PERSON "]) await someone.says(answer);
    expect((await look(desk, someone)).timeline).toEqual([
      "1 contact: Hello",
      `1 bot: ${MENU}`,
      "1 contact: prices",
      `1 bot: ${PRICES}`,
      "1 contact: anything else",
      `1 bot: ${PRICES}`,
      "1 contact: 1",
      `1 bot: ${MENU}`,
      "1 contact:  A PERSON ",
    ]);
    const changes = await eventsSince(desk, since, "conversationChanged");
    expect(changes.map(({ from, to, actor }) => [from, to, actor.__typename])).toEqual([
      [null, "BOT", "Contact"],
      ["BOT", "WAITING", "Bot"],
    ]);
  });

  test.each(["LINE", "CUSTOM"] as const)("%s: a postback in a BOT conversation is a bot turn", async (kind) => {
    const someone = await person(desk, kind, { channel: desk.withChatbot[kind] });
    await someone.says("Hello");
    await someone.does("postback", { data: "prices" });
    await someone.does("postback", { data: "back" });
    await someone.does("postback", { data: "human" });
    await someone.does("postback", { data: "prices" });
    const { statuses, timeline } = await look(desk, someone);
    expect(statuses).toEqual(["WAITING"]);
    expect(timeline).toEqual([
      "1 contact: Hello",
      `1 bot: ${MENU}`,
      "1 contact: postback",
      `1 bot: ${PRICES}`,
      "1 contact: postback",
      `1 bot: ${MENU}`,
      "1 contact: postback",
      "1 contact: postback",
    ]);
  });

  test("a delayed step is sent when it is due, and hands over", async () => {
    const someone = onLine(desk, { channel: desk.withChatbot.LINE });
    await someone.says("Hello");
    await someone.says("2");
    desk.clock.advance(29_999);
    await desk.app.runDue();
    expect((await look(desk, someone)).statuses).toEqual(["BOT"]);
    desk.clock.advance(1);
    await desk.app.runDue();
    await desk.app.runDue();
    const { statuses, timeline } = await look(desk, someone);
    expect([statuses, timeline.slice(3)]).toEqual([["WAITING"], ["1 bot: Here I am again."]]);
  });

  test.each(kinds)(
    "%s: a keyword is answered before the greeting and while WAITING, not while ACTIVE",
    async (kind) => {
      const someone = await person(desk, kind, { channel: desk.withKeyword[kind] });
      await someone.says("Which PRICE?");
      await someone.says("Hello");
      await someone.says("The price!");
      await desk.ada.takeConversation({ conversationId: await latest(desk, someone) });
      await someone.says("So the price is?");
      const { statuses, timeline } = await look(desk, someone);
      expect([statuses, timeline]).toEqual([
        ["ACTIVE"],
        [
          "1 contact: Which PRICE?",
          "1 bot: Prices are on our page.",
          "1 contact: Hello",
          "1 contact: The price!",
          "1 bot: Prices are on our page.",
          "1 contact: So the price is?",
        ],
      ]);
    },
  );

  test("events start no conversation: they are recorded in the ongoing one, else the most recent one, else in none", async () => {
    const someone = onLine(desk);
    await someone.does("follow");
    await someone.says("Hello");
    await someone.does("postback", { data: "x" });
    await desk.ada.endConversation({ conversationId: await latest(desk, someone) });
    await someone.does("unfollow");
    const { statuses, timeline } = await look(desk, someone);
    expect([statuses, timeline]).toEqual([
      ["ENDED"],
      ["- contact: follow", "1 contact: Hello", `1 bot: ${GREETING}`, "1 contact: postback", "1 contact: unfollow"],
    ]);
  });

  test("a LINE event in standby mode is recorded and triggers no flow", async () => {
    const someone = onLine(desk, { channel: desk.withChatbot.LINE });
    const event = lineText(someone.externalId, "Hello", { mode: "standby", timestamp: desk.clock.now() });
    await desk.lineWebhook([event], { channel: someone.channel });
    const { statuses, timeline } = await look(desk, someone);
    expect([statuses, timeline]).toEqual([["WAITING"], ["1 contact: Hello"]]);
  });
});

describe("C2: at most one ongoing conversation", () => {
  test.each(kinds)("%s: 20 concurrent messages of an unknown contact start one conversation", async (kind) => {
    const someone = await person(desk, kind);
    await Promise.all(Array.from({ length: 20 }, (_, n) => someone.says(`${n}`)));
    const { statuses, timeline } = await look(desk, someone);
    expect(statuses).toEqual(["WAITING"]);
    expect(timeline).toHaveLength(21);
    expect(timeline.filter((entry) => entry.includes("bot"))).toEqual([`1 bot: ${GREETING}`]);
    const known = { where: { externalId: someone.externalId } };
    expect(await desk.app.database.prisma.contactChannel.count(known)).toBe(1);
  });

  test("a message and two agents at once start one conversation", async () => {
    const someone = onLine(desk);
    await someone.does("follow");
    const contactId = await contactIdOf(desk, someone);
    const start = (agent: TestAgent) =>
      agent.attempt("startConversation", { contactId, channelId: desk.line, text: "Hi" });
    const [, ...started] = await Promise.all([someone.says("Hello"), start(desk.ada), start(desk.ben)]);
    const { statuses } = await look(desk, someone);
    expect(statuses).toHaveLength(1);
    const successes = started.filter((answer) => answer.__typename === "StartConversationSuccess");
    expect(successes.length).toBeLessThanOrEqual(1);
    for (const { code } of started) if (code !== undefined) expect(code).toBe("INVALID_TRANSITION");
  });
});
