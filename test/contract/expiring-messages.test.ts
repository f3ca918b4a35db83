import { beforeAll, expect, test } from "vitest";
import { bootDesk, type Desk } from "../support/app.ts";
import { onLine } from "../support/people.ts";
import { latest, look } from "../support/view.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await bootDesk();
});

test("S4: 12 hours after its recording, each of many messages that wait for an access token is EXPIRED", async () => {
  const someone = onLine(desk);
  await someone.says("Hello");
  const conversationId = await latest(desk, someone);
  const texts = Array.from({ length: 29 }, (_, index) => `${index}`);
  await Promise.all(texts.map((text) => desk.ada.sendMessage({ conversationId, text })));
  desk.clock.advance(12 * 3_600_000 - 1);
  await desk.ada.sendMessage({ conversationId, text: "the last" });
  desk.clock.advance(1);

  await desk.app.runDue();

  const { deliveries } = await look(desk, someone);
  const statuses = Object.entries(Object.groupBy(deliveries, (each) => each));
  expect(statuses.map(([status, all]) => `${status} ${all?.length}`)).toEqual(["FAILED 30", "QUEUED 1"]);
});
