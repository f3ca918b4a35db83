import { createHash } from "node:crypto";
import type { Step } from "../../commands/work.ts";
import type { Refusal } from "../../domain/refusal.ts";
import type { Accepted } from "../../domain/turn.ts";
import type { IdempotencyClaim } from "../../store/idempotency.ts";
import type { Context } from "./context.ts";

/** Executes all steps in one transaction. Returns the accepted steps, or the first refusal with nothing committed. */
export async function executeSteps(
  { services, viewer }: Context,
  steps: readonly Step[],
  idempotency?: IdempotencyClaim | undefined,
): Promise<{ readonly type: "Done"; readonly accepted: readonly Accepted[] } | Refusal> {
  const { workspaceId } = viewer;
  const work = { workspaceId, steps, ...(idempotency === undefined ? {} : { idempotency }) };
  const accepted: Accepted[] = [];
  for (const result of await services.executor.execute(work)) {
    if (result.type !== "Accepted") return result;
    accepted.push(result);
  }
  return { type: "Done", accepted };
}

/** Like `executeSteps`, for a single step. */
export async function executeStep(
  context: Context,
  step: Step,
  idempotency?: IdempotencyClaim | undefined,
): Promise<Accepted | Refusal> {
  const outcome = await executeSteps(context, [step], idempotency);
  if (outcome.type !== "Done") return outcome;
  const [accepted] = outcome.accepted;
  if (accepted === undefined) throw new Error("The executor returned no result for a step.");
  return accepted;
}

/** The claim of an idempotency key; undefined without a key. `input` is the rest of the input, in a fixed order. */
export function idempotencyClaim(
  { viewer }: Context,
  mutation: string,
  key: string | null | undefined,
  input: readonly (string | null)[],
): IdempotencyClaim | undefined {
  if (key === null || key === undefined) return undefined;
  const inputHash = createHash("sha256").update(JSON.stringify(input)).digest("hex");
  return { actorId: viewer.actor.id, mutation, key, inputHash };
}

/** Returns an id that the executor always sets for this kind of step. */
export function requiredId<Id>(id: Id | null): Id {
  if (id === null) throw new Error("An accepted step has no id of the expected kind.");
  return id;
}
