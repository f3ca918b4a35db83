import { type ChatbotStep, type Flow, HANDOVER } from "../domain/flow.ts";
import { checkJson } from "../domain/input.ts";
import type { InvalidField } from "../domain/refusal.ts";
import { MAX_TEXT, textError } from "../domain/text.ts";
import { flowDefinitions } from "./definition.ts";

/** Maximum number of steps of a chatbot. Limits apply when a flow is written; a flow stored earlier goes on working. */
export const MAX_STEPS = 200;
/** Maximum number of keywords of a flow. */
export const MAX_KEYWORDS = 200;
/** Maximum length of a keyword, in code points. */
export const MAX_KEYWORD_LENGTH = 100;

/** Validates a definition. Returns the definition to store, how many keywords it has, and the errors, if any. */
export function checkDefinition(
  kind: Flow["kind"],
  definition: unknown,
): { readonly definition: object; readonly keywords: number; readonly invalid: readonly InvalidField[] } {
  const refused = (invalid: readonly InvalidField[]) => ({ definition: {}, keywords: 0, invalid });
  const jsonError = checkJson("definition", definition);
  if (jsonError !== null) return refused([jsonError]);
  const { data, error } = flowDefinitions[kind].safeParse(definition);
  if (error) {
    return refused(error.issues.map(({ path, message }) => ({ path: ["definition", ...path].join("."), message })));
  }
  if ("steps" in data) return { definition: data, keywords: 0, invalid: checkChatbot(data.steps) };
  const { text, keywords = [] }: { readonly text: string; readonly keywords?: readonly string[] } = data;
  const invalid = [...checkKeywords(keywords), ...checkText("definition.text", text)];
  return { definition: data, keywords: keywords.length, invalid };
}

function checkKeywords(keywords: readonly string[]): InvalidField[] {
  if (keywords.length > MAX_KEYWORDS) {
    const message = `There are ${keywords.length}, and a flow has at most ${MAX_KEYWORDS}: remove some, or use several flows.`;
    return [{ path: "definition.keywords", message }];
  }
  return keywords.flatMap((keyword, index) => checkText(`definition.keywords.${index}`, keyword, MAX_KEYWORD_LENGTH));
}

/** Checks what the schema cannot express: limits, unique ids, existing targets, no endless loops. */
function checkChatbot(steps: readonly ChatbotStep[]): InvalidField[] {
  if (steps.length > MAX_STEPS) {
    const message = `There are ${steps.length}, and a chatbot has at most ${MAX_STEPS}: remove some, or hand over earlier.`;
    return [{ path: "definition.steps", message }];
  }
  const byId = firstById(steps);
  const looping = stepsInLoops(steps);
  const isUnknownTarget = (next: string | undefined): boolean =>
    next !== undefined && next !== HANDOVER && !byId.has(next);
  return steps.flatMap((step, index) => {
    const path = `definition.steps.${index}`;
    const options = step.options ?? [];
    const optionById = firstById(options);
    return [
      ...(byId.get(step.id) === step ? [] : [{ path: `${path}.id`, message: "Another step already has this id." }]),
      ...checkText(`${path}.text`, [step.text, ...options.map(({ label }) => label)].join("\n")),
      ...(isUnknownTarget(step.next)
        ? [{ path: `${path}.next`, message: `Must be the id of a step or ${HANDOVER}.` }]
        : []),
      ...options.flatMap((option, at) => [
        ...(optionById.get(option.id) === option
          ? []
          : [{ path: `${path}.options.${at}.id`, message: "Another option of this step already has this id." }]),
        ...(isUnknownTarget(option.next)
          ? [{ path: `${path}.options.${at}.next`, message: `Must be the id of a step or ${HANDOVER}.` }]
          : []),
      ]),
      ...(looping.has(step)
        ? [{ path: `${path}.next`, message: "Leads back to this step without waiting for an answer." }]
        : []),
    ];
  });
}

/** The steps that lead back to themselves without waiting for an answer, found in linear time. */
export function stepsInLoops(steps: readonly ChatbotStep[]): ReadonlySet<ChatbotStep> {
  const byId = firstById(steps);
  const follower = ({ options = [], next }: ChatbotStep): ChatbotStep | undefined =>
    options.length > 0 || next === undefined ? undefined : byId.get(next);
  const reachedFrom = new Map<ChatbotStep, ChatbotStep>();
  const looping = new Set<ChatbotStep>();
  for (const start of steps) {
    let step: ChatbotStep | undefined = start;
    while (step !== undefined && !reachedFrom.has(step)) {
      reachedFrom.set(step, start);
      step = follower(step);
    }
    // Only a walk that meets itself has found a loop; one that meets an earlier walk has not.
    if (step === undefined || reachedFrom.get(step) !== start) continue;
    for (let each: ChatbotStep | undefined = step; each !== undefined && !looping.has(each); each = follower(each)) {
      looping.add(each);
    }
  }
  return looping;
}

function firstById<Item extends { readonly id: string }>(items: readonly Item[]): ReadonlyMap<string, Item> {
  return new Map(items.toReversed().map((item) => [item.id, item]));
}

function checkText(path: string, text: string, max = MAX_TEXT): InvalidField[] {
  const message = textError(text, max);
  return message === null ? [] : [{ path, message }];
}
