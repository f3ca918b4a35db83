import { beforeAll, describe, expect, test } from "vitest";
import { first } from "../support/answers.ts";
import { bootDesk, type Desk, rowId } from "../support/app.ts";
import { type Answer, done } from "../support/client.ts";
import { onLine, type Person } from "../support/people.ts";
import { cursorNow } from "../support/subscriber.ts";
import { contactIdOf, latest, look } from "../support/view.ts";

const DAY = 24 * 3_600_000;

let desk: Desk;
beforeAll(async () => {
  desk = await bootDesk();
});

interface Case {
  readonly mutation: "sendMessage" | "startConversation";
  /** A contact who can be messaged, and a call that messages them. */
  ready(): Promise<{ someone: Person; ask(text: string, idempotencyKey: string, token?: string): Promise<Answer> }>;
}

const cases: readonly Case[] = [
  {
    mutation: "sendMessage",
    ready: async () => {
      const someone = onLine(desk);
      await someone.says("Hello");
      const conversationId = await latest(desk, someone);
      const ask = (text: string, idempotencyKey: string, token = desk.ada.token) =>
        desk.as(token).attempt("sendMessage", { conversationId, text, idempotencyKey });
      return { someone, ask };
    },
  },
  {
    mutation: "startConversation",
    ready: async () => {
      const someone = onLine(desk);
      await someone.does("follow");
      const contactId = await contactIdOf(desk, someone);
      const ask = (text: string, idempotencyKey: string, token = desk.ada.token) =>
        desk.as(token).attempt("startConversation", { contactId, channelId: desk.line, text, idempotencyKey });
      return { someone, ask };
    },
  },
];

describe.each(cases)("$mutation under an idempotencyKey", ({ mutation, ready }) => {
  const key = (name: string) => `${mutation} ${name}`;
  const sentTo = async (someone: Person) =>
    (await look(desk, someone)).timeline.filter((entry) => /(agent|apikey):/.test(entry)).length;

  test("the same input returns the result of the first call", async () => {
    const { someone, ask } = await ready();
    const made = done(await ask("Hi", key("repeat")));
    desk.clock.advance(DAY - 1);
    // Queued messages expire after 12 hours, which would otherwise move the cursor at any time.
    await desk.app.runDue();
    const since = await cursorNow(desk);
    expect(await ask("Hi", key("repeat"))).toEqual(made);
    expect([await sentTo(someone), await cursorNow(desk)]).toEqual([1, since]);
  });

  test("20 parallel calls send one message", async () => {
    const { someone, ask } = await ready();
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask("Hi", key("parallel"))));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    done(first(answers));
    expect(await sentTo(someone)).toBe(1);
  });

  test("another input under the same key is refused, also for another contact", async () => {
    const [one, two] = [await ready(), await ready()];
    done(await one.ask("Hi", key("other")));
    for (const answer of [await one.ask("Ho", key("other")), await two.ask("Hi", key("other"))]) {
      expect(answer).toMatchObject({ code: "INVALID_INPUT", fields: [{ path: "idempotencyKey" }] });
    }
    expect([await sentTo(one.someone), await sentTo(two.someone)]).toEqual([1, 0]);
  });

  test("of two concurrent inputs under one key, one succeeds and the other is refused", async () => {
    const [one, two] = [await ready(), await ready()];
    const answers = await Promise.all([one, two, one, two].map(({ ask }) => ask("Hi", key("at once"))));
    const codes = answers.map(({ code }) => code ?? "made");
    expect([codes[0], codes[1]]).toEqual([codes[2], codes[3]]);
    expect(codes.toSorted()).toEqual(["INVALID_INPUT", "INVALID_INPUT", "made", "made"]);
    expect((await sentTo(one.someone)) + (await sentTo(two.someone))).toBe(1);
  });

  test("keys are scoped to the actor: another agent and an API key can use the same one", async () => {
    const { someone, ask } = await ready();
    const made = done(await ask("Hi", key("actors")));
    if (mutation === "startConversation") {
      expect((await ask("Hi", key("actors"), desk.ben.token)).code).toBe("INVALID_TRANSITION");
      return;
    }
    const byBen = done(await ask("Hi", key("actors"), desk.ben.token));
    const byKey = done(await ask("Hi", key("actors"), await desk.key("messages:write")));
    expect(new Set([made, byBen, byKey].map(({ message }) => message?.id)).size).toBe(3);
    expect(await sentTo(someone)).toBe(3);
  });

  test("after 24 h a key is new", async () => {
    const { someone, ask } = await ready();
    const made = done(await ask("Hi", key("a day")));
    desk.clock.advance(DAY);
    if (mutation === "startConversation") {
      await desk.ada.endConversation({ conversationId: made.conversation?.id ?? "" });
    }
    const again = done(await ask("Ho", key("a day")));
    expect(again.message?.id).not.toBe(made.message?.id);
    await desk.app.runDue();
    expect(await ask("Ho", key("a day"))).toEqual(again);
    expect(await sentTo(someone)).toBe(2);
  });

  test("only successful calls are stored", async () => {
    const { someone, ask } = await ready();
    expect((await ask(" ", key("refused"))).code).toBe("INVALID_INPUT");
    done(await ask("Hi", key("refused")));
    expect(await sentTo(someone)).toBe(1);
  });

  test.each([
    ["empty", ""],
    ["too long", "k".repeat(256)],
    ["with NUL", "a\0b"],
    ["with a lone surrogate", "a\ud800b"],
  ])("an invalid key is refused: %s", async (_, bad) => {
    const { ask } = await ready();
    expect(await ask("Hi", bad)).toMatchObject({ code: "INVALID_INPUT", fields: [{ path: "idempotencyKey" }] });
  });
});

test("the same key in another mutation is another call", async () => {
  const someone = onLine(desk);
  await someone.does("follow");
  const contactId = await contactIdOf(desk, someone);
  const start = { contactId, channelId: desk.line, text: "Hi", idempotencyKey: "both" };
  const { conversation } = await desk.ada.startConversation(start);
  await desk.ada.sendMessage({ conversationId: conversation.id, text: "Hi", idempotencyKey: "both" });
  expect((await look(desk, someone)).timeline.slice(1)).toEqual(["1 agent: Hi", "1 agent: Hi"]);
});

test("the job deletes keys older than 24 h", async () => {
  const someone = onLine(desk);
  await someone.says("Hello");
  const conversationId = await latest(desk, someone);
  await desk.ada.sendMessage({ conversationId, text: "Hi", idempotencyKey: "forgotten" });
  const kept = () =>
    desk.app.database.prisma.idempotencyKey.count({ where: { key: "forgotten", actorId: rowId(desk.ada.id) } });
  expect(await kept()).toBe(1);
  desk.clock.advance(DAY);
  await desk.app.runDue();
  expect(await kept()).toBe(0);
});
