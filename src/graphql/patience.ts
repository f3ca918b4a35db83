import type { Position } from "../store/event-log.ts";

/** The close code of a WebSocket whose client has stopped reading: it resumes with its last cursor. */
export const TOO_SLOW = 4013;

/** How many events may come while a client takes nothing. */
const MAX_BEHIND = 10_000;
/** For how long, in milliseconds, it may take nothing. */
const MAX_STALL = 20_000;
const LOOK_EVERY = 1_000;

/**
 * Waits with a client that takes nothing: gives it up once too many events have come meanwhile, or too much time has
 * gone. Nothing is kept for it meanwhile but its place in the log. Answers how to stop waiting.
 */
export function patience(head: () => Position, giveUp: () => void): () => void {
  const since = { head: head(), time: performance.now() };
  const timer = setInterval(() => {
    if (head() - since.head <= MAX_BEHIND && performance.now() - since.time < MAX_STALL) return;
    clearInterval(timer);
    giveUp();
  }, LOOK_EVERY);
  return () => clearInterval(timer);
}
