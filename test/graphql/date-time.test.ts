import { describe, expect, test } from "vitest";
import { at } from "../support/answers.ts";
import { bootDesk } from "../support/app.ts";
import { documentOf } from "../support/client.ts";
import { seedContact } from "../support/seeds.ts";

const desk = await bootDesk();
const { contactId } = await seedContact(desk);

describe("DateTime", () => {
  const blockUntil = (expiresAt: unknown) =>
    desk.ada.graphql(documentOf("blockContact"), { input: { contactId, expiresAt } });

  test.each([
    "",
    "tomorrow",
    "2027-01-01",
    "2027-01-01T00:00:00",
    "2027-01-01 00:00:00Z",
    "2027-02-30T00:00:00Z",
    "2027-13-01T00:00:00Z",
    "2027-01-01T24:00:00Z",
    "2027-01-01T00:60:00Z",
    "2027-01-01T00:00:60Z",
    "2027-01-01T00:00:00+24:00",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59-23:00",
    "+012027-01-01T00:00:00Z",
    1_800_000_000_000,
    true,
    {},
  ])("%j is refused", async (value) => {
    const { data, errors } = await blockUntil(value);
    expect(data ?? null).toBeNull();
    expect(at(errors, "0.extensions.code")).toBe("GRAPHQL_VALIDATION_FAILED");
    expect(at(errors, "0.message")).toContain("RFC 3339");
  });

  test("a literal in the document is refused", async () => {
    const { errors } = await desk.ada.graphql(
      `mutation { blockContact(input: { contactId: "x", expiresAt: "tomorrow" }) { __typename } }`,
    );
    expect(at(errors, "0.message")).toContain("RFC 3339");
  });

  test.each([
    ["2028-02-29T23:59:59.9999Z", "2028-02-29T23:59:59.999Z"],
    ["2027-06-01t12:00:00+02:00", "2027-06-01T10:00:00.000Z"],
    ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"],
  ])("%s is read as %s", async (value, utc) => {
    const { data, errors } = await blockUntil(value);
    expect(errors).toBeUndefined();
    expect(at(data, "blockContact.blocks.0.expiresAt")).toBe(utc);
    await desk.ada.unblockContact({ contactId });
  });
});
