import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type ClientOptions, createClient } from "graphql-ws";
import { describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { bootDesk, type Desk } from "../support/app.ts";
import { cursorNow } from "../support/subscriber.ts";
import { rawSocket } from "./raw-socket.ts";

const FEED = { query: "subscription { messageRecorded { message { text } } }" };
const ROLE = { query: "{ viewer { role } }" };
const MINE = { data: { viewer: { role: "ADMIN" } } };

const desk = await bootDesk();

const bearer = (token: string): Record<string, unknown> => ({ authorization: `Bearer ${token}` });
const SUBSCRIBE = JSON.stringify({ id: "1", type: "subscribe", payload: ROLE });

describe("the client of graphql-ws", () => {
  interface Attempts {
    /** The close codes that its sockets received. */
    readonly closings: number[];
    readonly first: Promise<unknown>;
  }

  /** Sends one query; runs `between` instead of waiting between attempts. */
  function ask(on: Desk, options: Partial<ClientOptions>, payload: { query: string } = ROLE): Attempts {
    const closings: number[] = [];
    const client = createClient({
      url: `${on.url.replace("http", "ws")}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${on.ada.token}` },
      retryAttempts: 1,
      retryWait: async () => {},
      on: { closed: (event) => closings.push(codeOf(event)) },
      ...options,
    });
    const answers = client.iterate(payload);
    const first = answers.next().then(({ value }) => value, codeOf);
    return { closings, first: first.finally(() => answers.return?.()) };
  }

  test("4403: it fetches another token and reconnects", async () => {
    let token = "x.y.z";
    const { closings, first } = ask(desk, {
      connectionParams: () => bearer(token),
      retryWait: async () => {
        token = desk.ada.token;
      },
    });
    expect(await first).toEqual(MINE);
    expect(closings[0]).toBe(4403);
  });

  test("4408: it reconnects", async () => {
    let isFirst = true;
    const { closings, first } = ask(desk, {
      connectionParams: async () => {
        const isLate = isFirst;
        isFirst = false;
        if (isLate) await new Promise((resolve) => setTimeout(resolve, 3_500));
        return bearer(desk.ada.token);
      },
    });
    expect(await first).toEqual(MINE);
    expect(closings[0]).toBe(4408);
  });

  test("1013: it reconnects", async () => {
    const broken = await bootDesk();
    const { pool } = broken.app.database;
    await pool.query("ALTER TABLE agent RENAME TO gone");
    const { closings, first } = ask(broken, {
      retryWait: async () => {
        await pool.query("ALTER TABLE gone RENAME TO agent");
      },
    });
    expect(await first).toEqual(MINE);
    expect(closings[0]).toBe(1013);
  });

  test("4290: it reconnects until there is capacity", async () => {
    const narrow = await bootDesk({ env: { CONNECTIONS_PER_ACTOR: "1" } });
    const only = await rawSocket(narrow);
    await only.init();
    const { closings, first } = ask(narrow, {
      retryAttempts: 100,
      retryWait: async () => {
        only.ws.close();
        await only.closed;
      },
    });
    expect(await first).toEqual(MINE);
    expect(new Set(closings.slice(0, 1))).toEqual(new Set([4290]));
  });

  test("1001: it reconnects", async () => {
    const stopped = await bootDesk();
    const after = await cursorNow(stopped);
    await stopped.writes("somebody");
    const closings: number[] = [];
    const client = createClient({
      url: `${stopped.url.replace("http", "ws")}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: bearer(stopped.ada.token),
      retryAttempts: 1,
      retryWait: async () => {},
      on: { closed: (event) => closings.push(codeOf(event)) },
    });
    const query = `subscription { messageRecorded(after: "${after}") { id } }`;
    const subscribe = async (): Promise<void> => {
      for await (const _ of client.iterate({ query })) void stopped.stop();
    };
    await expect(subscribe()).rejects.toThrow("ECONNREFUSED");
    expect(closings).toEqual([1001, 1006]);
  });

  test.each<[number, string, Partial<ClientOptions>]>([
    [1009, "a message is too long", { connectionParams: { x: "x".repeat(256 * 1_024) } }],
    [
      4400,
      "it sends a message outside the protocol",
      altering((message) => [message.replace("connection_init", "hello")]),
    ],
    [4401, "it subscribes before the acknowledgement", altering((message) => [SUBSCRIBE, message])],
    [
      4406,
      "it requests no subprotocol",
      {
        webSocketImpl: class extends WebSocket {
          constructor(url: string) {
            super(url);
          }
        },
      },
    ],
    [
      4409,
      "it uses the same id twice",
      { ...altering((message) => [message, message].slice(message.includes("init") ? 1 : 0)) },
    ],
    [4429, "it sends connection_init twice", altering((message) => [message, message])],
  ])("%i, because %s: it gives up", async (code, _, options) => {
    const { closings, first } = ask(desk, options, FEED);
    expect(await first).toBe(code);
    expect(closings).toEqual([code]);
  });
});

/** A client whose messages are altered before they are sent. */
function altering(alter: (message: string) => string[]): Partial<ClientOptions> {
  class AlteringWebSocket extends WebSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol);
      const send = this.send.bind(this);
      const sendAltered = (message: string): void => {
        for (const each of alter(message)) send(each);
      };
      Object.assign(this, { send: sendAltered });
    }
  }
  return { webSocketImpl: AlteringWebSocket };
}

function codeOf(event: unknown): number {
  if (typeof event === "object" && event !== null && "code" in event && typeof event.code === "number")
    return event.code;
  throw event;
}

/** The documented reaction of the client to each code. */
const page = readFileSync(join(import.meta.dirname, "../../docs/subscriptions.md"), "utf8");
const table = page.slice(page.indexOf("## Close codes"));
const rows = [...table.matchAll(/^\| (\d{4}) \|.*\| (reconnects|gives up)\b.*\|$/gm)].map(
  ([, code, does = ""]): [number, string] => [Number(code), does],
);

describe("the table of close codes in the docs", () => {
  test("has every close code", () => {
    expect(rows.length).toBe(15);
  });

  test.each(rows)("%i: it %s", async (code, does) => {
    const server = new WebSocketServer({ port: 0, handleProtocols: () => "graphql-transport-ws" });
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    let connections = 0;
    server.on("connection", (socket) => {
      connections += 1;
      socket.on("message", () => socket.close(code));
    });
    const client = createClient({
      url: `ws://localhost:${port}`,
      webSocketImpl: WebSocket,
      retryAttempts: 1,
      retryWait: async () => {},
    });
    await expect(client.iterate(ROLE).next()).rejects.toMatchObject({ code });
    expect([code, connections === 1 ? "gives up" : "reconnects"]).toEqual([code, does]);
    await new Promise((resolve) => server.close(resolve));
  });
});
