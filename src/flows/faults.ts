import { type Flow, HANDOVER } from "../domain/flow.ts";
import { jsonFault } from "../domain/input.ts";
import type { InvalidField } from "../domain/refusal.ts";
import { MAX_TEXT } from "../domain/text.ts";
import { flowDefinitions } from "./definition.ts";

/** Longest pause before a step, in milliseconds. */
const MAX_DELAY = 7 * 24 * 60 * 60 * 1_000;

type Definitions = typeof flowDefinitions;
type ChatbotDefinition = ReturnType<Definitions["CHATBOT"]["parse"]>;

/** A definition as it may be kept, or what is wrong with it. */
export function checkDefinition(
  kind: Flow["kind"],
  definition: unknown,
): { readonly definition: object; readonly faults: readonly InvalidField[] } {
  const unkeepable = jsonFault("definition", definition);
  if (unkeepable !== null) return { definition: {}, faults: [unkeepable] };
  const { data, error } = flowDefinitions[kind].safeParse(definition);
  if (error) {
    const faults = error.issues.map(({ path, message }) => ({ path: ["definition", ...path].join("."), message }));
    return { definition: {}, faults };
  }
  const faults = "steps" in data ? faultsOfChatbot(data) : faultsOfText("definition.text", data.text);
  return { definition: data, faults };
}

/** What the shape alone does not say: where its paths lead. */
function faultsOfChatbot({ steps }: ChatbotDefinition): InvalidField[] {
  const ids = new Set(steps.map(({ id }) => id));
  const leadsNowhere = (next: string | undefined): boolean => next !== undefined && next !== HANDOVER && !ids.has(next);
  return steps.flatMap((step, index) => {
    const path = `definition.steps.${index}`;
    const options = step.options ?? [];
    return [
      ...(steps.findIndex(({ id }) => id === step.id) === index
        ? []
        : [{ path: `${path}.id`, message: "Another step has this id." }]),
      ...faultsOfText(`${path}.text`, [step.text, ...options.map(({ label }) => label)].join("\n")),
      ...((step.delay ?? 0) > MAX_DELAY ? [{ path: `${path}.delay`, message: "Must be at most 7 days." }] : []),
      ...(leadsNowhere(step.next) ? [{ path: `${path}.next`, message: `Must name a step or ${HANDOVER}.` }] : []),
      ...options.flatMap((option, at) => [
        ...(options.findIndex(({ id }) => id === option.id) === at
          ? []
          : [{ path: `${path}.options.${at}.id`, message: "Another option of this step has this id." }]),
        ...(leadsNowhere(option.next)
          ? [{ path: `${path}.options.${at}.next`, message: `Must name a step or ${HANDOVER}.` }]
          : []),
      ]),
      ...(talksForEver(steps, step) ? [{ path: `${path}.next`, message: "Leads back here without ever asking." }] : []),
    ];
  });
}

/** Whether the steps that follow of themselves come back to this one. */
function talksForEver(steps: ChatbotDefinition["steps"], from: ChatbotDefinition["steps"][number]): boolean {
  const said = new Set<string>();
  let step: typeof from | undefined = from;
  while (step !== undefined && (step.options ?? []).length === 0 && !said.has(step.id)) {
    said.add(step.id);
    const next: string | undefined = step.next;
    if (next === from.id) return true;
    step = steps.find(({ id }) => id === next);
  }
  return false;
}

function faultsOfText(path: string, text: string): InvalidField[] {
  return [...text].length > MAX_TEXT
    ? [{ path, message: `Must be at most ${MAX_TEXT.toLocaleString("en")} characters long.` }]
    : [];
}
