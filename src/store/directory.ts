import { LRUCache } from "lru-cache";
import type { AgentRecord, ApiKeyRecord, Credentials } from "../auth/authenticate.ts";
import type { PrincipalLookup, Principals } from "../auth/session.ts";
import type { ChannelKind } from "../domain/channel-kind.ts";
import type { Flow as DomainFlow } from "../domain/flow.ts";
import { type AgentId, type ApiKeyId, type ChannelId, idOf, type WorkspaceId } from "../domain/id.ts";
import type { ReadFlows } from "../flows/read-flows.ts";
import type { ChannelSecrets } from "./channel-secrets.ts";
import type { Agent, ApiKey, PrismaClient } from "./generated/client.ts";

export interface ChannelRecord {
  readonly id: ChannelId;
  readonly workspaceId: WorkspaceId;
  readonly name: string;
  readonly kind: ChannelKind;
  /** LINE: the channel secret, decrypted; null if there is none or if it cannot be decrypted. */
  readonly secret: string | null;
  /** LINE: the channel access token, decrypted; null if there is none or if it cannot be decrypted. */
  readonly accessToken: string | null;
  readonly allowedOrigins: readonly string[];
  /** Custom: where messages are delivered; null if the partner claims them. */
  readonly deliveryUrl: string | null;
  /** Custom: the secrets that sign deliveries, decrypted: the current one, and after a space the one before it. */
  readonly deliverySecret: string | null;
  /** The address of the provider's API, if it is not the configured one. */
  readonly apiUrl: string | null;
  readonly showsLoading: boolean;
  readonly marksRead: boolean;
  /** Why a secret of the channel cannot be used; null if all can. */
  readonly fault: string | null;
  /** Why nothing can be sent (rule S4); null if nothing stands against it. */
  readonly sendFault: string | null;
  /** What sending depends on, as it is stored: tells whether it was changed since. */
  readonly credentials: {
    readonly accessToken: string | null;
    readonly deliveryUrl: string | null;
    readonly deliverySecret: string | null;
  };
}

/**
 * Cached lookups of channels, flows, agents and API keys, which every request needs and which rarely change. Entries
 * expire after a second, so a change takes effect within a second.
 */
export interface Directory extends Credentials, PrincipalLookup {
  channel(id: ChannelId): Promise<ChannelRecord | null>;
  /** The enabled flows of each channel of the workspace, oldest first, without those that cannot be read. */
  flows(workspaceId: WorkspaceId): Promise<ReadonlyMap<ChannelId, readonly DomainFlow[]>>;
  agent(id: AgentId): Promise<AgentRecord | null>;
  /** Clears the cache; for the instance that has just made a change. */
  forget(): void;
}

/** In milliseconds. */
const CACHE_TTL = 1_000;

export function directory(
  prisma: PrismaClient,
  secrets: Pick<ChannelSecrets, "open">,
  readFlows: ReadFlows,
): Directory {
  const channels = cached<ChannelRecord>(async (id) => {
    const row = await prisma.channel.findUnique({ where: { id } });
    if (row === null) return null;
    const { name, kind, allowedOrigins, deliveryUrl, apiUrl, showsLoading, marksRead, sendFault } = row;
    return {
      id: idOf<"Channel">(row.id),
      workspaceId: idOf<"Workspace">(row.workspaceId),
      name,
      kind,
      allowedOrigins,
      deliveryUrl,
      apiUrl,
      showsLoading,
      marksRead,
      sendFault,
      ...secrets.open(row),
      credentials: { accessToken: row.accessToken, deliveryUrl, deliverySecret: row.deliverySecret },
    };
  });

  const flows = cached<ReadonlyMap<ChannelId, readonly DomainFlow[]>>(async (workspaceId) => {
    const rows = await prisma.flow.findMany({
      where: { workspaceId, enabled: true },
      orderBy: [{ createdAt: "asc" }, { id: "asc" }],
    });
    return Map.groupBy(readFlows(idOf<"Workspace">(workspaceId), rows), (each) => each.channelId);
  });

  const agents = cached<AgentRecord>(async (id) => {
    const row = await prisma.agent.findFirst({ where: { id, removedAt: null } });
    return row === null ? null : toAgentRecord(row);
  });
  const agentsByEmail = cached<AgentRecord>(async (email) => {
    const row = await prisma.agent.findFirst({ where: { email, removedAt: null } });
    return row === null ? null : toAgentRecord(row);
  });
  const apiKeys = cached<ApiKeyRecord>(async (hash) => {
    const row = await prisma.apiKey.findFirst({ where: { hash, revokedAt: null } });
    return row === null ? null : toApiKeyRecord(row);
  });

  async function currentPrincipals(agentIds: readonly AgentId[], apiKeyIds: readonly ApiKeyId[]): Promise<Principals> {
    const [agentRows, apiKeyRows] = await Promise.all([
      prisma.agent.findMany({ where: { id: { in: [...agentIds] }, removedAt: null } }),
      prisma.apiKey.findMany({ where: { id: { in: [...apiKeyIds] }, revokedAt: null } }),
    ]);
    return {
      agents: new Map(agentRows.map(toAgentRecord).map((each) => [each.id, each])),
      apiKeys: new Map(apiKeyRows.map(toApiKeyRecord).map((each) => [each.id, each])),
    };
  }

  async function fingerprint(workspaceIds: readonly WorkspaceId[]): Promise<string> {
    const [row] = await prisma.$queryRaw<{ fingerprint: string }[]>`
      SELECT concat_ws('/',
        (SELECT concat_ws(':', count(*), sum(hashtextextended(concat_ws(' ', id, workspace_id, role), 0)))
         FROM agent WHERE workspace_id = ANY (${workspaceIds}::uuid[]) AND removed_at IS NULL),
        (SELECT concat_ws(':', count(*), sum(hashtextextended(concat_ws(' ', id, scopes), 0)))
         FROM api_key WHERE workspace_id = ANY (${workspaceIds}::uuid[]) AND revoked_at IS NULL)) AS fingerprint`;
    return row?.fingerprint ?? "";
  }

  return {
    channel: channels.get,
    flows: async (workspaceId) => (await flows.get(workspaceId)) ?? new Map(),
    agentByEmail: agentsByEmail.get,
    agent: agents.get,
    currentPrincipals,
    fingerprint,
    apiKeyByHash: apiKeys.get,
    forget: () => {
      for (const cache of [channels, flows, agents, agentsByEmail, apiKeys]) cache.clear();
    },
  };
}

function toAgentRecord({ id, workspaceId, role }: Agent): AgentRecord {
  return { id: idOf<"Agent">(id), workspaceId: idOf<"Workspace">(workspaceId), role };
}

function toApiKeyRecord({ id, workspaceId, scopes }: ApiKey): ApiKeyRecord {
  return { id: idOf<"ApiKey">(id), workspaceId: idOf<"Workspace">(workspaceId), scopes };
}

function cached<Value extends object>(
  load: (key: string) => Promise<Value | null>,
): { get(key: string): Promise<Value | null>; clear(): void } {
  const cache = new LRUCache<string, { readonly value: Value | null }>({
    max: 10_000,
    ttl: CACHE_TTL,
    // A lookup in flight when the cache is cleared still resolves, but its result is not cached.
    ignoreFetchAbort: true,
    fetchMethod: async (key) => ({ value: await load(key) }),
  });
  return {
    get: async (key) => (await cache.fetch(key))?.value ?? null,
    clear: () => cache.clear(),
  };
}
