import { afterAll, beforeAll, expect, test } from "vitest";
import { GREETING } from "../support/app.ts";
import { bootLineDesk, type LineDesk, textsOn } from "../support/fake-line.ts";

let it: LineDesk;
beforeAll(async () => {
  it = await bootLineDesk();
});
afterAll(() => it.stop());

test("S1, S3: a greeting is sent as a reply", async () => {
  const { account } = it;
  account.addUser("Umika", "Mika");
  await account.writeAs("Umika", "Hello").delivered;
  await expect.poll(() => textsOn(account, "Umika")).toEqual([GREETING]);
});
