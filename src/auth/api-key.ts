import { createHash, randomBytes } from "node:crypto";

/** A new API key. `key` is shown once; only `prefix` and `hash` are stored. */
export interface NewApiKey {
  readonly key: string;
  readonly prefix: string;
  readonly hash: string;
}

export const API_KEY_PREFIX = "dg_";

/** Generates a key with 256 random bits: enough entropy to need neither a salt nor a slow hash. */
export function newApiKey(): NewApiKey {
  const key = API_KEY_PREFIX + randomBytes(32).toString("base64url");
  return { key, prefix: key.slice(0, 10), hash: hashApiKey(key) };
}

export function hashApiKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}
