import type { AgentId, ApiKeyId, ContactId, FlowId } from "./id.ts";

/** Who acts. A `Bot` is a flow as an actor; `System` is the product itself (expiries, time-outs). */
export type Actor =
  | { readonly type: "Agent"; readonly id: AgentId }
  | { readonly type: "ApiKey"; readonly id: ApiKeyId }
  | { readonly type: "Contact"; readonly id: ContactId }
  | { readonly type: "Bot"; readonly id: FlowId }
  | { readonly type: "System" };

export const system: Actor = { type: "System" };
