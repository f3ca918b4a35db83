import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { v7 as uuidv7 } from "uuid";
import { signAgentToken } from "../src/auth/token.ts";
import type { LineChannel } from "../src/demo/line/channel.ts";
import type { Faults } from "../src/demo/line/faults.ts";
import type { LoggedRequest } from "../src/demo/line/request-log.ts";
import { type FakeLine, startFakeLine } from "../src/demo/line/server.ts";
import { toGlobalId } from "../src/domain/global-id.ts";
import { LEASE_TIMEOUT } from "../src/domain/outbox.ts";

export interface KillingOptions {
  /** A database with all migrations applied and no rows. */
  readonly databaseUrl: string;
  readonly contacts: number;
  /** How long contacts and agents write, in milliseconds. */
  readonly duration: number;
  /** Milliseconds between two SIGKILLs. */
  readonly killEvery: number;
  /** How long the queues may take to empty afterwards, in milliseconds. */
  readonly drain: number;
  /**
   * Milliseconds after which a lease that nobody has settled by the end is lost, instead of after 30 s: longer than any
   * call takes here.
   */
  readonly leaseTimeout?: number;
  /** Returns a number in [0, 1). */
  readonly random: () => number;
}

/** What was seen. All lists are empty if the rules held. */
export interface KillingReport {
  readonly messages: Readonly<Record<string, number>>;
  readonly requests: number;
  readonly kills: number;
  readonly blocks: number;
  /** Milliseconds until no message was pending any more. */
  readonly drained: number;
  readonly violations: readonly string[];
}

interface Outbound {
  readonly text: string;
  readonly userId: string;
  readonly seq: number;
  readonly status: string;
  readonly error: string | null;
  readonly leasedAt: number | null;
}

/** A block, from its answer until somebody asked to lift it, by the monotonic clock. */
interface BlockSpan {
  readonly userId: string;
  readonly from: number;
  until: number;
  /** No text up to this number was sent after the block. */
  readonly lastText: number;
}

const PROCESSES = 3;
const SECRET = "a-secret-of-the-kill-test-that-is-long";
const LINE_SECRET = "line-secret";
const AGENT = "agent@desk.test";
/** A begun call reaches the fake this much later at most, in milliseconds: both read from the same event loop. */
const ARRIVES_WITHIN = 150;

/**
 * Sends messages through three processes, one of which is killed again and again, to a LINE that fails, while contacts
 * are blocked and unblocked. Afterwards compares what LINE has accepted with what the database says (rules S1 to S6).
 */
export async function killingRun(options: KillingOptions): Promise<KillingReport> {
  const { databaseUrl, contacts, duration, killEvery, drain, leaseTimeout = LEASE_TIMEOUT, random } = options;
  const line = await startFakeLine({ random, redeliverAfter: [200], logSize: 1_000_000 });
  const account = line.addChannel({ id: "shop", secret: LINE_SECRET, accessToken: "token", rateLimit: 100_000 });
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 });
  const channelId = await seed(pool);
  const processes: Server[] = [];
  try {
    for (let n = 0; n < PROCESSES; n++) processes.push(new Server(await freePort(), databaseUrl, line.url));
    await Promise.all(processes.map((server) => server.start()));
    line.faults.add({ effect: { type: "status", status: 500 }, probability: 0.03 });
    line.faults.add({ effect: { type: "status", status: 503 }, probability: 0.02, accepts: true });
    line.faults.add({ effect: { type: "swallow" }, probability: 0.02 });
    const world = new World({ account, faults: line.faults, channelId, processes, pool, random, contacts });
    const kills = await runAll(world, processes, duration, killEvery, random);
    line.faults.clear();
    const drained = await untilDrained(pool, drain, leaseTimeout);
    const messages = await outboundOf(pool);
    return {
      messages: countBy(messages, ({ status, error }) => (error === null ? status : `${status} ${error}`)),
      requests: line.log.all().length,
      kills: kills.length,
      blocks: world.blocks.length,
      drained,
      violations: violationsOf(messages, line, world.blocks, kills),
    };
  } finally {
    for (const server of processes) server.kill();
    await pool.end();
    await line.stop();
  }
}

/** Lets everybody act until the time is over; returns when processes were killed, by the wall clock. */
async function runAll(
  world: World,
  processes: readonly Server[],
  duration: number,
  killEvery: number,
  random: () => number,
): Promise<number[]> {
  const end = performance.now() + duration;
  const kills: number[] = [];
  const restarts: Promise<void>[] = [];
  const killer = async (): Promise<void> => {
    for (;;) {
      await sleep(Math.min(killEvery, Math.max(0, end - performance.now())));
      if (performance.now() >= end) return;
      const up = processes.filter(({ isUp }) => isUp);
      const victim = up[Math.floor(random() * up.length)];
      if (victim === undefined) continue;
      kills.push(Date.now());
      restarts.push(victim.restart());
    }
  };
  const actors = Array.from({ length: ACTORS }, async () => {
    while (performance.now() < end) await world.act();
  });
  await Promise.all([killer(), ...actors]);
  await Promise.all(restarts);
  return kills;
}

const ACTORS = 12;

interface WorldOptions {
  readonly account: LineChannel;
  readonly faults: Faults;
  readonly channelId: string;
  readonly processes: readonly Server[];
  readonly pool: pg.Pool;
  readonly random: () => number;
  readonly contacts: number;
}

/** The contacts and agents. */
class World {
  readonly blocks: BlockSpan[] = [];
  readonly #options: WorldOptions;
  readonly #token = signAgentToken(SECRET, AGENT, Date.now());
  readonly #busy = new Set<string>();
  #texts = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    for (let n = 0; n < options.contacts; n++) options.account.addUser(`U${n}`, `Contact ${n}`);
  }

  /** One contact or agent does something; one at a time for each contact. */
  async act(): Promise<void> {
    const userId = `U${Math.floor(this.#options.random() * this.#options.contacts)}`;
    if (this.#busy.has(userId)) return sleep(1);
    this.#busy.add(userId);
    try {
      await this.#actFor(userId);
    } finally {
      this.#busy.delete(userId);
    }
  }

  async #actFor(userId: string): Promise<void> {
    const { account, channelId, random } = this.#options;
    const found = await this.#contactOf(userId);
    const dice = random();
    if (found === null || found.conversationId === null || dice < 0.2) {
      account.setWebhookUrl(`${this.#process().url}/webhooks/line/${channelId}`);
      await account.writeAs(userId, "Hello").delivered;
    } else if (dice < 0.9) {
      await this.#send(found.conversationId);
    } else {
      await this.#blockFor(userId, found.contactId, found.conversationId);
    }
  }

  async #send(conversationId: string): Promise<void> {
    this.#texts += 1;
    const number = this.#texts;
    const input = { conversationId, text: `Answer ${number}`, idempotencyKey: `key-${number}` };
    await this.#mutate("sendMessage", "SendMessageInput", input);
  }

  /** Blocks a contact for a while, about when a message is sent whose call is slow and often fails. */
  async #blockFor(userId: string, contactId: string, conversationId: string): Promise<void> {
    const { faults, random } = this.#options;
    faults.add({ effect: { type: "slow", ms: 200 }, userId, times: 1 });
    if (random() < 0.5) faults.add({ effect: { type: "status", status: 500 }, userId, times: 1 });
    const sent = this.#send(conversationId);
    const lastText = this.#texts;
    await sleep(random() * 100);
    await this.#mutate("blockContact", "BlockContactInput", { contactId });
    const span: BlockSpan = { userId, from: monotonic(), until: Number.POSITIVE_INFINITY, lastText };
    this.blocks.push(span);
    await Promise.all([sent, sleep(random() * 2_000)]);
    span.until = monotonic();
    await this.#mutate("unblockContact", "UnblockContactInput", { contactId });
  }

  async #contactOf(userId: string): Promise<{ contactId: string; conversationId: string | null } | null> {
    const { rows } = await this.#options.pool.query<{ contact_id: string; conversation_id: string | null }>(
      `SELECT cc.contact_id, c.id AS conversation_id FROM contact_channel cc
       LEFT JOIN conversation c ON c.id = cc.recent_conversation_id AND c.status NOT IN ('ENDED', 'BLOCKED')
       WHERE cc.external_id = $1`,
      [userId],
    );
    const [row] = rows;
    if (row === undefined) return null;
    return {
      contactId: toGlobalId("Contact", row.contact_id),
      conversationId: row.conversation_id === null ? null : toGlobalId("Conversation", row.conversation_id),
    };
  }

  /** Sends a mutation until a process has answered it: each is safe to repeat. */
  async #mutate(name: string, type: string, input: object): Promise<void> {
    const query = `mutation ($input: ${type}!) { ${name}(input: $input) { __typename } }`;
    for (;;) {
      try {
        const response = await fetch(`${this.#process().url}/graphql`, {
          method: "POST",
          headers: { authorization: `Bearer ${await this.#token}`, "content-type": "application/json" },
          body: JSON.stringify({ query, variables: { input } }),
        });
        const { data } = (await response.json()) as { data?: Record<string, { __typename: string }> | null };
        if (data?.[name] !== undefined) return;
      } catch {
        // The process was killed.
      }
      await sleep(20);
    }
  }

  #process(): Server {
    const { processes, random } = this.#options;
    const up = processes.filter(({ isUp }) => isUp);
    const chosen = up[Math.floor(random() * up.length)] ?? processes[0];
    if (chosen === undefined) throw new Error("There is no process.");
    return chosen;
  }
}

/** A Deskgate process that always has the same port. */
class Server {
  readonly url: string;
  readonly #env: NodeJS.ProcessEnv;
  #process: ChildProcess | null = null;
  isUp = false;

  constructor(port: number, databaseUrl: string, lineUrl: string) {
    this.url = `http://127.0.0.1:${port}`;
    this.#env = {
      PATH: process.env.PATH,
      DATABASE_URL: databaseUrl,
      LINE_API_URL: lineUrl,
      PORT: String(port),
      AUTH_SECRET: SECRET,
      DEMO: "false",
      LOG_LEVEL: "silent",
    };
  }

  async restart(): Promise<void> {
    this.isUp = false;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#process?.once("exit", () => resolve());
    this.kill();
    await promise;
    await this.start();
  }

  kill(): void {
    this.isUp = false;
    this.#process?.kill("SIGKILL");
  }

  async start(): Promise<void> {
    this.#process = spawn(process.execPath, ["--no-warnings", "src/main.ts"], { env: this.#env, stdio: "ignore" });
    for (;;) {
      const ready = await fetch(`${this.url}/ready`).catch(() => null);
      if (ready?.status === 200) break;
      if (this.#process.exitCode !== null) throw new Error(`A server exited with ${this.#process.exitCode}.`);
      await sleep(50);
    }
    this.isUp = true;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return address.port;
}

/** A workspace with an agent, and a LINE channel whose flow greets a first message; returns the channel's global id. */
async function seed(pool: pg.Pool): Promise<string> {
  const [workspaceId, channelId] = [uuidv7(), uuidv7()];
  await pool.query("INSERT INTO workspace (id, name, created_at) VALUES ($1, 'Kill test', now())", [workspaceId]);
  await pool.query("INSERT INTO log_head (workspace_id) VALUES ($1)", [workspaceId]);
  await pool.query(
    "INSERT INTO agent (id, workspace_id, name, email, role, created_at) VALUES ($1, $2, 'Agent', $3, 'ADMIN', now())",
    [uuidv7(), workspaceId, AGENT],
  );
  await pool.query(
    `INSERT INTO channel (id, workspace_id, name, kind, secret, access_token, created_at)
     VALUES ($1, $2, 'LINE', 'LINE', $3, 'token', now())`,
    [channelId, workspaceId, LINE_SECRET],
  );
  await pool.query(
    `INSERT INTO flow (id, workspace_id, channel_id, name, kind, definition, enabled, created_at)
     VALUES ($1, $2, $3, 'Greeting', 'AUTO_REPLY_FIRST_MESSAGE', '{"text": "Welcome"}', true, now())`,
    [uuidv7(), workspaceId, channelId],
  );
  return toGlobalId("Channel", channelId);
}

/** Resolves to the milliseconds until nothing was pending, or until the time was over. */
async function untilDrained(pool: pg.Pool, within: number, leaseTimeout: number): Promise<number> {
  const began = performance.now();
  while (performance.now() - began < within) {
    if (leaseTimeout < LEASE_TIMEOUT) await loseLeases(pool, leaseTimeout);
    const { rowCount } = await pool.query(
      "SELECT 1 FROM message WHERE delivery_status IN ('QUEUED', 'SENDING') LIMIT 1",
    );
    if (rowCount === 0) break;
    await sleep(100);
  }
  return Math.round(performance.now() - began);
}

/** Lets the leases that were granted so long ago expire now. */
async function loseLeases(pool: pg.Pool, leaseTimeout: number): Promise<void> {
  const now = Date.now();
  await pool.query(
    `UPDATE contact_channel
     SET lease_expires_at = $1, delivery = jsonb_set(delivery, '{lease,expiresAt}', to_jsonb($2::bigint))
     WHERE lease_expires_at > $1 AND (delivery->'lease'->>'grantedAt')::bigint <= $3`,
    [new Date(now), now, now - leaseTimeout],
  );
}

async function outboundOf(pool: pg.Pool): Promise<Outbound[]> {
  const { rows } = await pool.query<{
    text: string;
    external_id: string;
    seq: number;
    delivery_status: string;
    delivery_error_code: string | null;
    leased_at: Date | null;
  }>(
    `SELECT m.text, cc.external_id, m.seq, m.delivery_status, m.delivery_error_code, m.leased_at
     FROM message m JOIN contact_channel cc ON cc.id = m.contact_channel_id
     WHERE m.direction = 'OUTBOUND' ORDER BY cc.external_id, m.seq`,
  );
  return rows.map((row) => ({
    text: row.text,
    userId: row.external_id,
    seq: row.seq,
    status: row.delivery_status,
    error: row.delivery_error_code,
    leasedAt: row.leased_at?.getTime() ?? null,
  }));
}

/** Compares what LINE has accepted with what the database says. Greetings have equal texts, so they are compared by their number. */
function violationsOf(
  messages: readonly Outbound[],
  line: FakeLine,
  blocks: readonly BlockSpan[],
  kills: readonly number[],
): string[] {
  const requests = line.log.all().filter(({ operation }) => operation === "push" || operation === "reply");
  const accepted = Map.groupBy(
    requests.filter((request) => request.accepted),
    ({ userId }) => userId ?? "",
  );
  const violations: string[] = [];
  if (line.log.dropped > 0) violations.push("The log of LINE is not complete.");
  for (const [userId, own] of Map.groupBy(messages, (message) => message.userId)) {
    const arrived = (accepted.get(userId) ?? []).flatMap((request) => request.messages.map(textOf));
    violations.push(...orderViolations(userId, own, arrived));
  }
  for (const message of messages) {
    if (message.status === "QUEUED" || message.status === "SENDING") violations.push(`${nameOf(message)} is pending.`);
    if (message.error === "OUTCOME_UNKNOWN" && isKnowable(message, requests, kills)) {
      violations.push(`${nameOf(message)} is OUTCOME_UNKNOWN, though every call was answered.`);
    }
  }
  for (const { userId, from, until, lastText } of blocks) {
    for (const request of requests) {
      if (request.userId !== userId || request.monotonicMs <= from + ARRIVES_WITHIN) continue;
      const isOld = request.messages.some((message) => numberOf(message) <= lastText);
      if (request.monotonicMs >= until && !isOld) continue;
      const texts = request.messages.map(textOf).join(", ");
      const late = Math.round(request.monotonicMs - from);
      violations.push(`${request.operation} to ${userId} (${texts}) began ${late} ms after the block's answer.`);
    }
  }
  return violations;
}

/**
 * What arrived must be the messages that are `SENT`, once each and in the order of recording; those of unknown outcome
 * may be among them. As texts can be equal, all ways to match them are followed at once.
 */
function orderViolations(userId: string, own: readonly Outbound[], arrived: readonly string[]): string[] {
  /** How many of the texts that arrived can be those of the messages so far. */
  let matched = new Set([0]);
  for (const message of own) {
    const withIt = new Set([...matched].filter((count) => arrived[count] === message.text).map((count) => count + 1));
    if (message.status === "SENT") {
      // What follows would not match either.
      if (withIt.size === 0) return [`${nameOf(message)} is SENT, but ${userId} got: ${arrived.join(", ")}.`];
      matched = withIt;
    } else if (message.error === "OUTCOME_UNKNOWN") {
      matched = matched.union(withIt);
    }
  }
  if (matched.has(arrived.length)) return [];
  const sent = own.filter(({ status }) => status === "SENT").map(({ text }) => text);
  return [`${userId} got: ${arrived.join(", ")}, though only these are SENT: ${sent.join(", ")}.`];
}

/** Whether the sender can have known the fate: every call was answered, and no process was killed during the last one. */
function isKnowable(message: Outbound, requests: readonly LoggedRequest[], kills: readonly number[]): boolean {
  const calls = requests.filter(
    (request) => request.userId === message.userId && request.messages.some((each) => textOf(each) === message.text),
  );
  const isUnanswered = calls.some(({ status }) => status === null || status >= 500);
  const { leasedAt } = message;
  const wasKilled = leasedAt !== null && kills.some((at) => at >= leasedAt - 1_000 && at <= leasedAt + 15_000);
  return !isUnanswered && !wasKilled;
}

function textOf(message: LoggedRequest["messages"][number]): string {
  return message.type === "text" ? message.text : message.type;
}

/** The number of an agent's text; infinite for others. */
function numberOf(message: LoggedRequest["messages"][number]): number {
  return Number(/^Answer (\d+)$/.exec(textOf(message))?.[1] ?? Number.POSITIVE_INFINITY);
}

function nameOf({ userId, seq, text }: Outbound): string {
  return `${userId}/${seq} (${text})`;
}

/** The clock of the request log, in milliseconds. */
function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function countBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(items, keyOf)].map(([key, group]) => [key, group.length]));
}
