import type pg from "pg";
import type { ChannelId } from "../domain/id.ts";
import type { ChannelRecord } from "./directory.ts";

/** Records why nothing can be sent on a channel (rule S4), unless its credentials were changed since they were used. */
export async function faultChannel(pool: pg.Pool, channel: ChannelRecord, reason: string): Promise<void> {
  const { id, credentials } = channel;
  await pool.query({
    ...setFault,
    values: [id, reason, credentials.accessToken, credentials.deliveryUrl, credentials.deliverySecret],
  });
}

/** Lets a channel send again, because its credentials were changed or have proved to work. */
export async function clearFault(pool: pg.Pool, channelId: ChannelId): Promise<void> {
  await pool.query({ ...unsetFault, values: [channelId] });
}

const setFault = {
  name: "channel_fault_set",
  text: `
    UPDATE channel SET send_fault = $2
    WHERE id = $1 AND access_token IS NOT DISTINCT FROM $3 AND delivery_url IS NOT DISTINCT FROM $4
      AND delivery_secret IS NOT DISTINCT FROM $5`,
};

const unsetFault = {
  name: "channel_fault_unset",
  text: "UPDATE channel SET send_fault = NULL WHERE id = $1 AND send_fault IS NOT NULL",
};
