import { once } from "node:events";
import { afterAll, describe, expect, test } from "vitest";
import { signAgentToken } from "../../src/auth/token.ts";
import { bootDesk, SECRET } from "../support/app.ts";
import { cursorNow } from "../support/subscriber.ts";
import { sharedSocket } from "../support/ways.ts";
import { type RawSocket, rawSocket } from "./raw-socket.ts";

const FEED = { query: "subscription { messageRecorded { message { text } } }" };
const ROLE = { query: "{ viewer { role } }" };
const MINE = { data: { viewer: { role: "ADMIN" } } };

const desk = await bootDesk();
const neighbour = await sharedSocket(desk);
afterAll(() => neighbour.close());

const subscribe = (id: unknown, payload: unknown = ROLE): object => ({ id, type: "subscribe", payload });
const bearer = (token: string): Record<string, unknown> => ({ authorization: `Bearer ${token}` });
const INIT = { type: "connection_init", payload: bearer(desk.ada.token) };

describe("close codes by message", async () => {
  const INVALID = { code: 4400, reason: "Invalid message received" };
  const EARLY = { code: 4401, reason: "Unauthorized" };
  const FORBIDDEN = { code: 4403, reason: "Forbidden" };
  const TWICE = { code: 4429, reason: "Too many initialisation requests" };
  const TOO_LONG = { code: 1009, reason: "" };
  const expired = await signAgentToken(SECRET, desk.ada.email, desk.clock.now() - 2_000, 1_000);

  test.each<[string, readonly unknown[], object]>([
    ["malformed JSON", ["{"], INVALID],
    ["an empty message", [""], INVALID],
    ["null", ["null"], INVALID],
    ["a list", ["[]"], INVALID],
    ["no type", [{}], INVALID],
    ["a type that is not a string", [{ type: 1 }], INVALID],
    ["an unknown type", [{ type: "start", id: "1", payload: ROLE }], INVALID],
    ["a type that is a property of every object", [{ type: "constructor" }], INVALID],
    ["a ping whose payload is not an object", [{ type: "ping", payload: 1 }], INVALID],
    ["a subscribe without id", [subscribe(undefined)], INVALID],
    ["a subscribe with an empty id", [subscribe("")], INVALID],
    ["a subscribe whose id is not a string", [subscribe(1)], INVALID],
    ["a subscribe without payload", [subscribe("1", null)], INVALID],
    ["a complete without id", [{ type: "complete" }], INVALID],
    ["a server message: connection_ack", [{ type: "connection_ack" }], INVALID],
    ["a server message: next", [{ type: "next", id: "1", payload: {} }], INVALID],
    ["a server message: error", [{ type: "error", id: "1", payload: [{ message: "x" }] }], INVALID],
    ["a subscribe as the first message", [subscribe("1")], EARLY],
    ["a subscribe before the acknowledgement", [INIT, subscribe("1")], EARLY],
    ["no token", [{ type: "connection_init" }], FORBIDDEN],
    ["a token that is not a string", [{ type: "connection_init", payload: { authorization: {} } }], FORBIDDEN],
    ["a bad token", [{ type: "connection_init", payload: bearer("x.y.z") }], FORBIDDEN],
    ["an expired token", [{ type: "connection_init", payload: bearer(expired) }], FORBIDDEN],
    ["two connection_init, before the acknowledgement", [INIT, INIT], TWICE],
    ["two connection_init, one of them invalid", [INIT, { type: "connection_init" }], TWICE],
    ["more than 256 KB", [{ type: "ping", payload: { x: "x".repeat(256 * 1_024) } }], TOO_LONG],
  ])("%s", async (_, messages, closing) => {
    const socket = await rawSocket(desk);
    for (const each of messages) socket.send(each);
    expect(await socket.closed).toEqual(closing);
  });

  test("after the acknowledgement: another connection_init 4429, an id in use 4409 however long it is", async () => {
    const twice = await rawSocket(desk);
    await twice.init();
    twice.send(INIT);
    expect(await twice.closed).toEqual(TWICE);
    for (const [id, reason] of [
      ["1", "Subscriber for 1 already exists"],
      ["x".repeat(255), ""],
    ]) {
      const socket = await rawSocket(desk);
      await socket.init();
      for (let times = 0; times < 2; times += 1) socket.send(subscribe(id, FEED));
      expect(await socket.closed).toEqual({ code: 4409, reason });
    }
  });

  test("a binary frame: 4400, even with a valid text", async () => {
    const socket = await rawSocket(desk);
    socket.ws.send(Buffer.from(JSON.stringify(INIT)), { binary: true });
    expect(await socket.closed).toEqual(INVALID);
  });

  test("invalid UTF-8: 1007", async () => {
    const socket = await rawSocket(desk);
    socket.send(Buffer.from([0x22, 0xff, 0x22]));
    expect(await socket.closed).toEqual({ code: 1007, reason: "" });
  });

  test("fragments of more than 256 KB in total: 1009", async () => {
    const socket = await rawSocket(desk);
    for (let sent = 0; sent < 5; sent += 1) socket.ws.send("x".repeat(64 * 1_024), { fin: false });
    expect(await socket.closed).toEqual(TOO_LONG);
  });

  test("a message in more than 64 fragments: 1008", async () => {
    const socket = await rawSocket(desk);
    const init = JSON.stringify(INIT);
    for (let sent = 0; sent < 63; sent += 1) socket.ws.send(init.slice(sent, sent + 1), { fin: false });
    socket.ws.send(init.slice(63));
    expect(await socket.receive()).toEqual({ type: "connection_ack" });
    for (let sent = 0; sent < 65; sent += 1) socket.ws.send("", { fin: false });
    expect(await socket.closed).toEqual({ code: 1008, reason: "" });
  });

  test.each([
    ["none", ""],
    ["another", "graphql-ws"],
  ])("%s as the subprotocol: 4406", async (_, protocol) => {
    // The client of `ws` fails if the server selects none of its subprotocols.
    const handshake = { "sec-websocket-protocol": protocol };
    const socket = await rawSocket(desk, "", protocol === "" ? {} : { headers: handshake });
    expect(await socket.closed).toEqual({ code: 4406, reason: "Subprotocol not acceptable" });
  });

  test("no connection_init within 3 s: 4408, whatever else is received", async () => {
    const socket = await rawSocket(desk);
    const started = performance.now();
    socket.send({ type: "ping" });
    expect(await socket.receive()).toEqual({ type: "pong" });
    expect(await socket.closed).toEqual({ code: 4408, reason: "Connection initialisation timeout" });
    expect(performance.now() - started).toBeGreaterThan(2_900);
  });

  test("an internal error before the acknowledgement: 1013; after it, an error result and the socket stays open", async () => {
    const broken = await bootDesk();
    const early = await rawSocket(broken);
    await early.init();
    const unknown = await broken.agent("AGENT");
    await broken.app.database.pool.query("ALTER TABLE agent RENAME TO gone");
    const late = await rawSocket(broken);
    late.send({ type: "connection_init", payload: bearer(unknown.token) });
    expect(await late.closed).toEqual({ code: 1013, reason: "Try again later" });
    early.send(subscribe("1", { query: "{ agents { id } }" }));
    expect(await early.receive()).toMatchObject({ payload: { errors: [{ extensions: { code: "INTERNAL" } }] } });
    early.send({ type: "ping" });
    expect(await receiveUntil(early, "pong")).toEqual({ type: "pong" });
  });

  test("other sockets are not affected", () => neighbour.expectNeighbourReceives());
});

describe("messages that do not close the socket", () => {
  test("pings of both kinds, before and after connection_init, and unsolicited pongs", async () => {
    const socket = await rawSocket(desk);
    socket.send({ type: "pong" });
    socket.send({ type: "ping", payload: { at: 1 } });
    expect(await socket.receive()).toEqual({ type: "pong", payload: { at: 1 } });
    await socket.init();
    socket.send({ type: "pong", payload: {} });
    socket.send({ type: "ping" });
    expect(await socket.receive()).toEqual({ type: "pong" });
    socket.ws.ping("frame");
    expect(String(await once(socket.ws, "pong"))).toBe("frame");
    socket.ws.close();
  });

  test("completing an unknown operation; and a completed operation delivers nothing", async () => {
    const socket = await rawSocket(desk);
    socket.send({ id: "nothing", type: "complete" });
    await socket.init();
    socket.send({ id: "nothing", type: "complete" });
    socket.send(subscribe("ended", FEED));
    socket.send({ id: "ended", type: "complete" });
    socket.send({ id: "ended", type: "complete" });
    socket.send(subscribe("after", ROLE));
    expect(await socket.receive()).toEqual({ id: "after", type: "next", payload: MINE });
    expect(await socket.receive()).toEqual({ id: "after", type: "complete" });
    const after = await cursorNow(desk);
    await desk.writes("somebody", "to one only");
    const query = `subscription { messageRecorded(after: "${after}") { message { text } } }`;
    socket.send(subscribe("open", { query }));
    const payload = { data: { messageRecorded: { message: { text: "to one only" } } } };
    expect(await socket.receive()).toEqual({ id: "open", type: "next", payload });
    socket.ws.close();
  });

  test.each(["__proto__", "constructor", "toString", " ", "\u0000", "\ud800"])("an id such as %j", async (id) => {
    const socket = await rawSocket(desk);
    await socket.init();
    socket.send(subscribe(id));
    expect(await socket.receive()).toEqual({ id, type: "next", payload: MINE });
    expect(await socket.receive()).toEqual({ id, type: "complete" });
    socket.ws.close();
  });

  test("an id of more than 255 characters: an error of that operation", async () => {
    const socket = await rawSocket(desk);
    await socket.init();
    const id = "x".repeat(256);
    socket.send(subscribe(id));
    const extensions = { code: "BAD_REQUEST" };
    expect(await socket.receive()).toEqual({
      id,
      type: "error",
      payload: [{ message: "An operation id may have at most 255 characters.", extensions }],
    });
    socket.send(subscribe("x".repeat(255)));
    expect(await socket.receive()).toMatchObject({ type: "next", payload: MINE });
    socket.ws.close();
  });
});

async function receiveUntil(socket: RawSocket, type: string): Promise<unknown> {
  for (;;) {
    const message = await socket.receive();
    if (typeof message === "object" && message !== null && "type" in message && message.type === type) return message;
  }
}
