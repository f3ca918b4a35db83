import { once } from "node:events";
import { createServer } from "node:https";
import type { Socket } from "node:net";
import { Agent, type Dispatcher } from "undici";
import { describe, expect, onTestFinished, test } from "vitest";
import { type GuardedAgentOptions, guardedAgent, RefusedAddressError } from "../../src/partners/guarded-agent.ts";
import { authority, certificate, certificateKey } from "../support/partner-tls.ts";
import { type RawServer, rawServer } from "../support/raw-server.ts";

/** Ways to write 127.0.0.1, and other addresses that reach this machine. */
const loopback = [
  "127.0.0.1",
  "127.0.0.1.",
  "127.0.1",
  "127.1",
  "2130706433",
  "0x7f000001",
  "0x7f.1",
  "0x7F.0x0.0x0.0x1",
  "017700000001",
  "0177.0.0.01",
  "%31%32%37.0.0.1",
  "127%2e0%2e0%2e1",
  "１２７.0.0.1",
  "①②⑦.0.0.1",
  "127。0。0。1",
  "user:password@127.0.0.1",
];

const literals: readonly (readonly [host: string, addressClass: string])[] = [
  ...loopback.map((host) => [host, "LOOPBACK"] as const),
  ["127.255.255.254", "LOOPBACK"],
  ["0.0.0.0", "RESERVED"],
  ["0", "RESERVED"],
  ["10.0.0.1", "PRIVATE"],
  ["0xa.1", "PRIVATE"],
  ["172.16.0.1", "PRIVATE"],
  ["192.168.1.1", "PRIVATE"],
  ["3232235777", "PRIVATE"],
  ["100.64.0.1", "PRIVATE"],
  ["169.254.1.1", "LINK_LOCAL"],
  ["169.254.169.254", "METADATA"],
  ["0xA9FEA9FE", "METADATA"],
  ["100.100.100.200", "METADATA"],
  ["168.63.129.16", "METADATA"],
  ["198.18.0.1", "RESERVED"],
  ["224.0.0.1", "MULTICAST"],
  ["255.255.255.255", "RESERVED"],
  ["[::1]", "LOOPBACK"],
  ["[0:0:0:0:0:0:0:1]", "LOOPBACK"],
  ["[::]", "RESERVED"],
  ["[::ffff:127.0.0.1]", "LOOPBACK"],
  ["[::ffff:7f00:1]", "LOOPBACK"],
  ["[0:0:0:0:0:FFFF:A9FE:A9FE]", "METADATA"],
  ["[::127.0.0.1]", "RESERVED"],
  ["[64:ff9b::127.0.0.1]", "RESERVED"],
  ["[64:ff9b:1::a9fe:a9fe]", "RESERVED"],
  ["[2002:7f00:1::]", "RESERVED"],
  ["[2001:0:4136:e378:8000:63bf:80ff:fffe]", "RESERVED"],
  ["[fe80::1]", "LINK_LOCAL"],
  ["[fec0::1]", "PRIVATE"],
  ["[fc00::1]", "PRIVATE"],
  ["[fd00:ec2::254]", "METADATA"],
  ["[ff02::1]", "MULTICAST"],
  ["[2001:db8::1]", "RESERVED"],
  ["[4000::1]", "RESERVED"],
];

describe("P4: a literal address", () => {
  test.each(literals)("%s is refused as %s", async (host, addressClass) => {
    const server = await serverThat((socket) => socket.write(OK));
    expect(await statusOf(guarded(), `http://${host}:${server.port}/`)).toBe(addressClass);
    expect(await statusOf(guarded(), `https://${host}:${server.port}/`)).toBe(addressClass);
    expect(server.connections).toBe(0);
  });

  test.each(loopback)("%s reaches this machine without the guard, and with its network allowed", async (host) => {
    const server = await serverThat((socket) => socket.write(OK));
    const url = `http://${host}:${server.port}/`;
    const unguarded = new Agent();
    onTestFinished(() => unguarded.destroy());
    expect(await statusOf(unguarded, url)).toBe(200);
    expect(await statusOf(guarded({ allowedNetworks: ["127.0.0.0/8"] }), url)).toBe(200);
    expect(await statusOf(guarded({ allowedNetworks: ["127.0.0.2/32", "::1/128"] }), url)).toBe("LOOPBACK");
  });

  test.each(["[::1%25lo]", "[::1%lo]", "127.0.0.1%00.example"])("%s is no host of a URL", (host) => {
    expect(URL.canParse(`http://${host}/`)).toBe(false);
  });
});

describe("P4: a name", () => {
  test.each([
    [["127.0.0.1"], "LOOPBACK"],
    [["::1"], "LOOPBACK"],
    [["::1%lo"], "LOOPBACK"],
    [["fe80::1%eth0"], "LINK_LOCAL"],
    [["::ffff:10.0.0.1"], "PRIVATE"],
    [["64:ff9b::a00:1"], "RESERVED"],
    [["93.184.215.14", "169.254.169.254"], "METADATA"],
    [["2606:2800:21f:cb07::1", "10.0.0.1"], "PRIVATE"],
  ])("that leads to %j is refused as %s", async (addresses, addressClass) => {
    const server = await serverThat((socket) => socket.write(OK));
    const agent = guarded({ resolve: leadingTo(addresses) });
    expect(await statusOf(agent, `http://partner.example:${server.port}/`)).toBe(addressClass);
    expect(await statusOf(agent, `https://partner.example.:${server.port}/`)).toBe(addressClass);
    expect(server.connections).toBe(0);
  });

  test.each(["localhost", "LOCALHOST"])("%s is refused through the system's resolver", async (host) => {
    expect(await statusOf(guarded(), `http://${host}:9/`)).toBe("LOOPBACK");
  });

  test("is refused without telling its addresses", async () => {
    const agent = guarded({ resolve: leadingTo(["10.1.2.3"]) });
    await expect(agent.request({ origin: "http://partner.example", path: "/", method: "GET" })).rejects.toThrow(
      "partner.example leads to a PRIVATE address: use a public host, or allow its network in WEBHOOK_ALLOWED_CIDRS",
    );
  });

  test("that does not exist is not refused but unknown", async () => {
    const unknown = Object.assign(new Error("There is no such name."), { code: "ENOTFOUND" });
    const agent = guarded({ resolve: () => Promise.reject(unknown) });
    await expect(agent.request({ origin: "http://partner.example", path: "/", method: "GET" })).rejects.toBe(unknown);
  });

  test("is looked up once for each connection, so it cannot change between check and use", async () => {
    const answers = ["127.0.0.1", "127.0.0.2", "127.0.0.2"];
    let lookups = 0;
    const server = await serverThat((socket, request) => {
      if (request.startsWith("GET /last")) socket.end(OK);
      else socket.write(OK);
    });
    const agent = guarded({
      allowedNetworks: ["127.0.0.1/32"],
      connections: 1,
      resolve: async () => [{ address: answers[lookups++] ?? "127.0.0.2", family: 4 }],
    });
    const origin = `http://partner.example:${server.port}`;
    expect(await statusOf(agent, `${origin}/first`)).toBe(200);
    expect(await statusOf(agent, `${origin}/last`)).toBe(200);
    expect([lookups, server.connections]).toEqual([1, 1]);
    await once(agent, "disconnect");
    expect(await statusOf(agent, `${origin}/later`)).toBe("LOOPBACK");
    expect([lookups, server.connections]).toEqual([2, 1]);
  });

  test("is reached at the next address if one does not answer", async () => {
    const server = await serverThat((socket) => socket.write(OK));
    const agent = guarded({ allowedNetworks: ["127.0.0.0/8"], resolve: leadingTo(["127.0.0.2", "127.0.0.1"]) });
    expect(await statusOf(agent, `http://partner.example:${server.port}/`)).toBe(200);
  });
});

describe("P4: a way around", () => {
  test("a redirect is not followed", async () => {
    const server = await serverThat((socket) => {
      socket.write("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n");
    });
    const agent = guarded({ allowedNetworks: ["127.0.0.1/32"] });
    expect(await statusOf(agent, `${server.origin}/`)).toBe(302);
    expect(server.requests).toHaveLength(1);
  });

  test("CONNECT is refused like any request", async () => {
    const connecting = guarded().connect({ origin: "http://169.254.169.254", path: "10.0.0.1:80" });
    await expect(connecting).rejects.toThrow(RefusedAddressError);
  });

  test("many refusals at once all fail, and leave no request behind", async () => {
    const agent = guarded({ resolve: leadingTo(["10.0.0.1"]) });
    const origins = ["http://10.0.0.1", "http://partner.example"];
    const results = Array.from({ length: 50 }, (_, n) => statusOf(agent, `${origins[n % 2]}/`));
    expect(new Set(await Promise.all(results))).toEqual(new Set(["PRIVATE"]));
    expect(agent.stats).toEqual({});
  });
});

describe("TLS with a private authority", () => {
  test("keeps the name: it is sent to the server, and the certificate is checked against it", async () => {
    const { port, serverNames } = await secureServer();
    const options = { allowedNetworks: ["127.0.0.1/32"], resolve: leadingTo(["127.0.0.1"]) };
    const trusting = guarded({ ...options, ca: authority });
    expect(await statusOf(trusting, `https://partner.example:${port}/`)).toBe(200);
    expect(await statusOf(trusting, `https://other.example:${port}/`)).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
    expect(serverNames).toEqual(["partner.example", "other.example"]);
    expect(await statusOf(guarded(options), `https://partner.example:${port}/`)).toBe(
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    );
  });

  test("P4: is refused before a handshake", async () => {
    const { port, serverNames } = await secureServer();
    const agent = guarded({ ca: authority, resolve: leadingTo(["127.0.0.1"]) });
    expect(await statusOf(agent, `https://partner.example:${port}/`)).toBe("LOOPBACK");
    expect(serverNames).toEqual([]);
  });
});

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async function serverThat(answer: (socket: Socket, request: string) => void): Promise<RawServer> {
  const server = await rawServer(answer);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

async function secureServer(): Promise<{ port: number; serverNames: readonly string[] }> {
  const serverNames: string[] = [];
  const options = {
    cert: certificate,
    key: certificateKey,
    SNICallback: (name: string, done: (error: null) => void) => {
      serverNames.push(name);
      done(null);
    },
  };
  const server = createServer(options, (_request, response) => response.end("ok"));
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close().closeAllConnections());
  const address = server.address();
  return { port: typeof address === "object" && address !== null ? address.port : 0, serverNames };
}

function guarded(options: Partial<GuardedAgentOptions> = {}): Agent {
  const agent = guardedAgent({ allowedNetworks: [], ...options });
  onTestFinished(() => agent.destroy());
  return agent;
}

function leadingTo(addresses: readonly string[]): NonNullable<GuardedAgentOptions["resolve"]> {
  return async () => addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
}

/** The status of the answer, or the class of the refused address, or the code of another error. */
async function statusOf(agent: Dispatcher, url: string): Promise<number | string> {
  const { origin, pathname } = new URL(url);
  try {
    const { statusCode, body } = await agent.request({ origin, path: pathname, method: "GET" });
    await body.dump();
    return statusCode;
  } catch (error) {
    if (error instanceof RefusedAddressError) return error.addressClass;
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}
