import type { Instant } from "../../domain/id.ts";
import type { LineMessage } from "./messages.ts";

/** A message as a user sends it, as far as its chat shows it. */
export type UserMessage =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "sticker"; readonly packageId: string; readonly stickerId: string }
  | { readonly type: "image" | "video" | "audio" }
  /** A tap on a button that sends data; its text is what the chat shows. */
  | { readonly type: "postback"; readonly text: string | null };

/** One line of a chat. */
export type ChatEntry = {
  /** LINE's id of the message. */
  readonly id: string;
  readonly at: Instant;
} & (
  | { readonly from: "account"; readonly message: LineMessage }
  | { readonly from: "user"; readonly message: UserMessage; readonly read: boolean; readonly unsent: boolean }
);

/** One user's phone, with the chat with one account. It keeps the last 200 entries. */
export class Phone {
  readonly userId: string;
  displayName: string;
  /** False while the user blocks the account. */
  isFriend = true;
  /** Whether the user was ever seen: one who is only named by a push has no profile. */
  hasProfile = false;
  /** When the loading animation ends; null if there is none. */
  loadingUntil: Instant | null = null;
  #entries: ChatEntry[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(userId: string, displayName: string) {
    this.userId = userId;
    this.displayName = displayName;
  }

  /** Oldest first. */
  get entries(): readonly ChatEntry[] {
    return this.#entries;
  }

  add(...entries: readonly ChatEntry[]): void {
    this.#entries = [...this.#entries, ...entries].slice(-MAX_ENTRIES);
    // A message ends the animation.
    if (entries.some(({ from }) => from === "account")) this.loadingUntil = null;
    this.#changed();
  }

  showLoading(until: Instant): void {
    this.loadingUntil = until;
    this.#changed();
  }

  /** Marks the user's messages up to and including this one as read. */
  markAsRead(id: string): void {
    const last = this.#entries.findIndex((entry) => entry.id === id);
    this.#entries = this.#entries.map((entry, index) =>
      entry.from === "user" && index <= last ? { ...entry, read: true } : entry,
    );
    this.#changed();
  }

  /** Whether this is a message of the user's that is not unsent. */
  hasSent(id: string): boolean {
    return this.#entries.some((entry) => entry.from === "user" && entry.id === id && !entry.unsent);
  }

  unsend(id: string): void {
    this.#entries = this.#entries.map((entry) =>
      entry.from === "user" && entry.id === id ? { ...entry, unsent: true } : entry,
    );
    this.#changed();
  }

  setFriend(isFriend: boolean): void {
    this.isFriend = isFriend;
    this.loadingUntil = null;
    this.#changed();
  }

  /** Calls `listener` after each change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

const MAX_ENTRIES = 200;
