import { z } from "zod";
import { type Operation, operations } from "./request-log.ts";

/**
 * What goes wrong:
 * - `status`: an error response; for 429 with `retryAfter` in seconds, which LINE does not document
 * - `hang`: the connection stays open without a response
 * - `reset`: the connection is reset (RST)
 * - `swallow`: the connection is closed without a response
 * - `cut`: the response breaks off after `bytes` of its body
 * - `slow`: the response is `ms` late; another fault may strike as well
 */
const effect = z.discriminatedUnion("type", [
  z.object({ type: z.literal("status"), status: z.int().min(400).max(599), retryAfter: z.int().min(0).optional() }),
  z.object({ type: z.literal("hang") }),
  z.object({ type: z.literal("reset") }),
  z.object({ type: z.literal("swallow") }),
  z.object({ type: z.literal("cut"), bytes: z.int().min(0) }),
  z.object({ type: z.literal("slow"), ms: z.int().min(0) }),
]);

export const fault = z.object({
  effect,
  /**
   * Whether the request takes effect all the same, so that its client cannot know its fate. By default only an error
   * response means that it did not.
   */
  accepts: z.boolean().optional(),
  /** Which requests it can strike; all by default. */
  channel: z.string().optional(),
  userId: z.string().optional(),
  operation: z.enum(operations).optional(),
  /** From 0 to 1; 1 by default. */
  probability: z.number().min(0).max(1).optional(),
  /** How many times it strikes; without limit by default. */
  times: z.int().min(1).optional(),
});

export type Effect = z.infer<typeof effect>;
export type Fault = z.infer<typeof fault>;

/** A request that a fault may strike. */
export interface Target {
  readonly operation: Operation;
  readonly channel: string | null;
  readonly userId: string | null;
}

/** What happens to one request. */
export interface Strike {
  /** Milliseconds by which the response is late. */
  readonly delay: number;
  readonly effect: Exclude<Effect, { type: "slow" }> | null;
  /** Whether the request takes effect. */
  readonly accepts: boolean;
}

export interface Faults {
  /** Adds a fault; returns its id. */
  add(fault: Fault): string;
  remove(id: string): void;
  clear(): void;
  list(): readonly (Fault & { readonly id: string })[];
  /** Decides what happens to a request, and counts it. The first fault that strikes wins; slowness adds up. */
  strike(target: Target): Strike;
}

/** @param random a number from 0 up to, but not including, 1 */
export function createFaults(random: () => number): Faults {
  const faults = new Map<string, Fault>();
  let last = 0;
  return {
    add: (added) => {
      last += 1;
      faults.set(String(last), added);
      return String(last);
    },
    remove: (id) => {
      faults.delete(id);
    },
    clear: () => faults.clear(),
    list: () => [...faults].map(([id, each]) => ({ id, ...each })),
    strike: (target) => {
      let delay = 0;
      for (const [id, each] of faults) {
        if (!concerns(each, target) || random() >= (each.probability ?? 1)) continue;
        count(id, each);
        if (each.effect.type !== "slow") {
          return { delay, effect: each.effect, accepts: each.accepts ?? each.effect.type !== "status" };
        }
        delay += each.effect.ms;
      }
      return { delay, effect: null, accepts: true };
    },
  };

  function count(id: string, each: Fault): void {
    if (each.times === undefined) return;
    if (each.times === 1) faults.delete(id);
    else faults.set(id, { ...each, times: each.times - 1 });
  }
}

function concerns({ channel, userId, operation }: Fault, target: Target): boolean {
  return (
    (channel === undefined || channel === target.channel) &&
    (userId === undefined || userId === target.userId) &&
    (operation === undefined || operation === target.operation)
  );
}
