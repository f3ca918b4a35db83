import { z } from "zod";
import type { Flow } from "../domain/flow.ts";
import { type ChannelId, idOf } from "../domain/id.ts";

/** Maximum delay before a step, in milliseconds: 7 days. */
const MAX_DELAY = 7 * 24 * 60 * 60 * 1_000;

const menuOption = z.object({ id: z.string().min(1), label: z.string().min(1), next: z.string().min(1) });

const chatbotStep = z.object({
  id: z.string().min(1),
  text: z.string().min(1),
  delay: z.number().int().min(0).max(MAX_DELAY, "Must be at most 7 days, in milliseconds.").optional(),
  options: z.array(menuOption).optional(),
  next: z.string().min(1).optional(),
});

/** The schemas of the JSON column `definition`, by kind of flow: what every stored row must match to be used. */
export const flowDefinitions = {
  AUTO_REPLY_FIRST_MESSAGE: z.object({ text: z.string().min(1) }),
  AUTO_REPLY_KEYWORD: z.object({ keywords: z.array(z.string().min(1)).min(1), text: z.string().min(1) }),
  CHATBOT: z.object({ steps: z.array(chatbotStep).min(1) }),
};

const storedFlow = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("AUTO_REPLY_FIRST_MESSAGE"), definition: flowDefinitions.AUTO_REPLY_FIRST_MESSAGE }),
  z.object({ kind: z.literal("AUTO_REPLY_KEYWORD"), definition: flowDefinitions.AUTO_REPLY_KEYWORD }),
  z.object({ kind: z.literal("CHATBOT"), definition: flowDefinitions.CHATBOT }),
]);

/** The columns of a flow row that a domain flow is made of. */
export interface FlowRow {
  readonly id: string;
  readonly channelId: string;
  readonly kind: Flow["kind"];
  readonly definition: unknown;
}

/** A flow and the channel on which it runs. */
export type ChannelFlow = Flow & { readonly channelId: ChannelId };

/** Converts a stored flow to a domain flow. `fault` says, for people to read, why a row cannot be used. */
export function readFlow({
  id,
  channelId,
  kind,
  definition,
}: FlowRow): { readonly flow: ChannelFlow; readonly fault: null } | { readonly flow: null; readonly fault: string } {
  const { data, error } = storedFlow.safeParse({ kind, definition });
  if (error) return { flow: null, fault: faultOf(error) };
  const common = { id: idOf<"Flow">(id), channelId: idOf<"Channel">(channelId) };
  switch (data.kind) {
    case "AUTO_REPLY_FIRST_MESSAGE":
      return { flow: { ...common, kind: data.kind, ...data.definition }, fault: null };
    case "AUTO_REPLY_KEYWORD":
      return { flow: { ...common, kind: data.kind, ...data.definition }, fault: null };
    case "CHATBOT":
      return { flow: { ...common, kind: data.kind, ...data.definition }, fault: null };
  }
}

/** Names the place and the expected type, never the stored value, because the log must not have texts of messages. */
function faultOf({ issues }: z.ZodError): string {
  const [first] = issues;
  const found = first === undefined ? "" : ` (${first.path.join(".")}: ${first.message})`;
  return `The flow is skipped because its stored definition is invalid${found}. Replace the definition with updateFlow.`;
}
