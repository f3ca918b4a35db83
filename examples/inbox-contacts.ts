/** Contacts who write at random, for inbox-check.ts: on custom channels with an API key, and on LINE as LINE delivers it. */
import { createHmac, randomUUID } from "node:crypto";
import { pick } from "./inbox-traffic.ts";

export interface DeskAccess {
  readonly url: string;
  /** With the scope INBOUND_WRITE. */
  readonly apiKey: string;
  /** The channel secret of all LINE channels; without it, nobody writes there. */
  readonly lineSecret: string;
}

export interface Contacts {
  /** One of them writes, follows or unfollows, takes another name, or withdraws a message. */
  write(): Promise<void>;
  /** Records an entry that changes nothing but a timeline; resolves with its id. */
  mark(): Promise<string>;
  /** The time on the desk's clock at its latest answer, in milliseconds. */
  now(): number;
}

interface Channel {
  readonly id: string;
  readonly kind: string;
}

const NAMES = ["Mika", "Noor", "Sam", "Rex"];

export async function contactsOf(
  desk: DeskAccess,
  channels: readonly Channel[],
  random: () => number,
): Promise<Contacts> {
  const people = Array.from({ length: 30 }, (_, n) => ({
    externalId: `inbox-${randomUUID()}`,
    channel: channels[n % channels.length],
  }));
  /** The ids of messages on LINE, by their senders. */
  const sent = new Map<string, string[]>();
  const custom = channels.find(({ kind }) => kind === "CUSTOM");
  if (custom === undefined) throw new Error("The workspace has no custom channel.");
  const marker = { channelId: custom.id, externalId: randomUUID(), kind: "EVENT", eventType: "marker" };
  let now = 0;

  const record = async (input: object): Promise<string> => {
    const { id, recordedAt } = await recordInbound(desk, { eventId: randomUUID(), ...input });
    now = Date.parse(recordedAt);
    return id;
  };
  // From the second entry on, the marker's contact is known, so that a mark is a single event.
  await record(marker);

  return {
    mark: () => record(marker),
    now: () => now,
    write: async () => {
      const { channel = custom, externalId } = pick(people, random);
      const text = `Message ${Math.floor(random() * 1_000)}`;
      if (channel.kind === "LINE") {
        const id = randomUUID();
        const earlier = sent.get(externalId) ?? [];
        const isUnsend = earlier.length > 0 && random() < 0.2;
        if (!isUnsend) sent.set(externalId, [...earlier, id]);
        await lineWebhook(desk, channel.id, {
          timestamp: now,
          source: { type: "user", userId: externalId },
          ...(isUnsend
            ? { type: "unsend", unsend: { messageId: pick(earlier, random) } }
            : { type: "message", message: { type: "text", id, text } }),
        });
      } else {
        const entry =
          random() < 0.9 ? { kind: "TEXT", text } : { kind: "EVENT", eventType: pick(["follow", "unfollow"], random) };
        const displayName = random() < 0.1 ? `${pick(NAMES, random)} ${Math.floor(random() * 100)}` : null;
        await record({ channelId: channel.id, externalId, displayName, ...entry });
      }
    },
  };
}

/** The channels on which the program can write. */
export async function channelsOf({ url, lineSecret }: DeskAccess, token: string): Promise<readonly Channel[]> {
  const { channels } = await ask<{ channels: (Channel & { archivedAt: string | null })[] }>(
    url,
    token,
    "{ channels { id kind archivedAt } }",
  );
  const kinds = lineSecret === "" ? ["CUSTOM"] : ["CUSTOM", "LINE"];
  return channels.filter(({ kind, archivedAt }) => archivedAt === null && kinds.includes(kind));
}

interface Recorded {
  readonly id: string;
  readonly recordedAt: string;
}

async function recordInbound({ url, apiKey }: DeskAccess, input: object): Promise<Recorded> {
  const { recordInbound: result } = await ask<{ recordInbound: { __typename: string; message?: Recorded } }>(
    url,
    apiKey,
    `mutation ($input: RecordInboundInput!) {
      recordInbound(input: $input) { __typename ... on RecordInboundSuccess { message { id recordedAt } } }
    }`,
    { input },
  );
  if (result.message === undefined) throw new Error(`recordInbound: ${result.__typename}`);
  return result.message;
}

/** Delivers an event as LINE does. */
async function lineWebhook({ url, lineSecret }: DeskAccess, channelId: string, event: object): Promise<void> {
  const id = randomUUID();
  const body = JSON.stringify({
    destination: "U0",
    events: [
      { mode: "active", webhookEventId: id, deliveryContext: { isRedelivery: false }, replyToken: id, ...event },
    ],
  });
  const signature = createHmac("sha256", lineSecret).update(body).digest("base64");
  const { status } = await fetch(`${url}/webhooks/line/${channelId}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-line-signature": signature },
    body,
  });
  if (status !== 200) throw new Error(`The LINE webhook was answered with ${status}. Is LINE_SECRET right?`);
}

/** Sends an operation past the inboxes. */
export async function ask<Data>(url: string, token: string, query: string, variables: object = {}): Promise<Data> {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors }: { data?: Data; errors?: { message: string }[] } = JSON.parse(await response.text());
  if (!data) throw new Error(errors?.map(({ message }) => message).join(" ") ?? "The answer has no data.");
  return data;
}
