import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config.ts";
import { writeOnce } from "../platform/write-once.ts";

/**
 * The secret that signs and verifies tokens: AUTH_SECRET, else one that is made once and kept in the data directory, so
 * that tokens outlive a restart and every process of this installation agrees on it.
 */
export async function authSecret(config: Pick<Config, "authSecret" | "dataDir">): Promise<string> {
  if (config.authSecret !== undefined) return config.authSecret;
  await mkdir(config.dataDir, { recursive: true });
  return writeOnce(join(config.dataDir, "auth-secret"), randomBytes(32).toString("base64url"));
}
