import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import type { Executor } from "../../commands/executor.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Metrics } from "../../platform/metrics.ts";
import type { Database } from "../../store/database.ts";
import type { ChannelRecord, Directory } from "../../store/directory.ts";
import { insertUnroutable } from "../../store/unroutable-events.ts";
import { type ChannelParams, fail, findChannel } from "../channel.ts";
import { type LineEvent, parseLine, type UnroutableLineEvent, verifyLineSignature } from "./events.ts";

export interface LineWebhookOptions {
  readonly directory: Directory;
  readonly executor: Executor;
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly metrics: Metrics;
}

/**
 * `POST /webhooks/line/:channelId`: responds with 200 once every event of the body is durable. Otherwise with 503, so that
 * LINE redelivers the body; events recorded before are then recognised as repeats (rules O3, O4). 404 if there is no
 * such LINE channel, 413 above 1 MB, 401 for a wrong or missing signature, 400 for a signed body of another format.
 *
 * It does nothing else, because LINE waits two seconds at most.
 */
export function lineWebhook(options: LineWebhookOptions): FastifyPluginAsync {
  const { directory, executor, database, clock, newId, metrics } = options;
  return async (app) => {
    app.decorateRequest(CHANNEL, null);
    // The signature covers the raw bytes, whatever the content type.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    app.post<Route>("/webhooks/line/:channelId", { bodyLimit: MAX_BODY, onRequest: admit }, receive);
  };

  async function admit(request: FastifyRequest<Route>, reply: FastifyReply): Promise<unknown> {
    const channel = await findChannel(directory, request.params, "LINE");
    if (channel === null) return fail(reply, 404, "NOT_FOUND", "There is no LINE channel with this id.");
    request.setDecorator(CHANNEL, channel);
    return undefined;
  }

  async function receive(request: FastifyRequest<Route>, reply: FastifyReply): Promise<unknown> {
    const channel = request.getDecorator<ChannelRecord>(CHANNEL);
    // The fault is ours: LINE redelivers the body, which is accepted once the secret can be read (rule O4).
    if (channel.secret === null && channel.fault !== null) {
      reply.header("retry-after", "1");
      return fail(reply, 503, "UNAVAILABLE", "The signature cannot be verified at the moment. Send the events again.");
    }
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const signature = request.headers["x-line-signature"];
    const isSigned =
      channel.secret !== null && typeof signature === "string" && verifyLineSignature(channel.secret, body, signature);
    if (!isSigned) return fail(reply, 401, "INVALID_SIGNATURE", "The signature is missing or does not match the body.");

    const webhook = parseLine(parseJson(body));
    if (webhook === null) return fail(reply, 400, "MALFORMED_BODY", "The body is not a LINE webhook body.");
    const { events, unroutable } = webhook;
    if (webhook.ignored > 0) metrics.lineEventsIgnored(webhook.ignored);
    const outcomes = await Promise.allSettled([
      ...perPerson(events).map((personEvents) => recordInOrder(channel, personEvents)),
      ...(unroutable.length > 0 ? [keepRaw(channel, unroutable)] : []),
    ]);
    const failed = outcomes.filter((outcome) => outcome.status === "rejected");
    if (failed.length === 0) return {};
    request.log.error(
      { err: failed[0]?.reason, channelId: channel.id, failed: failed.length },
      "could not record all events of a LINE webhook",
    );
    reply.header("retry-after", "1");
    return fail(reply, 503, "UNAVAILABLE", "Not all events could be recorded. Send them again.");
  }

  /** Records the events of one person one after another, because concurrent commits could overtake each other. */
  async function recordInOrder(channel: ChannelRecord, events: readonly LineEvent[]): Promise<void> {
    const failures: unknown[] = [];
    for (const event of events) {
      // A failed event must not stop the next ones from being recorded (rule O4).
      await record(channel, event).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures);
  }

  async function record(channel: ChannelRecord, { externalId, entry }: LineEvent): Promise<void> {
    const [result] = await executor.execute({
      workspaceId: channel.workspaceId,
      steps: [{ contactChannel: { channelId: channel.id, externalId }, command: { type: "ReceiveInbound", entry } }],
    });
    if (result?.type !== "Accepted") throw new Error(`ReceiveInbound returned ${result?.type}; expected Accepted.`);
  }

  async function keepRaw(channel: ChannelRecord, events: readonly UnroutableLineEvent[]): Promise<void> {
    const rows = events.map((event) => ({ ...event, id: newId() }));
    await insertUnroutable(database.pool, channel, rows, clock.now());
  }
}

/** Groups the events by person, each group in the order of the body. */
function perPerson(events: readonly LineEvent[]): readonly (readonly LineEvent[])[] {
  if (events.length === 1) return [events];
  return [...Map.groupBy(events, (event) => event.externalId).values()];
}

/** Undefined if the body is not valid JSON. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

interface Route {
  Params: ChannelParams;
}

const CHANNEL = "lineChannel";
/** Maximum body size in bytes; LINE's bodies are far smaller. */
const MAX_BODY = 1_048_576;
