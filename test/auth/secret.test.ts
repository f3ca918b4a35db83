import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { authSecret } from "../../src/auth/secret.ts";

let dataDir: string;

beforeEach(async () => {
  dataDir = join(await mkdtemp(join(tmpdir(), "deskgate-secret-")), ".data");
});

afterEach(() => rm(join(dataDir, ".."), { recursive: true }));

test("a configured secret is used unchanged, and not written to disk", async () => {
  const configured = "0123456789abcdef0123456789abcdef";

  expect(await authSecret({ authSecret: configured, dataDir })).toBe(configured);
  await expect(readdir(dataDir)).rejects.toThrow("ENOENT");
});

test("without a configured secret, one is generated once in a file that only its owner can read", async () => {
  const made = await authSecret({ authSecret: undefined, dataDir });

  expect(made.length).toBeGreaterThanOrEqual(32);
  expect(await authSecret({ authSecret: undefined, dataDir })).toBe(made);
  expect(await readFile(join(dataDir, "auth-secret"), "utf8")).toBe(made);
  expect((await stat(join(dataDir, "auth-secret"))).mode & 0o777).toBe(0o600);
});

test("processes that start at the same time agree on one secret", async () => {
  const secrets = await Promise.all(Array.from({ length: 8 }, () => authSecret({ authSecret: undefined, dataDir })));

  expect(new Set(secrets).size).toBe(1);
  expect(await readdir(dataDir)).toEqual(["auth-secret"]);
});
