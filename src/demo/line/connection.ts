import type { FastifyPluginAsync } from "fastify";
import type { ChannelSecrets } from "../../store/channel-secrets.ts";
import type { Database } from "../../store/database.ts";
import { demoChannelIds, demoLine } from "../workspace.ts";
import { phonePage } from "./phone-page.ts";
import { startFakeLine } from "./server.ts";

/** The demo's LINE channel, connected to a LINE to try against. */
export interface DemoLineConnection {
  /** Serves `/demo/line`. */
  readonly page: FastifyPluginAsync;
  /** Delivers webhooks to the server at this base URL from now on. */
  listen(serverUrl: string): void;
  stop(): Promise<void>;
}

/**
 * Starts a LINE to try against for the demo's LINE channel, whose settings hold its address and its access token. Null
 * if there is no such channel, if it has an access token of another origin, or if another instance serves it already: a
 * real channel never gets a fake (rule S4).
 */
export async function connectDemoLine(
  { prisma }: Database,
  secrets: ChannelSecrets,
): Promise<DemoLineConnection | null> {
  const row = await prisma.channel.findUnique({ where: { id: demoLine.channelId } });
  if (row === null || row.archivedAt !== null) return null;
  const { accessToken, secret } = secrets.open(row);
  if (secret === null || (row.accessToken !== null && accessToken !== demoLine.accessToken)) return null;
  if (row.apiUrl !== null && (await isServed(row.apiUrl))) return null;

  const line = await startFakeLine({
    channels: [{ id: demoChannelIds.line, secret, displayName: row.name, accessToken: demoLine.accessToken }],
  });
  const channel = line.channel(demoChannelIds.line);
  for (const { externalId, name } of demoLine.users) channel.addUser(externalId, name);
  await prisma.channel.update({
    where: { id: row.id },
    data: {
      apiUrl: line.url,
      accessToken: row.accessToken ?? secrets.seal(row.id, "accessToken", demoLine.accessToken),
    },
  });
  return {
    page: await phonePage({ channel }),
    listen: (serverUrl) => channel.setWebhookUrl(`${serverUrl}/webhooks/line/${demoChannelIds.line}`),
    stop: line.stop,
  };
}

async function isServed(apiUrl: string): Promise<boolean> {
  const response = await fetch(`${apiUrl}/v2/bot/info`, {
    headers: { authorization: `Bearer ${demoLine.accessToken}` },
    signal: AbortSignal.timeout(1_000),
  }).catch(() => null);
  return response?.ok ?? false;
}
