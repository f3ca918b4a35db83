import { randomUUID } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { at } from "../support/answers.ts";
import { bootDesk, type Desk } from "../support/app.ts";
import { answerOf, post, requests, type SharedSocket, sharedSocket } from "../support/ways.ts";
import { attacks, TRUSTED } from "./attacks.ts";
import { rawSocket } from "./raw-socket.ts";

const FEED = "subscription Feed { messageRecorded { message { text } } }";
const trustedFile = join(tmpdir(), `trusted-${randomUUID()}.json`);
writeFileSync(trustedFile, JSON.stringify({ role: TRUSTED, feed: FEED }));
afterAll(() => rmSync(trustedFile));

const desks = {
  open: await bootDesk(),
  closed: await bootDesk({ env: { INTROSPECTION: "false" } }),
  trusting: await bootDesk({ env: { TRUSTED_DOCUMENTS: trustedFile } }),
} as const satisfies Record<string, Desk>;
const sockets = {
  open: await sharedSocket(desks.open),
  closed: await sharedSocket(desks.closed),
  trusting: await sharedSocket(desks.trusting, FEED),
} as const satisfies Record<keyof typeof desks, SharedSocket>;
afterAll(() => {
  for (const socket of Object.values(sockets)) socket.close();
});
// Lets time pass, so that the attacks stay below the rate limits.
beforeEach(() => {
  for (const { clock } of Object.values(desks)) clock.advance(1_000);
});

describe("every transport gives the same answer: HTTP, SSE and WebSocket", () => {
  test.each(attacks)("$name: $code", async ({ name, code, notBy, atMost = 3, against = "open", ...asked }) => {
    const ways = Object.entries(requests).filter(([way]) => !(notBy && way.endsWith("GET")));
    const answers = new Map([["WebSocket", await sockets[against].ask(asked)]]);
    for (const [way, ask] of ways) answers.set(way, await ask(desks[against], asked));
    answers.set("WebSocket again", await sockets[against].ask(asked));

    const [expected] = answers.values();
    for (const [way, { data, errors = [] }] of answers) {
      expect([way, [...new Set(errors.map(({ extensions }) => extensions.code))]]).toEqual([way, [code]]);
      expect(data ?? null).toBeNull();
      expect(errors.length).toBeLessThanOrEqual(atMost);
      // The whole error is compared, not only its code.
      expect(errors).toEqual(expected?.errors);
    }
    await sockets[against].expectNeighbourReceives();
  });
});

describe("values too deep for recursion", () => {
  const JUNK = `${"[".repeat(60_000)}${"]".repeat(60_000)}`;

  /** Sends a request over every transport, by default as Ada. */
  async function ask(query: string, variables: string, token = desks.open.ada.token): Promise<unknown[]> {
    const body = `{ "query": ${JSON.stringify(query)}, "variables": ${variables} }`;
    const socket = await rawSocket(desks.open);
    await socket.init(token);
    socket.send(`{ "id": "1", "type": "subscribe", "payload": ${body} }`);
    const overSocket = at(await socket.receive(), "payload");
    socket.ws.close();
    const headers = { authorization: `Bearer ${token}` };
    const stream = await answerOf(post(desks.open, body, { ...headers, accept: "text/event-stream" }));
    return [overSocket, stream, ...(query.startsWith("sub") ? [] : [await answerOf(post(desks.open, body, headers))])];
  }

  test("a query ignores a variable that it does not declare", async () => {
    const answers = await ask("{ viewer { role } }", `{ "junk": ${JUNK} }`);
    expect(answers).toEqual(Array(3).fill({ data: { viewer: { role: "ADMIN" } } }));
  });

  test("so does a subscription", async () => {
    const after = at((await requests.POST(desks.open, { query: "{ logCursor }" })).data, "logCursor");
    await desks.open.writes("somebody", "through junk");
    const query = "subscription ($after: Cursor) { messageRecorded(after: $after) { message { text } } }";
    const answers = await ask(query, `{ "after": "${after}", "junk": ${JUNK} }`);
    expect(answers).toEqual(Array(2).fill({ data: { messageRecorded: { message: { text: "through junk" } } } }));
  });

  test("a payload that is too deep is invalid input", async () => {
    const { custom } = desks.open;
    const answers = await ask(
      `mutation ($payload: JSON) {
        recordInbound(input: { channelId: "${custom}", externalId: "e", eventId: "e", kind: TEXT, text: "x", payload: $payload }) {
          ... on InvalidInputError { fields { path } } } }`,
      `{ "payload": ${JUNK} }`,
      await desks.open.key("inbound:write"),
    );
    expect(answers).toEqual(Array(3).fill({ data: { recordInbound: { fields: [{ path: "payload" }] } } }));
  });
});
