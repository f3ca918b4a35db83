import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from "jose";
import { expect, onTestFinished, test } from "vitest";
import { signAgentToken, tokens } from "../../src/auth/token.ts";
import { testClock } from "../support/clock.ts";

test("an email identifies an agent by its ASCII letters, whatever their case; other letters are not folded into them", async () => {
  const clock = testClock();
  const secret = "a-secret-of-tests-that-is-long-enough";
  const { verifyAgent } = tokens({ secret, jwks: null }, clock);
  const identityIn = async (email: string) =>
    (await verifyAgent(await signAgentToken(secret, email, clock.now(), 60_000)))?.email ?? null;
  expect(await identityIn("kim@desk.test")).toBe("kim@desk.test");
  expect(await identityIn("Kim@Desk.test")).toBe("kim@desk.test");
  for (const email of [
    "\u212aim@desk.test",
    "k\u0131m@desk.test",
    "kim@desk.test\0",
    " kim@desk.test",
    "kim\n@desk.test",
    "",
  ]) {
    expect([email, await identityIn(email)]).toEqual([email, null]);
  }
});

test("a token is not reported as invalid while the identity provider is unreachable", async () => {
  const provider = createServer((_, response) => response.writeHead(503).end());
  provider.listen(0, "127.0.0.1");
  await once(provider, "listening");
  onTestFinished(() => void provider.close());
  const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`;
  const secret = "a-secret-of-tests-that-is-long-enough";
  const clock = testClock();
  const { verifyAgent } = tokens({ secret, jwks: { url, issuer: "issuer", audience: "audience" } }, clock);
  const { privateKey } = await generateKeyPair("RS256");
  const token = await new SignJWT({ email: "ada@desk.test" })
    .setProtectedHeader({ alg: "RS256", kid: "1" })
    .setIssuer("issuer")
    .setAudience("audience")
    .setExpirationTime(Math.floor(clock.now() / 1_000) + 60)
    .sign(privateKey);
  await expect(verifyAgent(token)).rejects.toThrow("200 OK");
  // Tokens that cannot come from the identity provider are rejected without its keys.
  expect(await verifyAgent(await signAgentToken(secret, "ada@desk.test", clock.now(), 60_000))).toBeNull();
  expect(await verifyAgent("nonsense")).toBeNull();
});

test.each([
  ["true", { email_verified: true }, "ada@desk.test"],
  ["absent", {}, null],
  ["false", { email_verified: false }, null],
  ['"true"', { email_verified: "true" }, null],
  ['"false"', { email_verified: "false" }, null],
  ["0", { email_verified: 0 }, null],
  ["1", { email_verified: 1 }, null],
])("email_verified of an identity provider's token is %s", async (_, claims, email) => {
  const { publicKey, privateKey } = await generateKeyPair("RS256");
  const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "1", alg: "RS256" }] });
  const provider = createServer((_, response) => response.writeHead(200).end(keys));
  provider.listen(0, "127.0.0.1");
  await once(provider, "listening");
  onTestFinished(() => void provider.close());
  const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`;
  const clock = testClock();
  const { verifyAgent } = tokens({ secret: "unused", jwks: { url, issuer: "issuer", audience: "audience" } }, clock);
  const token = await new SignJWT({ email: "ada@desk.test", ...claims })
    .setProtectedHeader({ alg: "RS256", kid: "1" })
    .setIssuer("issuer")
    .setAudience("audience")
    .setExpirationTime(Math.floor(clock.now() / 1_000) + 60)
    .sign(privateKey);
  expect((await verifyAgent(token))?.email ?? null).toBe(email);
});

test("our own tokens are for agents; those for another audience are refused, those of earlier versions without one are valid", async () => {
  const clock = testClock();
  const secret = "a-secret-of-tests-that-is-long-enough";
  const { verifyAgent } = tokens({ secret, jwks: null }, clock);
  expect(decodeJwt(await signAgentToken(secret, "ada@desk.test", clock.now())).aud).toBe("deskgate:agent");
  const identityFor = async (claims: object) => {
    const token = await new SignJWT({ email: "ada@desk.test", ...claims })
      .setProtectedHeader({ alg: "HS256" })
      .setExpirationTime(Math.floor(clock.now() / 1_000) + 60)
      .sign(new TextEncoder().encode(secret));
    return (await verifyAgent(token))?.email ?? null;
  };
  expect(await identityFor({ aud: "deskgate:agent" })).toBe("ada@desk.test");
  expect(await identityFor({ aud: ["other", "deskgate:agent"] })).toBe("ada@desk.test");
  expect(await identityFor({})).toBe("ada@desk.test");
  expect(await identityFor({ aud: "other" })).toBeNull();
  expect(await identityFor({ aud: [] })).toBeNull();
});
