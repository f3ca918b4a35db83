import type { SealedAt, SecretBox } from "../auth/secret-box.ts";
import { UnreadableSecret } from "../auth/secret-box.ts";
import type { Database } from "./database.ts";

/** The columns of a channel that are stored sealed. */
export interface SealedColumns {
  readonly id: string;
  readonly secret: string | null;
  readonly accessToken: string | null;
  readonly deliverySecret: string | null;
}

export type SecretColumn = (typeof secretColumns)[number];
const secretColumns = ["secret", "accessToken", "deliverySecret"] as const;

/** The secrets of a channel, decrypted. */
export interface OpenedSecrets {
  readonly secret: string | null;
  readonly accessToken: string | null;
  readonly deliverySecret: string | null;
  /** Why one of them is null although it is set; null if all could be decrypted. */
  readonly fault: string | null;
}

/** How many secrets were sealed anew, and how many could not be because no key opens them. */
export interface Rotation {
  readonly sealed: number;
  readonly unreadable: number;
}

export interface ChannelSecrets {
  /** Never throws: a secret that cannot be decrypted is a fault of its channel, and of no other. */
  open(row: SealedColumns): OpenedSecrets;
  seal(channelId: string, column: SecretColumn, plain: string): string;
  /** Seals the secrets that an earlier version stored as they are. */
  sealPlain(): Promise<Rotation>;
  /** Seals all secrets with the first key that are sealed with another. */
  rotate(): Promise<Rotation>;
}

/** Reads and writes the secrets of channels. `onUnreadable` is called once for each that cannot be decrypted. */
export function channelSecrets(
  { pool, prisma }: Pick<Database, "pool" | "prisma">,
  box: SecretBox,
  onUnreadable: (channelId: string, column: SecretColumn, error: UnreadableSecret) => void,
): ChannelSecrets {
  const reported = new Set<string>();

  function openColumn({ id, ...row }: SealedColumns, column: SecretColumn): string | null {
    const stored = row[column];
    if (stored === null || !box.isSealed(stored)) return stored;
    try {
      return box.open(stored, sealedAt(id, column));
    } catch (error) {
      if (!(error instanceof UnreadableSecret)) throw error;
      if (!reported.has(stored)) onUnreadable(id, column, error);
      reported.add(stored);
      return null;
    }
  }

  function open(row: SealedColumns): OpenedSecrets {
    const secret = openColumn(row, "secret");
    const accessToken = openColumn(row, "accessToken");
    const deliverySecret = openColumn(row, "deliverySecret");
    const unreadable = [
      ...(secret === null && row.secret !== null ? ["channel secret"] : []),
      ...(accessToken === null && row.accessToken !== null ? ["access token"] : []),
      ...(deliverySecret === null && row.deliverySecret !== null ? ["delivery secret"] : []),
    ];
    return { secret, accessToken, deliverySecret, fault: unreadable.length === 0 ? null : faultOf(unreadable) };
  }

  function seal(channelId: string, column: SecretColumn, plain: string): string {
    return box.seal(plain, sealedAt(channelId, column));
  }

  /** Replaces a value only if it is still the one that was read, so that several instances may do this at once. */
  async function sealAgain(mustSeal: (stored: string) => boolean): Promise<Rotation> {
    let [sealed, unreadable, after] = [0, 0, FIRST_ID];
    for (;;) {
      const { rows } = await pool.query<SealedColumns>({ ...findWithSecrets, values: [after, PAGE] });
      for (const row of rows) {
        for (const column of secretColumns) {
          const stored = row[column];
          if (stored === null || !mustSeal(stored)) continue;
          const plain = openColumn(row, column);
          if (plain === null) {
            unreadable += 1;
            continue;
          }
          const { count } = await prisma.channel.updateMany({
            where: { id: row.id, [column]: stored },
            data: { [column]: seal(row.id, column, plain) },
          });
          sealed += count;
        }
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE) return { sealed, unreadable };
      after = last.id;
    }
  }

  return {
    open,
    seal,
    sealPlain: () => sealAgain((stored) => !box.isSealed(stored)),
    rotate: () => sealAgain((stored) => !box.isCurrent(stored)),
  };
}

const findWithSecrets = {
  name: "channel_secrets_find",
  text: `
    SELECT id, secret, access_token AS "accessToken", delivery_secret AS "deliverySecret" FROM channel
    WHERE id > $1 AND (secret IS NOT NULL OR access_token IS NOT NULL OR delivery_secret IS NOT NULL)
    ORDER BY id LIMIT $2`,
};

const FIRST_ID = "00000000-0000-0000-0000-000000000000";
const PAGE = 500;

function sealedAt(channelId: string, column: SecretColumn): SealedAt {
  return { rowId: channelId, column: `channel.${column}` };
}

function faultOf(unreadable: readonly string[]): string {
  return `The ${unreadable.join(" and the ")} cannot be decrypted. Set it again with updateChannel, or add its key to SECRETS_KEY.`;
}
