import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { ChatStream } from "../../../src/channels/web-chat/stream.ts";

/** A stream and its client, which does not read until asked to. */
export interface StreamPair {
  readonly stream: ChatStream;
  readonly client: Socket;
  /** Reads until this has been received; returns everything received so far. */
  readUntil(text: string): Promise<string>;
  close(): Promise<void>;
}

export async function streamPair(): Promise<StreamPair> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect(port, "127.0.0.1");
  client.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const [, response] = await once(server, "request");
  const stream = new ChatStream(response, { "x-test": "yes", "x-absent": undefined });
  let read = "";
  client.setEncoding("utf8");
  // A `data` listener alone would start reading.
  client.on("data", (chunk: string) => {
    read += chunk;
  });
  client.pause();
  return {
    stream,
    client,
    readUntil: async (text) => {
      client.resume();
      while (!read.includes(text)) await once(client, "data");
      return read;
    },
    close: async () => {
      client.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
