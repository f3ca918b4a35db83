import type { AgentId, ApiKeyId, ContactId, FlowId } from "./id.ts";

/** Who performed an action. `Bot` is a flow; `System` is Deskgate itself (expiries, timeouts). */
export type Actor =
  | { readonly type: "Agent"; readonly id: AgentId }
  | { readonly type: "ApiKey"; readonly id: ApiKeyId }
  | { readonly type: "Contact"; readonly id: ContactId }
  | { readonly type: "Bot"; readonly id: FlowId }
  | { readonly type: "System" };

export const system: Actor = { type: "System" };
