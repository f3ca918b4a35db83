import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export const SECRET = "a-secret-of-the-kill-test-that-is-long";

/** A Deskgate process that always has the same port. */
export class Server {
  readonly url: string;
  readonly #env: NodeJS.ProcessEnv;
  #process: ChildProcess | null = null;
  isUp = false;

  constructor(port: number, databaseUrl: string, lineUrl: string) {
    this.url = `http://127.0.0.1:${port}`;
    this.#env = {
      PATH: process.env.PATH,
      DATABASE_URL: databaseUrl,
      LINE_API_URL: lineUrl,
      PORT: String(port),
      AUTH_SECRET: SECRET,
      DEMO: "false",
      LOG_LEVEL: "silent",
    };
  }

  async restart(): Promise<void> {
    this.isUp = false;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#process?.once("exit", () => resolve());
    this.kill();
    await promise;
    await this.start();
  }

  kill(): void {
    this.isUp = false;
    this.#process?.kill("SIGKILL");
  }

  async start(): Promise<void> {
    this.#process = spawn(process.execPath, ["--no-warnings", "src/main.ts"], { env: this.#env, stdio: "ignore" });
    for (;;) {
      const ready = await fetch(`${this.url}/ready`).catch(() => null);
      if (ready?.status === 200) break;
      if (this.#process.exitCode !== null) throw new Error(`A server exited with ${this.#process.exitCode}.`);
      await sleep(50);
    }
    this.isUp = true;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return address.port;
}
