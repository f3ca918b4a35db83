import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type StreamPair, streamPair } from "./stream-pair.ts";

let pair: StreamPair;
beforeEach(async () => {
  pair = await streamPair();
});
afterEach(async () => {
  vi.useRealTimers();
  await pair.close();
});

const big = { id: "1", data: "x".repeat(100_000) };

test("frames follow the standard", async () => {
  void pair.stream.send({ id: "a", data: '{"text":"Hi"}' });
  pair.stream.sendHeartbeat();
  pair.stream.finish();
  const all = await pair.readUntil("\r\n0\r\n\r\n");
  expect(all).toContain("\r\nx-test: yes\r\n");
  expect(all).not.toContain("x-absent");
  // Without the chunk sizes.
  const frames = all.slice(all.indexOf("\r\n\r\n") + 4).replaceAll(/(^|\r\n)[0-9a-f]+\r\n/g, "");
  expect(frames.trimEnd()).toBe('retry: 3000\n\nid: a\nevent: message\ndata: {"text":"Hi"}\n\n:');
});

test("send resolves to true for data that the client reads", async () => {
  const taken = pair.stream.send(big);
  await pair.readUntil(big.data);
  expect(await taken).toBe(true);
});

test("a client that stops reading is disconnected when its buffer is full, and buffered data was not taken", async () => {
  const waiting: Promise<boolean>[] = [];
  while (pair.stream.open) {
    waiting.push(pair.stream.send(big));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await waiting.at(-2)).toBe(false);
  expect(await waiting.at(-1)).toBe(false);
  await pair.stream.ended;
});

test("a client that reads nothing for ten seconds is disconnected", async () => {
  const timers = vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const waiting: Promise<boolean>[] = [];
  // Fills the kernel's buffer, well below the limit of the stream.
  while (timers.getTimerCount() === 0) {
    waiting.push(pair.stream.send(big));
    await new Promise((resolve) => setImmediate(resolve));
  }
  timers.advanceTimersByTime(9_999);
  expect(pair.stream.open).toBe(true);
  timers.advanceTimersByTime(1);
  expect(pair.stream.open).toBe(false);
  expect(await waiting.at(-1)).toBe(false);
});

test("a disconnected client takes nothing", async () => {
  pair.client.destroy();
  await pair.stream.ended;
  expect([pair.stream.open, await pair.stream.send(big)]).toEqual([false, false]);
});

test("closing does not wait for a client that does not read", async () => {
  const timers = vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  while (timers.getTimerCount() === 0) {
    void pair.stream.send(big);
    await new Promise((resolve) => setImmediate(resolve));
  }
  pair.stream.finish();
  await pair.stream.ended;
  timers.advanceTimersByTime(1_000);
  const closed = new Promise((resolve) => pair.client.on("close", resolve));
  pair.client.on("error", () => {});
  pair.client.resume();
  await closed;
});
