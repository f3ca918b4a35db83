import { beforeAll, describe, expect, test } from "vitest";
import { nodesAt } from "../support/answers.ts";
import { leaseAsDeadInstance } from "../support/dead-lease.ts";
import { block, onLine, person, unblock, visitor } from "../support/people.ts";
import { cursorNow, eventsSince, listen } from "../support/subscriber.ts";
import { latest, look } from "../support/view.ts";
import { type AutomatedDesk, bootAutomatedDesk, MENU, someoneIn } from "./situations.ts";

let desk: AutomatedDesk;
beforeAll(async () => {
  desk = await bootAutomatedDesk();
});

describe("B4: a block cancels everything that is pending towards the contact", () => {
  test.each(["LINE", "WEB_CHAT", "CUSTOM"] as const)(
    "%s: messages that are still QUEUED are canceled for good",
    async (kind) => {
      const someone = await person(desk, kind);
      await someone.says("Hello");
      const conversationId = await latest(desk, someone);
      await desk.ada.sendMessage({ conversationId, text: "One" });
      await desk.ada.sendMessage({ conversationId, text: "Two" });
      expect((await look(desk, someone)).deliveries).toEqual(["QUEUED", "QUEUED", "QUEUED"]);
      await block(desk, someone);
      expect((await look(desk, someone)).deliveries).toEqual(["CANCELED", "CANCELED", "CANCELED"]);
      await unblock(desk, someone);
      expect((await look(desk, someone)).deliveries).toEqual(["CANCELED", "CANCELED", "CANCELED"]);
    },
  );

  test("a delayed chatbot step, also when the block is lifted before it is due", async () => {
    const someone = onLine(desk, { channel: desk.withChatbot.LINE });
    await someone.says("Hello");
    await someone.says("2");
    await block(desk, someone);
    await unblock(desk, someone);
    desk.clock.advance(60_000);
    await desk.app.runDue();
    expect((await look(desk, someone)).timeline).toEqual(["1 contact: Hello", `1 bot: ${MENU}`, "1 contact: 2"]);
  });

  test("a step that is due but not yet sent", async () => {
    const someone = onLine(desk, { channel: desk.withChatbot.LINE });
    await someone.says("Hello");
    await someone.says("2");
    desk.clock.advance(30_000);
    await block(desk, someone);
    await desk.app.runDue();
    expect((await look(desk, someone)).timeline).toEqual(["1 contact: Hello", `1 bot: ${MENU}`, "1 contact: 2"]);
  });

  test("an offer: nobody can accept it, and it does not end as a timeout", async () => {
    const someone = await someoneIn(desk, "ASSIGNING");
    const since = await cursorNow(desk);
    await block(desk, someone);
    desk.clock.advance(60_000);
    await desk.app.runDue();
    expect((await look(desk, someone)).conversations).toMatchObject([{ status: "BLOCKED", offeredTo: null }]);
    const received = await eventsSince(desk, since, "conversationChanged");
    expect(received.map(({ from, to }) => [from, to])).toEqual([["ASSIGNING", "BLOCKED"]]);
    // It is delivered to the offered agent, too.
    expect(await transitionsSince(since, desk.ben.id)).toEqual(["ASSIGNING → BLOCKED"]);
  });

  async function transitionsSince(since: string, assigneeId: string): Promise<string[]> {
    const last = await someoneIn(desk, "ASSIGNING");
    const conversationId = await latest(desk, last);
    const listener = listen(desk, "conversationChanged", { after: since, filter: { assigneeId } });
    const transitions: string[] = [];
    for (let event = await listener.next(); event.conversation?.id !== conversationId; event = await listener.next()) {
      transitions.push(`${event.from} → ${event.to}`);
    }
    await listener.close();
    return transitions;
  }

  test("S2: a message leased by a dead instance may have arrived: it fails, also if the block is lifted before the lease ends", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    await leaseAsDeadInstance(desk, someone);
    await block(desk, someone);
    await unblock(desk, someone);
    desk.clock.advance(60_000);
    await desk.app.runDue();
    expect((await look(desk, someone)).deliveries).toEqual(["FAILED"]);
    const { data } = await desk.ada.graphql(
      "query ($id: ID!) { conversation(id: $id) { messages(last: 1) { edges { node { deliveryError { code message } } } } } }",
      { id: await latest(desk, someone) },
    );
    const message = "The message may have arrived. It is not sent again, because it could then arrive twice.";
    expect(nodesAt(data, "conversation.messages")).toEqual([{ deliveryError: { code: "OUTCOME_UNKNOWN", message } }]);
  });

  test("S2: without a block a message with a lost lease is tried again", async () => {
    const { person: someone, page } = await visitor(desk);
    await someone.says("Hello");
    await leaseAsDeadInstance(desk, someone);
    const stream = await page.stream();
    desk.clock.advance(60_000);
    await desk.app.runDue();
    expect(await stream.text()).toBe("Welcome!");
    stream.close();
  });
});
