import DataLoader from "dataloader";
import type { WorkspaceId } from "../../domain/id.ts";
import type { Reads } from "../../store/database.ts";
import type { Message } from "../../store/generated/client.ts";

/** A message by the id that the provider gave it; such ids are unique within a ContactChannel. */
export interface QuotedMessageKey {
  readonly contactChannelId: string;
  readonly providerMessageId: string;
}

/** Loads all quoted messages of a page with one query. */
export type QuotedMessageLoader = DataLoader<QuotedMessageKey, Message | null, string>;

export function quotedMessageLoader(prisma: Reads, workspaceId: WorkspaceId): QuotedMessageLoader {
  const nameOf = ({ contactChannelId, providerMessageId }: QuotedMessageKey): string =>
    `${contactChannelId} ${providerMessageId}`;
  return new DataLoader(
    async (keys) => {
      const where = { workspaceId, OR: keys.map((key) => ({ ...key })) };
      // Newest first, so that of several entries with one id the oldest, which is the message itself, is kept.
      const rows = await prisma.message.findMany({ where, orderBy: { seq: "desc" } });
      const byName = new Map(
        rows.flatMap((row) =>
          row.providerMessageId === null
            ? []
            : [[nameOf({ contactChannelId: row.contactChannelId, providerMessageId: row.providerMessageId }), row]],
        ),
      );
      return keys.map((key) => byName.get(nameOf(key)) ?? null);
    },
    { cacheKeyFn: nameOf },
  );
}
