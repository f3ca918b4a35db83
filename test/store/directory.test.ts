import { expect, onTestFinished, test } from "vitest";
import { bootDesk } from "../support/app.ts";
import { databaseOf, openFaultSession } from "../support/faults.ts";

const desk = await bootDesk();

test("a lookup in progress while the cache is cleared is answered", async () => {
  const key = await desk.key("read");
  const fault = await openFaultSession(databaseOf(desk));
  onTestFinished(() => fault.end());
  await fault.query("BEGIN");
  await fault.query("LOCK TABLE api_key IN ACCESS EXCLUSIVE MODE");
  const asked = desk.as(key).graphql("{ viewer { workspace { name } } }");
  await fault.untilWaiting(1);
  await desk.ada.createFlow({
    channelId: desk.line,
    name: "Hours",
    kind: "AUTO_REPLY_FIRST_MESSAGE",
    definition: { text: "Hi" },
  });
  await fault.query("COMMIT");
  expect(await asked).toEqual({ status: 200, data: { viewer: { workspace: { name: "Test" } } } });
});
