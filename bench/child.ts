import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** What a child process can be asked: a function a question. */
type Answers<Questions> = { readonly [Name in keyof Questions]: (...args: never[]) => unknown };

/** A program in a process of its own that answers questions. */
export interface Child<Questions extends Answers<Questions>> {
  ask<Name extends keyof Questions & string>(
    name: Name,
    ...args: Parameters<Questions[Name]>
  ): Promise<Awaited<ReturnType<Questions[Name]>>>;
  stop(): Promise<void>;
}

interface Question {
  readonly id: number;
  readonly name: string;
  readonly args: readonly never[];
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly fault?: string;
}

/** Starts a file of this folder that calls `answerParent`. */
export async function startChild<Questions extends Answers<Questions>>(
  file: string,
  args: string[] = [],
): Promise<Child<Questions>> {
  const child = fork(new URL(file, import.meta.url), args, {
    serialization: "advanced",
    execArgv: ["--no-warnings", "--expose-gc"],
  });
  // What is sent before it listens is lost.
  await once(child, "message");
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let asked = 0;
  child.on("message", ({ id, value, fault }: Answer) => {
    const question = waiting.get(id);
    waiting.delete(id);
    if (fault === undefined) question?.resolve(value as never);
    else question?.reject(new Error(`${file} ${args.join(" ")}: ${fault}`));
  });
  child.once("exit", (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`${file} ${args.join(" ")} ended: ${code ?? signal}`));
  });
  return {
    ask: (name, ...questionArgs) =>
      new Promise((resolve, reject) => {
        asked += 1;
        waiting.set(asked, { resolve, reject });
        child.send({ id: asked, name, args: questionArgs });
      }),
    stop: () => stop(child),
  };
}

/** Answers what the parent asks, and ends with it. */
export function answerParent<Questions extends Answers<Questions>>(answers: Questions): void {
  process.on("message", async ({ id, name, args }: Question) => {
    let answer: Answer;
    try {
      const find = answers[name as keyof Questions];
      answer = { id, value: await find(...args) };
    } catch (error) {
      answer = { id, fault: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    process.send?.(answer);
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
