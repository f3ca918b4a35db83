import { WebSocket } from "ws";
import type { Position } from "../../store/log-event.ts";

/** The close code of a WebSocket whose client has stopped reading: it resumes with its last cursor. */
const TOO_SLOW = 4013;
/** What it is told. */
export const TOO_SLOW_REASON = "Too slow: resume with the last cursor";
/** How long a client that was given up has to read what is on its way, and why it ended, in milliseconds. */
export const FAREWELL = 30_000;

/** How many events may come while a client takes nothing. */
const MAX_BEHIND = 10_000;
/** For how long, in milliseconds, it may take nothing. */
const MAX_STALL = 20_000;
const LOOK_EVERY = 1_000;

/**
 * Waits with a client that takes nothing: gives it up once too many events have come meanwhile, or too much time has
 * gone. Nothing is kept for it meanwhile but its place in the log. Answers how to stop waiting.
 */
export function patience(head: () => Position, onTooLong: () => void): () => void {
  const since = { head: head(), time: performance.now() };
  const timer = setInterval(() => {
    if (head() - since.head <= MAX_BEHIND && performance.now() - since.time < MAX_STALL) return;
    clearInterval(timer);
    onTooLong();
  }, LOOK_EVERY);
  return () => clearInterval(timer);
}

/** Closes the socket of a client that does not read. */
export function giveUp(socket: WebSocket): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.close(TOO_SLOW, TOO_SLOW_REASON);
  const tooLate = setTimeout(() => socket.terminate(), FAREWELL);
  socket.once("close", () => clearTimeout(tooLate));
}
