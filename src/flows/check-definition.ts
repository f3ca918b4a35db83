import type { z } from "zod";
import { type Flow, HANDOVER } from "../domain/flow.ts";
import { checkJson } from "../domain/input.ts";
import type { InvalidField } from "../domain/refusal.ts";
import { MAX_TEXT, textError } from "../domain/text.ts";
import { flowDefinitions } from "./definition.ts";

type ChatbotDefinition = z.infer<typeof flowDefinitions.CHATBOT>;

/** Validates a definition. Returns the definition to store and the validation errors, if any. */
export function checkDefinition(
  kind: Flow["kind"],
  definition: unknown,
): { readonly definition: object; readonly invalid: readonly InvalidField[] } {
  const jsonError = checkJson("definition", definition);
  if (jsonError !== null) return { definition: {}, invalid: [jsonError] };
  const { data, error } = flowDefinitions[kind].safeParse(definition);
  if (error) {
    const invalid = error.issues.map(({ path, message }) => ({ path: ["definition", ...path].join("."), message }));
    return { definition: {}, invalid };
  }
  const invalid = "steps" in data ? checkChatbot(data) : checkTexts("definition.text", data.text);
  return { definition: data, invalid };
}

/** Checks what the schema cannot express: unique ids, limits, existing targets, no endless loops. */
function checkChatbot({ steps }: ChatbotDefinition): InvalidField[] {
  const ids = new Set(steps.map(({ id }) => id));
  const isUnknownTarget = (next: string | undefined): boolean =>
    next !== undefined && next !== HANDOVER && !ids.has(next);
  return steps.flatMap((step, index) => {
    const path = `definition.steps.${index}`;
    const options = step.options ?? [];
    return [
      ...(steps.findIndex(({ id }) => id === step.id) === index
        ? []
        : [{ path: `${path}.id`, message: "Another step already has this id." }]),
      ...checkTexts(`${path}.text`, [step.text, ...options.map(({ label }) => label)].join("\n")),
      ...(isUnknownTarget(step.next)
        ? [{ path: `${path}.next`, message: `Must be the id of a step or ${HANDOVER}.` }]
        : []),
      ...options.flatMap((option, at) => [
        ...(options.findIndex(({ id }) => id === option.id) === at
          ? []
          : [{ path: `${path}.options.${at}.id`, message: "Another option of this step already has this id." }]),
        ...(isUnknownTarget(option.next)
          ? [{ path: `${path}.options.${at}.next`, message: `Must be the id of a step or ${HANDOVER}.` }]
          : []),
      ]),
      ...(loopsWithoutAnswer(steps, step)
        ? [{ path: `${path}.next`, message: "Leads back to this step without waiting for an answer." }]
        : []),
    ];
  });
}

/** Whether the path from this step leads back to it without waiting for an answer. */
function loopsWithoutAnswer(steps: ChatbotDefinition["steps"], from: ChatbotDefinition["steps"][number]): boolean {
  const visited = new Set<string>();
  let step: typeof from | undefined = from;
  while (step !== undefined && (step.options ?? []).length === 0 && !visited.has(step.id)) {
    visited.add(step.id);
    const next: string | undefined = step.next;
    if (next === from.id) return true;
    step = steps.find(({ id }) => id === next);
  }
  return false;
}

function checkTexts(path: string, text: string): InvalidField[] {
  const message = textError(text, MAX_TEXT);
  return message === null ? [] : [{ path, message }];
}
