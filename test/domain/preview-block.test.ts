import { describe, expect, test } from "vitest";
import { previewBlock } from "../../src/domain/preview-block.ts";
import { ada, deepFreeze, seconds } from "./cast.ts";
import { guide } from "./flows.ts";
import { contactChannel, type Desk, deskIn } from "./support.ts";

const none = {
  contactChannelIds: [],
  endingConversationIds: [],
  cancelingMessages: 0,
  droppingOffers: 0,
  droppingBotSessions: 0,
};

/** The preview of a block, and what the block then did, counted from the state before and after it. */
function preview(desk: Desk, now = desk.now) {
  return previewBlock([deepFreeze(desk.state)], ada, now);
}

describe("B3, B4: a preview says what the block then does", () => {
  const situations: Record<string, () => Desk> = {
    ...deskIn,
    "never wrote": () => contactChannel().event("follow"),
    "messages queued": () => contactChannel().inbound("hi").reply(ada, "one").reply(ada, "two").reply(ada, "three"),
    "one handed over": () => contactChannel().inbound("hi").reply(ada, "one").lease().reply(ada, "two"),
    "one sent": () => contactChannel().inbound("hi").reply(ada, "one").lease().settle("SENT"),
    "a delayed step": () =>
      contactChannel({ flows: [guide] })
        .inbound("hi")
        .inbound("2"),
    "an expired block": () => contactChannel().inbound("hi").block({ until: 5 }).at(5),
    "a lapsed offer": () => deskIn.ASSIGNING().wait(seconds(60)),
    "blocked and unblocked": () => deskIn.BLOCKED().unblock(),
  };

  test.each(Object.entries(situations))("%s", (_name, situation) => {
    const desk = situation();
    const before = { ...desk.state };
    const said = preview(desk);
    expect(desk.state, "nothing is changed").toEqual(before);

    desk.block();
    const ended = desk.emittedOf("ConversationChanged").filter(({ conversation }) => conversation.status === "BLOCKED");
    expect(said).toEqual({
      contactChannelIds: desk.emittedOf("ContactBlocked").map(() => desk.state.id),
      endingConversationIds: ended.map(({ conversation }) => conversation.id),
      cancelingMessages: desk.emittedOf("DeliveryChanged").filter(({ to }) => to === "CANCELED").length,
      droppingOffers: ended.filter(({ from }) => from === "ASSIGNING").length,
      droppingBotSessions: before.botSession === null ? 0 : 1,
    });
  });

  test("the counts are right, not only the same", () => {
    expect(preview(deskIn.ASSIGNING())).toMatchObject({ droppingOffers: 1, droppingBotSessions: 0 });
    expect(preview(deskIn.BOT())).toMatchObject({ cancelingMessages: 1, droppingOffers: 0, droppingBotSessions: 1 });
    expect(preview(contactChannel().inbound("hi").reply(ada).reply(ada))).toMatchObject({ cancelingMessages: 2 });
    expect(preview(deskIn.ASSIGNING(), seconds(60))).toMatchObject({ droppingOffers: 0 });
  });
});

test("B2: what is blocked already is left out, and several are added up", () => {
  const blocked = deskIn.BLOCKED();
  expect(preview(blocked)).toEqual(none);
  const offered = deskIn.ASSIGNING();
  const both = previewBlock([blocked.state, offered.state, contactChannel().inbound("hi").reply(ada).state], ada, 0);
  expect(both).toMatchObject({ cancelingMessages: 1, droppingOffers: 1 });
  expect([both.contactChannelIds.length, both.endingConversationIds.length]).toEqual([2, 2]);
});
