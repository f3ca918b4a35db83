import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** The functions that the parent of a process can call, by name. */
type Functions<Methods> = { readonly [Name in keyof Methods]: (...args: never[]) => unknown };

/** A child process whose functions can be called over IPC. */
export interface Child<Methods extends Functions<Methods>> {
  /** Rejects if the function throws or the process exits. */
  call<Name extends keyof Methods & string>(
    name: Name,
    ...args: Parameters<Methods[Name]>
  ): Promise<Awaited<ReturnType<Methods[Name]>>>;
  stop(): Promise<void>;
}

interface Call {
  readonly id: number;
  readonly name: string;
  readonly args: readonly never[];
}

interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** Starts a program of this directory that calls `serveParent`; resolves when it accepts calls. */
export async function startChild<Methods extends Functions<Methods>>(
  file: string,
  args: string[] = [],
): Promise<Child<Methods>> {
  const child = fork(new URL(file, import.meta.url), args, {
    serialization: "advanced",
    execArgv: ["--no-warnings", "--expose-gc"],
  });
  // Messages sent before the child listens are lost.
  await once(child, "message");
  const pending = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  child.on("message", ({ id, value, error }: Reply) => {
    const call = pending.get(id);
    pending.delete(id);
    if (error === undefined) call?.resolve(value as never);
    else call?.reject(new Error(`${file} ${args.join(" ")}: ${error}`));
  });
  child.once("exit", (code, signal) => {
    for (const { reject } of pending.values()) reject(new Error(`${file} ${args.join(" ")} exited: ${code ?? signal}`));
  });
  return {
    call: (name, ...callArgs) =>
      new Promise((resolve, reject) => {
        lastId += 1;
        pending.set(lastId, { resolve, reject });
        child.send({ id: lastId, name, args: callArgs });
      }),
    stop: () => stop(child),
  };
}

/** Serves calls of the parent process, and exits with it. */
export function serveParent<Methods extends Functions<Methods>>(methods: Methods): void {
  process.on("message", async ({ id, name, args }: Call) => {
    let reply: Reply;
    try {
      const method = methods[name as keyof Methods];
      reply = { id, value: await method(...args) };
    } catch (error) {
      reply = { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    process.send?.(reply);
  });
  process.once("disconnect", () => process.exit());
  process.send?.("ready");
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.disconnect();
  await exited;
}
