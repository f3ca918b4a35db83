import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** Controls the delivery of a message to one subscriber: once, changed, later, several times or never. */
export type Delivery = (message: string, pass: (message: string) => void) => void;

/** A fake of the part of Redis that publishing and subscribing need, with its own protocol (RESP 3). */
export interface FakeRedis {
  readonly url: string;
  /** The number of connections that are subscribed to a channel. */
  subscribers(): number;
  /** Cuts every connection and accepts none until it is started again, on the same address. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Starts a Redis between instances whose deliveries the test controls. */
export async function startFakeRedis(deliver: Delivery = (message, pass) => pass(message)): Promise<FakeRedis> {
  const channels = new Map<Socket, string>();
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => {
      open.delete(socket);
      channels.delete(socket);
    });
    let received = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (let request = parse(received); request !== null; request = parse(received)) {
        received = received.subarray(request.length);
        socket.write(answer(socket, request.words));
      }
    });
  });
  let port = 0;
  await start();
  return { url: `redis://127.0.0.1:${port}`, subscribers: () => channels.size, stop, start };

  async function start(): Promise<void> {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  }

  async function stop(): Promise<void> {
    server.close();
    for (const socket of open) socket.destroy();
    await once(server, "close");
  }

  function answer(socket: Socket, [command = "", ...words]: readonly string[]): string {
    const [channel = "", message = ""] = words;
    switch (command.toUpperCase()) {
      case "HELLO":
        return "%2\r\n+server\r\n+redis\r\n+proto\r\n:3\r\n";
      case "SUBSCRIBE":
        channels.set(socket, channel);
        return `>3\r\n${bulk("subscribe")}${bulk(channel)}:1\r\n`;
      case "PUBLISH":
        for (const [subscriber, name] of channels) {
          if (name !== channel) continue;
          deliver(message, (passed) => subscriber.write(`>3\r\n${bulk("message")}${bulk(channel)}${bulk(passed)}`));
        }
        return ":1\r\n";
      default:
        return "+OK\r\n";
    }
  }
}

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

/** The first complete request in these bytes, as an array of strings; null if there is none. */
function parse(bytes: Buffer): { readonly words: string[]; readonly length: number } | null {
  let at = 0;
  const line = (): string | null => {
    const end = bytes.indexOf("\r\n", at);
    if (end === -1) return null;
    const text = bytes.toString("utf8", at, end);
    at = end + 2;
    return text;
  };
  const words: string[] = [];
  for (let left = Number(line()?.slice(1) ?? 0); left > 0; left--) {
    const length = Number(line()?.slice(1) ?? Number.POSITIVE_INFINITY);
    if (at + length + 2 > bytes.length) return null;
    words.push(bytes.toString("utf8", at, at + length));
    at += length + 2;
  }
  return words.length === 0 ? null : { words, length: at };
}
