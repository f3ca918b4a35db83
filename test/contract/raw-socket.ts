import { on, once } from "node:events";
import { type ClientOptions, WebSocket } from "ws";
import type { Desk } from "../support/app.ts";

export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** A socket that can send any frame, in any order. */
export interface RawSocket {
  readonly ws: WebSocket;
  /** Sends a text frame: a string or bytes unchanged, anything else as JSON. */
  send(message: unknown): void;
  /** The next message. */
  receive(): Promise<unknown>;
  /** Sends `connection_init`, by default with Ada's token, and waits for the acknowledgement. */
  init(token?: string): Promise<void>;
  /** Resolves when the server has closed the socket. */
  readonly closed: Promise<Closing>;
}

export async function rawSocket(
  { url, ada }: Desk,
  protocol: string | undefined = "graphql-transport-ws",
  options: ClientOptions = {},
): Promise<RawSocket> {
  const ws = new WebSocket(`${url.replace("http", "ws")}/graphql`, protocol === "" ? [] : protocol, options);
  const closed = new Promise<Closing>((resolve) => {
    ws.once("close", (code, reason) => resolve({ code, reason: String(reason) }));
  });
  const messages = on(ws, "message", { close: ["close"] });
  await once(ws, "open");
  ws.on("error", () => {});

  const send = (message: unknown): void => {
    const isReady = typeof message === "string" || Buffer.isBuffer(message);
    ws.send(isReady ? message : JSON.stringify(message), { binary: false });
  };
  const receive = async (): Promise<unknown> => {
    const step = await messages.next();
    if (step.done) throw new Error("The socket is closed.");
    return JSON.parse(String(step.value[0]));
  };
  return {
    ws,
    send,
    receive,
    closed,
    init: async (token = ada.token) => {
      send({ type: "connection_init", payload: { authorization: `Bearer ${token}` } });
      await receive();
    },
  };
}
