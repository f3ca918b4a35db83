import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "vitest";
import type { Desk } from "./app.ts";

const root = join(import.meta.dirname, "../..");

/** A running program of examples/. */
export interface Program extends Disposable {
  readonly lines: readonly string[];
  readonly errors: readonly string[];
  /** Resolves once this many lines were printed. */
  printed(count: number): Promise<void>;
  /** Its exit code, once all output has been read. */
  readonly ended: Promise<number | null>;
}

/** Runs an example as a user does; lines are returned without their leading timestamp. */
export function run(name: string, args: readonly string[], env: Record<string, string>): Program {
  const child: ChildProcess = spawn(process.execPath, [join("examples", name), ...args], {
    cwd: root,
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const errors: string[] = [];
  if (child.stdout === null || child.stderr === null) throw new Error("The process has no output.");
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line.replace(/^\d{4}-\S+Z /, "")));
  createInterface({ input: child.stderr }).on("line", (line) => errors.push(line));
  // "exit" is emitted before the last lines have been read.
  const ended = once(child, "close").then(() => child.exitCode);
  const printed = async (count: number): Promise<void> => {
    await expect.poll(() => ({ count: lines.length, errors }), { timeout: 20_000 }).toEqual({ count, errors: [] });
  };
  return { lines, errors, printed, ended, [Symbol.dispose]: () => void child.kill() };
}

/** The port that a desk listens on. */
export function portOf({ url }: Desk): number {
  return Number(new URL(url).port);
}
