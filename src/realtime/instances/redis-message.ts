import { createHmac, timingSafeEqual } from "node:crypto";
import type { WorkspaceId } from "../../domain/id.ts";
import type { LogEvent } from "../../store/log-event.ts";
import type { Commit, OnChange } from "./change-notifier.ts";

/**
 * Raise with every change to `LogEvent`: an instance ignores the events of another version and reads the log instead.
 */
const VERSION = 2;

/** The body of a message. Every version has these fields; only the shape of an event may change. */
interface Body {
  readonly version: number;
  readonly commits: readonly (readonly [WorkspaceId, readonly LogEvent[]])[];
}

export interface RedisMessages {
  encode(commits: readonly Commit[]): string;
  /** Whether this instance sent the message. */
  isOwn(message: string): boolean;
  /** Passes the commits to `onChange`; false if the signature does not match. */
  decode(message: string, onChange: OnChange): boolean;
}

/**
 * Encodes commits as text: sender, signature, JSON. The signature uses a key that all instances share and covers the
 * channel, so messages that were truncated, altered, forged or meant for another database are rejected.
 */
export function redisMessages(secret: string, channel: string, instance: string): RedisMessages {
  const key = createHmac("sha256", secret).update(channel).digest();
  const sign = (body: string): Buffer => createHmac("sha256", key).update(body).digest();
  return {
    encode: (commits) => {
      const sent: Body = { version: VERSION, commits: commits.map(({ workspaceId, events }) => [workspaceId, events]) };
      const body = JSON.stringify(sent);
      return `${instance} ${sign(body).toString("base64url")} ${body}`;
    },
    isOwn: (message) => message.startsWith(`${instance} `),
    decode: (message, onChange) => {
      const [, signature = "", body = ""] = /^\S+ (\S{43}) (.+)$/s.exec(message) ?? [];
      const given = Buffer.from(signature, "base64url");
      if (given.length !== 32 || !timingSafeEqual(given, sign(body))) return false;
      const { version, commits }: Body = JSON.parse(body);
      for (const [workspaceId, events] of commits) onChange(workspaceId, version === VERSION ? events : null);
      return true;
    },
  };
}
