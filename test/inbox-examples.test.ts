import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Inbox, Lists, OpenInbox } from "../examples/inbox.ts";
import { openInbox as openRelay } from "../examples/inbox-relay.ts";
import { startProxy, type TcpProxy } from "../examples/proxy.ts";
import { HANDOVER } from "../src/domain/flow.ts";
import { bootDesk, type Desk, LINE_SECRET } from "./support/app.ts";
import { portOf, run } from "./support/example-program.ts";
import { onLine } from "./support/people.ts";

const examples: readonly { readonly name: string; readonly open: OpenInbox }[] = [
  { name: "inbox-relay.ts", open: openRelay },
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

  beforeEach(async () => {
    desk = await bootDesk();
    proxy = await startProxy(portOf(desk));
    failure = null;
  });
  afterEach(async () => {
    await inbox?.close();
    await proxy.close();
    await desk.stop();
  });

  async function sitDown(): Promise<void> {
    inbox = await open({
      desk: proxy.url,
      token: desk.ada.token,
      onEvent: () => {},
      onError: (error) => {
        failure = error;
      },
    });
  }

  /** Waits until events have made the cache equal to this read. */
  async function caughtUp(fresh: Lists): Promise<void> {
    await expect.poll(() => inbox.cached(), { timeout: 10_000 }).toEqual(fresh);
    expect(failure).toBeNull();
  }

  test("keeps each list equal to a fresh read, across broken connections", async () => {
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

  test("shows a sent message at once, and once only", async () => {
    const { conversationId } = await desk.writes("mika");
    await sitDown();
    await inbox.open(conversationId);
    const sent = inbox.act({ type: "SEND", conversationId, text: "Hi", key: "key-1" });
    const mine = () => inbox.cached().timelines[conversationId]?.filter(({ text }) => text === "Hi");
    expect(mine()).toMatchObject([{ clientMessageId: "key-1", deliveryStatus: "QUEUED" }]);
    expect(await sent).toBe("SendMessageSuccess");
    expect(mine()).toMatchObject([{ clientMessageId: "key-1", deliveryStatus: "QUEUED" }]);
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
  });
});
