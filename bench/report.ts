import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";

/** What a measurement should reach, and what it did. */
export interface Aim {
  readonly name: string;
  readonly value: number;
  readonly target: string;
  readonly holds: boolean;
}

export type Row = Record<string, string | number>;

/** Prints the table and the aims, and writes the same figures to `bench/results/<name>.json`. */
export function report(name: string, rows: readonly Row[], aims: readonly Aim[]): void {
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    at: new Date().toISOString(),
  };
  console.log(`\n${machine.cores} × ${machine.cpu}, Node ${machine.node}\n`);
  console.table(rows);
  for (const aim of aims) console.log(`${aim.holds ? "✓" : "✗"} ${aim.name}: ${aim.value} (aim: ${aim.target})`);

  const folder = new URL("./results/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify({ machine, rows, aims }, null, 2)}\n`);
}

/** The value below which `share` of the sorted samples lie. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
