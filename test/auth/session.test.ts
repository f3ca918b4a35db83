import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { AgentRecord } from "../../src/auth/authenticate.ts";
import { createSessions, type PrincipalLookup } from "../../src/auth/session.ts";
import type { Viewer } from "../../src/auth/viewer.ts";
import { type AgentId, idOf } from "../../src/domain/id.ts";
import { testClock } from "../support/clock.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a removed agent's session ends within a second, even while the identity provider is unreachable", async () => {
  const agents = new Map<AgentId, AgentRecord>();
  const principals: PrincipalLookup = {
    currentPrincipals: async () => ({ agents: new Map(agents), apiKeys: new Map() }),
    fingerprint: async () => [...agents.keys()].join(),
  };
  const authenticate = vi.fn(() => new Promise<never>(() => {}));
  const sessions = createSessions({
    authenticate,
    principals,
    onChange: () => {},
    clock: testClock(),
    onError: (error) => expect.unreachable(String(error)),
  });
  const workspaceId = idOf<"Workspace">("w");
  const [ada, ben] = ["ada", "ben"].map((name) => {
    const viewer: Viewer = {
      actor: { type: "Agent", id: idOf<"Agent">(name) },
      workspaceId,
      role: "AGENT",
      permissions: new Set(),
      expiresAt: null,
    };
    agents.set(idOf<"Agent">(name), { id: idOf<"Agent">(name), workspaceId, role: "AGENT" });
    const ended = vi.fn();
    sessions.start("Bearer x", viewer).onEnd(ended);
    return ended;
  });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(authenticate).toHaveBeenCalled();

  agents.delete(idOf<"Agent">("ada"));
  await vi.advanceTimersByTimeAsync(1_000);
  expect([ada?.mock.calls.length, ben?.mock.calls.length]).toEqual([1, 0]);
  await sessions.stop();
});
