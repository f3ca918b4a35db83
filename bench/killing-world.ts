import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { signAgentToken } from "../src/auth/token.ts";
import type { LineChannel } from "../src/demo/line/channel.ts";
import type { Faults } from "../src/demo/line/faults.ts";
import { toGlobalId } from "../src/domain/global-id.ts";
import { SECRET, type Server } from "./killing-server.ts";

export const AGENT = "agent@desk.test";

/** A block, from its answer until somebody asked to lift it, by the monotonic clock. */
export interface BlockSpan {
  readonly userId: string;
  readonly from: number;
  until: number;
  /** No text up to this number was sent after the block. */
  readonly lastText: number;
}

export interface WorldOptions {
  readonly account: LineChannel;
  readonly faults: Faults;
  readonly channelId: string;
  readonly processes: readonly Server[];
  readonly pool: pg.Pool;
  readonly random: () => number;
  readonly contacts: number;
}

/** The contacts and agents. */
export class World {
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

/** The clock of the request log, in milliseconds. */
function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
