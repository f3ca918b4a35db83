import { array, assert, constantFrom, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { ada, ben, partner, system } from "./cast.ts";
import { greeting, guide } from "./flows.ts";
import { contactChannel, type Desk } from "./support.ts";

/** The channel is archived; the command over its ContactChannels has not run yet. */
function archive(desk: Desk): Desk {
  desk.state = { ...desk.state, channelArchived: true };
  return desk;
}

const close = { type: "CloseArchived", actor: ada } as const;

describe("a channel is archived", () => {
  test("its conversation ends, and its queue is canceled", () => {
    const desk = archive(contactChannel().inbound("Hello").reply(ben).reply(ben)).do(close);
    expect(desk.conversations).toMatchObject([
      { status: "ENDED", endReason: "CHANNEL_ARCHIVED", endedBy: ada, statusBeforeEnd: "ACTIVE" },
    ]);
    expect(desk.messages.map(({ deliveryStatus }) => deliveryStatus)).toEqual([null, "CANCELED", "CANCELED"]);
    expect(desk.state).toMatchObject({ conversation: null, pending: [], botSession: null });
    expect(desk.do(close).emitted).toEqual([]);
  });

  test("an inbound message is recorded in the most recent conversation and starts nothing", () => {
    const desk = archive(contactChannel({ flows: [guide, greeting] }).inbound("Hello")).do(close);
    const before = desk.messages.length;
    desk.inbound("Are you there?").event("follow").event("postback");
    expect(desk.emittedTypes).toEqual(["MessageRecorded"]);
    expect(desk.conversations).toHaveLength(1);
    const id = desk.conversations[0]?.id;
    expect(desk.messages.slice(before)).toMatchObject(
      ["Are you there?", null, null].map((text) => ({ text, conversationId: id, receivedWhileBlocked: false })),
    );
  });

  test("without a conversation, it is recorded on the timeline", () => {
    const desk = archive(contactChannel({ flows: [guide, greeting] })).inbound("Hello");
    expect(desk.messages).toMatchObject([{ conversationId: null, receivedWhileBlocked: false }]);
    expect(desk.conversations).toEqual([]);
  });

  test("a block still decides how it is recorded", () => {
    const desk = archive(contactChannel().inbound("Hello").block()).inbound("Hello?");
    expect(desk.messages.at(-1)).toMatchObject({ receivedWhileBlocked: true });
    expect(desk.suppressed).toEqual([1]);
  });

  test.each([ada, partner])("nobody starts a conversation", (by) => {
    const desk = archive(contactChannel().inbound("Hello")).do(close).start(by);
    expect(desk.result).toMatchObject({ type: "InvalidInput", fields: [{ path: "channelId" }] });
    expect(desk.emitted).toEqual([]);
  });

  test("C5: invalid input comes before contact blocked", () => {
    expect(archive(contactChannel().inbound("Hello").block()).start(ada).result).toMatchObject({
      type: "InvalidInput",
    });
  });

  test.each<[string, (desk: Desk) => Desk]>([
    ["send", (desk) => desk.reply(ben)],
    ["take", (desk) => desk.take(ben)],
    ["offer", (desk) => desk.offer(ben)],
    ["transfer", (desk) => desk.transfer(null)],
    ["end", (desk) => desk.end(ben)],
    ["run due", (desk) => desk.wait(3_600_000).runDue()],
    ["receive", (desk) => desk.inbound("Hello?")],
  ])("whatever comes before the command of the archive ends the conversation first: %s", (_, act) => {
    const desk = act(archive(contactChannel().inbound("Hello").reply(ada).lease().settle("SENT")));
    expect(desk.conversations).toMatchObject([{ status: "ENDED", endReason: "CHANNEL_ARCHIVED", endedBy: system }]);
    expect(desk.messages.filter(({ direction }) => direction === "OUTBOUND")).toHaveLength(1);
  });

  test("no lease is granted, and a leased message does not return to the queue", () => {
    const queued = archive(contactChannel().inbound("Hello").reply(ada)).lease();
    expect(queued.result).toMatchObject({ type: "Accepted", changed: false });
    expect(queued.messages.at(-1)).toMatchObject({ deliveryStatus: "CANCELED" });
    const leased = archive(contactChannel().inbound("Hello").reply(ada).lease());
    expect(leased.settle("NOT_BEGUN").messages.at(-1)).toMatchObject({ deliveryStatus: "CANCELED" });
    const sent = archive(contactChannel().inbound("Hello").reply(ada).lease()).do(close).settle("SENT");
    expect(sent.messages.at(-1)).toMatchObject({ deliveryStatus: "SENT" });
  });
});

test("after an archive, no order of commands leaves anything open or records anything outbound", () => {
  const acts: readonly ((desk: Desk) => Desk)[] = [
    (desk) => desk.inbound("Hello"),
    (desk) => desk.event("postback"),
    (desk) => desk.block(),
    (desk) => desk.unblock(),
    (desk) => desk.start(ada),
    (desk) => desk.do(close),
    (desk) => desk.wait(60_000).runDue(),
    (desk) => desk.lease(),
    (desk) => desk.wait(60_000).expire(),
    ...(["NOT_BEGUN", "REFUSED", "AMBIGUOUS", "SENT"] as const).map(
      (outcome) => (desk: Desk) => (desk.leases.length === 0 ? desk.lease() : desk.settle(outcome)),
    ),
    (desk) => (desk.conversations.length === 0 ? desk.runDue() : desk.reply(ben)),
    (desk) => (desk.conversations.length === 0 ? desk.runDue() : desk.take(ben)),
  ];
  const some = array(constantFrom(...acts), { maxLength: 12 });
  assert(
    property(some, some, (before, after) => {
      const desk = contactChannel({ flows: [guide, greeting] });
      for (const act of before) act(desk);
      const outbound = () => desk.messages.filter(({ direction }) => direction === "OUTBOUND").length;
      const [conversations, sent] = [desk.conversations.length, outbound()];
      archive(desk);
      for (const act of after) {
        act(desk);
        expect(desk.state).toMatchObject({ conversation: null, botSession: null });
        expect(desk.state.pending.filter(({ status }) => status === "QUEUED")).toEqual([]);
      }
      expect([desk.conversations.length, outbound()]).toEqual([conversations, sent]);
    }),
  );
});
