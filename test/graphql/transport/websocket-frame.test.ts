import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { textFrames } from "../../../src/graphql/transport/websocket-frame.ts";

test("messages of every length are read unchanged, also at the header sizes' limits, counted in bytes", async () => {
  const texts = [0, 1, 124, 125, 126, 65_534, 65_535, 65_536].map((length) => "x".repeat(length));
  texts.push(`${"é".repeat(62)}x`, "é".repeat(63), `${"é".repeat(32_767)}x`, "é".repeat(32_768), "🙂");
  const server = new WebSocketServer({ port: 0, perMessageDeflate: false });
  onTestFinished(() => server.close());
  await once(server, "listening");
  server.on("connection", (socket, { socket: wire }) => {
    // In several fragments, which form one message.
    wire.write(textFrames(texts.map((text) => [Buffer.from(text), Buffer.from(""), Buffer.from("}")])));
    socket.close();
  });
  const client = new WebSocket(`ws://localhost:${(server.address() as AddressInfo).port}`);
  const received: string[] = [];
  client.on("message", (data) => received.push(String(data)));
  await once(client, "close");
  expect(received).toEqual(texts.map((text) => `${text}}`));
});
