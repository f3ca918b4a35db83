import { builder } from "./builder.ts";

/** From this number on, counts are not exact. */
const CAP = 1_000;

/** A count that is exact below 1,000. Give it any number from the cap on for "at least the cap". */
export const CappedCount = builder.objectRef<number>("CappedCount").implement({
  description: "A count that is exact below 1,000.",
  fields: (t) => ({
    value: t.int({ description: "At most 1,000.", resolve: (count) => Math.min(count, CAP) }),
    capped: t.boolean({
      description: "Whether the count is 1,000 or more, so that `value` is only its lower bound.",
      resolve: (count) => count >= CAP,
    }),
  }),
});
