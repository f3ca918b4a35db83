import type { AgentId, ApiKeyId, WorkspaceId } from "../domain/id.ts";
import type { Clock } from "../platform/clock.ts";
import type { AgentRecord, ApiKeyRecord, Authenticate } from "./authenticate.ts";
import { permissionsOfScopes } from "./permission.ts";
import type { Viewer } from "./viewer.ts";

/** Who is at the other end of a connection, for as long as they are just who they were when it began. */
export interface Session {
  readonly viewer: Viewer;
  /** Whether it still holds; the end of a token is kept to the millisecond. */
  isOpen(): boolean;
  /** Calls back once, when it has ended; answers how to call that off. */
  onEnd(listener: () => void): () => void;
}

/** The sessions that somebody listens to. Their viewers are looked at together, however many they are. */
export interface Sessions {
  start(authorization: string | undefined, viewer: Viewer): Session;
  stop(): Promise<void>;
}

/** What holds of some agents and keys now; removed and revoked ones are not in it. */
export interface Standing {
  readonly agents: ReadonlyMap<AgentId, AgentRecord>;
  readonly apiKeys: ReadonlyMap<ApiKeyId, ApiKeyRecord>;
}

/** Says what holds now, whatever is kept elsewhere. */
export interface Standings {
  standing(agents: readonly AgentId[], apiKeys: readonly ApiKeyId[]): Promise<Standing>;
  /** A text that is another one whenever somebody's standing in these workspaces is. */
  fingerprint(workspaces: readonly WorkspaceId[]): Promise<string>;
}

export interface SessionsOptions {
  /** Says whether a token still holds, where that can change before its end: an identity provider may withdraw its key. */
  readonly authenticate: Authenticate | null;
  readonly standings: Standings;
  /** Called when somebody turned out to be no longer who they were, so that nobody else believes it. */
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/** In milliseconds: with the look itself well below the second within which a change must take effect. */
const LOOK_EVERY = 500;
/** After how many looks a token is verified anew. */
const LOOKS_PER_VERIFICATION = 120;

export function createSessions({ authenticate, standings, onChange, clock, onError }: SessionsOptions): Sessions {
  const heeded = new Set<OpenSession>();
  let looking: Promise<void> | null = null;
  let lastFingerprint = "";
  let stopped = false;
  const timer = setInterval(() => {
    if (heeded.size > 0)
      looking ??= look()
        .catch(onError)
        .finally(() => (looking = null));
  }, LOOK_EVERY);

  return {
    start: (authorization, viewer) => new OpenSession(authorization, viewer, clock, heeded),
    stop: async () => {
      stopped = true;
      clearInterval(timer);
      await looking;
    },
  };

  async function look(): Promise<void> {
    const open = [...heeded].filter((session) => session.isOpen() || session.end());
    if (open.length === 0) return;
    const fingerprint = await standings.fingerprint([...new Set(open.map(({ viewer }) => viewer.workspaceId))]);
    // One that began after the last look may have begun with what was known before it.
    const doubtful = fingerprint === lastFingerprint ? open.filter(({ looks }) => looks === 0) : open;
    await verify(doubtful);
    lastFingerprint = fingerprint;
    for (const session of open) session.looks += 1;
    if (authenticate === null) return;
    void verifyTokens(
      authenticate,
      open.filter(({ looks }) => looks % LOOKS_PER_VERIFICATION === 0),
    ).catch(onError);
  }

  /** Beside the looks, which it must not hold up: thousands may be due at once, and an identity provider takes its time. */
  async function verifyTokens(authenticate: Authenticate, sessions: readonly OpenSession[]): Promise<void> {
    for (const session of sessions) {
      if (stopped) return;
      if ((await authenticate(session.authorization)) === null) session.end();
    }
  }

  async function verify(sessions: readonly OpenSession[]): Promise<void> {
    const agents = new Set<AgentId>();
    const apiKeys = new Set<ApiKeyId>();
    for (const { viewer } of sessions) {
      if (viewer.actor.type === "Agent") agents.add(viewer.actor.id);
      else apiKeys.add(viewer.actor.id);
    }
    if (sessions.length === 0) return;
    const now = await standings.standing([...agents], [...apiKeys]);
    const changed = sessions.filter(({ viewer }) => !isStill(viewer, now));
    if (changed.length > 0) onChange();
    for (const session of changed) session.end();
  }
}

class OpenSession implements Session {
  readonly viewer: Viewer;
  readonly authorization: string | undefined;
  looks = 0;
  readonly #clock: Clock;
  readonly #heeded: Set<OpenSession>;
  readonly #listeners = new Set<() => void>();
  #ended = false;

  constructor(authorization: string | undefined, viewer: Viewer, clock: Clock, heeded: Set<OpenSession>) {
    this.authorization = authorization;
    this.viewer = viewer;
    this.#clock = clock;
    this.#heeded = heeded;
  }

  isOpen(): boolean {
    const { expiresAt } = this.viewer;
    return !this.#ended && (expiresAt === null || this.#clock.now() < expiresAt);
  }

  onEnd(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#heeded.add(this);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#heeded.delete(this);
    };
  }

  /** Answers that it is no longer open. */
  end(): false {
    this.#ended = true;
    this.#heeded.delete(this);
    for (const listener of this.#listeners) listener();
    return false;
  }
}

function isStill({ actor, workspaceId, role, permissions }: Viewer, { agents, apiKeys }: Standing): boolean {
  if (actor.type === "Agent") {
    const agent = agents.get(actor.id);
    return agent !== undefined && agent.workspaceId === workspaceId && agent.role === role;
  }
  const key = apiKeys.get(actor.id);
  return key !== undefined && permissionsOfScopes(key.scopes).symmetricDifference(permissions).size === 0;
}
