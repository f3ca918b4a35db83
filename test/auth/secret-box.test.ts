import { expect, test } from "vitest";
import { createSecretBox, type SecretBox, UnreadableSecret } from "../../src/auth/secret-box.ts";

const [one, two] = ["first-key-that-is-long-enough-for-it", "second-key-that-is-long-enough-for-it"];
const at = { rowId: "0190", column: "secret" };
const box = createSecretBox([one]);

test("a sealed value opens again, and shows nothing of the secret", () => {
  for (const plain of ["", "a", "channel secret", "日本語 🙂", "x".repeat(5_000)]) {
    const sealed = box.seal(plain, at);
    expect(box.open(sealed, at)).toBe(plain);
    expect([box.isSealed(sealed), box.isCurrent(sealed)]).toEqual([true, true]);
    if (plain.length > 1) expect(sealed).not.toContain(plain);
  }
});

test("every value has its own IV", () => {
  const sealed = Array.from({ length: 100 }, () => box.seal("same", at));
  expect(new Set(sealed.map((each) => each.split(".")[2]?.slice(0, 16))).size).toBe(100);
});

test("a value that was changed, or moved to another row or column, does not open", () => {
  const sealed = box.seal("channel secret", at);
  expect(() => box.open(sealed, { ...at, rowId: "0191" })).toThrow(UnreadableSecret);
  expect(() => box.open(sealed, { ...at, column: "access_token" })).toThrow(UnreadableSecret);
  const start = sealed.lastIndexOf(".") + 1;
  for (let index = start; index < sealed.length - 1; index++) {
    const changed = `${sealed.slice(0, index)}${sealed[index] === "A" ? "B" : "A"}${sealed.slice(index + 1)}`;
    expect(() => box.open(changed, at)).toThrow(UnreadableSecret);
  }
  expect(() => box.open(sealed.slice(0, -1), at)).toThrow(UnreadableSecret);
});

test("the first key seals, and all keys open", () => {
  const old = box.seal("channel secret", at);
  const rotating = createSecretBox([two, one]);
  expect([rotating.open(old, at), rotating.isCurrent(old)]).toEqual(["channel secret", false]);
  const renewed = rotating.seal("channel secret", at);
  expect(createSecretBox([two]).open(renewed, at)).toBe("channel secret");
  expect(() => box.open(renewed, at)).toThrow(/^There is no key with the id [0-9a-f]{16}\.$/);
});

test.each(["", "demo-line-secret", "v1.", "v1.0123456789abcdef.", "0123456789abcdef0123456789abcdef"])(
  "%j is a plain value",
  (plain) => {
    expect(box.isSealed(plain)).toBe(false);
    expect(() => box.open(plain, at)).toThrow(UnreadableSecret);
  },
);

test("what an error says contains neither the secret nor the key", () => {
  const sealed = box.seal("channel secret", at);
  for (const other of [createSecretBox([two]), box] satisfies SecretBox[]) {
    try {
      other.open(sealed, { ...at, rowId: "0191" });
    } catch (error) {
      expect(String(error)).not.toMatch(new RegExp(`channel secret|${one}|${two}|${sealed.split(".")[2]}`));
    }
  }
});
