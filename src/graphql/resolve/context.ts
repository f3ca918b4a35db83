import type { Permission } from "../../auth/permission.ts";
import type { Session } from "../../auth/session.ts";
import type { Viewer } from "../../auth/viewer.ts";
import type { Executor } from "../../commands/executor.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Hub } from "../../realtime/hub.ts";
import type { Database, Reads } from "../../store/database.ts";
import type { Directory } from "../../store/directory.ts";
import type { EventLog } from "../../store/event-log.ts";
import { requestError } from "../errors.ts";
import { type ActorLoader, actorLoader } from "./actor-loader.ts";

/** What the resolvers work with. */
export interface Services {
  readonly database: Database;
  readonly directory: Directory;
  readonly executor: Executor;
  readonly hub: Hub;
  readonly log: EventLog;
  readonly clock: Clock;
}

/** What one operation, or one event of a subscription, is resolved with. */
export interface Context {
  readonly viewer: Viewer;
  readonly session: Session;
  readonly services: Services;
  /** When this is read: what blocks hold is compared with this, never with the database's clock (rules B8, O5). */
  readonly now: Date;
  /** Reads rows: all at their latest, or for `inSnapshot` all as they were at one moment. */
  readonly prisma: Reads;
  readonly actors: ActorLoader;
}

export function createContext(services: Services, session: Session, viewer: Viewer): Context {
  const { prisma } = services.database;
  let actors: ActorLoader | undefined;
  return {
    viewer,
    session,
    services,
    now: new Date(services.clock.now()),
    prisma,
    // A subscription keeps its context for as long as it lasts, and may never ask for anybody.
    get actors() {
      actors ??= actorLoader(prisma, viewer.workspaceId);
      return actors;
    },
  };
}

/** The same context, reading in one snapshot: what was committed together is seen together or not at all (rule B3). */
export function inSnapshot<Result>(context: Context, run: (context: Context) => Promise<Result>): Promise<Result> {
  return context.services.database.snapshot((prisma) =>
    run({ ...context, prisma, actors: actorLoader(prisma, context.viewer.workspaceId) }),
  );
}

/** Whether the viewer may; a mutation answers a `ForbiddenError` if not. */
export function may({ viewer }: Context, permission: Permission): boolean {
  return viewer.permissions.has(permission);
}

/** Ends a query or subscription that the viewer may not make. */
export function demand(context: Context, permission: Permission): void {
  if (!may(context, permission)) throw requestError("FORBIDDEN", `This needs the permission ${permission}.`);
}
