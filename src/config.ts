import { resolve } from "node:path";
import { z } from "zod";

/** A setting as the README shows it. */
export interface Setting {
  name: string;
  /** The value when it is not set, or words for it where it depends on others. */
  default: string;
  meaning: string;
}

/** The embedded PostgreSQL takes 300 connections, which three instances share with tools and itself. */
const EMBEDDED_POOL_LIMIT = 90;

/** What a setting means, and in words what holds when one without a default is not set. */
const notes = z.registry<{ meaning: string; absent?: string }>();

// What follows a setting's name in a fault: what is wrong, and the fix. Values that may be secret are never repeated.
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

/** Null is any. */
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
    .register(notes, { meaning: "Connections to the database that the server holds at most" }),
  REDIS_URL: url(
    ["redis:", "rediss:"],
    "is not a Redis URL: use redis://user:password@host:6379, or rediss:// for TLS, with special characters percent-encoded",
  )
    .refine((text) => !/^rediss?:/.test(text) || /^\/?\d*$/.test(URL.parse(text)?.pathname ?? ""), {
      error: "names a database that is no number: use redis://host:6379/0, or leave the path out",
    })
    .optional()
    .register(notes, {
      meaning: "Redis 6 or later, by which several instances tell each other of events",
      absent: "none; PostgreSQL does it",
    }),
  DATA_DIR: z
    .string()
    .prefault(".data")
    .register(notes, { meaning: "Folder of the embedded PostgreSQL and of the generated secret" }),
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
  AUTH_JWKS_URL: url(
    ["https:", "http:"],
    "is not a web address: use the https:// URL of your identity provider's key set",
  )
    .optional()
    .register(notes, {
      meaning: "Keys of an identity provider whose tokens agents use, instead of `AUTH_SECRET`",
      absent: "none",
    }),
  AUTH_ISSUER: z
    .string()
    .optional()
    .register(notes, { meaning: "Issuer that those tokens must name; required with `AUTH_JWKS_URL`", absent: "none" }),
  AUTH_AUDIENCE: z.string().optional().register(notes, {
    meaning: "Audience that those tokens must name; required with `AUTH_JWKS_URL`",
    absent: "none",
  }),
  LOG_LEVEL: choice(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).prefault("info").register(notes, {
    meaning: "Least serious log entries written: `fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`",
  }),
  DEMO: yesOrNo().optional().register(notes, {
    meaning: "Whether an empty database is filled with the demo workspace",
    absent: "true; false in production",
  }),
  EVENT_RETENTION_DAYS: wholeNumber(1, 36_500)
    .prefault("30")
    .register(notes, { meaning: "How long events can be replayed with `after`, in days" }),
  TRUST_PROXY: yesOrNo()
    .prefault("false")
    .register(notes, { meaning: "Whether to believe a proxy's `X-Forwarded-For` about a client's address" }),
  CHAT_SESSIONS_PER_MINUTE: wholeNumber(1, 1_000_000)
    .prefault("120")
    .register(notes, { meaning: "Web chat sessions that one address may open on one channel in a minute" }),
  GRAPHQL_MAX_DEPTH: wholeNumber(1, 100)
    .prefault("10")
    .register(notes, { meaning: "Deepest nesting of a GraphQL operation" }),
  GRAPHQL_MAX_COST: wholeNumber(1, 1_000_000)
    .prefault("1000")
    .register(notes, { meaning: "Greatest cost of a GraphQL operation: 1 for every 20 objects that it may return" }),
  INTROSPECTION: yesOrNo().prefault("true").register(notes, { meaning: "Whether the GraphQL schema may be asked for" }),
  TRUSTED_DOCUMENTS: z.string().optional().register(notes, {
    meaning: 'JSON file `{ "<id>": "<document>" }` of the only GraphQL documents that run; no GraphiQL then',
    absent: "none: any may run",
  }),
  ALLOWED_ORIGINS: listOfOrigins().prefault("*").register(notes, {
    meaning: "Origins whose pages may use `/graphql`, with commas between; `*` is any. Name yours in production",
  }),
  CONNECTIONS_PER_ACTOR: wholeNumber(1, 1_000_000)
    .prefault("100")
    .register(notes, { meaning: "WebSockets and event streams that one agent or key may have open on one instance" }),
});

/** Every setting there is, in the order of the README's table. */
export const settings: readonly Setting[] = Object.entries(environment.shape).map(([name, type]) => {
  const { meaning = "", absent = "" } = notes.get(type) ?? {};
  return { name, meaning, default: type instanceof z.ZodPrefault ? String(type.def.defaultValue) : absent };
});

/** What the environment says, checked and frozen. */
export type Config = ReturnType<typeof configFrom>;

/** The settings cannot be used; the message is the complete list of what is wrong with them. */
export class ConfigError extends Error {
  override name = "ConfigError";

  constructor(faults: readonly string[]) {
    super(`Deskgate cannot start with these settings:\n${faults.map((fault) => `  - ${fault}`).join("\n")}`);
  }
}

/**
 * Reads the settings; an empty one counts as not set.
 *
 * @throws ConfigError naming every fault at once, each with its fix, and no secret
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const given: NodeJS.ProcessEnv = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const result = environment.safeParse(given);
  const faults = [
    ...(result.error?.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`) ?? []),
    ...missing(given),
  ];
  if (!result.success || faults.length > 0) throw new ConfigError(faults);
  return configFrom(result.data);
}

/** The settings that others make necessary, asked of the raw values so that no other fault hides them. */
function* missing(given: NodeJS.ProcessEnv): Generator<string> {
  if (given.NODE_ENV === "production" && given.AUTH_SECRET === undefined) {
    yield "AUTH_SECRET is not set, which production requires: generate one with `openssl rand -base64 32`";
  }
  if (given.AUTH_JWKS_URL !== undefined) {
    if (given.AUTH_ISSUER === undefined) {
      yield "AUTH_ISSUER is not set, which AUTH_JWKS_URL requires: use the `iss` of your identity provider's tokens";
    }
    if (given.AUTH_AUDIENCE === undefined) {
      yield "AUTH_AUDIENCE is not set, which AUTH_JWKS_URL requires: use the `aud` of the tokens meant for Deskgate";
    }
  }
  if (given.DATABASE_URL === undefined && Number(given.DATABASE_POOL_SIZE) > EMBEDDED_POOL_LIMIT) {
    yield `DATABASE_POOL_SIZE is more than the embedded PostgreSQL takes: use at most ${EMBEDDED_POOL_LIMIT}, or set DATABASE_URL`;
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
    /** Absent: instances tell each other by PostgreSQL. */
    redisUrl: values.REDIS_URL,
    /** Absolute. */
    dataDir: resolve(values.DATA_DIR),
    /** Ask `authSecret()` instead, which knows what to do when it is absent. */
    authSecret: values.AUTH_SECRET,
    /** Absent: agents' tokens are signed with the secret. */
    jwks: jwksUrl && issuer && audience ? Object.freeze({ url: jwksUrl, issuer, audience }) : undefined,
    logLevel: values.LOG_LEVEL,
    demo: values.DEMO ?? !production,
    /** In milliseconds. */
    eventRetention: values.EVENT_RETENTION_DAYS * 24 * 60 * 60 * 1_000,
    trustProxy: values.TRUST_PROXY,
    chatSessionsPerMinute: values.CHAT_SESSIONS_PER_MINUTE,
    graphqlMaxDepth: values.GRAPHQL_MAX_DEPTH,
    graphqlMaxCost: values.GRAPHQL_MAX_COST,
    introspection: values.INTROSPECTION,
    /** Absolute; absent: all documents run. */
    trustedDocuments: values.TRUSTED_DOCUMENTS === undefined ? undefined : resolve(values.TRUSTED_DOCUMENTS),
    /** Null is any. */
    allowedOrigins: values.ALLOWED_ORIGINS,
    connectionsPerActor: values.CONNECTIONS_PER_ACTOR,
  });
}
