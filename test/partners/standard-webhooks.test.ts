import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { isWebhookSecret, newWebhookSecret, webhookHeaders } from "../../src/partners/standard-webhooks.ts";

test("P1: a signature is what the library of Standard Webhooks verifies", () => {
  const secret = newWebhookSecret();
  const body = Buffer.from(JSON.stringify({ text: "早安 👋" }));
  const headers = webhookHeaders({ id: "msg_1", sentAt: Date.now(), body }, [secret]);
  expect(new Webhook(secret).verify(body, { ...headers })).toEqual({ text: "早安 👋" });
  expect(() => new Webhook(secret).verify(Buffer.concat([body, body]), { ...headers })).toThrow(
    "No matching signature",
  );
  expect(() => new Webhook(secret).verify(body, { ...headers, "webhook-id": "msg_2" })).toThrow(
    "No matching signature",
  );
  expect(() => new Webhook(newWebhookSecret()).verify(body, { ...headers })).toThrow("No matching signature");
});

test("P1: while secrets rotate, either verifies", () => {
  const [old, current, other] = [newWebhookSecret(), newWebhookSecret(), newWebhookSecret()];
  const body = Buffer.from("{}");
  const headers = webhookHeaders({ id: "msg_1", sentAt: Date.now(), body }, [current, old]);
  expect(new Webhook(old).verify(body, { ...headers })).toEqual({});
  expect(new Webhook(current).verify(body, { ...headers })).toEqual({});
  expect(() => new Webhook(other).verify(body, { ...headers })).toThrow("No matching signature");
});

test("P1: the headers of a known message", () => {
  const message = {
    id: "msg_loFOjxBNrRLzqYUf",
    sentAt: 1_731_705_121_999,
    body: Buffer.from('{"event_type":"ping","data":{"success":true}}'),
  };
  expect(webhookHeaders(message, ["whsec_plJ3nmyCDGBKInavdOK15jsl"])).toEqual({
    "webhook-id": "msg_loFOjxBNrRLzqYUf",
    "webhook-timestamp": "1731705121",
    "webhook-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
  });
});

test("P1: a new secret is one of its own", () => {
  const secret = newWebhookSecret();
  expect(isWebhookSecret(secret)).toBe(true);
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(newWebhookSecret()).not.toBe(secret);
});

test.each([
  [24, true],
  [64, true],
  [23, false],
  [65, false],
  [0, false],
])("P1: a secret of %i bytes: %s", (length, isSecret) => {
  expect(isWebhookSecret(`whsec_${Buffer.alloc(length, 7).toString("base64")}`)).toBe(isSecret);
});

test.each([
  ["no prefix", Buffer.alloc(32).toString("base64")],
  ["another prefix", `whpk_${Buffer.alloc(32).toString("base64")}`],
  ["URL-safe base64", `whsec_${Buffer.alloc(32, 0xff).toString("base64url")}`],
  ["no padding", `whsec_${Buffer.alloc(32).toString("base64").replace("=", "")}`],
  ["a space", `whsec_ ${Buffer.alloc(32).toString("base64")}`],
])("P1: not a secret: %s", (_what, text) => {
  expect(isWebhookSecret(text)).toBe(false);
});
