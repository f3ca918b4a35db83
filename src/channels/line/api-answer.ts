import { z } from "zod";
import type { Responded } from "../../delivery/http-call.ts";

const lineError = z.object({
  message: z.string(),
  details: z.array(z.object({ message: z.string().optional(), property: z.string().optional() })).optional(),
});

/** What LINE's API says about a request that it refuses. */
export function errorOf(body: Buffer): { readonly message: string; readonly details: readonly string[] } {
  const { data } = lineError.safeParse(parsed(body));
  const details = (data?.details ?? []).map(({ property, message }) => `${property ?? "?"}: ${message ?? "?"}.`);
  return { message: data?.message ?? "no reason given", details };
}

/** Why nothing can be sent on a channel whose access token LINE refuses, for people to read. */
export function tokenRefused({ status, body }: Responded): string {
  return `LINE refuses the access token (${status}: ${errorOf(body).message}). Set a new one with updateChannel.`;
}

/** Undefined if the body is not valid JSON. */
export function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
