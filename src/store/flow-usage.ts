import type { FlowUsage } from "../flows/quota.ts";
import type { ChangeTx } from "./audit-log.ts";
import { Prisma } from "./generated/client.ts";

/**
 * Counts the flows of a channel and their keywords, or only those of one flow of it. The caller holds the channel's
 * lock, so that the counts stand until its commit.
 */
export async function findFlowUsage(tx: ChangeTx, channelId: string, flowId?: string): Promise<FlowUsage> {
  const [usage] = await tx.$queryRaw<FlowUsage[]>`
    SELECT count(*)::int AS flows, coalesce(sum(
      CASE jsonb_typeof(definition -> 'keywords') WHEN 'array' THEN jsonb_array_length(definition -> 'keywords') END
    ), 0)::int AS keywords
    FROM flow
    WHERE channel_id = ${channelId}::uuid ${flowId === undefined ? Prisma.empty : Prisma.sql`AND id = ${flowId}::uuid`}`;
  return usage ?? { flows: 0, keywords: 0 };
}
