import { setImmediate as turn } from "node:timers/promises";
import { parse } from "graphql";
import { expect, onTestFinished, test } from "vitest";
import type { Session } from "../../src/auth/session.ts";
import { idOf } from "../../src/domain/id.ts";
import { requestError } from "../../src/graphql/errors.ts";
import { SharedOperations } from "../../src/graphql/execution/shared-operation.ts";
import { Subscription } from "../../src/graphql/execution/subscription.ts";
import { createHub } from "../../src/realtime/hub.ts";
import type { EventLog } from "../../src/store/event-log.ts";
import type { LogEvent } from "../../src/store/log-event.ts";
import { testClock } from "../support/clock.ts";
import { logEvent } from "../support/log-event.ts";

const workspaceId = idOf<"Workspace">("w");
const bob = idOf<"Contact">("bob");

const session: Session = {
  viewer: {
    actor: { type: "Agent", id: idOf<"Agent">("ada") },
    workspaceId,
    role: "ADMIN",
    permissions: new Set(),
    expiresAt: null,
  },
  isOpen: () => true,
  onEnd: () => () => {},
};

test("a slow client resumes at its last log position, not at the last event of its own", async () => {
  const silence = 5_000;
  let prunedTo = 0;
  const log: EventLog = {
    append: () => Promise.reject(new Error("This log is read-only.")),
    read: () => Promise.reject(new Error("The log must not be read.")),
    bounds: async () => ({ position: 0, prunedTo }),
    heads: async () => new Map(),
    prune: async () => {},
  };
  const hub = createHub({ log, onError: () => {} });
  onTestFinished(() => hub.stop());
  const reader = await hub.openReader(workspaceId, {
    after: null,
    subject: bob,
    wants: (each): each is LogEvent => each.contactId === bob,
  });
  const operation = new SharedOperations(testClock()).join(
    parse("subscription { x }"),
    "",
    () =>
      async ({ position }) => ({ data: { position } }),
  );
  const subscription = new Subscription({
    reader,
    operation,
    session,
    mask: (error) => requestError("CURSOR_EXPIRED", String(error)),
  });
  expect(await subscription.nextKnown()).toBeNull();
  const full = subscription.live(() => 0);
  await turn();
  for (let position = 1; position <= silence; position++) hub.offer(workspaceId, [logEvent(position)]);
  prunedTo = silence;
  hub.offer(workspaceId, [logEvent(silence + 1, bob)]);
  await full;
  expect((await subscription.nextKnown())?.result).toEqual({ data: { position: silence + 1 } });
  await subscription.return();
});
