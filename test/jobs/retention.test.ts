import { expect, test } from "vitest";
import { bootDesk } from "../support/app.ts";
import { cursorNow } from "../support/subscriber.ts";

const DAY = 24 * 60 * 60 * 1_000;

const desk = await bootDesk();

test("a cursor that is older than the retained log is answered with CURSOR_EXPIRED, never with a gap", async () => {
  const old = await cursorNow(desk);
  await desk.writes("mika", "Long ago");
  desk.clock.advance(31 * DAY);
  const recent = await cursorNow(desk);
  await desk.writes("mika", "Today");

  await desk.app.pruneLog();

  expect(await firstAfter(old)).toContain('"code":"CURSOR_EXPIRED"');
  expect(await firstAfter(recent)).toContain('"text":"Today"');
});

/** The first thing that a subscription over SSE says. */
async function firstAfter(after: string): Promise<string> {
  const response = await fetch(`${desk.url}/graphql`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "text/event-stream",
      authorization: `Bearer ${desk.ada.token}`,
    },
    body: JSON.stringify({
      query: "subscription ($after: Cursor) { messageRecorded(after: $after) { message { text } } }",
      variables: { after },
    }),
  });
  let said = "";
  for await (const chunk of response.body ?? []) {
    said += Buffer.from(chunk).toString();
    if (said.includes("event: next") && said.endsWith("\n\n")) break;
  }
  return said;
}
