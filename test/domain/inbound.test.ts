import { describe, expect, test } from "vitest";
import { decide } from "../../src/domain/decide.ts";
import { MAX_TEXT, textError, toStorable } from "../../src/domain/text.ts";
import { noFacts } from "../../src/domain/turn.ts";
import { ada, newContactChannel } from "./cast.ts";
import { greeting, guide } from "./flows.ts";
import { contactChannel, deskIn } from "./support.ts";

describe("O1: the clock of a ContactChannel never goes backwards", () => {
  test("a command decided with an earlier clock gets the time of the command before it", () => {
    const desk = contactChannel().at(1_000).inbound("one").at(900).inbound("two");
    expect(desk.messages.map((message) => message.recordedAt)).toEqual([1_000, 1_000]);
    expect(desk.block().emitted).toMatchObject([{ occurredAt: 1_000 }, { occurredAt: 1_000 }]);
  });

  test("so an expiry must be later than that", () => {
    expect(contactChannel().at(1_000).inbound("one").at(900).block({ until: 1_000 }).result.type).toBe("InvalidInput");
  });
});

describe("O3: providers repeat and reorder", () => {
  test("a repeated event id changes nothing, even with other content", () => {
    const desk = contactChannel({ flows: [greeting] }).inbound("hi", { eventId: "e" });
    const before = desk.state;
    const [first] = desk.messages;
    desk.wait(500).event("unfollow", { eventId: "e", name: "Somebody else" });
    expect(desk.result).toMatchObject({ type: "Accepted", changed: false, messageId: first?.id });
    expect(desk.emitted).toEqual([]);
    expect(desk.state).toEqual({ ...before, clock: 500 });
  });

  test("sentAt is never later than the arrival", () => {
    const desk = contactChannel().at(500).inbound("hi", { sentAt: 900 });
    expect(desk.lastMessage).toMatchObject({ sentAt: 500, recordedAt: 500 });
    expect(desk.inbound("hi", { sentAt: 400 }).lastMessage).toMatchObject({ sentAt: 400, recordedAt: 500 });
  });

  test("a contact appears once, and the display name is kept up to date", () => {
    const desk = contactChannel().inbound("hi", { name: "Mia" });
    expect(desk.emittedTypes.slice(0, 2)).toEqual(["ContactAppeared", "DisplayNameChanged"]);
    expect(desk.inbound("hi", { name: "Mia" }).emittedTypes).toEqual(["MessageRecorded"]);
    expect(desk.inbound("hi", { name: "Mia K." }).state.displayName).toBe("Mia K.");
    expect(desk.inbound("hi").state.displayName).toBe("Mia K.");
  });
});

describe("O4: text that cannot be stored", () => {
  test("in a provider's event: NUL and lone surrogates become U+FFFD", () => {
    expect(toStorable("a\0b\uD800c🙂")).toBe("a\uFFFDb\uFFFDc🙂");
  });

  test.each([
    ["a\0b", "Must not contain the NUL character (U+0000)."],
    ["a\uD800b", "Must not contain lone surrogates: the text is not valid Unicode."],
    ["x".repeat(5_001), "Must be at most 5,000 characters long."],
    ["x".repeat(5_000), null],
    ["🙂\r\n\t", null],
  ])("in an API caller's input: an error for %j", (text, message) => {
    expect(textError(text, MAX_TEXT)).toBe(message);
  });
});

test("O5: time and ids are injected, so the same command gets the same decision", () => {
  const once = () => {
    let ids = 0;
    const context = { now: 1_000, newId: () => `id-${++ids}`, flows: [guide], facts: noFacts };
    return decide(newContactChannel, { type: "StartConversation", actor: ada, text: "Hello" }, context);
  };
  expect(once()).toEqual(once());
  expect(once().events).toMatchObject([
    { id: "id-2", occurredAt: 1_000, conversation: { id: "id-1", startedAt: 1_000 } },
    { id: "id-4", occurredAt: 1_000, message: { id: "id-3", seq: 1, sentAt: 1_000, recordedAt: 1_000 } },
  ]);
});

describe("O6: an unsend hides the message", () => {
  test("the entry stays, and the unsend is recorded as an entry, too", () => {
    const desk = deskIn.WAITING().inbound("oops", { messageId: "m" }).at(500).unsend("m");
    expect(desk.timeline).toEqual(["#1 contact: hi", "#1 contact: oops", "#1 contact: [unsend]"]);
    expect(desk.messages.map((message) => message.unsentAt)).toEqual([null, 500, null]);
  });

  test("while blocked, too, and for messages from before the block", () => {
    const desk = deskIn.WAITING().inbound("oops", { messageId: "m" }).block().at(500).unsend("m");
    expect(desk.messages.map((message) => message.unsentAt)).toEqual([null, 500, null]);
    expect(desk.timeline.at(-1)).toBe("#1 contact: [unsend] *");
  });

  test("if it arrives before the message, too", () => {
    const desk = contactChannel().unsend("m").at(500).inbound("oops", { messageId: "m" });
    expect(desk.messages.map((message) => message.unsentAt)).toEqual([null, 500]);
  });

  test("once; an unknown message is not an error", () => {
    const desk = contactChannel().inbound("oops", { messageId: "m" }).unsend("m");
    expect(desk.unsend("m").emittedTypes).toEqual(["MessageRecorded"]);
    expect(desk.unsend("another").emittedTypes).toEqual(["MessageRecorded"]);
  });
});
