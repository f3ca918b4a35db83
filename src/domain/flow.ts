import type { FlowId } from "./id.ts";

/** A menu entry: it is chosen by its number, by its label, or by a postback that carries its id. */
export interface MenuOption {
  readonly id: string;
  readonly label: string;
  /** The id of the step that follows, or `HANDOVER`. */
  readonly next: string;
}

/** One thing that a chatbot says. With options it then waits for an answer, else it goes on to `next`. */
export interface ChatbotStep {
  readonly id: string;
  readonly text: string;
  /** Pause before it is said, in milliseconds. */
  readonly delay?: number | undefined;
  readonly options?: readonly MenuOption[] | undefined;
  readonly next?: string | undefined;
}

/** Where a chatbot's path leads to a person: BOT → WAITING (rule C3). */
export const HANDOVER = "HANDOVER";

/** A default flow: one that a contact's message triggers by itself. */
export type Flow =
  | {
      readonly id: FlowId;
      readonly kind: "AUTO_REPLY_FIRST_MESSAGE";
      readonly text: string;
    }
  | {
      readonly id: FlowId;
      readonly kind: "AUTO_REPLY_KEYWORD";
      readonly keywords: readonly string[];
      readonly text: string;
    }
  | {
      readonly id: FlowId;
      readonly kind: "CHATBOT";
      /** The first one is where it begins. */
      readonly steps: readonly ChatbotStep[];
    };

export type Chatbot = Extract<Flow, { kind: "CHATBOT" }>;

/** Finds a keyword as a whole in the text, whatever the case. */
export function matchesKeyword(keywords: readonly string[], text: string): boolean {
  const haystack = text.toLowerCase();
  return keywords.some((keyword) => haystack.includes(keyword.toLowerCase()));
}

/** The menu entry that an answer chooses: by id (a postback), by number from 1, or by label. */
export function chooseOption(step: ChatbotStep, answer: string): MenuOption | null {
  const wanted = answer.trim().toLowerCase();
  return (
    (step.options ?? []).find(
      (option, index) =>
        wanted === option.id.toLowerCase() || wanted === String(index + 1) || wanted === option.label.toLowerCase(),
    ) ?? null
  );
}
