import { z } from "zod";
import type { Flow } from "../domain/flow.ts";
import { type ChannelId, idOf } from "../domain/id.ts";
import type { FlowModel } from "../store/generated/models.ts";

const menuOption = z.object({ id: z.string().min(1), label: z.string().min(1), next: z.string().min(1) });

const chatbotStep = z.object({
  id: z.string().min(1),
  text: z.string().min(1),
  delay: z.number().int().min(0).optional(),
  options: z.array(menuOption).optional(),
  next: z.string().min(1).optional(),
});

/** The JSON column `definition`, by kind of flow. */
export const flowDefinitions = {
  AUTO_REPLY_FIRST_MESSAGE: z.object({ text: z.string().min(1) }),
  AUTO_REPLY_KEYWORD: z.object({ keywords: z.array(z.string().min(1)).min(1), text: z.string().min(1) }),
  CHATBOT: z.object({ steps: z.array(chatbotStep).min(1) }),
};

/** A flow as stored, read as the core knows it; a definition of another shape is a bug of who stored it. */
export function flowFrom(row: FlowModel): Flow & { readonly channelId: ChannelId } {
  const common = { id: idOf<"Flow">(row.id), channelId: idOf<"Channel">(row.channelId) };
  switch (row.kind) {
    case "AUTO_REPLY_FIRST_MESSAGE":
      return { ...common, kind: row.kind, ...flowDefinitions.AUTO_REPLY_FIRST_MESSAGE.parse(row.definition) };
    case "AUTO_REPLY_KEYWORD":
      return { ...common, kind: row.kind, ...flowDefinitions.AUTO_REPLY_KEYWORD.parse(row.definition) };
    case "CHATBOT":
      return { ...common, kind: row.kind, ...flowDefinitions.CHATBOT.parse(row.definition) };
  }
}
