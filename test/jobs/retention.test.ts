import { expect, test } from "vitest";
import { at } from "../support/answers.ts";
import { bootDesk } from "../support/app.ts";
import { subscribeOverSse } from "../support/graphql-subscription.ts";
import { cursorNow } from "../support/subscriber.ts";

const DAY = 24 * 60 * 60 * 1_000;

const desk = await bootDesk();

test("a cursor older than the retained log is CURSOR_EXPIRED, never a gap", async () => {
  const old = await cursorNow(desk);
  await desk.writes("mika", "Long ago");
  desk.clock.advance(31 * DAY);
  const recent = await cursorNow(desk);
  await desk.writes("mika", "Today");

  await desk.app.pruneLog();

  expect(at(await firstAfter(old), "errors.0.extensions.code")).toBe("CURSOR_EXPIRED");
  expect(at(await firstAfter(recent), "data.messageRecorded.message.text")).toBe("Today");
});

/** The first result of a subscription over SSE. */
async function firstAfter(after: string) {
  const query = "subscription ($after: Cursor) { messageRecorded(after: $after) { message { text } } }";
  const stream = await subscribeOverSse(desk, query, { after });
  const result = await stream.next();
  await stream.end();
  return result;
}
