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
 * `POST /webhooks/line/:channelId`: answers 200 once all that the body carried is durable, and 503 where some of it is
 * not, so that LINE sends the body again; what was kept is then found to be a repeat (rules O3, O4). 404 for no LINE
 * channel, 413 above 1 MB, 401 for a wrong or absent signature, 400 for what is signed and yet no webhook body.
 *
 * Nothing else is done here, because LINE waits for two seconds at most.
 */
export function lineWebhook(options: LineWebhookOptions): FastifyPluginAsync {
  const { directory, executor, database, clock, newId, metrics } = options;
  return async (app) => {
    app.decorateRequest(CHANNEL, null);
    // The signature is over the bytes as they came, whatever type they are said to be of.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    app.post<Route>("/webhooks/line/:channelId", { bodyLimit: MAX_BODY, onRequest: admit }, receive);
  };

  async function admit(request: FastifyRequest<Route>, reply: FastifyReply): Promise<unknown> {
    const channel = await findChannel(directory, request.params, "LINE");
    if (channel === null) return fail(reply, 404, "NOT_FOUND", "There is no such LINE channel.");
    request.setDecorator(CHANNEL, channel);
    return undefined;
  }

  async function receive(request: FastifyRequest<Route>, reply: FastifyReply): Promise<unknown> {
    const channel = request.getDecorator<ChannelRecord>(CHANNEL);
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const signature = request.headers["x-line-signature"];
    const isSigned =
      channel.secret !== null && typeof signature === "string" && verifyLineSignature(channel.secret, body, signature);
    if (!isSigned) return fail(reply, 401, "INVALID_SIGNATURE", "The signature is absent or not of this body.");

    const delivery = parseLine(parseJson(body));
    if (delivery === null) return fail(reply, 400, "MALFORMED_BODY", "The body is no LINE webhook.");
    const { events, unroutable } = delivery;
    if (delivery.ignored > 0) metrics.lineEventsIgnored(delivery.ignored);
    const kept = await Promise.allSettled([
      ...perPerson(events).map((ofOne) => recordInOrder(channel, ofOne)),
      ...(unroutable.length > 0 ? [keepRaw(channel, unroutable)] : []),
    ]);
    const lost = kept.filter((outcome) => outcome.status === "rejected");
    if (lost.length === 0) return {};
    request.log.error({ err: lost[0]?.reason, channelId: channel.id, lost: lost.length }, "LINE events not recorded");
    return fail(reply, 503, "UNAVAILABLE", "Not all events could be recorded. Send them again.");
  }

  /** One person's events one after another: commits under way side by side could overtake each other. */
  async function recordInOrder(channel: ChannelRecord, events: readonly LineEvent[]): Promise<void> {
    const failures: unknown[] = [];
    for (const event of events) {
      // One event that cannot be recorded must not keep the next ones from it (rule O4).
      await record(channel, event).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures);
  }

  async function record(channel: ChannelRecord, { externalId, entry }: LineEvent): Promise<void> {
    const [answer] = await executor.execute({
      workspaceId: channel.workspaceId,
      steps: [{ contactChannel: { channelId: channel.id, externalId }, command: { type: "ReceiveInbound", entry } }],
    });
    if (answer?.type !== "Accepted") throw new Error(`An inbound event was answered with ${answer?.type}.`);
  }

  async function keepRaw(channel: ChannelRecord, events: readonly UnroutableLineEvent[]): Promise<void> {
    const rows = events.map((event) => ({ ...event, id: newId() }));
    await insertUnroutable(database.pool, channel, rows, clock.now());
  }
}

/** The events of each person, in the order of the body; persons in the order in which they first appear. */
function perPerson(events: readonly LineEvent[]): readonly (readonly LineEvent[])[] {
  if (events.length === 1) return [events];
  return [...Map.groupBy(events, (event) => event.externalId).values()];
}

/** Undefined for what is not JSON. */
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
/** In bytes: LINE's own bodies are far smaller. */
const MAX_BODY = 1_048_576;
