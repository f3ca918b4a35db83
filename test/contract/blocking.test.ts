import { beforeAll, describe, expect, test } from "vitest";
import { ongoingStatuses } from "../../src/domain/conversation.ts";
import { first, nodesOf } from "../support/answers.ts";
import { GREETING } from "../support/app.ts";
import { inMs } from "../support/clock.ts";
import { addContactChannel, block, kinds, onLine, person, unblock } from "../support/people.ts";
import { cursorNow, eventsSince } from "../support/subscriber.ts";
import { contactIdOf, latest, look } from "../support/view.ts";
import { type AutomatedDesk, bootAutomatedDesk, someoneIn } from "./situations.ts";

let desk: AutomatedDesk;
beforeAll(async () => {
  desk = await bootAutomatedDesk();
});

describe("B1: a block holds for one ContactChannel", () => {
  test.each(kinds)("a contact blocked on %s is served as before on other channels", async (kind) => {
    const there = await person(desk, kind);
    const elsewhere = onLine(desk, { channel: desk.withKeyword.LINE });
    await there.says("Hello");
    await addContactChannel(desk, there, elsewhere);
    await elsewhere.says("Hi");
    await block(desk, there);
    await elsewhere.says("Still there?");

    expect(await look(desk, there)).toMatchObject({ status: "BLOCKED", here: "BLOCKED", statuses: ["BLOCKED"] });
    expect(await look(desk, elsewhere)).toMatchObject({
      status: "BLOCKED",
      here: "ACTIVE",
      activeBlock: null,
      statuses: ["WAITING"],
      timeline: ["1 contact: Hi", `1 bot: ${GREETING}`, "1 contact: Still there?"],
    });
  });
});

describe("B2: the ContactChannels that a block covers", () => {
  /** One contact with two ContactChannels on one channel and one on another. */
  async function contactWithThreeChannels() {
    const one = onLine(desk);
    const two = onLine(desk);
    const other = onLine(desk, { channel: desk.withKeyword.LINE });
    await one.says("1");
    for (const next of [two, other]) {
      await addContactChannel(desk, one, next);
      await next.says("2");
    }
    const contactId = await contactIdOf(desk, one);
    const statuses = async () =>
      (await Promise.all([one, two, other].map((each) => look(desk, each)))).map((v) => v.here);
    return { one, two, other, contactId, statuses };
  }

  test("channelId: all ContactChannels on that channel, and no others", async () => {
    const { one, contactId, statuses } = await contactWithThreeChannels();
    const answer = await desk.ada.blockContact({ contactId, channelId: one.channel });
    expect([answer.blocks.length, answer.endedConversations.length, answer.changed]).toEqual([2, 2, true]);
    expect(await statuses()).toEqual(["BLOCKED", "BLOCKED", "ACTIVE"]);
  });

  test("contactChannelId: only this ContactChannel", async () => {
    const { two, contactId, statuses } = await contactWithThreeChannels();
    const { contactChannelId } = await look(desk, two);
    const { blocks } = await desk.ada.blockContact({ contactId, channelId: two.channel, contactChannelId });
    expect(blocks.map(({ contactChannel }) => contactChannel.id)).toEqual([contactChannelId]);
    expect(await statuses()).toEqual(["ACTIVE", "BLOCKED", "ACTIVE"]);

    // B6: the answer has all blocks in force that the request covers, including earlier ones.
    const rest = await desk.ada.blockContact({ contactId, channelId: two.channel });
    expect([rest.changed, rest.blocks.length, rest.endedConversations.length]).toEqual([true, 2, 1]);
    const again = await desk.ada.blockContact({ contactId, channelId: two.channel });
    expect([again.changed, again.blocks.length, again.endedConversations.length]).toEqual([false, 2, 0]);
  });

  test("neither: every unblocked ContactChannel, in one transaction; the result has all blocks in force", async () => {
    const { one, two, other, contactId, statuses } = await contactWithThreeChannels();
    const before = await block(desk, other, { notes: "earlier" });
    const since = await cursorNow(desk);
    const views = await Promise.all([one, two, other].map((each) => look(desk, each)));
    const answer = await desk.ada.blockContact({ contactId, notes: "  spam \n" });

    expect(await statuses()).toEqual(["BLOCKED", "BLOCKED", "BLOCKED"]);
    expect(answer).toMatchObject({ changed: true, contact: { id: contactId, status: "BLOCKED" } });
    expect(answer.blocks.map(({ notes }) => notes).toSorted()).toEqual(["earlier", "spam", "spam"]);
    expect(answer.blocks.map(({ id }) => id)).toContain(before.id);
    expect(answer.blocks.map(({ contactChannel }) => contactChannel.id).toSorted()).toEqual(
      views.map(({ contactChannelId }) => contactChannelId).toSorted(),
    );
    const ended = views.slice(0, 2).map(({ conversations }) => [first(conversations).id, "BLOCKED", "BLOCKED"]);
    expect(answer.endedConversations.map(({ id, status, endReason }) => [id, status, endReason]).toSorted()).toEqual(
      ended.toSorted(),
    );
    const received = await eventsSince(desk, since, "contactStatusChanged");
    expect(received.map(({ cause, occurredAt }) => [cause, occurredAt])).toEqual([
      ["BLOCKED", inMs(desk, 0)],
      ["BLOCKED", inMs(desk, 0)],
    ]);
  });

  test("unblocking takes the same ids, and returns the blocks that it lifted", async () => {
    const { one, two, contactId, statuses } = await contactWithThreeChannels();
    await desk.ada.blockContact({ contactId });
    const { contactChannelId } = await look(desk, two);
    const narrow = await desk.ada.unblockContact({ contactId, contactChannelId });
    expect([narrow.blocks.length, narrow.contact.status]).toEqual([1, "BLOCKED"]);
    expect(await statuses()).toEqual(["BLOCKED", "ACTIVE", "BLOCKED"]);
    const there = await desk.ada.unblockContact({ contactId, channelId: one.channel });
    expect([there.blocks.length, there.contact.status]).toEqual([1, "BLOCKED"]);
    const rest = await desk.ada.unblockContact({ contactId });
    expect([rest.blocks.length, rest.contact.status]).toEqual([1, "ACTIVE"]);
  });

  test("a ContactChannel of another contact or on another channel is not found", async () => {
    const { one, other, contactId } = await contactWithThreeChannels();
    const otherContact = onLine(desk);
    await otherContact.says("Hello");
    const { contactChannelId } = await look(desk, otherContact);
    const elsewhere = await look(desk, other);
    for (const input of [
      { contactChannelId },
      { channelId: one.channel, contactChannelId: elsewhere.contactChannelId },
      { channelId: desk.custom },
    ]) {
      expect((await desk.ada.attempt("blockContact", { contactId, ...input })).code).toBe("NOT_FOUND");
    }
    expect((await look(desk, otherContact)).here).toBe("ACTIVE");
  });
});

describe("B3: one transaction", () => {
  test.each(ongoingStatuses)("an ongoing conversation in %s is ended and keeps statusBeforeEnd", async (status) => {
    const someone = await someoneIn(desk, status);
    await block(desk, someone);
    const { conversations } = await look(desk, someone);
    expect(conversations).toEqual([
      {
        id: expect.any(String),
        status: "BLOCKED",
        statusBeforeEnd: status,
        endReason: "BLOCKED",
        endedAt: inMs(desk, 0),
        endedBy: { __typename: "Agent", id: desk.ada.id },
        assignee: status === "ACTIVE" ? { id: desk.ada.id } : null,
        offeredTo: null,
        lastActivityAt: inMs(desk, 0),
        contactChannel: { id: expect.any(String) },
      },
    ]);
  });

  test("an ended conversation does not change", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    await desk.ada.endConversation({ conversationId: await latest(desk, someone) });
    const before = (await look(desk, someone)).conversations;
    desk.clock.advance(1_000);
    const { id } = await block(desk, someone);
    expect((await look(desk, someone)).conversations).toEqual(before);
    const { data } = await desk.ada.graphql(
      "query ($id: ID!) { node(id: $id) { ... on Block { endedConversations { id } } } }",
      {
        id,
      },
    );
    expect(data).toEqual({ node: { endedConversations: [] } });
  });

  test("concurrent reads see the whole change or none of it", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    const contactId = await contactIdOf(desk, someone);
    const query = `query ($contactId: ID!) {
      contact(id: $contactId) {
        status
        channels {
          status activeBlock { id } currentConversation { status }
          blockHistory(first: 1) { edges { node { liftedAt } } }
        }
        conversations(first: 1) { edges { node { status endedAt } } }
      }
      blocks(filter: { contactId: $contactId, active: true }) { edges { node { id } } }
    }`;
    const seen = new Set<string>();
    let over = false;
    const reader = async (): Promise<void> => {
      while (!over) {
        const { data } = await desk.ada.graphql<{ contact: Seen; blocks: { edges: object[] } }>(query, { contactId });
        const { status, channels, conversations } = data.contact;
        const { status: here, activeBlock, currentConversation, blockHistory } = first(channels);
        const [newest] = nodesOf(blockHistory);
        const { status: last, endedAt } = first(nodesOf(conversations));
        seen.add(
          [
            status,
            here,
            activeBlock === null ? "no block" : "block",
            newest === undefined || newest.liftedAt !== null ? "over" : "in force",
            data.blocks.edges.length,
            currentConversation?.status ?? "none",
            last,
            endedAt === null ? "open" : "ended",
          ].join(", "),
        );
      }
    };
    const readers = [reader(), reader()];
    for (let round = 0; round < 15; round++) {
      await desk.ada.blockContact({ contactId });
      await desk.ada.unblockContact({ contactId });
      await someone.says("Again");
    }
    over = true;
    await Promise.all(readers);
    expect([...seen].toSorted()).toEqual([
      "ACTIVE, ACTIVE, no block, over, 0, WAITING, WAITING, open",
      "ACTIVE, ACTIVE, no block, over, 0, none, BLOCKED, ended",
      "BLOCKED, BLOCKED, block, in force, 1, none, BLOCKED, ended",
    ]);
  });

  interface Seen {
    status: string;
    channels: {
      status: string;
      activeBlock: object | null;
      currentConversation: { status: string } | null;
      blockHistory: { edges: { node: { liftedAt: string | null } }[] };
    }[];
    conversations: { edges: { node: { status: string; endedAt: string | null } }[] };
  }
});

describe("B7: the status of the contact and of the ContactChannel", () => {
  test("a contact is BLOCKED while at least one ContactChannel is, in fields, events and filters", async () => {
    const here = onLine(desk, { channel: desk.withKeyword.LINE });
    const there = onLine(desk, { channel: desk.withChatbot.LINE });
    await here.says("Hello");
    await addContactChannel(desk, here, there);
    await there.says("Hello");
    const contactId = await contactIdOf(desk, here);
    const found = async (filter: object) => {
      const { data } = await desk.ada.graphql<{ contacts: { edges: { node: { id: string } }[] } }>(
        "query ($filter: ContactFilter!) { contacts(filter: $filter, first: 100) { edges { node { id } } } }",
        { filter },
      );
      return nodesOf(data.contacts).some(({ id }) => id === contactId);
    };
    const where = async () => [
      (await look(desk, here)).status,
      ...(await Promise.all([
        found({ status: "BLOCKED" }),
        found({ status: "ACTIVE" }),
        found({ status: "BLOCKED", channelId: here.channel }),
        found({ status: "ACTIVE", channelId: here.channel }),
        found({ status: "BLOCKED", channelId: there.channel }),
        found({ status: "ACTIVE", channelId: there.channel }),
        found({ status: "ACTIVE", channelId: desk.line }),
      ])),
    ];
    const since = await cursorNow(desk);

    expect(await where()).toEqual(["ACTIVE", false, true, false, true, false, true, false]);
    await block(desk, here);
    expect(await where()).toEqual(["BLOCKED", true, false, true, false, false, true, false]);
    await block(desk, there);
    expect(await where()).toEqual(["BLOCKED", true, false, true, false, true, false, false]);
    await unblock(desk, here);
    expect(await where()).toEqual(["BLOCKED", true, false, false, true, true, false, false]);
    await unblock(desk, there);
    expect(await where()).toEqual(["ACTIVE", false, true, false, true, false, true, false]);
    expect((await eventsSince(desk, since, "contactStatusChanged")).map((e) => [e.status, e.contactStatus])).toEqual([
      ["BLOCKED", "BLOCKED"],
      ["BLOCKED", "BLOCKED"],
      ["ACTIVE", "BLOCKED"],
      ["ACTIVE", "ACTIVE"],
    ]);
  });

  test("contactStatus in an event is the status after the whole commit, over all ContactChannels", async () => {
    const here = onLine(desk, { channel: desk.withKeyword.LINE });
    const there = onLine(desk, { channel: desk.withChatbot.LINE });
    await here.says("Hello");
    await addContactChannel(desk, here, there);
    const contactId = await contactIdOf(desk, here);
    await desk.ada.blockContact({ contactId });
    const since = await cursorNow(desk);
    await desk.ada.unblockContact({ contactId });
    expect((await eventsSince(desk, since, "contactStatusChanged")).map((e) => [e.status, e.contactStatus])).toEqual([
      ["ACTIVE", "ACTIVE"],
      ["ACTIVE", "ACTIVE"],
    ]);
  });
});
