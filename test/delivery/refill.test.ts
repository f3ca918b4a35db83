import { afterAll, beforeAll, expect, test } from "vitest";
import { at } from "../support/answers.ts";
import { bootDesk, type Desk, rowId } from "../support/app.ts";
import { watchStatements } from "../support/statements.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await bootDesk();
});
afterAll(() => desk.stop());

/** A channel with more due queues than one poll finds, and an access token that no key opens. */
async function channelThatCannotSend(): Promise<void> {
  const channel = await desk.channel("LINE", []);
  await desk.app.database.pool.query(
    `WITH c AS (UPDATE channel SET access_token = $2 WHERE id = $1 RETURNING id, workspace_id, created_at),
          contact AS (INSERT INTO contact (id, workspace_id, created_at, last_activity_at)
                      SELECT gen_random_uuid(), workspace_id, created_at, created_at FROM c, generate_series(1, 1100) RETURNING *)
     INSERT INTO contact_channel (id, workspace_id, contact_id, channel_id, external_id, created_at, outbound_due_at)
     SELECT contact.id, contact.workspace_id, contact.id, c.id, contact.id::text, contact.created_at, contact.created_at
     FROM contact, c`,
    [rowId(channel), `v1.${"0".repeat(16)}.${"A".repeat(40)}`],
  );
}

test("a channel that cannot send is looked at by the poll only, however many queues are due on it", async () => {
  await channelThatCannotSend();
  const sent = watchStatements();
  const began = performance.now();
  await desk.app.runDue();
  for (let i = 0; i < 20; i++) await desk.ada.graphql("{ channels { id } }");
  const polls = sent.all().filter((statement) => at(statement, "name") === "outbound_due").length;
  sent.end();
  // One poll a second, besides that of `runDue`.
  expect(polls).toBeLessThanOrEqual(2 + Math.ceil((performance.now() - began) / 1_000));
});
