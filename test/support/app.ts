import { createHmac } from "node:crypto";
import pino, { type Logger } from "pino";
import type { Dispatcher } from "undici";
import { v7 as uuidv7 } from "uuid";
import { type App, startApp } from "../../src/app.ts";
import { newApiKey } from "../../src/auth/api-key.ts";
import type { Role, Scope } from "../../src/auth/permission.ts";
import { signAgentToken } from "../../src/auth/token.ts";
import { loadConfig } from "../../src/config.ts";
import type { ChannelKind } from "../../src/domain/channel-kind.ts";
import { type NodeType, parseGlobalId, toGlobalId } from "../../src/domain/global-id.ts";
import type { StopLimits } from "../../src/platform/stop-in-turn.ts";
import { type Client, clientOf } from "./client.ts";
import { type TestClock, testClock } from "./clock.ts";
import { freshDatabase } from "./database.ts";

export const SECRET = "a-secret-of-tests-that-is-long-enough";
export const GREETING = "Welcome!";
export const LINE_SECRET = "line-secret";

/** An agent of a seeded workspace. */
export interface TestAgent extends Client {
  /** The opaque id that the API uses. */
  readonly id: string;
  readonly email: string;
}

/** One tenant, with an agent of each role and a channel of each kind that greets a first message. */
export interface TestWorkspace {
  readonly id: string;
  readonly ada: TestAgent;
  readonly ben: TestAgent;
  readonly vic: TestAgent;
  readonly line: string;
  readonly webChat: string;
  readonly custom: string;
  key(...scopes: Scope[]): Promise<string>;
  agent(role: Role): Promise<TestAgent>;
  channel(kind: ChannelKind, flows?: readonly TestFlow[]): Promise<string>;
}

export interface TestFlow {
  readonly kind: "AUTO_REPLY_FIRST_MESSAGE" | "AUTO_REPLY_KEYWORD" | "CHATBOT";
  readonly definition: object;
}

export interface Desk extends TestWorkspace {
  readonly url: string;
  readonly app: App;
  readonly clock: TestClock;
  /** Another tenant on the same server. */
  workspace(): Promise<TestWorkspace>;
  /** A client with the token of an agent or a key. */
  as(token: string): Client;
  /** Delivers events as LINE does, signed with the channel's secret. */
  lineWebhook(events: readonly object[], options?: { channel?: string; signature?: string }): Promise<Response>;
  /** Sends a message on the LINE channel; returns the ids of its contact and conversation. */
  writes(person: string, text?: string): Promise<Written>;
  stop(): Promise<void>;
}

export interface Written {
  readonly contactId: string;
  readonly contactChannelId: string;
  readonly conversationId: string;
  readonly messageId: string;
}

const running: (() => Promise<void>)[] = [];

/** Stops all desks that the test file has booted. */
export async function stopDesks(): Promise<void> {
  for (const stop of running.splice(0)) await stop();
}

export interface BootOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly clock?: TestClock;
  /** Makes the app's calls to providers. */
  readonly dispatcher?: Dispatcher;
  /** How long those may take, in milliseconds; 10 s by default. */
  readonly callTimeout?: number;
  /** Receives the log; by default nothing does. */
  readonly logger?: Logger;
  /** How long stopping may take; 13 s by default. */
  readonly stopLimits?: StopLimits;
}

/** Boots the app on its own database, with a clock that advances only by hand; stops with the test file. */
export async function bootDesk(options: BootOptions = {}): Promise<Desk> {
  const { url: databaseUrl, drop } = await freshDatabase();
  const { env, clock = testClock(), ...given } = options;
  const config = loadConfig({
    DATABASE_URL: databaseUrl,
    PORT: "0",
    AUTH_SECRET: SECRET,
    DEMO: "false",
    LOG_LEVEL: "silent",
    ...env,
  });
  const app = await startApp({ config, logger: pino({ level: config.logLevel }), clock, ...given });
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= app.stop().then(drop);
    return stopping;
  };
  running.push(stop);

  const first = await workspace();
  return { ...first, url: app.url, app, clock, workspace, as, lineWebhook, writes, stop };

  async function workspace(): Promise<TestWorkspace> {
    const { prisma } = app.database;
    const common = { workspaceId: uuidv7(), createdAt: new Date(clock.now()) };
    await prisma.workspace.create({
      data: { id: common.workspaceId, name: "Test", createdAt: common.createdAt, logHead: { create: {} } },
    });

    const agent = async (role: Role): Promise<TestAgent> => {
      const id = uuidv7();
      const email = `${id}@desk.test`;
      await prisma.agent.create({ data: { id, ...common, name: role.toLowerCase(), email, role } });
      return { id: toGlobalId("Agent", id), email, ...as(await tokenOf(email)) };
    };
    const channel = async (kind: ChannelKind, flows: readonly TestFlow[] = greeting): Promise<string> => {
      const id = uuidv7();
      await prisma.channel.create({
        data: { id, ...common, name: kind, kind, secret: kind === "LINE" ? LINE_SECRET : null },
      });
      for (const flow of flows) {
        await prisma.flow.create({ data: { id: uuidv7(), ...common, channelId: id, name: flow.kind, ...flow } });
      }
      return toGlobalId("Channel", id);
    };
    const key = async (...scopes: Scope[]): Promise<string> => {
      const made = newApiKey();
      await prisma.apiKey.create({
        data: { id: uuidv7(), ...common, name: "Partner", prefix: made.prefix, hash: made.hash, scopes },
      });
      return made.key;
    };
    return {
      id: toGlobalId("Workspace", common.workspaceId),
      ada: await agent("ADMIN"),
      ben: await agent("AGENT"),
      vic: await agent("VIEWER"),
      line: await channel("LINE"),
      webChat: await channel("WEB_CHAT"),
      custom: await channel("CUSTOM"),
      key,
      agent,
      channel,
    };
  }

  function tokenOf(email: string): Promise<string> {
    return signAgentToken(SECRET, email, clock.now(), 365 * 24 * 3_600_000);
  }

  function as(token: string): Client {
    return clientOf(app.url, token);
  }

  function lineWebhook(
    events: readonly object[],
    { channel = first.line, signature }: { channel?: string; signature?: string } = {},
  ): Promise<Response> {
    const body = JSON.stringify({ destination: "U0", events });
    return fetch(`${app.url}/webhooks/line/${channel}`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-line-signature": signature ?? lineSignature(body) },
      body,
    });
  }

  async function writes(person: string, text = "Hello"): Promise<Written> {
    const eventId = uuidv7();
    const response = await lineWebhook([lineText(person, text, { webhookEventId: eventId, timestamp: clock.now() })]);
    if (response.status !== 200) throw new Error(`The webhook responded with ${response.status}.`);
    const message = await app.database.prisma.message.findFirstOrThrow({
      where: { eventId },
      include: { contactChannel: true },
    });
    return {
      contactId: toGlobalId("Contact", message.contactChannel.contactId),
      contactChannelId: toGlobalId("ContactChannel", message.contactChannelId),
      conversationId: toGlobalId("Conversation", message.conversationId ?? ""),
      messageId: toGlobalId("Message", message.id),
    };
  }
}

const greeting: readonly TestFlow[] = [{ kind: "AUTO_REPLY_FIRST_MESSAGE", definition: { text: GREETING } }];

export function lineSignature(body: string | Buffer, secret = LINE_SECRET): string {
  return createHmac("sha256", secret).update(body).digest("base64");
}

/** A text message as LINE delivers it. */
export function lineText(person: string, text: string, event: object = {}): object {
  const id = uuidv7();
  return {
    type: "message",
    mode: "active",
    timestamp: Date.now(),
    webhookEventId: id,
    deliveryContext: { isRedelivery: false },
    source: { type: "user", userId: person },
    replyToken: `reply-${id}`,
    message: { type: "text", id: `message-${id}`, quoteToken: "q", text },
    ...event,
  };
}

/** The row id behind an opaque id, for database queries. */
export function rowId(globalId: string): string {
  const node = parseGlobalId(globalId);
  if (node === null) throw new Error(`Not a global id: ${globalId}`);
  return node.id;
}

export function globalId(type: NodeType, id: string): string {
  return toGlobalId(type, id);
}
