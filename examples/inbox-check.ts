/**
 * The program of inbox-relay.ts and inbox-urql.ts: two agents work in their inboxes, while contacts write and connections
 * break. In the end each list in the cache, and its order, must equal a fresh read.
 */
import { deepStrictEqual } from "node:assert";
import { setTimeout as sleep } from "node:timers/promises";
import type { Inbox, Lists, OpenInbox } from "./inbox.ts";
import { ask, channelsOf, contactsOf } from "./inbox-contacts.ts";
import { nextAction, pick, randomFrom } from "./inbox-traffic.ts";
import { startProxy } from "./proxy.ts";

/** Milliseconds between two entries of contacts, two actions of an agent, and two cuts of a connection, on average. */
const PAUSE = { entries: 60, actions: 60, cuts: 800 };

/** In milliseconds; much longer than a client waits before it reconnects. */
const TOO_LATE = 15_000;

const { DESK = "http://localhost:4000", TOKEN = "", TOKEN2 = "", API_KEY = "", LINE_SECRET = "" } = process.env;
const desk = { url: DESK, apiKey: API_KEY, lineSecret: LINE_SECRET };

/** Runs the program that the top of inbox-relay.ts describes, and exits. */
export async function checkInboxes(open: OpenInbox): Promise<never> {
  const [seconds = 120, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number);
  const isEqual = await check(open, seconds, seed).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    return false;
  });
  process.exit(isEqual ? 0 : 1);
}

async function check(open: OpenInbox, seconds: number, seed: number): Promise<boolean> {
  console.log(`${seconds} seconds, seed ${seed}`);
  const random = randomFrom(seed);
  const contacts = await contactsOf(desk, await channelsOf(desk, TOKEN), random);
  const failed = Promise.withResolvers<never>();
  const desktops = await Promise.all([TOKEN, TOKEN2].map((token) => sitDown(open, token, failed.reject)));
  const agentIds = desktops.map(({ agent }) => agent.id);

  let isOver = false;
  const repeatedly = async (pause: number, act: () => Promise<void> | void): Promise<void> => {
    while (!isOver) {
      await sleep(2 * pause * random());
      await act();
    }
  };
  const traffic = Promise.all([
    repeatedly(PAUSE.entries, contacts.write),
    ...desktops.flatMap((desktop) => [
      repeatedly(PAUSE.actions, () => desktop.act(random, agentIds, contacts.now())),
      repeatedly(PAUSE.cuts, desktop.cut),
    ]),
  ]);
  await Promise.race([sleep(seconds * 1_000), traffic, failed.promise]);
  isOver = true;
  await traffic;

  const results = await Promise.race([compare(desktops, contacts.mark), failed.promise]);
  await Promise.all(desktops.map(({ inbox }) => inbox.close()));
  return results.map(report).every((isEqual) => isEqual);
}

interface Agent {
  readonly id: string;
  readonly name: string | null;
}

/** An agent at work in an inbox, behind a proxy that breaks its connections. */
interface Desktop {
  readonly agent: Agent;
  readonly inbox: Inbox;
  readonly counts: { events: number; cuts: number; actions: number; unanswered: number };
  /** Does one thing at random. */
  act(random: () => number, agentIds: readonly string[], now: number): Promise<void>;
  cut(): void;
  /** Resolves with the cursor of the event that recorded this timeline entry, once the inbox has applied it. */
  applied(messageId: string): Promise<string>;
}

async function sitDown(open: OpenInbox, token: string, onError: (error: Error) => void): Promise<Desktop> {
  const { viewer } = await ask<{ viewer: { actor: Agent } }>(
    DESK,
    token,
    "{ viewer { actor { ... on Agent { id name } } } }",
  );
  const proxy = await startProxy(Number(new URL(DESK).port));
  const counts = { events: 0, cuts: 0, actions: 0, unanswered: 0 };
  let cutAt = 0;

  const applied = new Map<string, PromiseWithResolvers<string>>();
  const applying = (messageId: string): PromiseWithResolvers<string> => {
    const entry = applied.get(messageId) ?? Promise.withResolvers<string>();
    applied.set(messageId, entry);
    return entry;
  };
  const inbox = await open({
    desk: proxy.url,
    token,
    onEvent: ({ cursor, recordedMessageId }) => {
      counts.events += 1;
      if (recordedMessageId !== null) applying(recordedMessageId).resolve(cursor);
    },
    onError,
  });

  return {
    agent: viewer.actor,
    inbox,
    counts,
    act: async (random, agentIds, now) => {
      const began = Date.now();
      try {
        const { mine } = inbox.cached();
        if (mine.length > 0 && random() < 0.1) await inbox.open(pick(mine, random).id);
        const action = nextAction(inbox.cached(), agentIds, now, random);
        if (action === null) return;
        counts.actions += 1;
        await inbox.act(action);
      } catch (error) {
        // Without a connection there is no answer; any other error is a fault.
        if (cutAt < began - 1_000) throw error;
        counts.unanswered += 1;
      }
    },
    cut: () => {
      counts.cuts += 1;
      cutAt = Date.now();
      proxy.cut();
    },
    applied: (messageId) => applying(messageId).promise,
  };
}

interface Result {
  readonly desktop: Desktop;
  readonly cached: Lists;
  readonly fresh: Lists;
}

/** Lifts blocks that expire and renews offers, so that none ends meanwhile; then reads caches and server at one position of the log. */
async function compare(desktops: readonly Desktop[], mark: () => Promise<string>): Promise<readonly Result[]> {
  const caughtUp = async (): Promise<readonly string[]> => {
    const messageId = await mark();
    const tooLate = sleep(TOO_LATE).then(() => {
      throw new Error(`An inbox has not received all events within ${TOO_LATE} ms.`);
    });
    return Promise.race([Promise.all(desktops.map(({ applied }) => applied(messageId))), tooLate]);
  };
  await caughtUp();
  for (const { inbox, agent } of desktops) {
    const { offered, blocks } = inbox.cached();
    for (const { contact, contactChannelId, expiresAt } of blocks) {
      if (expiresAt !== null) await inbox.act({ type: "UNBLOCK", contactId: contact.id, contactChannelId });
    }
    for (const { id: conversationId } of offered) {
      await inbox.act({ type: "TAKE", conversationId });
      await inbox.act({ type: "TRANSFER", conversationId, agentId: agent.id });
    }
  }
  for (;;) {
    const cursors = await caughtUp();
    const results = await Promise.all(
      desktops.map(async (desktop) => ({
        desktop,
        cached: desktop.inbox.cached(),
        fresh: await desktop.inbox.fresh(),
      })),
    );
    // Something may have happened in between, such as a delivery.
    const { logCursor } = await ask<{ logCursor: string }>(DESK, TOKEN, "{ logCursor }");
    if (cursors.every((cursor) => cursor === logCursor)) return results;
  }
}

/** Prints an agent's lists; returns whether all are equal. */
function report({ desktop, cached, fresh }: Result): boolean {
  const { events, cuts, actions, unanswered } = desktop.counts;
  console.log(`${desktop.agent.name}: ${events} events, ${cuts} cuts, ${actions} actions, ${unanswered} unanswered`);
  const held: Record<string, unknown> = { ...cached };
  const differences = Object.entries(fresh).map(([name, rows]) => {
    const difference = differenceOf(held[name], rows);
    console.log(`  ${name}: ${Object.keys(rows).length} rows, ${difference ?? "equal"}`);
    return difference;
  });
  return differences.every((difference) => difference === null);
}

function differenceOf(cached: unknown, fresh: unknown): string | null {
  try {
    deepStrictEqual(cached, fresh);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
