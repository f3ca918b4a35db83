import { beforeAll, describe, expect, test } from "vitest";
import type { ConversationStatus, OngoingStatus } from "../../src/domain/conversation.ts";
import { rowId, type TestAgent } from "../support/app.ts";
import type { Mutation } from "../support/client.ts";
import { inMs } from "../support/clock.ts";
import { addContactChannel, block, onLine, type Person } from "../support/people.ts";
import { cursorNow, eventsSince, externalIdOf } from "../support/subscriber.ts";
import { contactIdOf, latest, look } from "../support/view.ts";
import { type AutomatedDesk, bootAutomatedDesk, someoneIn } from "./situations.ts";

let desk: AutomatedDesk;
beforeAll(async () => {
  desk = await bootAutomatedDesk();
});

describe("C3: the transitions of a conversation", () => {
  type Move = "take" | "offer" | "accept" | "decline" | "toQueue" | "toAgent" | "end";
  const moves: Record<Move, { mutation: Mutation; to: ConversationStatus; more?: () => object; by?: () => TestAgent }> =
    {
      take: { mutation: "takeConversation", to: "ACTIVE" },
      offer: { mutation: "offerConversation", to: "ASSIGNING", more: () => ({ agentId: desk.ben.id }) },
      accept: { mutation: "acceptConversation", to: "ACTIVE", by: () => desk.ben },
      decline: { mutation: "declineConversation", to: "WAITING", by: () => desk.ben },
      toQueue: { mutation: "transferConversation", to: "WAITING" },
      toAgent: { mutation: "transferConversation", to: "ASSIGNING", more: () => ({ agentId: desk.ben.id }) },
      end: { mutation: "endConversation", to: "ENDED" },
    };
  const matrix: [OngoingStatus | "ENDED", readonly Move[]][] = [
    ["BOT", ["take", "end"]],
    ["WAITING", ["take", "offer", "end"]],
    ["ASSIGNING", ["take", "accept", "decline", "end"]],
    ["ACTIVE", ["take", "toQueue", "toAgent", "end"]],
    ["ENDED", []],
  ];
  const cases = matrix.flatMap(([from, allowed]) =>
    (Object.keys(moves) as Move[]).map((move) => [from, move, allowed.includes(move)] as const),
  );

  async function somebody(status: OngoingStatus | "ENDED"): Promise<Person> {
    const someone = await someoneIn(desk, status === "ENDED" ? "WAITING" : status);
    if (status === "ENDED") await desk.ada.endConversation({ conversationId: await latest(desk, someone) });
    return someone;
  }

  test.each(cases)("%s: %s (%s)", async (from, move, allowed) => {
    const { mutation, to, more = () => ({}), by = () => desk.ada } = moves[move];
    const someone = await somebody(from);
    const conversationId = await latest(desk, someone);
    const since = await cursorNow(desk);
    const answer = await by().attempt(mutation, { conversationId, ...more() });
    if (!allowed) {
      expect(answer).toEqual({ __typename: "InvalidTransitionError", code: "INVALID_TRANSITION", from, to });
      expect(await cursorNow(desk)).toBe(since);
    } else if (from === "ACTIVE" && move === "take") {
      expect([answer.changed, await cursorNow(desk)]).toEqual([false, since]);
      expect(answer.conversation).toMatchObject({ status: "ACTIVE", assignee: { id: desk.ada.id } });
    } else {
      expect([answer.changed, answer.conversation?.status]).toEqual([true, to]);
      expect([answer.conversation?.assignee?.id, answer.conversation?.offeredTo?.id]).toEqual(
        to === "ASSIGNING"
          ? [undefined, desk.ben.id]
          : to === "ACTIVE"
            ? [by().id, undefined]
            : [ended(move, from), undefined],
      );
    }
  });

  /** The assignee afterwards: ending a conversation does not change it. */
  function ended(move: Move, from: string): string | undefined {
    return move === "end" && from === "ACTIVE" ? desk.ada.id : undefined;
  }

  test("only the agent with the offer can accept or decline", async () => {
    const someone = await someoneIn(desk, "ASSIGNING");
    const conversationId = await latest(desk, someone);
    expect(await desk.ada.attempt("acceptConversation", { conversationId })).toMatchObject({
      from: "ASSIGNING",
      to: "ACTIVE",
    });
    expect(await desk.ada.attempt("declineConversation", { conversationId })).toMatchObject({
      from: "ASSIGNING",
      to: "WAITING",
    });
    expect((await look(desk, someone)).conversations[0]?.offeredTo).toEqual({ id: desk.ben.id });
  });

  test("an unanswered offer lapses after 60 s, with that time", async () => {
    const someone = await someoneIn(desk, "ASSIGNING");
    const conversationId = await latest(desk, someone);
    const since = await cursorNow(desk);
    desk.clock.advance(59_999);
    await desk.app.runDue();
    expect((await look(desk, someone)).statuses).toEqual(["ASSIGNING"]);
    desk.clock.advance(1);
    const lapsed = inMs(desk, 0);
    desk.clock.advance(5_000);
    const late = await desk.ben.attempt("acceptConversation", { conversationId });
    expect(late).toMatchObject({ code: "INVALID_TRANSITION", from: "WAITING", to: "ACTIVE" });
    const received = await eventsSince(desk, since, "conversationChanged");
    // Offers of earlier tests lapse at this time, too.
    const about = received.filter((event) => externalIdOf(event) === someone.externalId);
    expect(about.map(({ from, to, occurredAt, actor }) => [from, to, occurredAt, actor.__typename])).toEqual([
      ["ASSIGNING", "WAITING", lapsed, "System"],
    ]);
  });

  test("any agent can take a conversation from another", async () => {
    const someone = await someoneIn(desk, "ACTIVE");
    const conversationId = await latest(desk, someone);
    const answer = await desk.ben.takeConversation({ conversationId });
    expect([answer.changed, answer.conversation.assignee]).toEqual([true, { id: desk.ben.id }]);
  });

  test("an offer or a transfer needs an active agent who is allowed to reply", async () => {
    const someone = await someoneIn(desk, "WAITING");
    const conversationId = await latest(desk, someone);
    const gone = await desk.agent("AGENT");
    await desk.app.database.prisma.agent.update({ where: { id: rowId(gone.id) }, data: { removedAt: new Date() } });
    for (const mutation of ["offerConversation", "transferConversation"] as const) {
      for (const agentId of ["nonsense", desk.line, gone.id]) {
        expect((await desk.ada.attempt(mutation, { conversationId, agentId })).code).toBe("NOT_FOUND");
      }
      expect(await desk.ada.attempt(mutation, { conversationId, agentId: desk.vic.id })).toMatchObject({
        code: "INVALID_INPUT",
        fields: [{ path: "agentId" }],
      });
    }
  });

  test("a key may end a conversation, which is then resolved by that key", async () => {
    const key = desk.as(await desk.key("messages:write"));
    const someone = await someoneIn(desk, "ASSIGNING");
    const { conversation, changed } = await key.endConversation({ conversationId: await latest(desk, someone) });
    expect([changed, conversation.status, conversation.endReason]).toEqual([true, "ENDED", "RESOLVED"]);
    expect((await look(desk, someone)).conversations[0]?.endedBy?.__typename).toBe("ApiKey");
  });

  test("startConversation: ACTIVE, and refused while another one is ongoing", async () => {
    const someone = onLine(desk);
    await someone.does("follow");
    const contactId = await contactIdOf(desk, someone);
    const input = { contactId, channelId: desk.line, text: "Hi" };
    expect((await desk.ada.startConversation(input)).conversation).toMatchObject({
      status: "ACTIVE",
      assignee: { id: desk.ada.id },
    });
    expect(await desk.ada.attempt("startConversation", input)).toMatchObject({
      code: "INVALID_TRANSITION",
      from: "ACTIVE",
      to: "ACTIVE",
    });
  });
});

describe("U6: an agent starts a conversation", () => {
  test("with a contact who has several ContactChannels there, contactChannelId is required", async () => {
    const [one, two] = [onLine(desk), onLine(desk)];
    await one.does("follow");
    await addContactChannel(desk, one, two);
    const { contactId, contactChannelId } = await look(desk, two);
    const input = { contactId, channelId: desk.line, text: "Hello" };
    expect(await desk.ada.attempt("startConversation", input)).toMatchObject({
      code: "INVALID_INPUT",
      fields: [{ path: "contactChannelId" }],
    });
    expect(await desk.ben.startConversation({ ...input, contactChannelId })).toMatchObject({
      conversation: { status: "ACTIVE", assignee: { id: desk.ben.id } },
      message: { text: "Hello" },
    });
    expect((await look(desk, two)).timeline).toEqual(["1 agent: Hello"]);
  });
});

describe("C4: the agent who answers becomes the assignee", () => {
  test.each(["BOT", "WAITING", "ASSIGNING", "ACTIVE"] as const)("an agent's message in %s", async (status) => {
    const someone = await someoneIn(desk, status);
    const conversationId = await latest(desk, someone);
    const shown = "message { text deliveryStatus conversation { id status assignee { id } offeredTo { id } } }";
    const { message } = await desk.ben.attempt("sendMessage", { conversationId, text: "  Here I am  " }, shown);
    const assignee = { id: status === "ACTIVE" ? desk.ada.id : desk.ben.id };
    const answered = { status: "ACTIVE", assignee, offeredTo: null };
    expect(message).toEqual({
      text: "  Here I am  ",
      deliveryStatus: "QUEUED",
      conversation: { id: conversationId, ...answered },
    });
    const { conversations, timeline } = await look(desk, someone);
    expect(conversations[0]).toMatchObject(answered);
    expect(timeline.at(-1)).toBe("1 agent:   Here I am  ");
  });

  test.each(["BOT", "WAITING", "ASSIGNING", "ACTIVE"] as const)(
    "a key's message in %s changes nothing",
    async (status) => {
      const key = await desk.key("messages:write");
      const someone = await someoneIn(desk, status);
      const { conversations } = await look(desk, someone);
      const conversationId = await latest(desk, someone);
      await desk.as(key).sendMessage({ conversationId, text: "Automatic" });
      const after = await look(desk, someone);
      expect(after.timeline.at(-1)).toBe("1 apikey: Automatic");
      expect(after.conversations).toEqual(conversations);
    },
  );

  test("a conversation started by a key has no assignee", async () => {
    const someone = onLine(desk);
    await someone.does("follow");
    const contactId = await contactIdOf(desk, someone);
    const input = { contactId, channelId: desk.line, text: "Your parcel is here" };
    const { conversation } = await desk.as(await desk.key("messages:write")).startConversation(input);
    expect(conversation).toMatchObject({ status: "ACTIVE", assignee: null });
  });
});

test("a text of 5,000 code points is sent unchanged", async () => {
  const text = "😀".repeat(5_000);
  const conversationId = await latest(desk, await someoneIn(desk, "WAITING"));
  expect((await desk.ada.sendMessage({ conversationId, text })).message.text).toBe(text);
});

describe("C5: the order of refusals", () => {
  test("not found, forbidden, invalid input, replay, contact blocked, invalid transition", async () => {
    const someone = await someoneIn(desk, "ACTIVE");
    const conversationId = await latest(desk, someone);
    const send = (input: object, by = desk.ada) => by.attempt("sendMessage", { conversationId, ...input });
    const sent = await desk.ada.sendMessage({ conversationId, text: "Hi", idempotencyKey: "c5" });
    await block(desk, someone);
    const nowhere = { conversationId: "nowhere", text: "" };
    expect((await send(nowhere, desk.vic)).code).toBe("NOT_FOUND");
    expect((await send({ text: "" }, desk.vic)).code).toBe("FORBIDDEN");
    expect((await send({ text: "" })).code).toBe("INVALID_INPUT");
    expect(await send({ text: "Hi", idempotencyKey: "c5" })).toEqual(sent);
    expect((await send({ text: "Other", idempotencyKey: "c5" })).code).toBe("INVALID_INPUT");
    expect((await send({ text: "Hi", idempotencyKey: "c5-2" })).code).toBe("CONTACT_BLOCKED");
    const contactId = await contactIdOf(desk, someone);
    await desk.ada.unblockContact({ contactId });
    expect(await send({ text: "Hi", idempotencyKey: "c5-2" })).toMatchObject({
      code: "INVALID_TRANSITION",
      from: "BLOCKED",
      to: "ACTIVE",
    });
    // Only successes are stored: the refused call can succeed now.
    await someone.says("Hello");
    const again = await desk.ada.attempt("sendMessage", {
      conversationId: await latest(desk, someone),
      text: "Hi",
      idempotencyKey: "c5-2",
    });
    expect(again.__typename).toBe("SendMessageSuccess");
  });
});
