import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Inbox, Lists, OpenInbox } from "../examples/inbox.ts";
import { openInbox as openRelay } from "../examples/inbox-relay.ts";
import { openInbox as openUrql } from "../examples/inbox-urql.ts";
import { startProxy, type TcpProxy } from "../examples/proxy.ts";
import { HANDOVER } from "../src/domain/flow.ts";
import { bootDesk, type Desk, LINE_SECRET } from "./support/app.ts";
import { portOf, run } from "./support/example-program.ts";
import { onLine } from "./support/people.ts";

const examples: readonly { readonly name: string; readonly open: OpenInbox }[] = [
  { name: "inbox-relay.ts", open: openRelay },
  { name: "inbox-urql.ts", open: openUrql },
];

const lists = [
  "mine",
  "waiting",
  "offered",
  "bot",
  "ended",
  "blocked",
  "contacts",
  "blockedContacts",
  "blocks",
  "timelines",
];

/** Longer than events are kept, in milliseconds. */
const PAST_RETENTION = 180 * 24 * 3_600_000;

describe.each(examples)("examples/$name", ({ name, open }) => {
  let desk: Desk;
  let proxy: TcpProxy;
  let inbox: Inbox;
  let failure: Error | null;
  /** Of the events that the inbox has applied. */
  let cursors: string[];

  beforeEach(async () => {
    desk = await bootDesk();
    proxy = await startProxy(portOf(desk));
    failure = null;
    cursors = [];
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await inbox?.close();
    await proxy.close();
    await desk.stop();
  });

  async function sitDown(): Promise<void> {
    inbox = await open({
      desk: proxy.url,
      token: desk.ada.token,
      onEvent: ({ cursor }) => {
        cursors.push(cursor);
      },
      onError: (error) => {
        failure = error;
      },
    });
  }

  /** Sends a message, and waits until an inbox that was opened later has received it, too. */
  async function sendToAnother(conversationId: string): Promise<void> {
    const received = Promise.withResolvers<void>();
    const other = await open({
      desk: proxy.url,
      token: desk.ben.token,
      onEvent: ({ recordedMessageId }) => {
        if (recordedMessageId !== null) received.resolve();
      },
      onError: received.reject,
    });
    await desk.ben.sendMessage({ conversationId, text: "In between" });
    await received.promise;
    await other.close();
  }

  /** Waits until events have made the cache equal to this read. */
  async function caughtUp(fresh: Lists): Promise<void> {
    await expect.poll(() => inbox.cached(), { timeout: 10_000 }).toEqual(fresh);
    expect(failure).toBeNull();
  }

  test("keeps each list equal to a fresh read, across broken connections", { timeout: 60_000 }, async () => {
    const menu = { id: "menu", text: "Yes?", options: [{ id: "agent", label: "Agent", next: HANDOVER }] };
    await desk.channel("CUSTOM", [{ kind: "CHATBOT", definition: { steps: [menu] } }]);
    using program = run(name, ["5"], {
      DESK: desk.url,
      TOKEN: desk.ada.token,
      TOKEN2: desk.ben.token,
      API_KEY: await desk.key("inbound:write"),
      LINE_SECRET,
    });
    // 80 seconds in the first few, so that offers lapse and blocks expire.
    let ticks = 80;
    const clock = setInterval(() => {
      if (ticks > 0) desk.clock.advance(1_000);
      ticks -= 1;
    }, 50);
    const code = await program.ended;
    clearInterval(clock);

    expect({ code, lines: program.lines, errors: program.errors }).toMatchObject({ code: 0, errors: [] });
    const equal = program.lines.flatMap((line) => /^ {2}(\w+): \d+ rows, equal$/.exec(line)?.[1] ?? []);
    expect(equal).toEqual([...lists, ...lists]);
  });

  test("shows a sent message at once and once, whichever of event and answer comes first", async () => {
    const { conversationId } = await desk.writes("mika");
    await sitDown();
    await inbox.open(conversationId);
    const shown = (key: string) =>
      inbox.cached().timelines[conversationId]?.filter(({ clientMessageId }) => clientMessageId === key);

    const answered = inbox.act({ type: "SEND", conversationId, text: "Hi", key: "answer-first" });
    expect(shown("answer-first")).toMatchObject([{ text: "Hi", deliveryStatus: "QUEUED" }]);
    expect(await answered).toBe("SendMessageSuccess");
    expect(shown("answer-first")).toMatchObject([{ text: "Hi", deliveryStatus: "QUEUED" }]);

    const answer = holdNextAnswer();
    const overtaken = inbox.act({ type: "SEND", conversationId, text: "Hi again", key: "event-first" });
    const [optimistic] = shown("event-first") ?? [];
    await answer.given;
    await expect.poll(() => shown("event-first")).not.toEqual([optimistic]);
    expect(shown("event-first")).toMatchObject([{ text: "Hi again", deliveryStatus: "QUEUED" }]);
    answer.release();
    await overtaken;
    expect(shown("event-first")).toMatchObject([{ text: "Hi again", deliveryStatus: "QUEUED" }]);
    await caughtUp(await inbox.fresh());
  });

  test("is right if events overtake the answer of a query", async () => {
    const { conversationId } = await desk.writes("mika");
    await sitDown();
    const answer = holdNextAnswer();
    const opened = inbox.open(conversationId);
    await answer.given;
    await sendToAnother(conversationId);
    answer.release();
    await opened;
    await caughtUp(await inbox.fresh());
  });

  test("is right if events overtake the answer of a mutation", async () => {
    const { conversationId } = await desk.writes("mika");
    await sitDown();
    const answer = holdNextAnswer();
    const taken = inbox.act({ type: "TAKE", conversationId });
    await answer.given;
    await desk.ben.endConversation({ conversationId });
    await expect.poll(() => inbox.cached().ended).toMatchObject([{ id: conversationId }]);
    answer.release();
    await taken;
    await caughtUp(await inbox.fresh());
  });

  test("removes a message that is refused", async () => {
    const { contactId, conversationId } = await desk.writes("noor");
    await sitDown();
    await inbox.open(conversationId);
    await desk.ben.blockContact({ contactId });
    expect(await inbox.act({ type: "SEND", conversationId, text: "Hi", key: "key-2" })).toBe("ContactBlockedError");
    await caughtUp(await inbox.fresh());
  });

  test("loads everything again if the log no longer reaches back to its cursor", async () => {
    const { conversationId } = await desk.writes("sam");
    await sitDown();
    await inbox.open(conversationId);
    proxy.lead(1);
    proxy.cut();
    await onLine(desk, { externalId: "sam" }).says("While you were away");
    await desk.writes("rex");
    desk.clock.advance(PAST_RETENTION);
    await desk.app.pruneLog();
    proxy.lead(portOf(desk));
    await caughtUp(await inbox.fresh());
    await desk.writes("kim");
    await caughtUp(await inbox.fresh());
    expect(cursors.length).toBeGreaterThan(0);
    expect(new Set(cursors).size).toBe(cursors.length);
  });
});

/** Holds back the next answer over HTTP after the server has given it. */
function holdNextAnswer(): { readonly given: Promise<void>; release(): void } {
  const given = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const send = globalThis.fetch;
  vi.spyOn(globalThis, "fetch").mockImplementationOnce(async (...request) => {
    const response = await send(...request);
    const body = await response.text();
    given.resolve();
    await released.promise;
    return new Response(body, response);
  });
  return { given: given.promise, release: released.resolve };
}
