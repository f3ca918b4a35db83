import { expect, onTestFinished, test } from "vitest";
import { databaseOf, saboteur } from "../contract/faults.ts";
import { bootDesk } from "../support/app.ts";

const desk = await bootDesk();

test("whoever is being looked up while what is kept is forgotten is answered all the same", async () => {
  const key = await desk.key("read");
  const fault = await saboteur(databaseOf(desk));
  onTestFinished(() => fault.end());
  await fault.query("BEGIN");
  await fault.query("LOCK TABLE api_key IN ACCESS EXCLUSIVE MODE");
  const asked = desk.graphql("{ viewer { workspace { name } } }", {}, key);
  await fault.untilWaiting(1);
  const { data } = await desk.graphql(
    "mutation ($input: CreateFlowInput!) { createFlow(input: $input) { __typename } }",
    { input: { channelId: desk.line, name: "Hours", kind: "AUTO_REPLY_FIRST_MESSAGE", definition: { text: "Hi" } } },
  );
  expect(data).toEqual({ createFlow: { __typename: "CreateFlowSuccess" } });
  await fault.query("COMMIT");
  expect(await asked).toEqual({ status: 200, data: { viewer: { workspace: { name: "Test" } } } });
});
