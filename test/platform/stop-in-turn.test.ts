import pino from "pino";
import { expect, test } from "vitest";
import { type StopStep, stopInTurn } from "../../src/platform/stop-in-turn.ts";

/** Steps that record that they ran: `hangs` never ends, `fails` rejects, `throws` throws at once. */
function steps(ran: string[], ...names: string[]): StopStep[] {
  return names.map((name) => ({
    name,
    stop: () => {
      ran.push(name);
      if (name === "throws") throw new Error(name);
      if (name === "fails") return Promise.reject(new Error(name));
      return name.startsWith("hangs") ? new Promise(() => {}) : Promise.resolve();
    },
  }));
}

async function stopping(limits: { total: number; step: number; reserve: number }, ...names: string[]) {
  const ran: string[] = [];
  const logged: string[] = [];
  const logger = pino({}, { write: (line: string) => void logged.push(JSON.parse(line).component) });
  const began = performance.now();
  await stopInTurn(steps(ran, ...names), limits, logger);
  return { ran, logged, took: performance.now() - began };
}

test("a step that fails or never ends is logged, and the next one runs", async () => {
  const names = ["first", "hangs", "fails", "throws", "last"];
  const { ran, logged, took } = await stopping({ total: 1_000, step: 50, reserve: 10 }, ...names);
  expect(ran).toEqual(names);
  expect(logged).toEqual(["hangs", "fails", "throws"]);
  expect(took).toBeLessThan(500);
});

test("steps that hang share the total, and leave each later one its reserve", async () => {
  const names = ["hangs", "hangs too", "hangs as well", "last"];
  const { ran, took } = await stopping({ total: 200, step: 150, reserve: 20 }, ...names);
  expect(ran).toEqual(names);
  expect(took).toBeGreaterThan(150);
  expect(took).toBeLessThan(400);
});
