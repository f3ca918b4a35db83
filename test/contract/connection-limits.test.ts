import { expect, test } from "vitest";
import { at } from "../support/answers.ts";
import { bootDesk } from "../support/app.ts";
import { answerOf, post } from "../support/ways.ts";
import { type RawSocket, rawSocket } from "./raw-socket.ts";

const FEED = { query: "subscription { messageRecorded { id } }" };
const ROLE = { query: "{ viewer { role } }" };
const MINE = { data: { viewer: { role: "ADMIN" } } };

const desk = await bootDesk({ env: { CONNECTIONS_PER_ACTOR: "3" } });

/** Opens an event stream, which stays open until it is aborted. */
async function stream(token = desk.ada.token): Promise<{ response: Response; end(): void }> {
  const over = new AbortController();
  const response = await fetch(`${desk.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream", authorization: `Bearer ${token}` },
    body: JSON.stringify(FEED),
    signal: over.signal,
  });
  return { response, end: () => over.abort() };
}

/** Opens another socket; returns its close code if it is refused. */
async function enter(token = desk.ada.token): Promise<RawSocket | number> {
  const socket = await rawSocket(desk);
  return socket.init(token).then(
    () => socket,
    async () => (await socket.closed).code,
  );
}

/** Opens another socket, once the server has noticed closed connections. */
async function enterSoon(token?: string): Promise<RawSocket> {
  const entered: RawSocket[] = [];
  await expect
    .poll(async () => {
      const outcome = await enter(token);
      if (typeof outcome !== "number") entered.push(outcome);
      return entered.length;
    })
    .toBe(1);
  const [socket] = entered;
  if (socket === undefined) throw new Error("No socket was opened.");
  return socket;
}

test("one actor has at most three sockets and streams together", async () => {
  const first = await enterSoon();
  const second = await enterSoon();
  const third = await stream();
  expect(await enter()).toBe(4290);
  const refused = await stream();
  expect(refused.response.status).toBe(429);
  expect(await refused.response.json()).toEqual({
    errors: [{ message: "Too many connections are open.", extensions: { code: "TOO_MANY_CONNECTIONS" } }],
  });
  // A request stops counting once it is answered, and other actors have their own limits.
  expect(await answerOf(post(desk, JSON.stringify(ROLE)))).toEqual(MINE);
  const others = [await enterSoon(desk.ben.token), await enterSoon(await desk.key("read"))];
  // Earlier connections are still served.
  first.send({ id: "1", type: "subscribe", payload: ROLE });
  expect(await first.receive()).toMatchObject({ payload: MINE });

  first.ws.close();
  const fourth = await enterSoon();
  expect(await enter()).toBe(4290);
  third.end();
  const fifth = await enterSoon();
  expect(await enter()).toBe(4290);
  for (const { ws } of [second, fourth, fifth, ...others]) ws.close();
});

test("refused and closed connections do not count", async () => {
  const { token } = await desk.agent("AGENT");
  for (let times = 0; times < 5; times += 1) {
    const gone = await rawSocket(desk);
    gone.send({ type: "connection_init", payload: { authorization: `Bearer ${token}` } });
    gone.ws.terminate();
    expect(await enter(`${token}x`)).toBe(4403);
  }
  const sockets = [await enterSoon(token), await enterSoon(token), await enterSoon(token)];
  expect(await enter(token)).toBe(4290);
  for (const { ws } of sockets) ws.close();
});

test("a socket can start 200 operations at once, then 50 a second; beyond that it is closed with 1008", async () => {
  const socket = await enterSoon(desk.vic.token);
  const codes = async (count: number): Promise<unknown[]> => {
    const received: unknown[] = [];
    while (received.length < count) {
      socket.send({ id: "1", type: "subscribe", payload: { query: "{" } });
      received.push(at(await socket.receive(), "payload.0.extensions.code"));
    }
    return received;
  };
  const fill = (count: number, code: string): string[] => Array(count).fill(code);

  expect(await codes(200)).toEqual(fill(200, "GRAPHQL_PARSE_FAILED"));
  expect(await codes(1)).toEqual(["RATE_LIMITED"]);
  // The refused operation counts, too.
  desk.clock.advance(1_000);
  expect(await codes(50)).toEqual([...fill(49, "GRAPHQL_PARSE_FAILED"), "RATE_LIMITED"]);
  // Unused capacity does not accumulate beyond the burst.
  desk.clock.advance(3_600_000);
  expect(await codes(201)).toEqual([...fill(200, "GRAPHQL_PARSE_FAILED"), "RATE_LIMITED"]);
  // Other messages do not count.
  for (let times = 0; times < 300; times += 1) socket.send({ type: "pong" });
  expect(await codes(199)).toEqual(fill(199, "RATE_LIMITED"));
  socket.send({ id: "last", type: "subscribe", payload: { query: "{" } });
  expect(await socket.closed).toEqual({ code: 1008, reason: "Too many operations" });
  (await enterSoon(desk.vic.token)).ws.close();
});
