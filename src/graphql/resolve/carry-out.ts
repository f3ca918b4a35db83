import { createHash } from "node:crypto";
import type { Step } from "../../commands/work.ts";
import type { Refusal } from "../../domain/refusal.ts";
import type { Accepted } from "../../domain/turn.ts";
import type { IdempotencyClaim } from "../../store/idempotency.ts";
import type { Context } from "./context.ts";

/** The steps of a work that were all carried out, or the first refusal of one. */
export async function carryOut(
  { services, viewer }: Context,
  steps: readonly Step[],
  idempotency?: IdempotencyClaim | undefined,
): Promise<{ readonly type: "Done"; readonly accepted: readonly Accepted[] } | Refusal> {
  const { workspaceId } = viewer;
  const work = { workspaceId, steps, ...(idempotency === undefined ? {} : { idempotency }) };
  const accepted: Accepted[] = [];
  for (const answer of await services.executor.execute(work)) {
    if (answer.type !== "Accepted") return answer;
    accepted.push(answer);
  }
  return { type: "Done", accepted };
}

/** Like `carryOut`, for a work of one step. */
export async function carryOutOne(
  context: Context,
  step: Step,
  idempotency?: IdempotencyClaim | undefined,
): Promise<Accepted | Refusal> {
  const outcome = await carryOut(context, [step], idempotency);
  if (outcome.type !== "Done") return outcome;
  const [accepted] = outcome.accepted;
  if (accepted === undefined) throw new Error("A step was not answered.");
  return accepted;
}

/** What an idempotency key stands for; `input` is the rest of the input, in an order of its own. */
export function claimOf(
  { viewer }: Context,
  mutation: string,
  key: string | null | undefined,
  input: readonly (string | null)[],
): IdempotencyClaim | undefined {
  if (key === null || key === undefined) return undefined;
  const inputHash = createHash("sha256").update(JSON.stringify(input)).digest("hex");
  return { actorId: viewer.actor.id, mutation, key, inputHash };
}

/** An id that a step of this kind always makes. */
export function made<Id>(id: Id | null): Id {
  if (id === null) throw new Error("A step that was carried out names nothing that it made.");
  return id;
}
