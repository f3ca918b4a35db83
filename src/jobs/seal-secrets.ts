import type { Logger } from "pino";
import { type PeriodicJob, periodicJob } from "../platform/periodic.ts";
import type { ChannelSecrets } from "../store/channel-secrets.ts";

/** In milliseconds. */
const INTERVAL = 60_000;

/** Encrypts channel secrets that an earlier version, or an operator with SQL, stored in plain text. */
export function sealSecretsJob({
  secrets,
  logger,
}: {
  readonly secrets: ChannelSecrets;
  readonly logger: Logger;
}): PeriodicJob {
  return periodicJob("seal-secrets", INTERVAL, runOnce, logger);

  async function runOnce(): Promise<void> {
    const { sealed } = await secrets.sealPlain();
    if (sealed > 0) logger.info({ sealed }, "stored secrets were encrypted");
  }
}
