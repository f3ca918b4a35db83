import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";

/** A goal of a benchmark, and whether the measured value meets it. */
export interface Target {
  readonly name: string;
  readonly value: number;
  readonly target: string;
  readonly met: boolean;
}

export type Row = Record<string, string | number>;

/** Prints the table and the targets, and writes the same data to `bench/results/<name>.json`. */
export function report(name: string, rows: readonly Row[], targets: readonly Target[]): void {
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    at: new Date().toISOString(),
  };
  console.log(`\n${machine.cores} × ${machine.cpu}, Node ${machine.node}\n`);
  console.table(rows);
  for (const { name: goal, value, target, met } of targets)
    console.log(`${met ? "✓" : "✗"} ${goal}: ${value} (target: ${target})`);

  const folder = new URL("./results/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify({ machine, rows, targets }, null, 2)}\n`);
}

/** The value below which `share` of the sorted samples lie. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
