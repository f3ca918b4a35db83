import { beforeAll, describe, expect, test } from "vitest";
import { GREETING } from "../support/app.ts";
import { block, kinds, onLine, person, unblock } from "../support/people.ts";
import { contactIdOf, latest, look } from "../support/view.ts";
import { type AutomatedDesk, bootAutomatedDesk, MENU, PRICES } from "./situations.ts";

let desk: AutomatedDesk;
beforeAll(async () => {
  desk = await bootAutomatedDesk();
});

describe("U2: the first new message triggers the default flows from their beginning, in a new conversation", () => {
  test.each(kinds)("%s: the greeting", async (kind) => {
    const someone = await person(desk, kind);
    await someone.says("Hello");
    await block(desk, someone);
    await someone.says("Suppressed");
    desk.clock.advance(1_000);
    await unblock(desk, someone);
    await someone.says("Hello again");
    await someone.says("One more");
    const { statuses, timeline } = await look(desk, someone);
    expect(statuses).toEqual(["BLOCKED", "WAITING"]);
    expect(timeline.slice(2)).toEqual([
      "1 contact: Suppressed (blocked)",
      "2 contact: Hello again",
      `2 bot: ${GREETING}`,
      "2 contact: One more",
    ]);
  });

  test.each(kinds)("%s: a chatbot session from before the block never resumes", async (kind) => {
    const someone = await person(desk, kind, { channel: desk.withChatbot[kind] });
    await someone.says("Hello");
    await someone.says("1");
    await block(desk, someone);
    desk.clock.advance(1_000);
    await unblock(desk, someone);
    // In the old session this would lead back to the first menu.
    await someone.says("1");
    await someone.says("1");
    expect((await look(desk, someone)).timeline).toEqual([
      "1 contact: Hello",
      `1 bot: ${MENU}`,
      "1 contact: 1",
      `1 bot: ${PRICES}`,
      "2 contact: 1",
      `2 bot: ${MENU}`,
      "2 contact: 1",
      `2 bot: ${PRICES}`,
    ]);
  });

  test.each(kinds)("%s: exactly once, when 20 arrive at the same moment", async (kind) => {
    const someone = await person(desk, kind);
    await someone.says("Hello");
    await block(desk, someone);
    desk.clock.advance(1_000);
    await unblock(desk, someone);
    await Promise.all(Array.from({ length: 20 }, (_, n) => someone.says(`${n}`)));
    const { statuses, timeline } = await look(desk, someone);
    expect(statuses).toEqual(["BLOCKED", "WAITING"]);
    const fresh = timeline.slice(2);
    expect(fresh.filter((entry) => entry.startsWith("2 contact"))).toHaveLength(20);
    expect(fresh.filter((entry) => entry.startsWith("2 bot"))).toEqual([`2 bot: ${GREETING}`]);
    expect(fresh[1]).toBe(`2 bot: ${GREETING}`);
  });

  test("exactly once, when the unblock and 20 messages race", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    await block(desk, someone);
    const messages = Array.from({ length: 20 }, (_, n) => someone.says(`${n}`));
    await unblock(desk, someone);
    await Promise.all(messages);
    await someone.says("Last");
    const { statuses, timeline } = await look(desk, someone);
    expect(statuses).toEqual(["BLOCKED", "WAITING"]);
    expect(timeline.filter((entry) => entry === `2 bot: ${GREETING}`)).toHaveLength(1);
    expect(timeline.filter((entry) => /contact: \d/.test(entry))).toHaveLength(20);
  });
});

describe("U2, U6: an agent starts a conversation before the first new message", () => {
  test.each(kinds)(
    "%s: the message is recorded in that conversation, triggers nothing, and counts as the first",
    async (kind) => {
      const channel = desk.withKeyword[kind];
      const someone = await person(desk, kind, { channel });
      await someone.says("Hello");
      await block(desk, someone);
      desk.clock.advance(1_000);
      await unblock(desk, someone);
      const contactId = await contactIdOf(desk, someone);
      const { conversation } = await desk.ada.startConversation({
        contactId,
        channelId: channel,
        text: "Sorry for that",
      });
      expect(conversation).toMatchObject({ status: "ACTIVE", assignee: { id: desk.ada.id } });
      await someone.says("What is the price?");
      // While WAITING, keywords are answered again, so only that message triggered nothing.
      await desk.ada.transferConversation({ conversationId: conversation.id });
      await someone.says("The price?");
      expect((await look(desk, someone)).timeline.slice(2)).toEqual([
        "2 agent: Sorry for that",
        "2 contact: What is the price?",
        "2 contact: The price?",
        "2 bot: Prices are on our page.",
      ]);
    },
  );

  test("while WAITING, a keyword in the first message is not answered", async () => {
    const someone = onLine(desk, { channel: desk.withKeyword.LINE });
    await someone.says("Hello");
    await block(desk, someone);
    desk.clock.advance(1_000);
    await unblock(desk, someone);
    const contactId = await contactIdOf(desk, someone);
    const input = { contactId, channelId: someone.channel, text: "Hi" };
    const { conversation } = await desk.ada.startConversation(input);
    await desk.ada.transferConversation({ conversationId: conversation.id });
    await someone.says("The price?");
    await someone.says("The price, please?");
    expect((await look(desk, someone)).timeline.slice(2)).toEqual([
      "2 agent: Hi",
      "2 contact: The price?",
      "2 contact: The price, please?",
      "2 bot: Prices are on our page.",
    ]);
  });

  test("after that conversation ended, the first message starts a new one, with the flows", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    await block(desk, someone);
    desk.clock.advance(1_000);
    await unblock(desk, someone);
    const contactId = await contactIdOf(desk, someone);
    await desk.ada.startConversation({ contactId, channelId: desk.line, text: "Hi" });
    await desk.ada.endConversation({ conversationId: await latest(desk, someone) });
    await someone.says("Hello");
    expect((await look(desk, someone)).timeline.slice(2)).toEqual([
      "2 agent: Hi",
      "3 contact: Hello",
      `3 bot: ${GREETING}`,
    ]);
  });
});

describe("U3: other events between the unblock and the first message", () => {
  test.each(["LINE", "CUSTOM"] as const)(
    "%s: are recorded in the most recent conversation and trigger nothing",
    async (kind) => {
      const someone = await person(desk, kind, { channel: desk.withChatbot[kind] });
      await someone.says("Hello");
      await block(desk, someone);
      desk.clock.advance(1_000);
      await unblock(desk, someone);
      await someone.does("unfollow");
      await someone.does("follow");
      await someone.does("postback", { data: "prices" });
      expect((await look(desk, someone)).statuses).toEqual(["BLOCKED"]);
      await someone.says("Hello");
      await someone.does("postback", { data: "prices" });
      expect((await look(desk, someone)).timeline.slice(2)).toEqual([
        "1 contact: unfollow",
        "1 contact: follow",
        "1 contact: postback",
        "2 contact: Hello",
        `2 bot: ${MENU}`,
        "2 contact: postback",
        `2 bot: ${PRICES}`,
      ]);
    },
  );
});
