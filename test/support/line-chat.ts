import { afterAll, afterEach, beforeEach, expect } from "vitest";
import type { LineChannel, Sent } from "../../src/demo/line/channel.ts";
import type { Effect, Fault } from "../../src/demo/line/faults.ts";
import { type Edges, first, nodesOf } from "./answers.ts";
import { type BootOptions, LINE_SECRET, type TestFlow } from "./app.ts";
import { bootLineDesk, type LineDesk, textsOn } from "./fake-line.ts";

import { type RecordedRequest, recordingDispatcher } from "./recorded-requests.ts";
import { latest, type Sender } from "./view.ts";

/** A desk with a LINE to try against, and all requests to it since the test began. */
export interface LineTest extends LineDesk {
  readonly requests: RecordedRequest[];
  /** Makes the calls that are due by the desk's clock; resolves when they have ended. */
  send(): Promise<void>;
  /** Moves the desk's clock and LINE's, and makes the calls that are due then. */
  after(milliseconds: number): Promise<void>;
  /** Another LINE channel of the desk and its account; it has an access token only if one is given. */
  channel(options?: {
    readonly accessToken?: string;
    readonly flows?: readonly TestFlow[];
  }): Promise<{ readonly channel: string; readonly account: LineChannel }>;
  /** A new user who has not written yet. */
  user(on?: { readonly channel: string; readonly account: LineChannel }): LineUser;
  /** A user who has written and has been greeted by a reply; what is sent next is a push. The requests are forgotten. */
  greeted(on?: { readonly channel: string; readonly account: LineChannel }): Promise<LineUser>;
}

export interface LineUser extends Sender {
  writes(text?: string): Promise<Sent>;
  taps(data: string): Promise<void>;
  /** Makes something go wrong with the calls that concern this user. */
  fault(effect: Effect, options?: Omit<Fault, "effect">): void;
  /** Ada sends a message in the latest conversation; returns its id. */
  isSent(text: string): Promise<string>;
  /** Ada blocks the user. */
  isBlocked(): Promise<void>;
  isUnblocked(): Promise<void>;
  /** What is sent to the user: `text: STATUS`, or `text: STATUS CODE` with an error, in order. */
  outbound(): Promise<readonly string[]>;
  /** The entries of the timeline, oldest first. */
  entries(): Promise<readonly Entry[]>;
  /** The texts on the user's phone that are from the account. */
  received(): readonly string[];
}

export interface Entry {
  readonly id: string;
  readonly text: string | null;
  readonly direction: "INBOUND" | "OUTBOUND";
  readonly deliveryStatus: string | null;
  readonly deliveryError: { readonly code: string; readonly message: string } | null;
  readonly providerMessageId: string | null;
  readonly quotedMessage: { readonly id: string } | null;
}

/** Boots for the tests of one file. After each test, nothing goes wrong any more. */
export async function bootLineTest(options: BootOptions = {}): Promise<LineTest> {
  const { dispatcher, requests } = recordingDispatcher();
  const it = await bootLineDesk({ dispatcher, ...options });
  const { desk, line } = it;
  const main = { channel: desk.line, account: it.account };
  beforeEach(() => void requests.splice(0));
  afterEach(() => line.faults.clear());
  afterAll(it.stop);
  let channels = 0;

  return {
    ...it,
    requests,
    send: desk.app.runDue,
    after: async (milliseconds) => {
      desk.clock.advance(milliseconds);
      await desk.app.runDue();
    },
    channel: async ({ accessToken, flows } = {}) => {
      channels += 1;
      const channel = await desk.channel("LINE", flows);
      const token = accessToken === undefined ? {} : { accessToken };
      const account = line.addChannel({ id: `shop ${channels}`, secret: LINE_SECRET, ...token });
      account.setWebhookUrl(`${desk.url}/webhooks/line/${channel}`);
      // Also without a token, because it lets the desk see the new channel's flows at once.
      await desk.ada.updateChannel({ channelId: channel, line: { accessToken: accessToken ?? null } });
      return { channel, account };
    },
    user: (on = main) => lineUser(it, on),
    greeted: async (on = main) => {
      const user = lineUser(it, on);
      await user.writes();
      await desk.app.runDue();
      expect(await user.outbound()).toEqual([expect.stringMatching(/: SENT$/)]);
      requests.splice(0);
      return user;
    },
  };
}

function lineUser(
  { desk, line }: LineDesk,
  { channel, account }: { readonly channel: string; readonly account: LineChannel },
): LineUser {
  const externalId = `U${crypto.randomUUID()}`;
  const self: Sender = { channel, externalId };
  account.addUser(externalId, "Mika");
  const contactId = async (): Promise<string> => (await contactOf(externalId)).id;

  return {
    ...self,
    writes: async (text = "Hello") => {
      const sent = account.writeAs(externalId, text);
      expect(await sent.delivered).toBe(true);
      return sent;
    },
    taps: async (data) => {
      expect(await account.tapAs(externalId, data).delivered).toBe(true);
    },
    fault: (effect, options = {}) => void line.faults.add({ effect, userId: externalId, ...options }),
    isSent: async (text) => {
      const { message } = await desk.ada.sendMessage({ conversationId: await latest(desk, self), text });
      return message.id;
    },
    isBlocked: async () => void (await desk.ada.blockContact({ contactId: await contactId() })),
    isUnblocked: async () => void (await desk.ada.unblockContact({ contactId: await contactId() })),
    outbound: async () =>
      (await entries())
        .filter(({ direction }) => direction === "OUTBOUND")
        .map(({ text, deliveryStatus, deliveryError }) =>
          [`${text}: ${deliveryStatus}`, deliveryError?.code ?? []].flat().join(" "),
        ),
    entries,
    received: () => textsOn(account, externalId),
  };

  async function entries(): Promise<Entry[]> {
    return nodesOf(first((await contactOf(externalId)).channels).messages);
  }

  async function contactOf(search: string): Promise<ContactNode> {
    const { data, errors } = await desk.ada.graphql<{ contacts: Edges<ContactNode> }>(ENTRIES, { search });
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
    return first(nodesOf(data.contacts));
  }
}

interface ContactNode {
  readonly id: string;
  readonly channels: readonly { readonly messages: Edges<Entry> }[];
}

const ENTRIES = `query ($search: String!) { contacts(filter: { search: $search }) { edges { node { id channels {
  messages(first: 100) { edges { node {
    id text direction deliveryStatus deliveryError { code message } providerMessageId quotedMessage { id }
  } } }
} } } } }`;

/** Polls until the value is as expected; on a busy machine that may take a while. */
export function eventually<Value>(read: () => Value | Promise<Value>) {
  return expect.poll(read, { interval: 10, timeout: 10_000 });
}
