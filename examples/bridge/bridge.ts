/**
 * Connects a messenger to a `CUSTOM` channel, both ways. It stores nothing and can be killed at any time: what it had not
 * confirmed to the messenger, or not acknowledged to Deskgate, it gets again, and neither side takes a repetition twice.
 *
 *     TOKEN=dg_… CHANNEL=… npx node examples/bridge/bridge.ts
 *
 * TOKEN is an API key with the scope INBOUND_WRITE, CHANNEL the id of a CUSTOM channel without a deliveryUrl. DESK is Deskgate's
 * address, http://localhost:4000 by default, and MESSENGER that of examples/bridge/messenger.ts, http://localhost:5000.
 */

interface Update {
  id: number;
  from: string;
  kind: "message" | "edit" | "unsend";
  messageId: string;
  text?: string;
}

interface Delivery {
  deliveryId: string;
  externalId: string;
  message: { id: string; text: string };
}

const RECORD = `mutation ($items: [RecordInboundInput!]!) {
  recordInbounds(input: { items: $items }) {
    __typename
    ... on RecordInboundsSuccess { results { ... on Error { reason: message } } }
    ... on Error { reason: message }
  }
}`;

const CLAIM = `mutation ($channelId: ID!) {
  claimDeliveries(input: { channelId: $channelId, max: 50 }) {
    __typename
    ... on ClaimDeliveriesSuccess { deliveries { deliveryId externalId message { id text } } }
    ... on Error { reason: message }
  }
}`;

const ACKNOWLEDGE = `mutation ($input: AcknowledgeDeliveryInput!) {
  acknowledgeDelivery(input: $input) { __typename ... on Error { reason: message } }
}`;

const { DESK = "http://localhost:4000", MESSENGER = "http://localhost:5000", TOKEN = "", CHANNEL = "" } = process.env;
if (TOKEN === "" || CHANNEL === "") throw new Error("Set TOKEN and CHANNEL as described at the top of this file.");

await Promise.all([forever(passOnUpdates), forever(passOnDeliveries)]);

/** Repeats a step: at once if it had something to do, after a moment if it had not or if it failed. */
async function forever(step: () => Promise<boolean>): Promise<never> {
  for (;;) {
    const isBusy = await step().catch((error: unknown) => {
      // "fetch failed" alone does not say which address.
      console.error(error instanceof Error ? [error.message, error.cause].filter(Boolean).join(": ") : error);
      return false;
    });
    if (!isBusy) await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** From the messenger to Deskgate. Its update's id is the `eventId`, so a repetition records nothing. */
async function passOnUpdates(): Promise<boolean> {
  const updates: Update[] = await messenger("GET", "/updates");
  if (updates.length === 0) return false;
  const { results } = await desk<{ results: { reason?: string }[] }>(RECORD, { items: updates.map(entryOf) });
  for (const { reason } of results) if (reason) console.error(`Refused: ${reason}`);
  // Only now: all of them are durable, and will not be needed again.
  await messenger("GET", `/updates?confirmed=${updates.at(-1)?.id}`);
  return true;
}

function entryOf({ id, from, kind, messageId, text }: Update): object {
  const what = kind === "message" ? { kind: "TEXT" } : { kind: "EVENT", eventType: kind };
  return { channelId: CHANNEL, externalId: from, eventId: `${id}`, providerMessageId: messageId, text, ...what };
}

/** From Deskgate to the messenger: at most one message of each person at a time, which keeps their order. */
async function passOnDeliveries(): Promise<boolean> {
  const { deliveries } = await desk<{ deliveries: Delivery[] }>(CLAIM, { channelId: CHANNEL });
  await Promise.all(deliveries.map(deliver));
  return deliveries.length > 0;
}

/** The message's id is the key under which the messenger shows it once, however often it is claimed. */
async function deliver({ deliveryId, externalId, message }: Delivery): Promise<void> {
  const { id } = await messenger<{ id: string }>("POST", `/people/${encodeURIComponent(externalId)}/messages`, {
    key: message.id,
    text: message.text,
  });
  const input = { deliveryId, status: "SENT", providerMessageId: id };
  // If this fails, the delivery can be claimed again after 30 seconds.
  await desk(ACKNOWLEDGE, { input });
}

async function messenger<Answer>(method: "GET" | "POST", path: string, body?: object): Promise<Answer> {
  const response = await fetch(MESSENGER + path, {
    method,
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`The messenger answers ${response.status} to ${method} ${path}.`);
  return JSON.parse(await response.text());
}

/** Sends a mutation; throws unless it succeeds. */
async function desk<Success>(query: string, variables: object): Promise<Success> {
  const response = await fetch(`${DESK}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(10_000),
  });
  const { data, errors }: Answered<Success> = JSON.parse(await response.text());
  const [result] = Object.values(data ?? {});
  if (!result)
    throw new Error(`Deskgate answers ${response.status}: ${errors?.map(({ message }) => message).join(" ")}`);
  if (!result.__typename.endsWith("Success")) throw new Error(`Deskgate refuses: ${result.reason}`);
  return result;
}

interface Answered<Success> {
  data?: Record<string, Success & { __typename: string; reason?: string }>;
  errors?: { message: string }[];
}
