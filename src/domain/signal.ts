import type { ChannelId, ContactChannelId, Instant, SignalId } from "./id.ts";

/** What a contact sees of us besides messages. It is worth nothing later, so its call is made once and never repeated. */
export type Signal =
  /** We compose: shown for this many seconds, or until our next message. */
  | { readonly type: "LOADING"; readonly seconds: number }
  /** We have read: the entry that the token came with, and all before it. */
  | { readonly type: "MARK_AS_READ"; readonly token: string };

/** LINE's permission to mark an entry and all before it as read. */
export interface ReadToken {
  readonly token: string;
  /** The `seq` of the entry. */
  readonly seq: number;
  /** The provider's time of the entry. */
  readonly sentAt: Instant;
}

/** The permission to begin the call of one signal (rule B4). It is not settled; it lapses. */
export interface SignalLease {
  readonly id: SignalId;
  readonly grantedAt: Instant;
}

/** What a ContactChannel keeps of its signals. */
export interface Signals {
  /** Those that had not lapsed when the latest one was granted. */
  readonly leases: readonly SignalLease[];
  /** When the latest loading sign was granted. */
  readonly loadingAt: Instant | null;
  /** The token of the newest entry, unless it was used. */
  readonly readToken: ReadToken | null;
}

export const noSignals: Signals = { leases: [], loadingAt: null, readToken: null };

/** A signal whose call was granted. */
export interface GrantedSignal {
  readonly signalId: SignalId;
  readonly contactChannelId: ContactChannelId;
  readonly channelId: ChannelId;
  readonly grantedAt: Instant;
  readonly signal: Signal;
}
