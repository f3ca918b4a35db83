import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config.ts";
import { writeOnce } from "../platform/write-once.ts";

/**
 * The secret that signs and verifies tokens: AUTH_SECRET, or else a secret generated once and stored in the data
 * directory, so that tokens survive a restart and all processes of this installation share it.
 */
export async function authSecret(config: Pick<Config, "authSecret" | "dataDir">): Promise<string> {
  if (config.authSecret !== undefined) return config.authSecret;
  await mkdir(config.dataDir, { recursive: true });
  return writeOnce(join(config.dataDir, "auth-secret"), randomBytes(32).toString("base64url"));
}
