import type { Permission } from "../../auth/permission.ts";
import type { Session } from "../../auth/session.ts";
import type { Viewer } from "../../auth/viewer.ts";
import type { CloseArchived } from "../../commands/close-archived.ts";
import type { Executor } from "../../commands/executor.ts";
import type { ChannelId, ContactChannelId, Instant, MessageId, WorkspaceId } from "../../domain/id.ts";
import type { GrantedSignal } from "../../domain/signal.ts";
import type { OpenLease, OpenSignal } from "../../domain/turn.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Hub } from "../../realtime/hub.ts";
import type { Change } from "../../store/audit-log.ts";
import type { ChannelSecrets } from "../../store/channel-secrets.ts";
import type { Channels } from "../../store/channels.ts";
import type { Database, Reads } from "../../store/database.ts";
import type { Directory } from "../../store/directory.ts";
import type { EventLog } from "../../store/event-log.ts";
import { requestError } from "../errors.ts";
import { type ActorLoader, actorLoader } from "./actor-loader.ts";
import { type QuotedMessageLoader, quotedMessageLoader } from "./quoted-message-loader.ts";

/** The services that resolvers use. */
export interface Services {
  readonly database: Database;
  readonly directory: Directory;
  readonly executor: Executor;
  readonly hub: Hub;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly secrets: Pick<ChannelSecrets, "open">;
  readonly channels: Channels;
  readonly closeArchived: CloseArchived;
  /** Resolves when the call of a lease has begun or can no longer begin (rule S6). */
  readonly leaseClosed: (lease: OpenLease | OpenSignal) => Promise<void>;
  /** Leases what is next on a partner's channel, at most `max` deliveries, for the partner to send (rule S7). */
  readonly claimDeliveries: (channel: { workspaceId: WorkspaceId; id: ChannelId }, max: number) => Promise<Claim>;
  /** Makes the call of a signal that was requested at `requestedAt`, as `performance.now()` tells it. Does not wait for it. */
  readonly sendSignal: (granted: GrantedSignal, requestedAt: number) => void;
  /** Asks LINE which bot an access token belongs to; `apiUrl` is the address of its API if the channel has its own. */
  readonly fetchBotInfo: (accessToken: string, apiUrl: string | null) => Promise<BotInfo>;
  /** Lets a channel send again whose credentials have proved to work (rule S4). */
  readonly clearFault: (channelId: ChannelId) => Promise<void>;
  /** The base URL under which providers reach this server; null if unknown. */
  readonly publicUrl: string | null;
}

/** Deliveries that were leased for a partner. */
export interface Claim {
  readonly deliveries: readonly ClaimedDelivery[];
  /**
   * Tells that the response is sent now, with which the calls begin (rule S6). False if it comes too late: the leases are
   * given back, and the partner must not get the deliveries.
   */
  begin(): Promise<boolean>;
}

export interface ClaimedDelivery {
  readonly messageId: MessageId;
  readonly contactChannelId: ContactChannelId;
  readonly externalId: string;
  readonly attempt: number;
  readonly expiresAt: Instant;
}

/** What LINE says about an access token. `detail` says why there is no usable response. */
export type BotInfo =
  | { readonly type: "Bot"; readonly displayName: string; readonly basicId: string }
  | { readonly type: "Unauthorized" }
  | { readonly type: "Unreachable"; readonly detail: string };

/** The GraphQL context of one operation, or of one event of a subscription. */
export interface Context {
  readonly viewer: Viewer;
  readonly session: Session;
  readonly services: Services;
  /** The time of the read. It decides which blocks are in force; the database's clock never does (rules B8, O5). */
  readonly now: Date;
  /** Reads the latest committed rows; within `inSnapshot`, reads from one snapshot. */
  readonly prisma: Reads;
  readonly actors: ActorLoader;
  readonly quotedMessages: QuotedMessageLoader;
  /** The claims of the operation, which begin when its answer is sent. */
  readonly claims: Claim[];
}

export function createContext(services: Services, session: Session, viewer: Viewer): Context {
  const { prisma } = services.database;
  let actors: ActorLoader | undefined;
  let quotedMessages: QuotedMessageLoader | undefined;
  return {
    viewer,
    session,
    services,
    now: new Date(services.clock.now()),
    prisma,
    claims: [],
    // Created on first use: a subscription keeps its context for its lifetime and may never load an actor.
    get actors() {
      actors ??= actorLoader(prisma, viewer.workspaceId);
      return actors;
    },
    get quotedMessages() {
      quotedMessages ??= quotedMessageLoader(prisma, viewer.workspaceId);
      return quotedMessages;
    },
  };
}

/** Reads from one snapshot within `run`: changes committed together are seen together or not at all (rule B3). */
export function inSnapshot<Result>(context: Context, run: (context: Context) => Promise<Result>): Promise<Result> {
  return context.services.database.snapshot((prisma) =>
    run({
      ...context,
      prisma,
      actors: actorLoader(prisma, context.viewer.workspaceId),
      quotedMessages: quotedMessageLoader(prisma, context.viewer.workspaceId),
    }),
  );
}

/** The viewer's change, for the audit log. */
export function changeBy({ viewer, services }: Context): Change {
  return { workspaceId: viewer.workspaceId, actor: viewer.actor, clock: services.clock };
}

/** Whether the viewer has the permission. A mutation returns a `ForbiddenError` if not. */
export function hasPermission({ viewer }: Context, permission: Permission): boolean {
  return viewer.permissions.has(permission);
}

/**
 * Checks the permission that a query or a subscription needs.
 *
 * @throws GraphQLError `FORBIDDEN` if the viewer lacks it
 */
export function requirePermission(context: Context, permission: Permission): void {
  if (!hasPermission(context, permission))
    throw requestError("FORBIDDEN", `This operation requires the permission ${permission}.`);
}
