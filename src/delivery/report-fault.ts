import type { Logger } from "pino";
import { faultChannel } from "../store/channel-fault.ts";
import type { Database } from "../store/database.ts";
import type { ChannelRecord, Directory } from "../store/directory.ts";

export interface ReportFaultOptions {
  readonly database: Database;
  readonly directory: Directory;
  readonly logger: Logger;
}

/** Records that the provider refuses the channel's credentials, so that its messages wait (rule S4). */
export async function reportFault(
  { database, directory, logger }: ReportFaultOptions,
  channel: ChannelRecord,
  reason: string,
): Promise<void> {
  await faultChannel(database.pool, channel, reason);
  directory.forget();
  logger.warn({ channelId: channel.id, reason }, "the provider refuses the channel's credentials");
}
