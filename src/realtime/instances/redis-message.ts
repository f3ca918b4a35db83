import { createHmac, timingSafeEqual } from "node:crypto";
import type { WorkspaceId } from "../../domain/id.ts";
import type { LogEvent } from "../../store/log-event.ts";
import type { Commit, Hear } from "./news.ts";

/** Raise it with every change to what a `LogEvent` is: an instance takes no events from one of another version. */
const VERSION = 1;

/** What travels: the fields beside `version` stay as they are in all versions, but for what an event is. */
interface Body {
  readonly version: number;
  readonly commits: readonly (readonly [WorkspaceId, readonly LogEvent[]])[];
}

export interface RedisMessages {
  encode(commits: readonly Commit[]): string;
  /** Whether this instance sent it itself. */
  isOwn(message: string): boolean;
  /** Gives on what it tells; answers false if it is none of ours, or not as it was sent. */
  decode(message: string, hear: Hear): boolean;
}

/**
 * Commits as text: the sender, a signature and JSON. The signature is by a key that all instances share, and covers the
 * channel: whatever is cut, changed, forged, or meant for another database is not taken for events.
 */
export function redisMessages(secret: string, channel: string, instance: string): RedisMessages {
  const key = createHmac("sha256", secret).update(channel).digest();
  const sign = (body: string): Buffer => createHmac("sha256", key).update(body).digest();
  return {
    encode: (commits) => {
      const told: Body = { version: VERSION, commits: commits.map(({ workspaceId, events }) => [workspaceId, events]) };
      const body = JSON.stringify(told);
      return `${instance} ${sign(body).toString("base64url")} ${body}`;
    },
    isOwn: (message) => message.startsWith(`${instance} `),
    decode: (message, hear) => {
      const [, signature = "", body = ""] = /^\S+ (\S{43}) (.+)$/s.exec(message) ?? [];
      const given = Buffer.from(signature, "base64url");
      if (given.length !== 32 || !timingSafeEqual(given, sign(body))) return false;
      const { version, commits }: Body = JSON.parse(body);
      for (const [workspaceId, events] of commits) hear(workspaceId, version === VERSION ? events : null);
      return true;
    },
  };
}
