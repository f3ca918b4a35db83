import { expect, onTestFinished, test } from "vitest";
import { idOf } from "../../src/domain/id.ts";
import { CursorExpired } from "../../src/realtime/feed.ts";
import { createHub, type Hub } from "../../src/realtime/hub.ts";
import type { LogReader } from "../../src/realtime/log-reader.ts";
import type { EventLog } from "../../src/store/event-log.ts";
import type { LogEvent, Position } from "../../src/store/log-event.ts";
import { logEvent } from "../support/log-event.ts";

const workspaceId = idOf<"Workspace">("w");
const [ann, bob] = [idOf<"Contact">("ann"), idOf<"Contact">("bob")];

/** A log that the test appends to and prunes. */
const written: LogEvent[] = [];
let prunedTo: Position = 0;
let reads = 0;
const log: EventLog = {
  append: () => Promise.reject(new Error("This log is read-only.")),
  read: async (_, after, limit) => {
    reads += 1;
    return written.filter(({ position }) => position > after && position > prunedTo).slice(0, limit);
  },
  bounds: async () => ({ position: written.length, prunedTo }),
  heads: async () => new Map([[workspaceId, written.length]]),
  prune: async () => {},
};

function newHub(): Hub {
  const hub = createHub({ log, onError: () => {}, pollEvery: 3_600_000 });
  onTestFinished(() => hub.stop());
  return hub;
}

function event(contactId = ann): LogEvent {
  const happened = logEvent(written.length + 1, contactId);
  written.push(happened);
  return happened;
}

async function nextPosition(reader: LogReader<LogEvent>): Promise<Position | undefined> {
  return (await reader.next()).value?.position;
}

test("offered events are delivered in order, once, even if some are lost, repeated or late", async () => {
  const hub = newHub();
  const all = await hub.openReader(workspaceId, { after: null, wants: (_): _ is LogEvent => true });
  const bobs = await hub.openReader(workspaceId, {
    after: null,
    subject: bob,
    wants: (e): e is LogEvent => e.contactId === bob,
  });
  const waiting = [nextPosition(all), nextPosition(bobs)];
  const [first, second, third, fourth] = [event(), event(bob), event(), event(bob)];
  const before = reads;
  hub.offer(workspaceId, [first, second]);
  expect(await Promise.all(waiting)).toEqual([1, 2]);
  expect(await nextPosition(all)).toBe(2);
  expect(reads).toBe(before);

  hub.offer(workspaceId, [second]);
  hub.offer(workspaceId, [fourth]);
  hub.offer(workspaceId, [third, fourth]);
  expect(await nextPosition(all)).toBe(3);
  expect(await nextPosition(all)).toBe(4);
  expect(await nextPosition(bobs)).toBe(4);
  expect(reads).toBe(before + 1);
});

test("a log pruned past this instance's tail fails all readers, also waiting ones: never a silent gap", async () => {
  const hub = newHub();
  const reader = await hub.openReader(workspaceId, { after: null, wants: (_): _ is LogEvent => true });
  const bobs = await hub.openReader(workspaceId, {
    after: null,
    subject: bob,
    wants: (e): e is LogEvent => e.contactId === bob,
  });
  const waiting = [nextPosition(reader), nextPosition(bobs)];
  for (const contactId of [ann, bob, ann]) event(contactId);
  prunedTo = written.length - 1;
  hub.hint(workspaceId);
  const results = await Promise.allSettled(waiting);
  expect(results).toEqual(results.map(() => ({ status: "rejected", reason: expect.any(CursorExpired) })));

  const next = await hub.openReader(workspaceId, { after: null, wants: (_): _ is LogEvent => true });
  hub.offer(workspaceId, [event()]);
  expect(await nextPosition(next)).toBe(written.length);
});
