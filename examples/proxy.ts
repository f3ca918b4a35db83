/** A TCP proxy whose connections can be broken at will, to see what a client does then. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface TcpProxy {
  readonly url: string;
  /** Forwards new connections to another port. */
  lead(port: number): void;
  /** Breaks all open connections. */
  cut(): void;
  /** Stops forwarding on all open connections without closing them. */
  mute(): void;
  close(): Promise<void>;
}

/** Forwards connections to a port of this machine. */
export async function startProxy(firstPort: number): Promise<TcpProxy> {
  let port = firstPort;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, "localhost");
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from);
      from.on("error", () => {});
      from.once("close", () => {
        open.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  server.listen(0, "localhost");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The proxy has no port.");
  return {
    url: `http://localhost:${address.port}`,
    lead: (to) => {
      port = to;
    },
    cut,
    mute: () => {
      for (const socket of open) socket.unpipe().pause();
    },
    close: async () => {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
