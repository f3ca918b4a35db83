import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { ConfigError, loadConfig, settings } from "../src/config.ts";

const secret = "0123456789abcdef0123456789abcdef";

test("an empty environment gives a development configuration", () => {
  expect(loadConfig({})).toEqual({
    production: false,
    port: 4000,
    databaseUrl: undefined,
    databasePoolSize: 16,
    redisUrl: undefined,
    dataDir: resolve(".data"),
    authSecret: undefined,
    secretsKeys: [],
    jwks: undefined,
    publicUrl: undefined,
    lineApiUrl: "https://api.line.me",
    webhookAllowedNetworks: [],
    logLevel: "info",
    demo: true,
    eventRetention: 30 * 24 * 60 * 60 * 1_000,
    trustProxy: false,
    chatSessionsPerMinute: 120,
    graphqlMaxDepth: 10,
    graphqlMaxCost: 1000,
    introspection: true,
    trustedDocuments: undefined,
    allowedOrigins: null,
    connectionsPerActor: 100,
  });
});

test("every setting can be set", () => {
  const config = loadConfig({
    NODE_ENV: "production",
    PORT: "0",
    DATABASE_URL: "postgresql://deskgate:p%40ss@db.internal:5432/deskgate",
    DATABASE_POOL_SIZE: "200",
    REDIS_URL: "rediss://deskgate:p%40ss@cache.internal:6380",
    DATA_DIR: "/srv/deskgate",
    AUTH_SECRET: secret,
    SECRETS_KEY: `${secret}, old-${secret}`,
    PUBLIC_URL: "https://desk.example/",
    LINE_API_URL: "http://localhost:4010/line/",
    WEBHOOK_ALLOWED_CIDRS: "10.20.0.0/16, fd12:3456::/32",
    AUTH_JWKS_URL: "https://id.example.com/keys",
    AUTH_ISSUER: "https://id.example.com",
    AUTH_AUDIENCE: "deskgate",
    LOG_LEVEL: "warn",
    DEMO: "true",
    TRUST_PROXY: "1",
    CHAT_SESSIONS_PER_MINUTE: "60",
    GRAPHQL_MAX_DEPTH: "12",
    EVENT_RETENTION_DAYS: "7",
    GRAPHQL_MAX_COST: "5000",
    INTROSPECTION: "false",
    TRUSTED_DOCUMENTS: "documents.json",
    ALLOWED_ORIGINS: "https://desk.example, http://localhost:5173",
    CONNECTIONS_PER_ACTOR: "20000",
  });

  expect(config).toEqual({
    production: true,
    port: 0,
    databaseUrl: "postgresql://deskgate:p%40ss@db.internal:5432/deskgate",
    databasePoolSize: 200,
    redisUrl: "rediss://deskgate:p%40ss@cache.internal:6380",
    dataDir: "/srv/deskgate",
    authSecret: secret,
    secretsKeys: [secret, `old-${secret}`],
    publicUrl: "https://desk.example",
    lineApiUrl: "http://localhost:4010/line",
    webhookAllowedNetworks: ["10.20.0.0/16", "fd12:3456::/32"],
    jwks: { url: "https://id.example.com/keys", issuer: "https://id.example.com", audience: "deskgate" },
    logLevel: "warn",
    demo: true,
    eventRetention: 7 * 24 * 60 * 60 * 1_000,
    trustProxy: true,
    chatSessionsPerMinute: 60,
    graphqlMaxDepth: 12,
    graphqlMaxCost: 5000,
    introspection: false,
    trustedDocuments: resolve("documents.json"),
    allowedOrigins: ["https://desk.example", "http://localhost:5173"],
    connectionsPerActor: 20_000,
  });
  expect(Object.isFrozen(config)).toBe(true);
});

test("an empty setting counts as unset", () => {
  expect(loadConfig({ PORT: "", AUTH_JWKS_URL: "", DATABASE_URL: "" })).toEqual(loadConfig({}));
});

test("production is not seeded with the demo by default", () => {
  expect(loadConfig({ NODE_ENV: "production", AUTH_SECRET: secret }).demo).toBe(false);
});

describe("errors", () => {
  test("all are reported at once, each with its fix, without secrets", () => {
    expect(
      errorsOf({
        NODE_ENV: "production",
        PORT: "70000",
        DATABASE_URL: "mysql://root:hunter2@db/deskgate",
        REDIS_URL: "redis.internal:6379/hunter2",
        AUTH_SECRET: "hunter2",
        AUTH_JWKS_URL: "id.example.com",
        LOG_LEVEL: "loud",
        DEMO: "maybe",
        GRAPHQL_MAX_DEPTH: "1e1",
      }),
    ).toBe(
      [
        "Deskgate cannot start with these settings:",
        '  - PORT is "70000": use a whole number from 0 to 65535',
        "  - DATABASE_URL is not a PostgreSQL URL: use postgresql://user:password@host:5432/database, with special characters percent-encoded",
        "  - REDIS_URL is not a Redis URL: use redis://user:password@host:6379, or rediss:// for TLS, with special characters percent-encoded",
        "  - AUTH_SECRET has 7 characters: use at least 32, for example from `openssl rand -base64 32`",
        "  - AUTH_JWKS_URL is not a web address: use the https:// URL of your identity provider's key set",
        '  - LOG_LEVEL is "loud": use one of fatal, error, warn, info, debug, trace, silent',
        '  - DEMO is "maybe": use true or false',
        '  - GRAPHQL_MAX_DEPTH is "1e1": use a whole number from 1 to 100',
        "  - AUTH_ISSUER is not set but required with AUTH_JWKS_URL: use the `iss` of your identity provider's tokens",
        "  - AUTH_AUDIENCE is not set but required with AUTH_JWKS_URL: use the `aud` of the tokens meant for Deskgate",
      ].join("\n"),
    );
  });

  test("production requires a secret", () => {
    expect(errorsOf({ NODE_ENV: "production" })).toContain("AUTH_SECRET is not set but required in production");
  });

  test.each([
    "desk.example",
    "https://desk.example/",
    "https://desk.example,*",
    "ftp://desk.example",
    "http://a@desk.example",
    "null",
    "https://desk.example;https://b",
  ])("%s is not a list of origins", (given) => {
    expect(errorsOf({ ALLOWED_ORIGINS: given })).toContain(
      `ALLOWED_ORIGINS is "${given}": use origins as browsers send them, https://desk.example,https://…, or * for any`,
    );
  });

  test.each([
    ["10.0.0.0", "10.0.0.0"],
    ["10.0.0.0/33", "10.0.0.0/33"],
    ["10.0.0.0/8,", ""],
    ["10.0.0.0/8;fd00::/8", "10.0.0.0/8;fd00::/8"],
    ["10.0.0.0/8, partner.example/24, fd00::/129", 'partner.example/24", "fd00::/129'],
  ])("P4: %s is not a list of networks", (given, fault) => {
    expect(errorsOf({ WEBHOOK_ALLOWED_CIDRS: given })).toContain(
      `WEBHOOK_ALLOWED_CIDRS has "${fault}": use networks as CIDR blocks, 10.20.0.0/16,fd12:3456::/32`,
    );
  });

  test.each([
    ["SECRETS_KEY", "hunter2", "has a key of fewer than 32 characters"],
    ["SECRETS_KEY", `${secret},`, "has a key of fewer than 32 characters"],
    ["PUBLIC_URL", "shop.example", "is not a web address"],
    ["PUBLIC_URL", "https://desk.example/?a=b", "is not a web address"],
    ["LINE_API_URL", "ftp://api.line.me", "is not a web address"],
  ])("%s=%s is refused without being repeated", (name, given, error) => {
    const errors = errorsOf({ [name]: given });
    expect(errors).toContain(`${name} ${error}`);
    expect(errors).not.toContain(given);
  });

  test("the embedded PostgreSQL allows fewer connections", () => {
    expect(errorsOf({ DATABASE_POOL_SIZE: "91" })).toContain(
      "DATABASE_POOL_SIZE is too large for the embedded PostgreSQL: use at most 90, or set DATABASE_URL",
    );
  });
});

test("every setting has a description and a description of its default", () => {
  expect(settings.filter(({ meaning, default: value }) => meaning === "" || value === "")).toEqual([]);
  expect(settings).toContainEqual({
    name: "PORT",
    default: "4000",
    meaning: "TCP port that the server listens on; 0 takes a free one",
  });
});

function errorsOf(env: NodeJS.ProcessEnv): string {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
  }
  throw new Error("these settings are accepted");
}
