import { beforeAll, describe, expect, test } from "vitest";
import { GREETING, lineText } from "../support/app.ts";
import { inMs } from "../support/clock.ts";
import { block, kinds, onLine, people, person, unblock, visitor } from "../support/people.ts";
import { cursorNow, eventsSince, externalIdOf, listen, type Subscription } from "../support/subscriber.ts";
import { contactIdOf, latest, look } from "../support/view.ts";
import { type AutomatedDesk, bootAutomatedDesk, MENU, someoneIn } from "./situations.ts";

let desk: AutomatedDesk;
beforeAll(async () => {
  desk = await bootAutomatedDesk();
});

describe("D1: an inbound entry is recorded once, in the most recent conversation, which does not change", () => {
  test.each(kinds)("%s: in the conversation that the block ended", async (kind) => {
    const someone = await person(desk, kind);
    await someone.says("Hello");
    await desk.ada.takeConversation({ conversationId: await latest(desk, someone) });
    await block(desk, someone);
    const before = await look(desk, someone);
    desk.clock.advance(60_000);
    await someone.says("Why?");
    await someone.says("Why?", { eventId: `${kind}-1` });
    await someone.says("Why?", { eventId: `${kind}-1` });

    const after = await look(desk, someone);
    expect(after.timeline).toEqual([
      "1 contact: Hello",
      `1 bot: ${GREETING}`,
      "1 contact: Why? (blocked)",
      "1 contact: Why? (blocked)",
    ]);
    expect(after.conversations).toEqual(before.conversations);
    expect(after.lastActivityAt).toBe(before.lastActivityAt);
    expect(after.activeBlock?.suppressedMessageCount).toBe(2);
  });

  test.each(kinds)("%s: in a conversation that ended before the block", async (kind) => {
    const someone = await person(desk, kind);
    await someone.says("Hello");
    await desk.ada.endConversation({ conversationId: await latest(desk, someone) });
    await someone.says("Hello again");
    await desk.ada.endConversation({ conversationId: await latest(desk, someone) });
    await block(desk, someone);
    await someone.says("Anybody?");
    const { timeline, statuses } = await look(desk, someone);
    expect([timeline.at(-1), statuses]).toEqual(["2 contact: Anybody? (blocked)", ["ENDED", "ENDED"]]);
  });

  test.each(["LINE", "CUSTOM"] as const)("%s: events are recorded, too, and do not count as messages", async (kind) => {
    const someone = await person(desk, kind);
    await someone.says("Hello");
    await block(desk, someone);
    await someone.does("unfollow");
    await someone.does("follow");
    await someone.does("postback", { data: "prices" });
    const { timeline, activeBlock } = await look(desk, someone);
    expect(timeline.slice(2)).toEqual([
      "1 contact: unfollow (blocked)",
      "1 contact: follow (blocked)",
      "1 contact: postback (blocked)",
    ]);
    expect(activeBlock?.suppressedMessageCount).toBe(0);
  });

  test("the order of lists does not change", async () => {
    const [first, second] = people(desk, 2);
    await first?.says("Hello");
    desk.clock.advance(1_000);
    await second?.says("Hello");
    const order = async () => {
      const { data } = await desk.ada.graphql(
        `query ($channelId: ID!) { conversations(filter: { channelId: $channelId }) { edges { node { id } } }
           contacts(filter: { channelId: $channelId }) { edges { node { id } } } }`,
        { channelId: desk.line },
      );
      return data;
    };
    if (first === undefined) throw new Error("No contact was found.");
    await block(desk, first);
    const before = await order();
    desk.clock.advance(1_000);
    await first.says("Me first!");
    expect(await order()).toEqual(before);
  });
});

describe("D2: no conversation is created", () => {
  test.each(["LINE", "CUSTOM"] as const)(
    "%s: without a conversation it is recorded in the timeline only",
    async (kind) => {
      const someone = await person(desk, kind);
      await someone.does("follow");
      await block(desk, someone);
      await someone.says("Hello");
      await someone.says("Hello?");
      const seen = await look(desk, someone);
      expect([seen.timeline, seen.statuses]).toEqual([
        ["- contact: follow", "- contact: Hello (blocked)", "- contact: Hello? (blocked)"],
        [],
      ]);
      expect(seen.activeBlock?.suppressedMessageCount).toBe(2);
      await unblock(desk, someone);
      expect((await look(desk, someone)).timeline).toEqual(seen.timeline);
    },
  );

  test("30 messages concurrent with the block are all recorded in the conversation, and start none", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    const messages = Array.from({ length: 30 }, (_, n) => someone.says(`${n}`));
    await block(desk, someone);
    await Promise.all(messages);
    const { statuses, timeline } = await look(desk, someone);
    expect(statuses).toEqual(["BLOCKED"]);
    expect(timeline).toHaveLength(32);
    expect(timeline.every((entry) => entry.startsWith("1 "))).toBe(true);
  });
});

describe("D3: nothing is triggered", () => {
  test.each(kinds)("%s: no greeting, no keyword reply, no assignment", async (kind) => {
    const someone = await person(desk, kind, { channel: desk.withKeyword[kind] });
    await someone.says("Hello");
    await block(desk, someone);
    const since = await cursorNow(desk);
    await someone.says("What is the price?");
    desk.clock.advance(120_000);
    await desk.app.runDue();
    const about = async (subscription: Subscription) =>
      (await eventsSince(desk, since, subscription)).filter((event) => externalIdOf(event) === someone.externalId)
        .length;
    expect([await about("messageRecorded"), await about("conversationChanged")]).toEqual([1, 0]);
    expect((await look(desk, someone)).timeline.slice(2)).toEqual(["1 contact: What is the price? (blocked)"]);
  });

  test.each(kinds)("%s: no bot turn", async (kind) => {
    const someone = await person(desk, kind, { channel: desk.withChatbot[kind] });
    await someone.says("Hello");
    await block(desk, someone);
    await someone.says("1");
    if (kind !== "WEB_CHAT") await someone.does("postback", { data: "prices" });
    expect((await look(desk, someone)).timeline.slice(0, 3)).toEqual([
      "1 contact: Hello",
      `1 bot: ${MENU}`,
      "1 contact: 1 (blocked)",
    ]);
    expect((await look(desk, someone)).deliveries).toEqual(["CANCELED"]);
  });
});

describe("D4: agents see it, and subscriptions deliver it", () => {
  test.each(kinds)("%s: messageRecorded is delivered, also to the former assignee", async (kind) => {
    const someone = await person(desk, kind);
    await someone.says("Hello");
    const conversationId = await latest(desk, someone);
    await desk.ben.takeConversation({ conversationId });
    await block(desk, someone);
    const contactId = await contactIdOf(desk, someone);
    const after = await cursorNow(desk);
    const filter = { contactId, channelId: someone.channel, conversationId, assigneeId: desk.ben.id };
    const listener = listen(desk, "messageRecorded", { after, filter, token: desk.vic.token });
    await someone.says("You cannot stop me");
    expect(await listener.next()).toMatchObject({
      actor: { __typename: "Contact", id: contactId },
      message: {
        text: "You cannot stop me",
        direction: "INBOUND",
        receivedWhileBlocked: true,
        conversation: { id: conversationId },
      },
    });
    await listener.close();
    expect((await look(desk, someone, desk.vic)).timeline.at(-1)).toBe("1 contact: You cannot stop me (blocked)");
  });
});

describe("D6: being blocked by the contact is independent of our block", () => {
  test.each(["LINE", "CUSTOM"] as const)("%s: unfollow and follow set reachable, blocked or not", async (kind) => {
    const someone = await person(desk, kind);
    const seen = async () => {
      const { here, reachable } = await look(desk, someone);
      return [here, reachable];
    };
    await someone.says("Hello");
    expect(await seen()).toEqual(["ACTIVE", true]);
    desk.clock.advance(1);
    await someone.does("unfollow");
    expect(await seen()).toEqual(["ACTIVE", false]);
    await block(desk, someone);
    desk.clock.advance(1);
    await someone.does("follow", { isUnblocked: true });
    expect(await seen()).toEqual(["BLOCKED", true]);
    desk.clock.advance(1);
    await someone.does("unfollow");
    expect(await seen()).toEqual(["BLOCKED", false]);
    await unblock(desk, someone);
    expect(await seen()).toEqual(["ACTIVE", false]);
    desk.clock.advance(1);
    await someone.does("follow", { isUnblocked: true });
    expect(await seen()).toEqual(["ACTIVE", true]);
  });

  test("O3: the later event counts, in whichever order they arrive", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    const now = desk.clock.now();
    await someone.does("follow", { sentAt: now - 1_000 });
    await someone.does("unfollow", { sentAt: now - 2_000 });
    expect((await look(desk, someone)).reachable).toBe(true);
  });

  test("it causes no ContactStatusChanged and lifts no block", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    const made = await block(desk, someone, { notes: "ours" });
    const since = await cursorNow(desk);
    await someone.does("unfollow");
    await someone.does("follow", { isUnblocked: true });
    expect(await eventsSince(desk, since, "contactStatusChanged")).toEqual([]);
    expect((await look(desk, someone)).activeBlock).toEqual(made);
  });
});

describe("D7: the visitor does not notice the block", () => {
  test("sending, repeating and opening a session again return the same answers", async () => {
    const { person: someone, page } = await visitor(desk);
    const answer = async (response: Promise<Response>) => {
      const { status, headers } = await response;
      const body: Record<string, unknown> = JSON.parse(await (await response).text());
      return { status, type: headers.get("content-type"), keys: Object.keys(body), sentAt: body.sentAt };
    };
    const before = [await answer(page.say("Hello", "1")), await answer(page.say("Hello", "1"))];
    await block(desk, someone);
    expect([await answer(page.say("Hello?", "2")), await answer(page.say("Hello?", "2"))]).toEqual(before);
    const resumed = await fetch(`${desk.url}/chat/${desk.webChat}/sessions`, {
      method: "POST",
      headers: { authorization: `Bearer ${page.token}` },
    });
    expect([resumed.status, await resumed.json()]).toEqual([200, { token: page.token, visitorId: page.id }]);
  });

  test("the stream stays open and delivers nothing until they are unblocked and answered", async () => {
    const { person: someone, page } = await visitor(desk);
    const stream = await page.stream();
    await someone.says("Hello");
    expect(await stream.text()).toBe(GREETING);
    await block(desk, someone);
    await someone.says("Hello?");
    const again = await page.stream();
    await unblock(desk, someone);
    await someone.says("And now?");
    expect([await stream.text(), await again.text()]).toEqual([GREETING, GREETING]);
    const timeline = ["1 contact: Hello", `1 bot: ${GREETING}`, "1 contact: Hello? (blocked)"];
    expect((await look(desk, someone)).timeline).toEqual([...timeline, "2 contact: And now?", `2 bot: ${GREETING}`]);
    stream.close();
    again.close();
  });

  test("reconnecting replays what was SENT before a block, never what was CANCELED by one", async () => {
    const { person: someone, page } = await visitor(desk);
    await someone.says("Nobody is connected");
    await block(desk, someone);
    desk.clock.advance(1_000);
    await unblock(desk, someone);
    await someone.says("Hello");
    const stream = await page.stream();
    const greeting = await stream.next();
    await block(desk, someone);

    // An id that is not one of their messages: the replay starts as early as possible.
    const again = await page.stream("unknown");
    expect(await again.next()).toEqual(greeting);
    expect((await look(desk, someone)).deliveries).toEqual(["CANCELED", "SENT"]);
    desk.clock.advance(1_000);
    await unblock(desk, someone);
    await someone.says("Back again");
    const next = await again.next();
    expect([next, next.id === greeting.id]).toEqual([await stream.next(), false]);
    stream.close();
    again.close();
  });
});

test("O3, D1: a webhook redelivered while the contact is blocked returns 200 and changes nothing", async () => {
  const someone = await someoneIn(desk, "ACTIVE");
  const event = lineText(someone.externalId, "Once", { timestamp: desk.clock.now() });
  await desk.lineWebhook([event]);
  await block(desk, someone);
  const before = await look(desk, someone);
  desk.clock.advance(1_000);
  const again = await desk.lineWebhook([{ ...event, deliveryContext: { isRedelivery: true } }]);
  expect([again.status, await look(desk, someone)]).toEqual([200, before]);
  expect(before.timeline.at(-1)).toBe("1 contact: Once");
  expect(before.conversations.at(-1)?.endedAt).toBe(inMs(desk, -1_000));
});
