import { setTimeout as sleep } from "node:timers/promises";
import { startChild } from "./child.ts";
import type { ClientAnswers } from "./fanout-clients.ts";
import { SECRET, startDesk } from "./fanout-desk.ts";
import { BURST, DOCUMENT } from "./fanout-message.ts";
import type { ServerAnswers, ServerName } from "./fanout-server.ts";

const SUBSCRIBERS = 1_000;

export async function fanout(): Promise<void> {
  const only = process.env.ONLY?.split(",") ?? ["ws", "yoga", "deskgate", "mercurius"];
  const desk = await startDesk(10_000);
  const clients = await startChild<ClientAnswers>("fanout-clients.ts");
  let number = 1;
  try {
    for (const name of only as ServerName[]) {
      const server = await startChild<ServerAnswers>("fanout-server.ts", [name]);
      const port = await server.ask("start", name, desk.databaseUrl, SECRET);
      const url = `ws://127.0.0.1:${port}/graphql`;
      const publish = async (count: number, every: number) => {
        const first = number;
        number += count;
        if (name !== "deskgate") return server.ask("publish", first, count, every);
        const size = every > 0 ? 1 : BURST;
        const began = performance.now();
        for (let done = 0; done < count; done += size) {
          if (every > 0) await sleep(Math.max(0, began + done * every - performance.now()));
          await desk.write(
            port,
            Array.from({ length: size }, (_, i) => ({ person: done + i, n: first + done + i })),
          );
        }
        return desk.committedAt(first, count);
      };
      const subs = (n: number, from = 0) =>
        Array.from({ length: n }, (_, i) => ({
          authorization: name === "deskgate" ? (desk.authorizations[from + i] ?? null) : null,
          query: DOCUMENT,
          variables: {},
        }));
      const ready = async () => {
        while ((await clients.ask("silent")) > 0) {
          if (name !== "deskgate") await server.ask("publish", 0, 1, 0);
          else await desk.write(port, [{ person: 0, n: 0 }]);
          await sleep(200);
        }
      };
      if (name === "deskgate")
        for (let i = 0; i < 10; i++)
          await desk.write(
            port,
            Array.from({ length: 100 }, (_, k) => ({ person: i * 100 + k, n: 0 })),
          );

      // warm up
      await clients.ask("connect", url, subs(SUBSCRIBERS));
      await ready();
      const run = async (n: number, count: number, every: number) => {
        await clients.ask(
          "expect",
          number,
          Array.from({ length: n }, () => count),
        );
        const [before, clientBefore, began] = [
          await server.ask("cpu"),
          await clients.ask("cpu"),
          performance.timeOrigin + performance.now(),
        ];
        const publishedAt = await publish(count, every);
        const heard = await clients.ask("heard");
        const cpu = (await server.ask("cpu")) - before;
        const wall = heard.lastAt - began;
        const clientCpu = (await clients.ask("cpu")) - clientBefore;
        return {
          heard,
          cpu,
          wall,
          clientCpu,
          publishedAt,
          latency: n > 0 ? await clients.ask("latency", publishedAt) : null,
        };
      };
      await run(SUBSCRIBERS, 200, 0);
      const rs = [];
      for (let i = 0; i < 3; i++) {
        rs.push(["burst", await run(SUBSCRIBERS, 200, 0)]);
        rs.push(["paced", await run(SUBSCRIBERS, 40, 100)]);
      }
      await clients.ask("disconnect");
      await sleep(500);
      const base = { burst: [await run(0, 200, 0), await run(0, 200, 0)], paced: [await run(0, 40, 100)] };
      for (const [kind, r] of rs as ["burst" | "paced", Awaited<ReturnType<typeof run>>][]) {
        const b = Math.min(...base[kind].map((x) => x.cpu));
        console.log(
          name,
          kind,
          "cpu/delivery",
          ((r.cpu - b) / r.heard.deliveries).toFixed(2),
          "gross",
          (r.cpu / r.heard.deliveries).toFixed(2),
          "deliveries/s",
          ((r.heard.deliveries / r.wall) * 1000).toFixed(0),
          "lat",
          r.latency?.p50.toFixed(1),
          r.latency?.p99.toFixed(1),
          "lost",
          r.heard.lost,
          "wrong",
          r.heard.wrong,
          "bytes",
          r.heard.bytes,
          "client busy",
          (r.clientCpu / 1000 / r.wall).toFixed(2),
        );
      }
      await server.stop();
    }
    for (const name of only as ServerName[]) {
      const server = await startChild<ServerAnswers>("fanout-server.ts", [name]);
      const port = await server.ask("start", name, desk.databaseUrl, SECRET);
      const url = `ws://127.0.0.1:${port}/graphql`;
      const subs = (n: number, from = 0) =>
        Array.from({ length: n }, (_, i) => ({
          authorization: name === "deskgate" ? (desk.authorizations[from + i] ?? null) : null,
          query: DOCUMENT,
          variables: {},
        }));
      const ready = async () => {
        while ((await clients.ask("silent")) > 0) {
          if (name !== "deskgate") await server.ask("publish", 0, 1, 0);
          else await desk.write(port, [{ person: 0, n: 0 }]);
          await sleep(200);
        }
      };
      await clients.ask("connect", url, subs(100));
      await ready();
      await clients.ask("disconnect");
      await sleep(500);
      const m0 = await server.ask("memory");
      let have = 0;
      for (const n of [1_000, 5_000, 10_000]) {
        await clients.ask("connect", url, subs(n - have, have));
        have = n;
        await ready();
        const m = await server.ask("memory");
        console.log(
          name,
          n,
          "rss/sub KB",
          ((m.rss - m0.rss) / n / 1024).toFixed(1),
          "heap/sub KB",
          ((m.heap - m0.heap) / n / 1024).toFixed(1),
          "rss",
          m.rss / 1e6,
          m0.rss / 1e6,
        );
      }
      await clients.ask("disconnect");
      await server.stop();
    }
  } finally {
    await clients.stop();
    await desk.stop();
  }
}
