import type { AgentId, ApiKeyId, WorkspaceId } from "../domain/id.ts";
import type { Clock } from "../platform/clock.ts";
import type { AgentRecord, ApiKeyRecord, Authenticate } from "./authenticate.ts";
import { permissionsOfScopes } from "./permission.ts";
import type { Viewer } from "./viewer.ts";

/** The authentication of a connection. It ends when the token expires or the viewer's role or scopes change. */
export interface Session {
  readonly viewer: Viewer;
  /** Whether the session is still valid; token expiry is exact to the millisecond. */
  isOpen(): boolean;
  /** Calls the listener when the session ends, at most once. Returns a function that removes the listener. */
  onEnd(listener: () => void): () => void;
}

/** Starts sessions and rechecks those that have listeners, all in one pass. */
export interface Sessions {
  start(authorization: string | undefined, viewer: Viewer): Session;
  stop(): Promise<void>;
}

/** The current state of some agents and API keys; removed agents and revoked keys are absent. */
export interface Principals {
  readonly agents: ReadonlyMap<AgentId, AgentRecord>;
  readonly apiKeys: ReadonlyMap<ApiKeyId, ApiKeyRecord>;
}

/** Reads the current agents and API keys, bypassing caches. */
export interface PrincipalLookup {
  currentPrincipals(agents: readonly AgentId[], apiKeys: readonly ApiKeyId[]): Promise<Principals>;
  /** A digest that changes whenever an agent or an API key of these workspaces changes. */
  fingerprint(workspaces: readonly WorkspaceId[]): Promise<string>;
}

export interface SessionsOptions {
  /** Verifies the tokens of open sessions again: an identity provider may withdraw a key. Null without a provider. */
  readonly authenticate: Authenticate | null;
  readonly principals: PrincipalLookup;
  /** Called when an agent or an API key has changed, so that caches can be cleared. */
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/** In milliseconds. Leaves time for the recheck itself: a change must take effect within a second. */
const RECHECK_INTERVAL = 500;
/** A token is verified again after this many rechecks. */
const RECHECKS_PER_TOKEN_VERIFICATION = 120;

export function createSessions({ authenticate, principals, onChange, clock, onError }: SessionsOptions): Sessions {
  const watched = new Set<OpenSession>();
  let rechecking: Promise<void> | null = null;
  let lastFingerprint = "";
  let stopped = false;
  const timer = setInterval(() => {
    if (watched.size > 0)
      rechecking ??= recheck()
        .catch(onError)
        .finally(() => (rechecking = null));
  }, RECHECK_INTERVAL);

  return {
    start: (authorization, viewer) => new OpenSession(authorization, viewer, clock, watched),
    stop: async () => {
      stopped = true;
      clearInterval(timer);
      await rechecking;
    },
  };

  async function recheck(): Promise<void> {
    const open = [...watched].filter((session) => session.isOpen() || session.end());
    if (open.length === 0) return;
    const fingerprint = await principals.fingerprint([...new Set(open.map(({ viewer }) => viewer.workspaceId))]);
    // A session started since the last recheck may have been authenticated from data older than it.
    const toCheck = fingerprint === lastFingerprint ? open.filter(({ recheckCount }) => recheckCount === 0) : open;
    await endChanged(toCheck);
    lastFingerprint = fingerprint;
    for (const session of open) session.recheckCount += 1;
    if (authenticate === null) return;
    void verifyTokens(
      authenticate,
      open.filter(({ recheckCount }) => recheckCount % RECHECKS_PER_TOKEN_VERIFICATION === 0),
    ).catch(onError);
  }

  /** Not awaited by `recheck`: thousands of tokens may be due at once, and an identity provider may be slow. */
  async function verifyTokens(authenticate: Authenticate, sessions: readonly OpenSession[]): Promise<void> {
    for (const session of sessions) {
      if (stopped) return;
      if ((await authenticate(session.authorization)) === null) session.end();
    }
  }

  async function endChanged(sessions: readonly OpenSession[]): Promise<void> {
    const agents = new Set<AgentId>();
    const apiKeys = new Set<ApiKeyId>();
    for (const { viewer } of sessions) {
      if (viewer.actor.type === "Agent") agents.add(viewer.actor.id);
      else apiKeys.add(viewer.actor.id);
    }
    if (sessions.length === 0) return;
    const current = await principals.currentPrincipals([...agents], [...apiKeys]);
    const changed = sessions.filter(({ viewer }) => !isUnchanged(viewer, current));
    if (changed.length > 0) onChange();
    for (const session of changed) session.end();
  }
}

class OpenSession implements Session {
  readonly viewer: Viewer;
  readonly authorization: string | undefined;
  recheckCount = 0;
  readonly #clock: Clock;
  readonly #watched: Set<OpenSession>;
  readonly #listeners = new Set<() => void>();
  #ended = false;

  constructor(authorization: string | undefined, viewer: Viewer, clock: Clock, watched: Set<OpenSession>) {
    this.authorization = authorization;
    this.viewer = viewer;
    this.#clock = clock;
    this.#watched = watched;
  }

  isOpen(): boolean {
    const { expiresAt } = this.viewer;
    return !this.#ended && (expiresAt === null || this.#clock.now() < expiresAt);
  }

  onEnd(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#watched.add(this);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#watched.delete(this);
    };
  }

  /** Ends the session. Returns the new value of `isOpen()`. */
  end(): false {
    this.#ended = true;
    this.#watched.delete(this);
    for (const listener of this.#listeners) listener();
    return false;
  }
}

function isUnchanged({ actor, workspaceId, role, permissions }: Viewer, { agents, apiKeys }: Principals): boolean {
  if (actor.type === "Agent") {
    const agent = agents.get(actor.id);
    return agent !== undefined && agent.workspaceId === workspaceId && agent.role === role;
  }
  const key = apiKeys.get(actor.id);
  return key !== undefined && permissionsOfScopes(key.scopes).symmetricDifference(permissions).size === 0;
}
