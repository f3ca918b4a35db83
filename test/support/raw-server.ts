import { once } from "node:events";
import { createServer, type Socket } from "node:net";

/** A server that sees bytes, so that it can answer as no HTTP server would. */
export interface RawServer extends AsyncDisposable {
  /** Its origin, `http://127.0.0.1:<port>`. */
  readonly origin: string;
  readonly port: number;
  /** The requests that arrived, as text, in order. */
  readonly requests: readonly string[];
  /** How many connections were opened. */
  readonly connections: number;
}

/**
 * Listens on a free port of 127.0.0.1. `answer` gets each request when its end has arrived: as announced by its
 * `content-length`, which counts as 0 if there is none.
 */
export async function rawServer(answer: (socket: Socket, request: string) => void): Promise<RawServer> {
  const requests: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    let received = "";
    socket.setEncoding("latin1").on("error", () => {});
    socket.on("data", (chunk: string) => {
      received += chunk;
      for (let end = endOfRequest(received); end !== null; end = endOfRequest(received)) {
        const request = received.slice(0, end);
        received = received.slice(end);
        requests.push(request);
        answer(socket, request);
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    requests,
    get connections() {
      return sockets.length;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function endOfRequest(received: string): number | null {
  const headersEnd = received.indexOf("\r\n\r\n");
  if (headersEnd === -1) return null;
  const length = /^content-length: (\d+)/im.exec(received.slice(0, headersEnd))?.[1] ?? "0";
  const end = headersEnd + 4 + Number(length);
  return received.length < end ? null : end;
}
