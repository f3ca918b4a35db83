import type { Logger } from "pino";
import type { CloseArchived } from "../commands/close-archived.ts";
import { type PeriodicJob, periodicJob } from "../platform/periodic.ts";

/** In milliseconds. */
const INTERVAL = 5_000;

/** Ends what is still open on archived channels, for example after a crash in the middle of `archiveChannel`. */
export function archivedChannelsJob({
  closeArchived,
  logger,
}: {
  readonly closeArchived: CloseArchived;
  readonly logger: Logger;
}): PeriodicJob {
  return periodicJob("archived-channels", INTERVAL, () => closeArchived(), logger);
}
