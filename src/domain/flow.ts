import type { FlowId } from "./id.ts";

/** A menu entry. The contact chooses it by its number, by its label, or with a postback that carries its id. */
export interface MenuOption {
  readonly id: string;
  readonly label: string;
  /** The id of the next step, or `HANDOVER`. */
  readonly next: string;
}

/** One message of a chatbot. With options it waits for an answer; otherwise it continues with `next`. */
export interface ChatbotStep {
  readonly id: string;
  readonly text: string;
  /** Delay before the message is sent, in milliseconds. */
  readonly delay?: number | undefined;
  readonly options?: readonly MenuOption[] | undefined;
  readonly next?: string | undefined;
}

/** The value of `next` that hands the conversation over to an agent: BOT → WAITING (rule C3). */
export const HANDOVER = "HANDOVER";

/** A default flow: an automation that a contact's message triggers. */
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
      /** The chatbot starts at the first one. */
      readonly steps: readonly ChatbotStep[];
    };

export type Chatbot = Extract<Flow, { kind: "CHATBOT" }>;

/** Whether the text contains at least one of the keywords, ignoring case. */
export function matchesKeyword(keywords: readonly string[], text: string): boolean {
  const haystack = text.toLowerCase();
  return keywords.some((keyword) => haystack.includes(keyword.toLowerCase()));
}

/** The menu entry that an answer chooses by id (a postback), by number from 1, or by label; null if none matches. */
export function chooseOption(step: ChatbotStep, answer: string): MenuOption | null {
  const wanted = answer.trim().toLowerCase();
  return (
    (step.options ?? []).find(
      (option, index) =>
        wanted === option.id.toLowerCase() || wanted === String(index + 1) || wanted === option.label.toLowerCase(),
    ) ?? null
  );
}
