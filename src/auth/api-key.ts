import { createHash, randomBytes } from "node:crypto";

/** What is shown once, and what is kept. */
export interface NewApiKey {
  readonly key: string;
  readonly prefix: string;
  readonly hash: string;
}

export const API_KEY_PREFIX = "dg_";

/** 256 random bits: so much chance needs no salt and no slow hash. */
export function newApiKey(): NewApiKey {
  const key = API_KEY_PREFIX + randomBytes(32).toString("base64url");
  return { key, prefix: key.slice(0, 10), hash: hashApiKey(key) };
}

export function hashApiKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}
