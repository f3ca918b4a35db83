import { WebSocket } from "ws";
import type { Position } from "../../store/log-event.ts";

/** Close code of a WebSocket whose client has stopped reading; the client can resume with its last cursor. */
const TOO_SLOW = 4013;
/** Close reason that goes with it. */
export const TOO_SLOW_REASON = "Too slow: resume with the last cursor";
/**
 * Milliseconds in which a slow client may still read buffered data and the close reason, before its connection is
 * destroyed.
 */
export const SLOW_CLOSE_TIMEOUT = 30_000;

/** Maximum number of events that may be logged while a client reads nothing. */
const MAX_LAG = 10_000;
/** Milliseconds for which a client may read nothing. */
const MAX_STALL = 20_000;
/** Milliseconds between checks. */
const CHECK_INTERVAL = 1_000;

/**
 * Watches a client that has stopped reading, and calls `onTooSlow` once too many events were logged or too much time
 * has passed. No events are buffered for the client meanwhile. Returns a function that stops watching.
 */
export function watchStalled(head: () => Position, onTooSlow: () => void): () => void {
  const since = { head: head(), time: performance.now() };
  const timer = setInterval(() => {
    if (head() - since.head <= MAX_LAG && performance.now() - since.time < MAX_STALL) return;
    clearInterval(timer);
    onTooSlow();
  }, CHECK_INTERVAL);
  return () => clearInterval(timer);
}

/** Closes the WebSocket of a slow client. */
export function closeSlowClient(socket: WebSocket): void {
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.close(TOO_SLOW, TOO_SLOW_REASON);
  const timer = setTimeout(() => socket.terminate(), SLOW_CLOSE_TIMEOUT);
  socket.once("close", () => clearTimeout(timer));
}
