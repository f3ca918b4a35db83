import { v7 as uuidv7 } from "uuid";
import type { ChannelKind } from "../domain/channel-kind.ts";
import { type ChannelId, idOf } from "../domain/id.ts";
import { toActorColumns } from "./actor-columns.ts";
import { type AuditedValues, audited, type Change } from "./audit-log.ts";
import type { ChannelSecrets, SecretColumn } from "./channel-secrets.ts";
import type { Database } from "./database.ts";
import type { Channel } from "./generated/client.ts";

/** The settings of a channel that an administrator changes. Absent: unchanged; null: removed. */
export interface ChannelSettings {
  readonly name?: string;
  readonly channelSecret?: string | null;
  readonly accessToken?: string | null;
  readonly allowedOrigins?: readonly string[];
  readonly deliveryUrl?: string | null;
  readonly showsLoading?: boolean;
  readonly marksRead?: boolean;
  /** Replaces the secret that signs deliveries. Without it, a channel gets one with its first `deliveryUrl`. */
  readonly rotateDeliverySecret?: boolean;
}

/** What a write made: `deliverySecret` is the new secret that signs deliveries, which nobody can read again. */
export interface WrittenChannel {
  readonly id: ChannelId;
  readonly changed: boolean;
  readonly deliverySecret: string | null;
}

/** Writes channels, each change with its entry in the audit log. Input is validated. */
export interface Channels {
  create(
    change: Change,
    kind: ChannelKind,
    settings: ChannelSettings & { readonly name: string },
  ): Promise<WrittenChannel>;
  update(change: Change, id: ChannelId, settings: ChannelSettings): Promise<WrittenChannel>;
  /** Marks the channel archived; false if it was already. What is open on it is ended afterwards. */
  archive(change: Change, id: ChannelId): Promise<boolean>;
}

export function channelWriter(database: Database, secrets: ChannelSecrets, newDeliverySecret: () => string): Channels {
  return {
    create: (change, kind, { name, channelSecret, accessToken, allowedOrigins, deliveryUrl, ...signals }) =>
      audited(database, change, null, async (tx, at) => {
        const id = uuidv7();
        const seal = (column: SecretColumn, plain: string | null | undefined): string | null =>
          plain === null || plain === undefined ? null : secrets.seal(id, column, plain);
        const deliverySecret = deliveryUrl == null ? null : newDeliverySecret();
        const row = await tx.channel.create({
          data: {
            id,
            workspaceId: change.workspaceId,
            name,
            kind,
            secret: seal("secret", channelSecret),
            accessToken: seal("accessToken", accessToken),
            allowedOrigins: [...(allowedOrigins ?? [])],
            deliveryUrl: deliveryUrl ?? null,
            deliverySecret: seal("deliverySecret", deliverySecret),
            ...signals,
            createdAt: at,
          },
        });
        const entry = { ...subject(id), action: "CHANNEL_CREATED", before: null, after: valuesOf(row) } as const;
        return { result: { id: idOf<"Channel">(id), changed: true, deliverySecret }, entry };
      }),

    update: (change, id, settings) =>
      audited<WrittenChannel>(database, change, { table: "channel", id }, async (tx) => {
        const {
          name,
          channelSecret,
          accessToken,
          allowedOrigins,
          deliveryUrl,
          rotateDeliverySecret = false,
          ...signals
        } = settings;
        const before = await tx.channel.findUniqueOrThrow({ where: { id } });
        const opened = secrets.open(before);
        const isFirstUrl = deliveryUrl != null && before.deliverySecret === null;
        const deliverySecret = isFirstUrl || rotateDeliverySecret ? newDeliverySecret() : null;
        const replaced: string[] = [];
        const resealed = (column: SecretColumn, plain: string | null | undefined): string | null => {
          if (plain === undefined || (plain !== null && plain === opened[column])) return before[column];
          if (plain === null) return null;
          if (before[column] !== null) replaced.push(column === "secret" ? "channelSecret" : column);
          return secrets.seal(id, column, plain);
        };
        const data = {
          name: name ?? before.name,
          secret: resealed("secret", channelSecret),
          accessToken: resealed("accessToken", accessToken),
          allowedOrigins: [...(allowedOrigins ?? before.allowedOrigins)],
          deliveryUrl: deliveryUrl === undefined ? before.deliveryUrl : deliveryUrl,
          deliverySecret: resealed("deliverySecret", withPrevious(deliverySecret, opened.deliverySecret)),
          ...signals,
        };
        // A new token is the provider's own, and must not be sent to the LINE to try against (rule S4).
        const apiUrl = data.accessToken === before.accessToken ? before.apiUrl : null;
        const values = [valuesOf(before), valuesOf({ ...before, ...data })] as const;
        // Credentials that are set, even to what they were, are tried again.
        const isSet = accessToken !== undefined || deliveryUrl !== undefined || rotateDeliverySecret;
        const isTriedAgain = before.sendFault !== null && isSet;
        if (isTriedAgain) await tx.channel.update({ where: { id }, data: { sendFault: null } });
        if (replaced.length === 0 && JSON.stringify(values[0]) === JSON.stringify(values[1])) {
          return { result: { id, changed: false, deliverySecret: null }, entry: null };
        }
        await tx.channel.update({ where: { id }, data: { ...data, apiUrl } });
        // A secret that replaces another is visible only by its name, because neither value is kept.
        const after = { ...values[1], ...(replaced.length > 0 ? { replaced } : {}) };
        const entry = { ...subject(id), action: "CHANNEL_UPDATED", before: values[0], after } as const;
        return { result: { id, changed: true, deliverySecret }, entry };
      }),

    archive: (change, id) =>
      audited(database, change, { table: "channel", id }, async (tx, at) => {
        const before = await tx.channel.findUniqueOrThrow({ where: { id } });
        if (before.archivedAt !== null) return { result: false, entry: null };
        const { type: archivedByType, id: archivedById } = toActorColumns(change.actor);
        const row = await tx.channel.update({
          where: { id },
          data: { archivedAt: at, archivedByType, archivedById },
        });
        const values = { before: valuesOf(before), after: valuesOf(row) };
        return { result: true, entry: { ...subject(id), action: "CHANNEL_ARCHIVED", ...values } };
      }),
  };
}

function subject(id: string) {
  return { subjectType: "Channel", subjectId: id } as const;
}

/**
 * The secrets as they are stored: the latest and the one before it. Deliveries are signed with both, so that a partner can
 * exchange them at any time. Undefined if there is no new one.
 */
function withPrevious(latest: string | null, stored: string | null): string | undefined {
  if (latest === null) return undefined;
  const [previous] = stored?.split(" ") ?? [];
  return previous === undefined ? latest : `${latest} ${previous}`;
}

/** Whether a secret is set, never the secret. */
function valuesOf(row: Channel): AuditedValues {
  return {
    name: row.name,
    kind: row.kind,
    hasChannelSecret: row.secret !== null,
    hasAccessToken: row.accessToken !== null,
    allowedOrigins: row.allowedOrigins,
    deliveryUrl: row.deliveryUrl,
    hasDeliverySecret: row.deliverySecret !== null,
    showLoading: row.showsLoading,
    markAsRead: row.marksRead,
    archivedAt: row.archivedAt?.toISOString() ?? null,
  };
}
