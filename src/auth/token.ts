import { createHmac } from "node:crypto";
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify, SignJWT } from "jose";
import { LRUCache } from "lru-cache";
import { type ChannelId, type Instant, idOf } from "../domain/id.ts";
import type { Clock } from "../platform/clock.ts";
import { identityOf } from "./identity.ts";

/** How agent tokens are verified: with our own secret, or with an identity provider's keys if `jwks` is set. */
export interface TokenSettings {
  readonly secret: string;
  readonly jwks: { readonly url: string; readonly issuer: string; readonly audience: string } | null;
}

/** The claims of a valid agent token. */
export interface AgentClaims {
  /** As `identityOf` returns it. */
  readonly email: string;
  readonly expiresAt: Instant | null;
}

export interface Tokens {
  /** Null if the token is invalid or expired, or its email missing or unverified. Throws if no keys are available. */
  verifyAgent(token: string): Promise<AgentClaims | null>;
  signVisitor(visitor: Visitor): Promise<string>;
  verifyVisitor(token: string): Promise<Visitor | null>;
}

/** A web-chat visitor, identified only by the token that we issued. */
export interface Visitor {
  readonly channelId: ChannelId;
  readonly visitorId: string;
}

const VISITOR_AUDIENCE = "deskgate:visitor";
const AGENT_AUDIENCE = "deskgate:agent";

export function tokens(settings: TokenSettings, clock: Clock): Tokens {
  const agentKey = settings.jwks === null ? bytesOf(settings.secret) : remoteKeys(settings.jwks.url);
  const agentOptions =
    settings.jwks === null
      ? { algorithms: ["HS256"] }
      : {
          // Public-key algorithms only: a provider's public key must not be usable as a shared secret.
          algorithms: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"],
          issuer: settings.jwks.issuer,
          audience: settings.jwks.audience,
        };
  // A separate key, so that a visitor token is never accepted as an agent token.
  const visitorKey = createHmac("sha256", settings.secret).update(VISITOR_AUDIENCE).digest();

  // Cached for a short time only: an identity provider may withdraw a key.
  const verified = new LRUCache<string, { key: Uint8Array | JWTVerifyGetKey; claims: JWTPayload }>({
    max: 5_000,
    ttl: 60_000,
  });

  return { verifyAgent, signVisitor, verifyVisitor };

  async function verifyAgent(token: string): Promise<AgentClaims | null> {
    const claims = await verify(token, agentKey, agentOptions);
    if (typeof claims?.email !== "string") return null;
    // Only an email that the identity provider says it has verified identifies an agent. We vouch for our own tokens.
    if (settings.jwks !== null && claims.email_verified !== true) return null;
    if (settings.jwks === null && !isForAgents(claims.aud)) return null;
    const email = identityOf(claims.email);
    if (email === null) return null;
    return { email, expiresAt: claims.exp === undefined ? null : claims.exp * 1_000 };
  }

  function signVisitor({ channelId, visitorId }: Visitor): Promise<string> {
    return new SignJWT({ channelId })
      .setProtectedHeader({ alg: "HS256" })
      .setAudience(VISITOR_AUDIENCE)
      .setSubject(visitorId)
      .sign(visitorKey);
  }

  async function verifyVisitor(token: string): Promise<Visitor | null> {
    const claims = await verify(token, visitorKey, { algorithms: ["HS256"], audience: VISITOR_AUDIENCE });
    if (typeof claims?.channelId !== "string" || claims.sub === undefined) return null;
    return { channelId: idOf(claims.channelId), visitorId: claims.sub };
  }

  /** Verifies a token. The signature result is cached; expiry is checked on every call. */
  async function verify(
    token: string,
    key: Uint8Array | JWTVerifyGetKey,
    options: { algorithms: string[]; audience?: string; issuer?: string },
  ): Promise<JWTPayload | null> {
    const known = verified.get(token);
    if (known !== undefined && known.key === key) {
      return known.claims.exp === undefined || clock.now() < known.claims.exp * 1_000 ? known.claims : null;
    }
    const claims = await verifySignature(token, key, options);
    if (claims !== null) verified.set(token, { key, claims });
    return claims;
  }

  async function verifySignature(
    token: string,
    key: Uint8Array | JWTVerifyGetKey,
    options: { algorithms: string[]; audience?: string; issuer?: string },
  ): Promise<JWTPayload | null> {
    try {
      const current = { ...options, currentDate: new Date(clock.now()) };
      const { payload } =
        typeof key === "function" ? await jwtVerify(token, key, current) : await jwtVerify(token, key, current);
      return payload;
    } catch (error) {
      if (error instanceof errors.JOSEError && !NO_KEYS.has(error.code)) return null;
      throw error;
    }
  }
}

/** The identity provider's keys could not be fetched, which does not make the token invalid. */
const NO_KEYS = new Set<string>([errors.JWKSTimeout.code, errors.JWKSInvalid.code, errors.JOSEError.code]);

/** How long an agent token is valid by default, in milliseconds. */
const AGENT_TOKEN_LIFETIME = 30 * 24 * 60 * 60 * 1_000;

/**
 * Signs a token for the agent with this email, valid for `lifetime` milliseconds. It needs no database, so it also
 * works while the server is stopped.
 */
export function signAgentToken(
  secret: string,
  email: string,
  now: Instant,
  lifetime = AGENT_TOKEN_LIFETIME,
): Promise<string> {
  return new SignJWT({ email })
    .setProtectedHeader({ alg: "HS256" })
    .setAudience(AGENT_AUDIENCE)
    .setIssuedAt(Math.floor(now / 1_000))
    .setExpirationTime(Math.floor((now + lifetime) / 1_000))
    .sign(bytesOf(secret));
}

/** Earlier versions signed tokens without an audience, which stay valid until they expire. */
function isForAgents(audience: string | string[] | undefined): boolean {
  return audience === undefined || [audience].flat().includes(AGENT_AUDIENCE);
}

function bytesOf(secret: string): Uint8Array {
  return new TextEncoder().encode(secret);
}

function remoteKeys(url: string): JWTVerifyGetKey {
  return createRemoteJWKSet(new URL(url));
}
