import { beforeAll, describe, expect, test } from "vitest";
import { first } from "../support/answers.ts";
import { inMs } from "../support/clock.ts";
import { block, onLine, unblock } from "../support/people.ts";
import { cursorNow, eventsSince, externalIdOf } from "../support/subscriber.ts";
import { contactIdOf, history, look } from "../support/view.ts";
import { type AutomatedDesk, bootAutomatedDesk, someoneIn } from "./situations.ts";

let desk: AutomatedDesk;
beforeAll(async () => {
  desk = await bootAutomatedDesk();
});

describe("B5: notes", () => {
  const EMOJI = "🙅";

  test.each([
    ["2,000 code points outside the BMP", EMOJI.repeat(2_000), EMOJI.repeat(2_000)],
    ["2,000 after trimming", `  ${"x".repeat(2_000)}\n`, "x".repeat(2_000)],
    [
      "any text",
      "  <b>💢 \u202E&amp; 漢字\n'; DROP TABLE block; --\t",
      "<b>💢 \u202E&amp; 漢字\n'; DROP TABLE block; --",
    ],
    ["white space", " \n\t\u3000 ", null],
    ["empty notes", "", null],
    ["null", null, null],
  ])("%s", async (_, notes, kept) => {
    const someone = onLine(desk);
    await someone.says("Hello");
    expect((await block(desk, someone, { notes })).notes).toBe(kept);
    expect((await look(desk, someone)).activeBlock?.notes).toBe(kept);
  });

  test("updateBlock counts code points after trimming, too", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    const { id: blockId } = await block(desk, someone);
    const { changed, block: updated } = await desk.ada.updateBlock({ blockId, notes: `  ${EMOJI.repeat(2_000)}  ` });
    expect([changed, updated.notes]).toEqual([true, EMOJI.repeat(2_000)]);
  });

  test.each(["blockContact", "unblockContact", "updateBlock"] as const)("%s refuses 2,001", async (mutation) => {
    const someone = onLine(desk);
    await someone.says("Hello");
    const contactId = await contactIdOf(desk, someone);
    const blockId = mutation === "blockContact" ? undefined : (await block(desk, someone, { notes: "why" })).id;
    const target = mutation === "updateBlock" ? { blockId } : { contactId };
    expect(await desk.ada.attempt(mutation, { ...target, notes: EMOJI.repeat(2_001) })).toEqual({
      __typename: "InvalidInputError",
      code: "INVALID_INPUT",
      fields: [{ path: "notes", message: "Must be at most 2,000 characters long." }],
    });
    expect((await look(desk, someone)).here).toBe(mutation === "blockContact" ? "ACTIVE" : "BLOCKED");
  });
});

describe("B6: idempotent", () => {
  test("two agents at once: one block, one event; the second gets the block in force", async () => {
    const someone = await someoneIn(desk, "ACTIVE");
    const contactId = await contactIdOf(desk, someone);
    const since = await cursorNow(desk);
    const answers = await Promise.all(
      [desk.ada, desk.ben, desk.ada, desk.ben].map((agent, n) => agent.blockContact({ contactId, notes: `by ${n}` })),
    );

    const changed = answers.filter((answer) => answer.changed);
    expect(changed).toHaveLength(1);
    expect(changed[0]?.endedConversations).toHaveLength(1);
    const made = first(changed[0]?.blocks);
    for (const answer of answers.filter((each) => !each.changed)) {
      expect([answer.blocks, answer.endedConversations]).toEqual([[made], []]);
    }
    expect(await history(desk, someone)).toEqual([made]);
    expect((await eventsSince(desk, since, "contactStatusChanged")).map((e) => [externalIdOf(e), e.cause])).toEqual([
      [someone.externalId, "BLOCKED"],
    ]);
    expect((await eventsSince(desk, since, "conversationEnded")).map(externalIdOf)).toEqual([someone.externalId]);
  });

  test("blocking again changes neither notes nor expiry; only updateBlock does", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    const made = await block(desk, someone, { notes: "first" });
    const since = await cursorNow(desk);
    expect(await block(desk, someone, { notes: "second", expiresAt: inMs(desk, 1_000) })).toEqual(made);
    expect(await eventsSince(desk, since, "contactStatusChanged")).toEqual([]);

    const update = async (change: object) => {
      const { changed, block } = await desk.ben.updateBlock({ blockId: made.id, ...change });
      expect(block.id).toBe(made.id);
      return [changed, block.notes, block.expiresAt];
    };
    const end = inMs(desk, 60_000);
    expect(await update({ notes: " second " })).toEqual([true, "second", null]);
    expect(await update({ expiresAt: end })).toEqual([true, "second", end]);
    expect(await update({ notes: "second", expiresAt: end })).toEqual([false, "second", end]);
    expect(await update({})).toEqual([false, "second", end]);
    expect(await update({ notes: "third" })).toEqual([true, "third", end]);
    expect(await update({ expiresAt: null })).toEqual([true, "third", null]);
    expect(await update({ notes: "  " })).toEqual([true, null, null]);
    expect(await update({ notes: "fourth", expiresAt: end })).toEqual([true, "fourth", end]);
    expect(await update({ notes: null, expiresAt: null })).toEqual([true, null, null]);
    const received = await eventsSince(desk, since, "contactStatusChanged");
    expect(received.map(({ cause, status, actor, block }) => [cause, status, actor.id, block?.id])).toEqual(
      Array(7).fill(["UPDATED", "BLOCKED", desk.ben.id, made.id]),
    );
  });

  test("a lifted block cannot be updated", async () => {
    const someone = onLine(desk);
    await someone.says("Hello");
    const { id } = await block(desk, someone, { notes: "why" });
    await unblock(desk, someone);
    expect(await desk.ada.attempt("updateBlock", { blockId: id, notes: "rewritten" })).toMatchObject({
      code: "INVALID_INPUT",
      fields: [{ path: "blockId" }],
    });
    expect((await history(desk, someone)).map(({ notes }) => notes)).toEqual(["why"]);
  });
});
