import type { AgentId, ApiKeyId, WorkspaceId } from "../domain/id.ts";
import { API_KEY_PREFIX, hashApiKey } from "./api-key.ts";
import { permissionsOfRole, permissionsOfScopes, type Role } from "./permission.ts";
import type { Tokens } from "./token.ts";
import type { Viewer } from "./viewer.ts";

/**
 * Resolves an `Authorization` header to its viewer. Null if the credential is absent, malformed, expired, revoked or
 * unknown (HTTP 401, close code 4403).
 */
export type Authenticate = (authorization: string | null | undefined) => Promise<Viewer | null>;

/** Looks up agents and API keys; removed agents and revoked keys are not found. */
export interface Credentials {
  /** Compares exactly; `identityOf` makes the form that is stored. */
  agentByEmail(email: string): Promise<AgentRecord | null>;
  apiKeyByHash(hash: string): Promise<ApiKeyRecord | null>;
}

export interface AgentRecord {
  readonly id: AgentId;
  readonly workspaceId: WorkspaceId;
  readonly role: Role;
}

export interface ApiKeyRecord {
  readonly id: ApiKeyId;
  readonly workspaceId: WorkspaceId;
  readonly scopes: readonly string[];
}

export function authenticator(credentials: Credentials, tokens: Tokens): Authenticate {
  return async (authorization) => {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) return null;
    return token.startsWith(API_KEY_PREFIX) ? keyViewer(token) : agentViewer(token);
  };

  async function keyViewer(key: string): Promise<Viewer | null> {
    const record = await credentials.apiKeyByHash(hashApiKey(key));
    if (record === null) return null;
    return {
      actor: { type: "ApiKey", id: record.id },
      workspaceId: record.workspaceId,
      role: null,
      permissions: permissionsOfScopes(record.scopes),
      expiresAt: null,
    };
  }

  async function agentViewer(token: string): Promise<Viewer | null> {
    const claims = await tokens.verifyAgent(token);
    const agent = claims === null ? null : await credentials.agentByEmail(claims.email);
    if (claims === null || agent === null) return null;
    return {
      actor: { type: "Agent", id: agent.id },
      workspaceId: agent.workspaceId,
      role: agent.role,
      permissions: permissionsOfRole(agent.role),
      expiresAt: claims.expiresAt,
    };
  }
}
