import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type App, startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config.ts";
import { bootDesk, type Desk, lineSignature, lineText, SECRET } from "../support/app.ts";
import { documentOf } from "../support/client.ts";
import { testClock } from "../support/clock.ts";
import { freshDatabase } from "../support/database.ts";

const CONFIDENTIAL = "confidential text";

/** An app on the desk's database whose log lines are collected. */
let app: App;
let desk: Desk;
let key: string;
const log: string[] = [];

beforeAll(async () => {
  const { url, drop } = await freshDatabase();
  desk = await bootDesk({ env: { DATABASE_URL: url } });
  key = await desk.key("inbound:write");
  await desk.app.stop();
  const logger = pino({ level: "trace" }, { write: (line) => void log.push(line) });
  const config = loadConfig({ DATABASE_URL: url, PORT: "0", AUTH_SECRET: SECRET, DEMO: "false" });
  app = await startApp({ config, logger, clock: testClock() });
  afterAll(async () => {
    await app.stop();
    await drop();
  });
});

function post(path: string, body: object, headers: Record<string, string>): Promise<Response> {
  const json = JSON.stringify(body);
  const signed = path.startsWith("/webhooks") ? { "x-line-signature": lineSignature(json) } : {};
  return fetch(app.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...signed, ...headers },
    body: json,
  });
}

test("the log has the id of each request, and never texts or credentials, also on errors", async () => {
  const person = "U-someone-private";
  const line = (text: string) => ({ events: [lineText(person, text, { timestamp: Date.parse("2026-01-01") })] });
  const session = await post(`/chat/${desk.webChat}/sessions`, {}, {});
  const { token: visitor }: { token: string } = JSON.parse(await session.text());
  const spoken = `${CONFIDENTIAL} by`;
  const inbound = (eventId: string) => ({
    query: documentOf("recordInbound"),
    variables: { input: { channelId: desk.custom, externalId: person, eventId, kind: "TEXT", text: `${spoken} key` } },
  });
  const all = async (n: number): Promise<Response[]> => [
    await post(`/webhooks/line/${desk.line}`, line(`${spoken} LINE`), {}),
    await post(
      `/chat/${desk.webChat}/messages`,
      { text: `${spoken} page`, clientMessageId: `${n}` },
      { authorization: `Bearer ${visitor}` },
    ),
    await post("/graphql", inbound(`${n}`), { authorization: `Bearer ${key}` }),
    await post("/graphql", { query: `{ contacts(filter: { search: "${CONFIDENTIAL}" }) { nonsense } }` }, {}),
    await post("/graphql", inbound("none"), { authorization: `Bearer ${desk.ada.token}x` }),
  ];

  const fine = await all(1);
  expect(fine.map(({ status }) => status)).toEqual([200, 201, 200, 401, 401]);
  // Errors of PostgreSQL contain the whole row.
  await app.database.pool.query(
    `ALTER TABLE message ADD CONSTRAINT fault CHECK (text NOT LIKE '${CONFIDENTIAL}%') NOT VALID`,
  );
  const failed = await all(2);
  expect(failed.map(({ status }) => status)).toEqual([503, 500, 200, 401, 401]);

  const written = log.join("");
  for (const secret of [CONFIDENTIAL, visitor, key, desk.ada.token, SECRET]) expect(written).not.toContain(secret);
  for (const response of [...fine, ...failed]) expect(written).toContain(response.headers.get("x-request-id"));
  expect(log.map((each) => JSON.parse(each)).filter(({ level }) => level >= 50)).toHaveLength(3);
});
