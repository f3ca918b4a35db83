import { LRUCache } from "lru-cache";
import type { Command } from "../domain/command.ts";
import { type ContactChannelId, type Instant, idOf, type WorkspaceId } from "../domain/id.ts";
import { type Address, ensureContactChannels, type KnownAddress } from "../store/addresses.ts";
import type { Tx } from "../store/database.ts";
import type { IdempotencyClaim } from "../store/idempotency.ts";
import type { WorkItem } from "./work.ts";

/** A `WorkItem` whose addresses are resolved to ContactChannels that exist in this transaction. */
export interface ResolvedWorkItem {
  readonly steps: readonly { readonly contactChannelId: ContactChannelId; readonly command: Command }[];
  readonly idempotency?: IdempotencyClaim | undefined;
}

/** Caches the ContactChannel id of each address. The mapping never changes, so a contact who wrote recently needs no lookup. */
export interface AddressBook {
  find(address: Address): ContactChannelId | undefined;
  /** Adds addresses whose ContactChannels are committed. */
  learn(addresses: readonly KnownAddress[]): void;
}

export function addressBook(): AddressBook {
  const cache = new LRUCache<string, ContactChannelId>({ max: 50_000 });
  return {
    find: (address) => cache.get(keyOf(address)),
    learn: (addresses) => {
      for (const address of addresses) cache.set(keyOf(address), address.id);
    },
  };
}

/** The result of resolving the addresses of a batch. */
export interface Resolution {
  readonly resolved: readonly ResolvedWorkItem[];
  /** Addresses that were not in the address book. */
  readonly learned: readonly KnownAddress[];
  /** The ContactChannels among them that this transaction inserted. */
  readonly created: ReadonlySet<ContactChannelId>;
}

/** Resolves addresses to ContactChannels and inserts those that are missing. */
export async function resolveAddresses(
  tx: Tx,
  book: AddressBook,
  workspaceId: WorkspaceId,
  items: readonly WorkItem[],
  { now, newId }: { readonly now: Instant; readonly newId: () => string },
): Promise<Resolution> {
  const unknown = new Map<string, Address>();
  for (const { contactChannel } of items.flatMap((work) => work.steps)) {
    if (typeof contactChannel !== "string" && book.find(contactChannel) === undefined)
      unknown.set(keyOf(contactChannel), contactChannel);
  }
  const wanted = [...unknown.values()].map(({ channelId, externalId }) => ({
    channelId,
    externalId,
    id: idOf<"ContactChannel">(newId()),
    contactId: idOf<"Contact">(newId()),
  }));
  const learned = wanted.length === 0 ? [] : await ensureContactChannels(tx, workspaceId, wanted, now);
  const known = new Map(learned.map((address) => [keyOf(address), address.id]));
  const created = new Set(learned.map(({ id }) => id)).intersection(new Set(wanted.map(({ id }) => id)));

  const idFor = (address: Address): ContactChannelId => {
    const id = known.get(keyOf(address)) ?? book.find(address);
    if (id === undefined) throw new Error("A ContactChannel was inserted, but its address was not found afterwards.");
    return id;
  };
  const resolved = items.map(({ steps, idempotency }) => ({
    steps: steps.map(({ contactChannel, command }) => ({
      contactChannelId: typeof contactChannel === "string" ? contactChannel : idFor(contactChannel),
      command,
    })),
    idempotency,
  }));
  return { resolved, learned, created };
}

function keyOf({ channelId, externalId }: Address): string {
  return `${channelId} ${externalId}`;
}
