import type { ConversationStatus } from "./conversation.ts";
import type { BlockId } from "./id.ts";

export interface InvalidField {
  readonly path: string;
  readonly message: string;
}

/** The expected refusals, in order of precedence when several apply (rule C5). */
export type Refusal =
  | { readonly type: "NotFound"; readonly message: string }
  | { readonly type: "Forbidden"; readonly message: string }
  | { readonly type: "InvalidInput"; readonly fields: readonly InvalidField[] }
  | { readonly type: "ContactBlocked"; readonly blockId: BlockId }
  | {
      readonly type: "InvalidTransition";
      readonly from: ConversationStatus | null;
      readonly to: ConversationStatus | null;
    };

export function notFound(message: string): Refusal {
  return { type: "NotFound", message };
}

export function forbidden(message: string): Refusal {
  return { type: "Forbidden", message };
}

export function invalidInput(path: string, message: string): Refusal {
  return { type: "InvalidInput", fields: [{ path, message }] };
}

export function invalidTransition(from: ConversationStatus | null, to: ConversationStatus | null): Refusal {
  return { type: "InvalidTransition", from, to };
}
