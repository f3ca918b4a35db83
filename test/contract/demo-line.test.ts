import { afterAll, beforeAll, expect, test } from "vitest";
import { signAgentToken } from "../../src/auth/token.ts";
import { demoAgents, demoChannelIds, demoLine } from "../../src/demo/workspace.ts";
import { bootDesk, type Desk, SECRET } from "../support/app.ts";
import { freshDatabase } from "../support/database.ts";

let first: Desk;
let second: Desk;
let drop: () => Promise<void>;
beforeAll(async () => {
  const database = await freshDatabase();
  drop = database.drop;
  const env = { DATABASE_URL: database.url, DEMO: "true" };
  first = await bootDesk({ env });
  second = await bootDesk({ env });
});
afterAll(async () => {
  await second.app.stop();
  await first.app.stop();
  await drop();
});

function channel() {
  return first.app.database.prisma.channel.findUniqueOrThrow({ where: { id: demoLine.channelId } });
}

test("one instance has the LINE to try against, and its page", async () => {
  const pages = await Promise.all([first, second].map(({ url }) => fetch(`${url}/demo/line`)));
  expect(pages.map(({ status }) => status)).toEqual([200, 404]);
  expect((await channel()).apiUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
});

test("S4: an access token of LINE's own is never sent to it", async () => {
  const [{ email }] = demoAgents;
  const ada = first.as(await signAgentToken(SECRET, email, first.clock.now()));
  await ada.updateChannel({ channelId: demoChannelIds.line, line: { accessToken: demoLine.accessToken } });
  expect((await channel()).apiUrl).not.toBeNull();
  await ada.updateChannel({ channelId: demoChannelIds.line, line: { accessToken: "of-line" } });
  expect((await channel()).apiUrl).toBeNull();
});
