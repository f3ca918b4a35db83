import type { Instant } from "../domain/id.ts";

/** The delay that a provider asks for in a `retry-after` header, in milliseconds: at most an hour; 0 if it asks for none. */
export function retryAfter(header: string | null, now: Instant): number {
  if (header === null) return 0;
  const delay = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isNaN(delay) ? 0 : Math.min(Math.max(delay, 0), MAX_DELAY);
}

const MAX_DELAY = 3_600_000;
