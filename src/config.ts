import { resolve } from "node:path";
import { z } from "zod";

/** A setting as the docs list it. */
export interface Setting {
  name: string;
  /** The value when it is not set, or a description of it if it depends on other settings. */
  default: string;
  meaning: string;
}

/** The embedded PostgreSQL accepts 300 connections, which three instances share with tools and internal processes. */
const EMBEDDED_POOL_LIMIT = 90;

/** The meaning of each setting and, for one without a default value, what applies when it is not set. */
const notes = z.registry<{ meaning: string; absent?: string }>();

// An error is the setting's name followed by what is wrong and how to fix it. Values that may be secret are never printed.
const wholeNumber = (min: number, max: number) => {
  const error = (issue: { input?: unknown }) => `is "${issue.input}": use a whole number from ${min} to ${max}`;
  return z
    .string()
    .refine((text) => /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max, { error })
    .transform(Number);
};

const choice = <const Values extends readonly string[]>(values: Values) =>
  z.enum(values, { error: (issue) => `is "${issue.input}": use one of ${values.join(", ")}` });

const yesOrNo = () => z.stringbool({ error: (issue) => `is "${issue.input}": use true or false` });

const url = (protocols: string[], error: string) =>
  z.string().refine((text) => protocols.includes(URL.parse(text)?.protocol ?? ""), { error });

/** Null: any origin. */
const listOfOrigins = () => {
  const error = (issue: { input?: unknown }) =>
    `is "${issue.input}": use origins as browsers send them, https://desk.example,https://…, or * for any`;
  const isOrigin = (text: string): boolean => /^https?:[^*]+$/.test(text) && URL.parse(text)?.origin === text;
  const listed = (text: string): string[] => text.split(",").map((origin) => origin.trim());
  return z
    .string()
    .refine((text) => text === "*" || listed(text).every(isOrigin), { error })
    .transform((text) => (text === "*" ? null : Object.freeze(listed(text))));
};

/** A web address without a trailing slash, so that paths can be appended. */
const baseUrl = (error: string) =>
  url(["https:", "http:"], error)
    .refine((text) => !/[?#]/.test(text), { error })
    .transform((text) => text.replace(/\/+$/, ""));

/** CIDR blocks separated by commas. */
const listOfNetworks = () => {
  const listed = (text: string): string[] => text.split(",").map((network) => network.trim());
  const isNetwork = (text: string): boolean => z.union([z.cidrv4(), z.cidrv6()]).safeParse(text).success;
  return z
    .string()
    .refine((text) => listed(text).every(isNetwork), {
      error: ({ input }) => {
        const faults = listed(String(input)).filter((text) => !isNetwork(text));
        return `has "${faults.join('", "')}": use networks as CIDR blocks, 10.20.0.0/16,fd12:3456::/32`;
      },
    })
    .transform(listed);
};

/** Keys separated by commas, each at least 32 characters long. */
const listOfKeys = () => {
  const listed = (text: string): string[] => text.split(",").map((key) => key.trim());
  return z
    .string()
    .refine((text) => listed(text).every((key) => key.length >= 32), {
      error: "has a key of fewer than 32 characters: use keys from `openssl rand -base64 32`, separated by commas",
    })
    .transform(listed);
};

const environment = z.object({
  NODE_ENV: choice(["development", "test", "production"])
    .prefault("development")
    .register(notes, { meaning: "`production` requires `AUTH_SECRET` and does not seed the demo" }),
  PORT: wholeNumber(0, 65_535)
    .prefault("4000")
    .register(notes, { meaning: "TCP port that the server listens on; 0 takes a free one" }),
  DATABASE_URL: url(
    ["postgres:", "postgresql:"],
    "is not a PostgreSQL URL: use postgresql://user:password@host:5432/database, with special characters percent-encoded",
  )
    .optional()
    .register(notes, {
      meaning: "PostgreSQL 15 or later, as `postgresql://user:password@host:5432/database`",
      absent: "an embedded PostgreSQL",
    }),
  DATABASE_POOL_SIZE: wholeNumber(1, 500)
    .prefault("16")
    .register(notes, { meaning: "Maximum number of database connections of this instance" }),
  REDIS_URL: url(
    ["redis:", "rediss:"],
    "is not a Redis URL: use redis://user:password@host:6379, or rediss:// for TLS, with special characters percent-encoded",
  )
    .refine((text) => !/^rediss?:/.test(text) || /^\/?\d*$/.test(URL.parse(text)?.pathname ?? ""), {
      error: "has a database that is not a number: use redis://host:6379/0, or leave the path out",
    })
    .optional()
    .register(notes, {
      meaning: "Redis 6 or later, for change notifications between instances",
      absent: "none: PostgreSQL is used",
    }),
  DATA_DIR: z
    .string()
    .prefault(".data")
    .register(notes, { meaning: "Directory of the embedded PostgreSQL and of the generated secret" }),
  AUTH_SECRET: z
    .string()
    .min(32, {
      error: ({ input }) =>
        `has ${String(input).length} characters: use at least 32, for example from \`openssl rand -base64 32\``,
    })
    .optional()
    .register(notes, {
      meaning: "Signs the tokens of agents (HS256) and of web chat visitors; at least 32 characters",
      absent: "generated and kept in `DATA_DIR`; required in production",
    }),
  SECRETS_KEY: listOfKeys().optional().register(notes, {
    meaning: "Encrypts stored provider secrets; several keys separated by commas: the first encrypts, all decrypt",
    absent: "derived from `AUTH_SECRET`",
  }),
  AUTH_JWKS_URL: url(
    ["https:", "http:"],
    "is not a web address: use the https:// URL of your identity provider's key set",
  )
    .optional()
    .register(notes, {
      meaning: "JWKS URL of the identity provider that issues the agents' tokens, instead of `AUTH_SECRET`",
      absent: "none",
    }),
  AUTH_ISSUER: z.string().optional().register(notes, {
    meaning: "Issuer (`iss`) that those tokens must have; required with `AUTH_JWKS_URL`",
    absent: "none",
  }),
  AUTH_AUDIENCE: z.string().optional().register(notes, {
    meaning: "Audience (`aud`) that those tokens must have; required with `AUTH_JWKS_URL`",
    absent: "none",
  }),
  PUBLIC_URL: baseUrl("is not a web address: use the URL under which providers reach this server, https://desk.example")
    .optional()
    .register(notes, {
      meaning: "Base URL under which providers reach this server, for `Channel.webhookUrl`",
      absent: "none: `webhookUrl` is null",
    }),
  LINE_API_URL: baseUrl("is not a web address: use https://api.line.me, or the base URL of a LINE to test against")
    .prefault("https://api.line.me")
    .register(notes, { meaning: "Base URL of LINE's Messaging API" }),
  WEBHOOK_ALLOWED_CIDRS: listOfNetworks().optional().register(notes, {
    meaning: "Comma-separated CIDR blocks of private networks that URLs given through the API may lead to",
    absent: "none: only public addresses",
  }),
  LOG_LEVEL: choice(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).prefault("info").register(notes, {
    meaning: "Minimum level of log entries: `fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`",
  }),
  DEMO: yesOrNo().optional().register(notes, {
    meaning: "Whether to fill an empty database with the demo workspace",
    absent: "true; false in production",
  }),
  EVENT_RETENTION_DAYS: wholeNumber(1, 36_500)
    .prefault("30")
    .register(notes, { meaning: "Number of days for which events can be replayed with `after`" }),
  TRUST_PROXY: yesOrNo()
    .prefault("false")
    .register(notes, { meaning: "Whether to trust a proxy's `X-Forwarded-For` for the client's address" }),
  CHAT_SESSIONS_PER_MINUTE: wholeNumber(1, 1_000_000)
    .prefault("120")
    .register(notes, { meaning: "Maximum number of web chat sessions per address, channel and minute" }),
  GRAPHQL_MAX_DEPTH: wholeNumber(1, 100)
    .prefault("10")
    .register(notes, { meaning: "Maximum nesting depth of a GraphQL operation" }),
  GRAPHQL_MAX_COST: wholeNumber(1, 1_000_000)
    .prefault("1000")
    .register(notes, { meaning: "Maximum cost of a GraphQL operation: 1 for every 20 objects that it may return" }),
  INTROSPECTION: yesOrNo().prefault("true").register(notes, { meaning: "Whether GraphQL introspection is allowed" }),
  TRUSTED_DOCUMENTS: z.string().optional().register(notes, {
    meaning: 'JSON file `{ "<id>": "<document>" }` of the only GraphQL documents that may run; disables GraphiQL',
    absent: "none: any document may run",
  }),
  ALLOWED_ORIGINS: listOfOrigins().prefault("*").register(notes, {
    meaning: "Comma-separated origins whose pages may use `/graphql`; `*` allows any. List yours in production",
  }),
  CONNECTIONS_PER_ACTOR: wholeNumber(1, 1_000_000)
    .prefault("100")
    .register(notes, { meaning: "Maximum number of open WebSockets and event streams per agent or key and instance" }),
});

/** Every setting, in the order of the table in the docs. */
export const settings: readonly Setting[] = Object.entries(environment.shape).map(([name, type]) => {
  const { meaning = "", absent = "" } = notes.get(type) ?? {};
  return { name, meaning, default: type instanceof z.ZodPrefault ? String(type.def.defaultValue) : absent };
});

/** The validated, frozen settings. */
export type Config = ReturnType<typeof configFrom>;

/** The settings are invalid; the message lists every error. */
export class ConfigError extends Error {
  override name = "ConfigError";

  constructor(errors: readonly string[]) {
    super(`Deskgate cannot start with these settings:\n${errors.map((error) => `  - ${error}`).join("\n")}`);
  }
}

/**
 * Reads the settings from the environment. An empty variable counts as not set.
 *
 * @throws ConfigError with every error and its fix, and without secrets
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const given: NodeJS.ProcessEnv = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const result = environment.safeParse(given);
  const errors = [
    ...(result.error?.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`) ?? []),
    ...missing(given),
  ];
  if (!result.success || errors.length > 0) throw new ConfigError(errors);
  return configFrom(result.data);
}

/** Settings that other settings require or limit. Checks the raw values, so that an invalid value does not hide these errors. */
function* missing(given: NodeJS.ProcessEnv): Generator<string> {
  if (given.NODE_ENV === "production" && given.AUTH_SECRET === undefined) {
    yield "AUTH_SECRET is not set but required in production: generate one with `openssl rand -base64 32`";
  }
  if (given.AUTH_JWKS_URL !== undefined) {
    if (given.AUTH_ISSUER === undefined) {
      yield "AUTH_ISSUER is not set but required with AUTH_JWKS_URL: use the `iss` of your identity provider's tokens";
    }
    if (given.AUTH_AUDIENCE === undefined) {
      yield "AUTH_AUDIENCE is not set but required with AUTH_JWKS_URL: use the `aud` of the tokens meant for Deskgate";
    }
  }
  if (given.DATABASE_URL === undefined && Number(given.DATABASE_POOL_SIZE) > EMBEDDED_POOL_LIMIT) {
    yield `DATABASE_POOL_SIZE is too large for the embedded PostgreSQL: use at most ${EMBEDDED_POOL_LIMIT}, or set DATABASE_URL`;
  }
}

function configFrom(values: z.output<typeof environment>) {
  const { AUTH_JWKS_URL: jwksUrl, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = values;
  const production = values.NODE_ENV === "production";
  return Object.freeze({
    production,
    port: values.PORT,
    /** Absent: an embedded PostgreSQL in `dataDir`. */
    databaseUrl: values.DATABASE_URL,
    databasePoolSize: values.DATABASE_POOL_SIZE,
    /** Absent: change notifications go through PostgreSQL. */
    redisUrl: values.REDIS_URL,
    /** Absolute path. */
    dataDir: resolve(values.DATA_DIR),
    /** Use `authSecret()` instead, which generates a secret if this is absent. */
    authSecret: values.AUTH_SECRET,
    /** Use `secretBox()` instead, which adds the key that is derived from the secret. */
    secretsKeys: Object.freeze(values.SECRETS_KEY ?? []),
    /** Absent: agents' tokens are signed with the secret. */
    jwks: jwksUrl && issuer && audience ? Object.freeze({ url: jwksUrl, issuer, audience }) : undefined,
    /** Without a trailing slash; absent: unknown. */
    publicUrl: values.PUBLIC_URL,
    /** Without a trailing slash. */
    lineApiUrl: values.LINE_API_URL,
    /** CIDR blocks that are allowed besides public addresses (rule P4). */
    webhookAllowedNetworks: Object.freeze(values.WEBHOOK_ALLOWED_CIDRS ?? []),
    logLevel: values.LOG_LEVEL,
    demo: values.DEMO ?? !production,
    /** In milliseconds. */
    eventRetention: values.EVENT_RETENTION_DAYS * 24 * 60 * 60 * 1_000,
    trustProxy: values.TRUST_PROXY,
    chatSessionsPerMinute: values.CHAT_SESSIONS_PER_MINUTE,
    graphqlMaxDepth: values.GRAPHQL_MAX_DEPTH,
    graphqlMaxCost: values.GRAPHQL_MAX_COST,
    introspection: values.INTROSPECTION,
    /** Absolute path; absent: any document may run. */
    trustedDocuments: values.TRUSTED_DOCUMENTS === undefined ? undefined : resolve(values.TRUSTED_DOCUMENTS),
    /** Null: any origin. */
    allowedOrigins: values.ALLOWED_ORIGINS,
    connectionsPerActor: values.CONNECTIONS_PER_ACTOR,
  });
}
